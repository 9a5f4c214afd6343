package tbar

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// apart are times of day that clocks are set to, ahead of the network's time or behind it.
var apart = []time.Duration{time.Hour, -2 * time.Hour}

var _ = Describe("The time of day and the pseudotime (GET VPN, time-based anti-replay)", kit.Subject("tbar"), func() {
	It("leaves the pseudotime of a member as it is when its clock is set, and its packets and those of others taken", kit.DUT(rule.GM), kit.Requirement("GETVPN-TBAR-01"),
		func(ctx SpecContext) {
			s := device(ctx, timed(20*time.Second))
			first, at := s.fresh(), s.Now()
			for _, ahead := range apart {
				kit.Precondition(s.GM[0].SetClock(ctx, ahead), "the clock of the device is set")
				s.Pass(ctx, 2*tick)
				now := first + units(s.Now().Sub(at))
				Expect(s.own()).To(BeNumerically("~", now, units(slack)), "the pseudotime of its packets, %v apart", ahead)
				inner, keys := s.back(), s.group()
				Expect(s.takes(inner, keys.Packet(inner.Bytes(), tester.ESPStamp(now)))).To(BeTrue(), "it takes what has the pseudotime of the group, %v apart", ahead)
			}
			if s.GM[0].Offers(peer.ReadLog) {
				Expect(s.GM[0].Messages("TIMEBASED_REPLAY_FAILED")).To(BeEmpty(), "its operator is told of no packet that was refused")
			}
		})

	It("leaves the pseudotime of a key server as it is when its clock is set, in what it tells at registration and by rekeys", kit.DUT(rule.KS), kit.Requirement("GETVPN-TBAR-01"),
		func(ctx SpecContext) {
			l := kit.Up(ctx, hosts(timed(20*time.Second)))
			start := last(l, 0, core.Pull2)
			since := func(m kit.Mark, kind core.Kind) {
				GinkgoHelper()
				kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, m, kind.String())) > 0 }), "the key server tells it")
				told := last(l, m, kind)
				Expect(stampOf(told)-stampOf(start)).To(near(told.At.Sub(start.At)), "the pseudotime in %s", kind)
			}
			for _, ahead := range apart {
				kit.Precondition(l.KS.SetClock(ctx, ahead), "the clock of the key server is set")
				l.Pass(ctx, 2*tick)
				before := kit.Now(l)
				rekey := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ, SA, KD, SIG
				since(before, core.Push)
				kit.Reached(kit.Takes(ctx, l, 1, rekey), "a member takes the rekey")
				before = kit.Now(l)
				kit.Precondition(l.GM[0].Clear(ctx), "a member registers afresh")
				since(before, core.Pull2) // GM <-- KS  HDR*, HASH(2), Nr, SA
			}
		})
})
