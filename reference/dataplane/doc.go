// Package dataplane carries IP packets between the kernel of a group member and its gateway.
//
// A member that is a gateway has interfaces towards the hosts it protects and one towards the network that must not read
// them. For each of the two sides there is a TUN device; policy routing sends what arrives from a side, and is not for
// the gateway's own host, into the device of that side:
//
//	                 +--------------- gateway ---------------+
//	inside           |  device "in"             device "out" |           outside
//	lan0 --- rule: iif lan0 ---> read                read <--- rule: iif wan0 --- wan0
//	lan0 <-- main table -------- write              write ---> main table ------> wan0
//
// So the side of a packet never has to be guessed: ESP that comes from inside is payload, ESP that comes from outside is
// to be opened. What the gateway emits to a side is written to the device of that side, and the kernel routes it on.
//
// Only IPv4 is carried. The kernel decrements the TTL when it forwards a packet into a device and again when it forwards
// what comes out of one, which is what RFC 4301 §5.1.2.1 asks before encapsulation and after decapsulation; a packet that
// is bypassed unprotected therefore loses two.
//
// The routing tables that the rules name also hold a route of last resort that refuses everything, so that a daemon that
// died lets nothing out in clear; it stays until the next start under the same name or until somebody removes it.
package dataplane
