// Package core says what a protocol core is: a state machine that is told what happened and when, and answers with what
// it wants done.
//
// A core starts no goroutine, opens no socket, reads no clock and no global source of randomness. Package node and the
// harness's fabrics drive it: they hand in events, carry out effects in their order, and wake it at its deadline. So a
// day of lifetimes runs in milliseconds, a run repeats from its seed, and the same core serves memory, a network
// namespace and a container.
package core
