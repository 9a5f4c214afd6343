// Package tester holds the ways in which the tester's side of the protocol misbehaves on purpose.
//
// A tester runs the same cores as the reference, unbroken; a Deviation is a tap on its outgoing messages that changes one
// thing: a field before the message is authenticated (the HASH or SIG then covers the wrong value, so only the rule under
// test is broken), a HASH or SIG itself, or octets of the finished datagram. The core never learns of it, so that the
// unaltered message can follow as the positive control. Deviations compose.
package tester
