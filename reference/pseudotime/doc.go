// Package pseudotime is the time of a group, by which its members know packets that are repeated (time-based anti-replay of GET
// VPN). It has nothing to do with the time of day: the key server counts from its first registration on, and members follow.
//
//	key server   0 ------- first registration ------- 8.21 s ------- rekey: 7200.00 s -->
//	member                                               8.21 s ... its own copy ... 7200.00 s -->
//	packet                                                       stamp: the sender's pseudotime, whole ticks
//
// A receiver takes a packet whose stamp lies no further than a window from its own pseudotime, before or after it. A member takes
// a rekey whose pseudotime is ahead of its own, however far, or behind it by no more than the skew, and follows either.
//
// The package does no I/O and owns no clock: the time comes in.
package pseudotime
