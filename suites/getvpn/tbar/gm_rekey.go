package tbar

import (
	"fmt"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// told is a pseudotime that a key server tells at registration, far from 0.
const told = 1000000

// attempts are how often something is tried that has to happen within a tick.
const attempts = 3

// member is a device that was told at registration that it is told, and acknowledges rekeys.
func member(ctx SpecContext, window time.Duration) *scene {
	GinkgoHelper()
	setup := hosts(timed(window))
	replay := setup.Group
	setup.Group = func(g *policy.Group) {
		replay(g)
		kit.Acknowledging(g)
	}
	s := &scene{Lab: kit.Lab(ctx, setup), ctx: ctx, keys: make(map[string]*tester.ESPKeys)}
	kit.Precondition(s.KS.Misbehave(tester.Taps(tester.Pseudotime(core.Pull2, told))), "the key server tells another pseudotime")
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(ctx), "the device starts")
	kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
	return s
}

// rekey has the key server send a rekey with that pseudotime.
func (s *scene) rekey(stamp uint64) control.RekeyResult {
	GinkgoHelper()
	Expect(s.KS.Misbehave(tester.Taps(tester.Pseudotime(core.Push, stamp)))).To(Succeed())
	return kit.Rekey(s.ctx, s.Lab, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ, SA, KD, SIG
}

// follows has the device get a rekey with the pseudotime that it has itself, which has to be taken.
func (s *scene) follows() {
	GinkgoHelper()
	kit.Control(kit.Takes(s.ctx, s.Lab, 1, s.rekey(s.fresh())), "a rekey with the device's own pseudotime is taken")
}

// lines are how often the device has told of an event; ok is false if it never does.
func (s *scene) lines(event string) (n int, ok bool) {
	if !s.GM[0].Tells(event) {
		return 0, false
	}
	return len(s.GM[0].Logged(event)), true
}

const (
	large  = "PSEUDO_TIME_LARGE"
	tooOld = "PSEUDO_TIME_TOO_OLD"
)

var _ = Describe("The pseudotime of rekeys at a member (GET VPN, time-based anti-replay)", kit.Subject("tbar"), kit.DUT(rule.GM), func() {
	for _, c := range []struct{ window, skew time.Duration }{
		{10 * time.Second, 10 * time.Second}, {30 * time.Second, 30 * time.Second}, {100 * time.Second, 30 * time.Second},
	} {
		It(fmt.Sprintf("may be %v behind the member's own, and no more, with a window of %v", c.skew, c.window),
			kit.Requirement("GETVPN-TBAR-20", "GETVPN-TBAR-22", "GETVPN-TBAR-23"), kit.Negative, func(ctx SpecContext) {
				s := member(ctx, c.window)
				var own, stamp uint64
				taken := false
				for i := 0; i < attempts && !taken; i++ {
					own = s.fresh()
					stamp = own - units(c.skew)
					taken = kit.Takes(ctx, s.Lab, 1, s.rekey(stamp))
				}
				Expect(taken).To(BeTrue(), "a rekey that is behind by %v is taken", c.skew)
				Expect(s.own()).To(BeNumerically("<", own), "the device goes back with it")

				before, since, spi := linesOf(s, tooOld), kit.Now(s.Lab), s.leaves(s.packet()).SPI
				late := s.rekey(s.fresh() - units(c.skew) - 1)
				Expect(kit.SPI(s.leaves(s.packet()).SPI)).To(Equal(kit.SPI(spi)), "the device goes on with the SA it had")
				s.follows()
				Expect(kit.HasTaken(ctx, s.Lab, 1, late)).To(BeFalse(), "a rekey that is behind by 0.01 s more")
				Expect(kit.Acks(s.Lab, 1, since)).NotTo(ContainElement(late.Sequence), "it is not acknowledged")
				s.tellsOf(tooOld, before, map[string]string{"skew": strconv.Itoa(int(c.skew.Seconds()))})
			})
	}

	It("is followed when it is a little behind", kit.Requirement("GETVPN-TBAR-22"), func(ctx SpecContext) {
		s := member(ctx, 100*time.Second)
		own := s.fresh()
		stamp := own - units(5*time.Second)
		Expect(kit.Takes(ctx, s.Lab, 1, s.rekey(stamp))).To(BeTrue(), "a rekey 5 s behind is taken")
		Expect(s.own()).To(And(BeNumerically(">=", stamp-units(tick)), BeNumerically("<", own)), "the device goes back to its pseudotime")
	})

	It("is followed however far ahead it is, which the operator is told beyond the skew", kit.Requirement("GETVPN-TBAR-21", "GETVPN-TBAR-11"), func(ctx SpecContext) {
		s := member(ctx, 10*time.Second)
		for _, c := range []struct {
			ahead uint64
			told  bool
		}{{units(5 * time.Second), false}, {units(10 * time.Second), false}, {units(10*time.Second) + 1, true}, {995100, true}} {
			var own, stamp uint64
			lines := 0
			for i := 0; i < attempts; i++ { // of a tick that ends meanwhile the difference is smaller
				before := linesOf(s, large)
				own = s.fresh()
				stamp = own + c.ahead
				Expect(kit.Takes(ctx, s.Lab, 1, s.rekey(stamp))).To(BeTrue(), "a rekey that is ahead by %s s is taken", seconds(c.ahead))
				Expect(s.own()).To(BeNumerically(">=", stamp-stamp%units(tick)), "the device follows it")
				if lines = linesOf(s, large) - before; lines > 0 == c.told {
					break
				}
			}
			if _, ok := s.lines(large); ok {
				Expect(lines > 0).To(Equal(c.told), "%s tells of a difference of %s s", large, seconds(c.ahead))
			}
		}
		s.tellsOf(large, 0, nil)
	})

	It("is told by the same message whether it comes far ahead by a rekey or quite another by a registration", kit.Requirement("GETVPN-SYSLOG-08"), func(ctx SpecContext) {
		s := member(ctx, 10*time.Second)
		kit.Precondition(s.GM[0].Can(peer.ReadLog), "the log of the device")
		Expect(kit.Takes(ctx, s.Lab, 1, s.rekey(s.fresh()+units(time.Hour)))).To(BeTrue(), "a rekey an hour ahead is taken")
		Expect(s.GM[0].AwaitMessage(ctx, large, 0, lab.Patience)).To(BeTrue(), "it is told")

		Expect(s.KS.Misbehave(tester.Taps(tester.Pseudotime(core.Pull2, told/2)))).To(Succeed())
		kit.Precondition(s.GM[0].Register(ctx), "the device registers again")
		Expect(s.GM[0].AwaitMessage(ctx, large, 1, lab.Patience)).To(BeTrue(), "so is a registration that takes it back")
		for _, line := range s.GM[0].Messages(large) {
			Expect(line.Fields).To(And(HaveKey("ks_pst"), HaveKey("gm_pst")), "%s", line.Text)
		}
	})

	It("is said with the member's own and the skew when the rekey is dropped for it", kit.Requirement("GETVPN-TBAR-23"), kit.Negative, func(ctx SpecContext) {
		s := member(ctx, 100*time.Second)
		before := linesOf(s, tooOld)
		own := s.fresh()
		late := s.rekey(own / 2)
		s.follows()
		Expect(kit.HasTaken(ctx, s.Lab, 1, late)).To(BeFalse(), "a rekey of long ago")
		s.tellsOf(tooOld, before, map[string]string{"peer_pst": strconv.FormatUint(own/200, 10), "skew": "30"})
	})

	It("is that of the key server after a rekey, whatever the member's was", kit.Requirement("GETVPN-TBAR-11"), func(ctx SpecContext) {
		s := member(ctx, 100*time.Second)
		Expect(s.own()).To(BeNumerically(">=", told))
		for _, stamp := range []uint64{told + 200000, told + 199000, told + 700000} {
			Expect(kit.Takes(ctx, s.Lab, 1, s.rekey(stamp))).To(BeTrue(), "a rekey with %s s is taken", seconds(stamp))
			Expect(s.own()).To(And(BeNumerically(">=", stamp), BeNumerically("<=", stamp+units(lab.Patience))), "the device has its pseudotime")
		}
	})
})

// linesOf is how often the device has told of an event, 0 if it never does.
func linesOf(s *scene, event string) int {
	n, _ := s.lines(event)
	return n
}

// tellsOf demands that the device has told of an event since there were so many lines of it, with these values, if it tells of it at all.
func (s *scene) tellsOf(event string, before int, values map[string]string) {
	GinkgoHelper()
	if _, ok := s.lines(event); !ok {
		return
	}
	Expect(s.GM[0].AwaitLog(s.ctx, event, before, lab.Patience)).To(BeTrue(), "the device tells %s", event)
	line := s.GM[0].Logged(event)[before]
	for name, value := range values {
		Expect(line.Fields).To(HaveKeyWithValue(name, value), "%s of %s", name, event)
	}
}
