package registration

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The intervals of a hasty member.
const (
	retryDelay = 200 * time.Millisecond
	retransmit = 100 * time.Millisecond
	retries    = 2
)

// hasty has members give up soon and try again soon, if they can be told so: then a registration that failed is repeated within a second.
func hasty(i int, c *policy.Member) {
	kit.Hurry(i, c, retransmit, retryDelay)
	kit.GivesUp(i, c, retries)
}

// prompt is for specs that are about how often a member asks, or wait until it gives up: one that cannot be told takes too long.
func prompt(c *policy.Member) { c.Phase1.Retransmit, c.Phase1.Retries = retransmit, retries }

// newLab builds a key server with a hasty member and a host behind it; nothing runs yet. A second member is there for its
// addresses only, so that packets have a way to it, and is never started.
func newLab(ctx SpecContext, group func(*policy.Group), member func(*policy.Member)) *lab.Lab {
	GinkgoHelper()
	return kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, Signature: policy.SigRSA, Group: group, Member: func(i int, c *policy.Member) {
		hasty(i, c)
		if member != nil {
			member(c)
		}
	}})
}

// start brings key server and member up.
func start(ctx SpecContext, l *lab.Lab) {
	GinkgoHelper()
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	kit.Precondition(l.GM[0].Start(ctx), "the member starts")
}

// chatter has the host behind the member send echo requests from now on, so that each SA that the member sends with is
// seen. Nobody answers them.
func chatter(ctx SpecContext, l *lab.Lab, interval time.Duration) {
	GinkgoHelper()
	_, err := l.Hosts[0].Ping(ctx, lab.HostAddr(2), lab.Ping{Interval: interval})
	kit.Precondition(err, "the host sends")
}

// sending has the host send one packet and returns the SPI that the member puts it under; 0 if it does not.
func sending(ctx SpecContext, l *lab.Lab) string {
	GinkgoHelper()
	before := kit.Now(l)
	_, err := l.Hosts[0].Ping(ctx, lab.HostAddr(2), lab.Ping{Count: 1})
	kit.Precondition(err, "the host sends")
	kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return sentByHost(l, before) }), "the host sends")
	return kit.SPI(sends(ctx, l, before, time.Second))
}

// sentByHost reports whether a packet of the host behind the member has crossed its LAN since the mark.
func sentByHost(l *lab.Lab, since kit.Mark) bool {
	for _, f := range l.Frames()[since:] {
		if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(1) && ip.Source == lab.HostAddr(1) {
			return true
		}
	}
	return false
}

// nothing is what sending returns if the member sends nothing.
var nothing = kit.SPI(0)

// follows waits until the member has an SA, and reports whether it sends under it, unless it lingers under the one before.
func follows(ctx SpecContext, l *lab.Lab, spi string) bool {
	GinkgoHelper()
	return kit.Has(ctx, l, 1, spi) && (kit.Lingers(l, 1) || sending(ctx, l) == spi)
}

// registers waits until the member has registered once more than so many times.
func registers(ctx SpecContext, l *lab.Lab, before int) bool {
	return l.GM[0].AwaitRegistrations(ctx, before, lab.Patience)
}

// misbehave has the key server's messages go through the deviations.
func misbehave(l *lab.Lab, ds ...tester.Deviation) {
	GinkgoHelper()
	Expect(l.KS.Misbehave(tester.Taps(ds...))).To(Succeed())
}

// behave ends what misbehave began.
func behave(l *lab.Lab) {
	GinkgoHelper()
	Expect(l.KS.Misbehave(nil)).To(Succeed())
}

// sent returns the ESP packets of the member's host that crossed the WAN.
func sent(l *lab.Lab, since kit.Mark) []kit.ESP {
	var from []kit.ESP
	for _, p := range kit.ESPSince(l, since) {
		if p.From == lab.HostAddr(1) {
			from = append(from, p)
		}
	}
	return from
}

// sends waits until the member has encrypted something since the mark, and returns the SPI; 0 if it does not.
func sends(ctx SpecContext, l *lab.Lab, since kit.Mark, limit time.Duration) uint32 {
	if !l.Wait(ctx, limit, func() bool { return len(sent(l, since)) > 0 }) {
		return 0
	}
	return sent(l, since)[0].SPI
}

// current returns the SPI of the key server's first Data-Security SA.
func current(ctx SpecContext, l *lab.Lab) string {
	GinkgoHelper()
	status, err := l.KS.KSStatus(ctx)
	kit.Precondition(err, "the key server tells its state")
	kit.Reached(len(status.Groups) > 0 && len(status.Groups[0].SAs) > 0, "the key server has an SA")
	return status.Groups[0].SAs[0].SPI
}
