// Package dataplane tests what a group member does with the traffic of the hosts behind it: ESP in tunnel mode with address
// preservation, as hosts see it and as it is on the wire (RFC 4301, RFC 4303, RFC 4106, RFC 5374, RFC 6054, RFC 6407 §5.5).
//
//	h1 ── lan1 ── gm1 ════ wan ════ gm2 ── lan2 ── h2
//	             device            tester
//
// Most specs need no second member: what the device sends is read on the WAN with the group's keys, and what it receives
// is forged with them and put on the WAN, as gm2 would. What the device lets through is seen on its LAN. A packet that must
// be dropped is followed by one that must not, so that nothing waits for silence.
//
//	send.go     the ESP packets that the device makes
//	receive.go  the ESP packets that it takes
//	replay.go   sequence numbers received
//	tunnel.go   outer addresses, made and checked
//	header.go   TTL, DSCP, ECN, DF and options
//	outer.go    the same where they are configured, and sizes beside them
//	peer.go     addresses that are not preserved
//	transport.go  transport mode
//	pmtu.go     what routers outside say of sizes
//	multicast.go  flows to a group
//	ipv6.go     all of it with IPv6
//	policy.go   selectors, directions
//	closed.go   traffic without an SA
//	size.go     packets that are too big
//	rollover.go when SAs start and end
//	story.go    whole groups end to end
package dataplane
