package tbar

import (
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The attributes of a SAT as a decoded message names them.
const (
	packetsField    = "SA/SAT/Anti-Replay Window (packets)"
	windowField     = "SA/SAT/Anti-Replay Window (seconds)"
	tickField       = "SA/SAT/Anti-Replay Tick (milliseconds)"
	pseudotimeField = "SA/SAT/Pseudotime"
)

// stampOf is the pseudotime that a message tells.
func stampOf(m capture.Message) uint64 {
	GinkgoHelper()
	text := kit.Value(m, pseudotimeField)
	stamp, err := strconv.ParseUint(text, 16, 64)
	Expect(err).NotTo(HaveOccurred(), "%s in frame %d: %q", pseudotimeField, m.Frame, text)
	return stamp
}

// last is the last message of that kind since the mark.
func last(l *lab.Lab, m kit.Mark, kind core.Kind) capture.Message {
	GinkgoHelper()
	kit.NeedsKeys(l)
	return kit.Last(kit.MessagesSince(l, m, kind.String()))
}

// near matches a pseudotime that is so long after 0, give or take what messages take.
func near(d time.Duration) types.GomegaMatcher {
	return And(BeNumerically(">=", units(max(0, d-slack))), BeNumerically("<=", units(d+slack)))
}

// slack is what there may be between a message and the time that a spec sees.
const slack = 1500 * time.Millisecond

var _ = Describe("The pseudotime of a key server (GET VPN, time-based anti-replay)", kit.Subject("tbar"), kit.DUT(rule.KS), func() {
	It("is 0 at the first registration, however long the key server has been up, and advances from then on",
		kit.Requirement("GETVPN-TBAR-02", "GETVPN-TBAR-03"), func(ctx SpecContext) {
			l := kit.Lab(ctx, hosts(timed(20*time.Second)))
			kit.Precondition(l.KS.Start(ctx), "the key server starts")
			l.Pass(ctx, 4*time.Second)
			kit.Precondition(l.GM[0].Start(ctx), "a member starts")
			kit.Precondition(l.GM[0].AwaitRegistered(ctx), "it registers")
			first := last(l, 0, core.Pull2) // GM1 <-- KS  HDR*, HASH(2), Nr, SA
			Expect(stampOf(first)).To(near(0), "what the first member is told")

			l.Pass(ctx, 4*time.Second)
			kit.Precondition(l.GM[1].Start(ctx), "another member starts")
			kit.Precondition(l.GM[1].AwaitRegistered(ctx), "it registers")
			second := last(l, 0, core.Pull2) // GM2 <-- KS  HDR*, HASH(2), Nr, SA
			Expect(stampOf(second)).To(near(second.At.Sub(first.At)), "what the second member is told")
		})

	It("comes with the window and the tick that are configured, and with nothing that counts", kit.Requirement("GETVPN-TBAR-03", "GETVPN-TBAR-07", "GETVPN-TBAR-09", "GETVPN-TBAR-19"),
		func(ctx SpecContext) {
			l := kit.Lab(ctx, timed(20*time.Second))
			kit.Precondition(l.KS.Start(ctx), "the key server starts")
			kit.Precondition(l.GM[0].Start(ctx), "a member starts")
			kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return last(l, 0, core.Pull2).Decrypted }), "the key server tells its policy")
			m := last(l, 0, core.Pull2) // GM <-- KS  HDR*, HASH(2), Nr, SA
			Expect(kit.Value(m, windowField)).To(Equal("20"), windowField)
			Expect(kit.Value(m, tickField)).To(Equal("1000"), tickField)
			_, counts := kit.Field(m, packetsField)
			Expect(counts).To(BeFalse(), packetsField)
			stampOf(m)
		})

	It("comes with a window of 100 s if none is configured", kit.Requirement("GETVPN-TBAR-08"), func(ctx SpecContext) {
		l := kit.Up(ctx, with(policy.AntiReplay{Method: policy.ReplayTime}))
		Expect(kit.Value(last(l, 0, core.Pull2), windowField)).To(Equal("100"), windowField)
	})

	It("goes with every rekey, as it is then", kit.Requirement("GETVPN-TBAR-04"), func(ctx SpecContext) {
		l := kit.Up(ctx, timed(20*time.Second))
		start := last(l, 0, core.Pull2)
		for _, what := range []control.RekeyArgs{{}, {KEK: true}, {KEK: true, KEKOnly: true}, {Announce: true}} {
			l.Pass(ctx, 2*time.Second)
			since := kit.Now(l)
			rekey := kit.Rekey(ctx, l, what) // KS --> GM  HDR*, SEQ, SA, KD, SIG
			kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, since, core.Push.String())) > 0 }), "the rekey is sent")
			m := last(l, since, core.Push)
			Expect(stampOf(m)).To(near(m.At.Sub(start.At)), "rekey %d, %+v", rekey.Sequence, what)
		}
	})

	// synchronised is a group whose keys live for eight hours.
	synchronised := func(every time.Duration) lab.Setup {
		setup := timed(100 * time.Second)
		replay := setup.Group
		setup.Group = func(g *policy.Group) {
			replay(g)
			g.SAs[0].Lifetime, g.Rekey.Sync = 8*time.Hour, every
		}
		return setup
	}
	for _, c := range []struct {
		sentence, id      string
		configured, every time.Duration
	}{
		{"is told every two hours though the keys live longer, if nothing else is configured", "GETVPN-TBAR-13", 0, 2 * time.Hour},
		{"is told every half hour if that is configured", "GETVPN-TBAR-12", 30 * time.Minute, 30 * time.Minute},
	} {
		It(c.sentence, kit.Requirement(c.id, "GETVPN-TBAR-04"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			l := kit.Up(ctx, synchronised(c.configured))
			before := last(l, 0, core.Pull2)
			start := before
			for range 2 {
				since := kit.Now(l)
				kit.Reached(l.Wait(ctx, c.every+time.Minute, func() bool { return len(kit.MessagesSince(l, since, core.Push.String())) > 0 }), "a rekey comes by itself")
				m := last(l, since, core.Push) // KS --> GM  HDR*, SEQ, SA, KD, SIG
				Expect(m.At.Sub(before.At)).To(BeNumerically("~", c.every, slack), "between two messages with the pseudotime")
				Expect(stampOf(m)).To(near(m.At.Sub(start.At)), "the pseudotime in it")
				before = m
			}
		})
	}

	It("is told by the rekey that replaces a key within the next minute", kit.Requirement("GETVPN-REKEY-16"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		setup := timed(20 * time.Second)
		replay := setup.Group
		setup.Group = func(g *policy.Group) {
			replay(g)
			g.SAs[0].Lifetime, g.Rekey.Margin, g.Rekey.Sync = 1840*time.Second, 10*time.Second, 30*time.Minute // replaced after 1830 s
		}
		l := kit.Up(ctx, setup)
		before := kit.Now(l)
		l.Pass(ctx, 1900*time.Second)
		kit.NeedsKeys(l)
		pushes := kit.MessagesSince(l, before, core.Push.String()) // KS --> GM  HDR*, SEQ, SA, KD, SIG
		Expect(pushes).To(HaveLen(1), "rekeys within 1900 s")
		Expect(kit.Value(pushes[0], "SA/SAT/SPI")).NotTo(Equal(kit.Value(last(l, 0, core.Pull2), "SA/SAT/SPI")), "the SPI in it")
		stampOf(pushes[0])
	})

	It("is shown to the operator with the method and its window", kit.Requirement("GETVPN-TBAR-17"), func(ctx SpecContext) {
		l := kit.Up(ctx, timed(20*time.Second))
		status, err := l.KS.KSStatus(ctx)
		kit.Precondition(err, "the key server shows its status")
		Expect(status.Groups).To(HaveLen(1))
		Expect(status.Groups[0].Pseudotime).NotTo(BeEmpty())
		for _, sa := range status.Groups[0].SAs {
			Expect(sa.Replay).NotTo(BeNil())
			Expect(sa.Replay.Method).To(Equal("time"))
			Expect(sa.Replay.Window).To(Equal("20s"))
		}
	})
})

var _ = Describe("Anti-replay by counters at a key server (GET VPN)", kit.Subject("tbar"), kit.DUT(rule.KS), func() {
	It("is what members have if nothing is configured, and there is no pseudotime", kit.Requirement("GETVPN-CBAR-01"), func(ctx SpecContext) {
		s := pair(ctx, with(policy.AntiReplay{}))
		_, timed := kit.Field(last(s.Lab, 0, core.Pull2), pseudotimeField)
		Expect(timed).To(BeFalse(), pseudotimeField)
		s.window(64)
	})

	for _, n := range []int{64, 512} {
		It("is told with the window of "+strconv.Itoa(n)+" packets that is configured", kit.Requirement("GETVPN-CBAR-02"), func(ctx SpecContext) {
			s := pair(ctx, with(policy.AntiReplay{Method: policy.ReplayCounter, Counter: n}))
			Expect(kit.Value(last(s.Lab, 0, core.Pull2), packetsField)).To(Equal(strconv.Itoa(n)), packetsField)
			s.window(n)
		})
	}

	It("is switched off if the configuration says so", kit.Requirement("GETVPN-TBAR-18"), func(ctx SpecContext) {
		s := pair(ctx, with(policy.AntiReplay{Method: policy.ReplayNone}))
		Expect(kit.Value(last(s.Lab, 0, core.Pull2), packetsField)).To(Equal("0"), packetsField)
		inner := s.back()
		packet := s.group().Packet(inner.Bytes())
		for range 2 {
			Expect(s.takes(inner, packet)).To(BeTrue(), "a member takes a packet as often as it comes")
		}
	})
})
