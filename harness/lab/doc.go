// Package lab builds the small network in which a spec runs: key servers and group members on a WAN, a host behind each
// member, taps on the WAN, and everything that was seen.
//
// What carries the packets is a Fabric. The memory fabric is a discrete-event network with a virtual clock: it needs no
// privilege, a day passes in milliseconds, and one seed gives one capture. The netns fabric has a network namespace for
// each node, real sockets and a real IP stack. A spec says what it needs (Need), never which fabric it runs on.
//
// A node is either a device under test or a tester. Both run the same reference code here, but a device is watched from
// outside only, through the wire, its hosts' traffic, its log and its control socket, while a tester has a tap on every
// message it sends. Guards that a mutant switches off are off in devices only.
//
// The addressing plan is the same everywhere:
//
//	ks    192.0.2.10            WAN 192.0.2.0/24
//	gm1   192.0.2.21            10.0.1.0/24, h1 is 10.0.1.2
//	gm2   192.0.2.22            10.0.2.0/24, h2 is 10.0.2.2
//
// and beside it, in a lab that asks for IPv6 (Setup.IPv6, Setup.Family; the numbers of members are hexadecimal here):
//
//	ks    2001:db8:0:1::10      WAN 2001:db8:0:1::/64
//	gm1   2001:db8:0:1::21      2001:db8:10:1::/64, h1 is 2001:db8:10:1::2
//	gm2   2001:db8:0:1::22      2001:db8:10:2::/64, h2 is 2001:db8:10:2::2
//
// Members that Setup.NAT names, and the key server with Setup.HideKeyServer, are behind a NAT, which has 192.0.2.254 on the WAN: a simulated one on the
// memory fabric, the kernel's own (nftables) in a namespace on netns. What crosses the link between them and the NAT is in the record as "nat".
//
// The WAN carries no multicast to members that Setup.NoMulticast names. Members that Setup.Aside names have a second link to it, wan1, on which
// multicast comes to them, and what they and the key server send each other.
//
// With Setup.SecondGateway gm2 stands before the LAN of gm1 too, as 10.0.1.3, and routing prefers the one of them that Lab.Prefer names.
//
// Key management is of one family, that of Setup.Family. What a group protects is another matter: its selectors say it, and
// Protect6 adds one for IPv6. A lab that does not ask for IPv6 has none of it, so that nothing of it crosses its links.
package lab
