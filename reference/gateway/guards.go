package gateway

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// Rollover.
var (
	guardATD = rule.Timer("gateway.install.atd", "RFC5374-4.2.1-05", rule.GM, time.Second,
		"new SAs do not send before the activation delay has passed")
	guardRollover = rule.Timer("gateway.install.rollover", "GETVPN-REKEY-11", rule.GM, 10*time.Second,
		"in profile getvpn a new SA sends from 30 s before the end of the one that it replaces")
	guardRelief = rule.Duty("gateway.delete.rollover", "GETVPN-REKEY-11", rule.GM,
		"in profile getvpn a new SA sends at once when the one that it replaces is deleted")
	guardDTD = rule.Timer("gateway.install.dtd", "RFC6407-5.4.1-02", rule.GM, time.Second,
		"replaced SAs end when the deactivation delay has passed")
)

// SAs that are not used.
var (
	guardMode = rule.Check("gateway.install.mode", "RFC5374-3-02", rule.GM,
		"a security gateway uses SAs in tunnel mode only")
	guardVersion = rule.Check("gateway.install.version", "RFC5374-4.1.2-01", rule.GM,
		"addresses are preserved in an outer header of the same IP version only")
)

// What leaves in clear, and what may come in so.
var (
	guardKeyManagement = rule.Duty("gateway.bypass.key-management", "RFC4301-5.2-02", rule.GM,
		"key management of the gateway itself passes in clear, whatever the group protects")
	guardClosed = rule.Check("gateway.clear.outbound", "RFC6407-5.5.1-05", rule.GM,
		"traffic that the group's selectors name does not leave without an SA")
	guardFirst = rule.Duty("gateway.group.first", "RFC4301-4.4.1-01", rule.GM,
		"traffic that the selectors of several groups name is of the first of them, and leaves under its SA or not at all")
	guardClear = rule.Check("gateway.clear.inbound", "RFC4301-5.2-01", rule.GM,
		"traffic that the group's selectors name is not accepted in clear")
)

// The outer header.
var (
	guardOuterSource = rule.Duty("gateway.outer.source", "RFC5374-3.1-02", rule.GM,
		"the outer source is that of the inner packet when it is to be preserved")
	guardOuterDestination = rule.Duty("gateway.outer.destination", "RFC5374-3.1-01", rule.GM,
		"the outer destination is that of the inner packet when it is to be preserved")
	guardOuterAbsent = rule.Duty("gateway.outer.absent", "RFC6407-5.5.1.1.1-01", rule.GM,
		"without the Address Preservation attribute both addresses are preserved")
	guardOuterOwn = rule.Duty("gateway.outer.own", "RFC5374-5.1-01", rule.GM,
		"the outer source is the gateway's own when that of the inner packet is not to be preserved")
	guardOuterPeer = rule.Duty("gateway.outer.peer", "RFC5374-5.1-01", rule.GM,
		"the outer destination is the tunnel peer when that of the inner packet is not to be preserved")
	guardOuterDSCP = rule.Duty("gateway.outer.dscp", "RFC4301-5.1.2.1-02", rule.GM,
		"the outer DSCP is that of the inner packet")
	guardOuterFixed = rule.Duty("gateway.outer.dscpfixed", "RFC4301-5.1.2.1-05", rule.GM,
		"the outer DSCP is that of the configuration, if it has one")
	guardOuterECN = rule.Duty("gateway.outer.ecn", "RFC4301-5.1.2.1-03", rule.GM,
		"the outer ECN field is that of the inner packet")
	guardOuterDF = rule.Duty("gateway.outer.df", "RFC4301-8.1-01", rule.GM,
		"the outer DF bit is that of the inner packet")
	guardOuterDFPolicy = rule.Duty("gateway.outer.dfpolicy", "RFC4301-8.1-01", rule.GM,
		"the outer DF bit is set, or clear, if the configuration says so")
	guardOuterTTL = rule.Duty("gateway.outer.ttl", "RFC4301-5.1.2.1-01", rule.GM,
		"the outer TTL is the gateway's own")
	guardOuterOptions = rule.Duty("gateway.outer.options", "RFC4301-5.1.2.1-04", rule.GM,
		"IP options and extension headers are not copied to the outer header")
	guardOuterFlow = rule.Duty("gateway.outer.flowlabel", "RFC4301-5.1.2.2-01", rule.GM,
		"the flow label of IPv6 is not copied to the outer header")
)

// Size.
var (
	guardTooBig = rule.Duty("gateway.pmtu.icmp", "RFC4301-8.2.1-01", rule.GM,
		"the sender of a packet that is too big and must not be fragmented is told the MTU")
	guardTooBig6 = rule.Duty("gateway.pmtu.icmpv6", "RFC4301-8.2.1-03", rule.GM,
		"the sender of an IPv6 packet that is too big is told the MTU")
	guardPathLearn = rule.Duty("gateway.pmtu.learn", "RFC4301-8.2-01", rule.GM,
		"the MTU of a path is what a router outside says, if it is less")
	guardPathSPI = rule.Check("gateway.pmtu.spi", "RFC4301-8.2-01", rule.GM,
		"what lowers the MTU of a path quotes an SA that has sent of late")
	guardPathAge = rule.Timer("gateway.pmtu.age", "RFC4301-8.2.2-01", rule.GM, time.Second,
		"what was said of a path's MTU is forgotten in time")
	guardFragments = rule.Duty("gateway.pmtu.fragment", "RFC4301-8.2.1-02", rule.GM,
		"a packet that is too big and may be fragmented is")
)

// What is received.
var (
	guardWhole = rule.Check("gateway.esp.fragment", "RFC4303-3.4.1-01", rule.GM,
		"what is offered to ESP is no IP fragment")
	guardSPI = rule.Check("gateway.esp.spi", "RFC4303-3.4.2-01", rule.GM,
		"there is an SA for the packet")
	guardDummy = rule.Check("gateway.esp.dummy", "RFC4303-2.6-01", rule.GM,
		"a dummy packet goes no further")
	guardNext = rule.Check("gateway.tunnel.next", "RFC4303-2.6-03", rule.GM,
		"in tunnel mode the next header is that of an IP packet of the version which is inside")
	guardSource = rule.Check("gateway.tunnel.source", "RFC5374-5.2-02", rule.GM,
		"a preserved outer source equals the inner one")
	guardDestination = rule.Check("gateway.tunnel.destination", "RFC5374-5.2-02", rule.GM,
		"a preserved outer destination equals the inner one")
	guardUnswapped = rule.Duty("gateway.tunnel.unswapped", "RFC5374-4.1.1-01", rule.GM,
		"source and destination of a multicast flow are compared as they travel")
	guardSelector = rule.Check("gateway.tunnel.selector", "RFC4301-5.2-01", rule.GM,
		"a decrypted packet is one that the SA's selectors take")
	guardInnerDSCP = rule.Duty("gateway.inner.dscp", "RFC4301-5.1.2.1-02", rule.GM,
		"the inner DSCP stays as it was")
	guardInnerCE = rule.Duty("gateway.inner.ce", "RFC4301-5.1.2.1-03", rule.GM,
		"congestion marked on the outer header is marked on the inner one")
	guardInnerECT = rule.Check("gateway.inner.ect", "RFC4301-5.1.2.1-03", rule.GM,
		"congestion is marked only on an inner packet that is ECN-capable")
)

// Time to live, when the gateway forwards by itself.
var (
	guardEncapsulateTTL = rule.Duty("gateway.ttl.encapsulate", "RFC4301-5.1.2.1-01", rule.GM,
		"the inner TTL is decremented before encapsulation")
	guardDecapsulateTTL = rule.Duty("gateway.ttl.decapsulate", "RFC4301-5.1.2.1-01", rule.GM,
		"the inner TTL is decremented after decapsulation")
	guardTTL = rule.Check("gateway.ttl.zero", "RFC4301-5.1.2.1-01", rule.GM,
		"a packet whose TTL ends here is not forwarded")
)
