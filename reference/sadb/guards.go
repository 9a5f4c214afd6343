package sadb

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardLifetime = rule.Timer("sadb.lifetime", "RFC6407-5.5.1-11", rule.GM, time.Second,
		"an SA ends with its lifetime")
	guardForward = rule.Duty("sadb.outbound.newest", "RFC5374-4.2.1-06", rule.GM,
		"once a newer SA is active, nothing is sent on the older one")
	guardAtOnce = rule.Duty("sadb.inbound.early", "RFC5374-4.2.1-05", rule.GM,
		"a new SA receives at once, before it sends")
	guardSender = rule.Check("sadb.direction.send", "RFC6407-5.5.1.1.2-02", rule.GM,
		"a receiver-only SA does not send")
	guardReceiver = rule.Check("sadb.direction.receive", "RFC6407-5.5.1.1.2-02", rule.GM,
		"a sender-only SA does not receive")
	guardLongest = rule.Duty("sadb.inbound.longest", "RFC4303-2.1-03", rule.GM,
		"of SAs with the same SPI that one opens a packet which fits its addresses best")
	guardAnyProtocol = rule.Duty("sadb.selector.protocol", "RFC6407-5.5.1-01", rule.GM,
		"protocol 0 of a selector means any")
	guardAnySource = rule.Duty("sadb.selector.source", "RFC6407-5.5.1-02", rule.GM,
		"source port 0 of a selector means any")
	guardAnyDestination = rule.Duty("sadb.selector.destination", "RFC6407-5.5.1-03", rule.GM,
		"destination port 0 of a selector means any")
	guardFragment = rule.Check("sadb.selector.fragment", "RFC4301-7.3-01", rule.GM,
		"a selector with ports takes no later fragment")
)

// A member of several groups: what comes from one is of no concern to the SAs of the others.
var (
	guardOwnReplace = rule.Check("sadb.group.replace", "RFC6407-4-06", rule.GM,
		"new SAs take the place of older ones of their own group only")
	guardOwnSID = rule.Check("sadb.group.sid", "RFC6054-5-01", rule.GM,
		"a Sender-ID is used on SAs of the group that gave it, and on no other")
	guardOwnSPI = rule.Check("sadb.group.spi", "RFC4303-2.1-03", rule.GM,
		"a Delete of an SPI is of no concern to another group's SA that has the same")
	guardOwnAll = rule.Check("sadb.group.all", "RFC6407-5.9-07", rule.GM,
		"a Delete of SPI 0 removes the SAs of its own group only")
)
