// Package dataplane carries IPv4 and IPv6 packets between the kernel of a group member and its gateway.
//
// A member that is a gateway has interfaces towards the hosts it protects and others towards the network that must not
// read them. For each of the two sides there is a TUN device, and policy routing sends what arrives from a side, and is to
// be forwarded, into the device of that side:
//
//	        rule                 +------- gateway -------+                 rule
//	lan0 --------> gm1-in  read -->                     <-- read  gm1-out <-------- wan0
//	lan0 <-------- gm1-in  write <-                     -> write  gm1-out --------> wan0
//	        main table           +-----------------------+            main table
//
// So the side of a packet never has to be guessed: ESP that comes from inside is payload, ESP that comes from outside is
// to be opened. What the gateway emits to a side is written to the device of that side, and the kernel routes it on.
// Four sorts of packets are looked after besides:
//
//   - ESP for an address of the gateway itself is not forwarded; a raw socket takes it from the outside interfaces. With
//     address preservation (RFC 5374 §3.1) that is how hosts reach the gateway's inside address. ESP in UDP comes to a socket of
//     the node, which shares the port with key management (RFC 3948 §2).
//   - What the gateway's host sends itself from an address of the networks behind it goes through the gateway too.
//   - So does the ICMP that the host sends, from whatever address: an error about a packet that was decrypted quotes it.
//   - What goes from one inside interface to another does not. The routes through inside interfaces are copied when the
//     device is opened; a packet that takes none of them passes through the gateway, whatever the main table says.
//
// IPv6 is looked after as IPv4 is. Where it is switched off, its rules and routes of last resort are there all the same, so
// that nothing gets past the gateway when somebody switches it on. While a device is open the namespace is an IPv6 router,
// which takes no router advertisements. What is of a link alone, such as neighbour discovery, is not the gateway's affair.
//
// What a device gives may stand for many segments of a TCP stream, or many datagrams of a flow. They are taken apart before the
// gateway sees them, and what it emits is put together again where the kernel can move it as one and will cut it into the same packets.
//
// The kernel decrements the TTL when it forwards a packet into a device and again when it forwards what comes out of one:
// the first is what RFC 4301 §5.1.2.1 asks for before encapsulation, the second what it asks for after decapsulation. A
// packet that is bypassed unprotected loses two.
//
// The routing tables that the rules name also hold a route of last resort that refuses everything. When a daemon dies its
// devices go with it, and the rules and these routes stay and let nothing out in clear, until a daemon of the same name
// starts or somebody removes them. Close removes everything and puts back the kernel's settings.
package dataplane
