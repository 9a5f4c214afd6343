// Package gateway is the data path of a group member that protects the hosts behind it: IPv4 and IPv6 in ESP, in tunnel mode
// with address preservation or in transport mode (RFC 4301, RFC 4303, RFC 5374 §3 to §5).
//
//	inside                                                            outside
//	clear packet   -->  policy, fragmentation, SA, outer header  -->  ESP packet
//	clear packet   <--  selector, addresses, SA, reassembly      <--  ESP packet
//
// ESP may travel in UDP (RFC 3948), on the port that key management has behind NATs.
//
// A gateway may be in several groups (Group). Each has flows that it protects and SAs of its own; the groups stand in an order, and a
// packet belongs to the first whose policy takes it (RFC 4301 §4.4.1).
//
// It does no I/O and owns no clock: a packet and the time go in, packets come out through a function. The version of a packet
// is what its first octet says.
//
// Where the source address is preserved, routers outside send their ICMP errors to the host that has it. The gateway uses what
// they say of the path's MTU if they pass through it, as they do if it stands in front of the host; otherwise nobody learns it,
// and the link's own MTU has to be set to what the path carries.
package gateway
