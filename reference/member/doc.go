// Package member is the core of a GDOI group member: it registers with a key server, follows its rekeys and owns the
// gateway whose traffic the group's keys protect. It may be in several groups at once, of one key server or of several: then it has
// a membership in each, with a registration, a Rekey SA and Sender-IDs of its own, and what comes is told apart by its cookies.
//
// Registration is Phase 1 (package ike) and then GROUPKEY-PULL (RFC 6407 §3), which the member begins:
//
//	GM --> KS  HDR*, HASH(1), Ni, ID
//	GM <-- KS  HDR*, HASH(2), Nr, SA
//	GM --> KS  HDR*, HASH(3) [, GAP]
//	GM <-- KS  HDR*, HASH(4) [, SEQ], KD
//
// Afterwards the key server changes keys with GROUPKEY-PUSH (RFC 6407 §4), which the member acknowledges if asked to
// (RFC 8263):
//
//	GM <-- KS  HDR*, SEQ, [D,] [SA, KD,] SIG
//	GM --> KS  HDR, HASH, SEQ, ID
//
// A Member implements core.Core. Everything is checked before anything is changed: a message that is refused leaves
// keys, sequence number and policy as they were. A missed rekey is healed by registering again before the keys end.
package member
