// Package lifecycle tests the life of a group in its breadth: several SAs and several groups at once, when SAs begin and end,
// each kind of GROUPKEY-PUSH, what becomes of members that miss some, and Sender-IDs from the first to the last
// (RFC 6407 §3.5, §4, §5.4, §5.9; RFC 5374 §4.2.1; RFC 6054 §4; RFC 8263 §6).
//
//	sas.go      several SAs in one group, and one SA for several flows
//	groups.go   several groups on one key server
//	gm_groups.go  a member in several groups at once
//	delays.go   ATD and DTD, second by second
//	kinds.go    every kind of PUSH, deletions among them, as it is sent and as it is taken
//	missed.go   members that miss rekeys
//	phase1_over.go  members whose Phase 1 SA has ended
//	sids.go     Sender-IDs until they are used up
package lifecycle
