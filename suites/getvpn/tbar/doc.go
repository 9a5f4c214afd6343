// Package tbar tests how the members of a GET VPN group know packets and rekeys that are repeated: by the group's pseudotime, or by
// sequence numbers where there are two members.
//
//	h1 ── lan1 ── gm1 ════ wan ════ gm2 ── lan2 ── h2
//	             device            tester
//
// What pseudotime a member has is read from the packets that it sends; the key server's is read from its messages. Both advance in ticks,
// which are long here, so that packets and rekeys can be forged that lie exactly at the edges.
//
//	gm_packet.go   stamps that a member sends and takes
//	gm_rekey.go    the pseudotime of rekeys
//	gm_counter.go  sequence numbers
//	gm_sat.go      SATs that a member refuses
//	tag.go         the tags of security groups, which travel like the pseudotime
//	ks.go          what a key server tells, and when
package tbar
