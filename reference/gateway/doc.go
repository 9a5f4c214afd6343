// Package gateway is the data path of a group member that protects the hosts behind it: IPv4 in ESP tunnel mode with address
// preservation (RFC 4301, RFC 4303, RFC 5374 §3.1 and §5).
//
//	inside                                                            outside
//	clear packet   -->  policy, fragmentation, SA, outer header  -->  ESP packet
//	clear packet   <--  selector, addresses, SA, reassembly      <--  ESP packet
//
// It does no I/O and owns no clock: a packet and the time go in, packets come out through a function. Packets are IPv4;
// whatever else comes is refused.
package gateway
