package timers

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// spread reports whether moments that are drawn from a window lie apart: no two are the same, and they fill some of it.
func spread(moments []time.Duration, window time.Duration) bool {
	sorted := slices.Sorted(slices.Values(moments))
	for i := 1; i < len(sorted); i++ {
		if sorted[i]-sorted[i-1] < time.Millisecond {
			return false
		}
	}
	return len(sorted) > 1 && sorted[len(sorted)-1]-sorted[0] > window/10
}

// events are those that the log of member 1 tells of, in their order.
func (s *scene) events() (tags []string) {
	for _, line := range s.GM[0].Logged("") {
		tags = append(tags, line.Tag)
	}
	return tags
}

// inOrder reports whether all of the wanted are among those that were seen, in that order.
func inOrder(seen, want []string) bool {
	for _, tag := range seen {
		if len(want) > 0 && tag == want[0] {
			want = want[1:]
		}
	}
	return len(want) == 0
}

var _ = Describe("What a member of GET VPN does about the end of its KEK", kit.Subject("timers"), kit.DUT(rule.GM), kit.Needs(lab.NeedVirtualTime), func() {
	// cycles has the device meet a key server of the old behaviour for so many KEKs of ten minutes, and returns how long before the
	// end of each it registered, and how long after.
	cycles := func(ctx SpecContext, n int) (s *scene, before, after []time.Duration) {
		GinkgoHelper()
		s = group(ctx, 1, oldKEK, living(600, 86400))
		s.Intercept(func(c *lab.Crossing) { // a rekey as the KEK ends finds it still there: lifetimes are told in whole seconds
			ip, ok := lab.ParseIPv4(c.Packet)
			c.Drop = ok && isPush(ip)
		})
		for range n {
			end, since := ends(s.given(1), lifeOfKEK), kit.Now(s.Lab)
			old := kit.Value(s.given(1), "SA/SAK/SPI")
			s.until(end)
			early := s.begun(1, since)
			Expect(early).To(HaveLen(1), "one registration before the KEK ends")
			before = append(before, end.Sub(early[0].At))
			kit.Reached(kit.Value(s.given(1), "SA/SAK/SPI") == old, "the key server hands out the KEK that there is")
			since = kit.Now(s.Lab)
			s.until(end.Add(90 * time.Second))
			late := s.begun(1, since)
			Expect(late).To(HaveLen(1), "one registration after the KEK has ended")
			after = append(after, late[0].At.Sub(end))
			Expect(kit.Value(s.given(1), "SA/SAK/SPI")).NotTo(Equal(old), "it gets the new KEK")
		}
		return s, before, after
	}
	within := func(least, most time.Duration) func(time.Duration) bool {
		const second = time.Second // lifetimes are told in whole ones
		return func(d time.Duration) bool { return d >= least-second && d <= most+second }
	}

	It("registers again some time in the 190 to 40 s before its KEK ends if no rekey of it has come",
		kit.Requirement("GETVPN-KEK-09", "GETVPN-KEK-12", "GETVPN-KEK-13", "GETVPN-REKEY-07"), kit.Feature("kek-end:new"), func(ctx SpecContext) {
			_, before, _ := cycles(ctx, 6)
			Expect(before).To(HaveEach(Satisfy(within(40*time.Second, 190*time.Second))))
			Expect(spread(before, 150*time.Second)).To(BeTrue(), "at moments of its own: %v", before)
		})

	It("registers again some time in the 80 s after its KEK has ended, and gets the new one",
		kit.Requirement("GETVPN-KEK-14", "GETVPN-KEK-15", "GETVPN-KEK-12"), kit.Feature("kek-end:new"), func(ctx SpecContext) {
			_, _, after := cycles(ctx, 6)
			Expect(after).To(HaveEach(Satisfy(within(0, 80*time.Second))))
			Expect(spread(after, 80*time.Second)).To(BeTrue(), "at moments of its own: %v", after)
		})

	It("says what it does when it registers twice for one KEK", kit.Requirement("GETVPN-KEK-16"), kit.Feature("kek-end:new"), func(ctx SpecContext) {
		s := group(ctx, 1, oldKEK, living(600, 86400))
		end := ends(s.given(1), lifeOfKEK)
		seen := len(s.events())
		s.until(end.Add(90 * time.Second))
		registers := []string{"GM_RE_REGISTER", "GM_REGISTER", "SA_KEK_UPDATED", "SA_TEK_UPDATED", "GM_INSTALL_POLICIES_SUCCESS", "GM_REGS_COMPL"}
		want := slices.Concat(registers, []string{"GM_DELETE_EXPIRED_KEK"}, registers)
		Expect(inOrder(s.events()[seen:], want)).To(BeTrue(), "%v", s.events()[seen:])
	})

	It("deletes its KEK as it ends, and takes nothing more under it", kit.Requirement("GETVPN-KEK-08", "GETVPN-REKEY-08"), kit.Feature("kek-end:new"), kit.Negative,
		func(ctx SpecContext) {
			s := group(ctx, 1, oldKEK, living(600, 86400))
			end := ends(s.given(1), lifeOfKEK)
			kit.Reached(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{})), "it takes a rekey under the KEK")
			var held []byte
			s.Intercept(func(c *lab.Crossing) { // from here on nothing comes from the key server
				ip, ok := lab.ParseIPv4(c.Packet)
				if held == nil && ok && isPush(ip) {
					held = slices.Clone(c.Packet)
				}
				c.Drop = c.From == s.KS.Name()
			})
			late := kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
			s.until(end.Add(3 * time.Second))
			kit.Reached(held != nil, "a rekey was held back")
			s.Intercept(nil)
			s.Inject(s.KS.Name(), held)
			s.Pass(ctx, 100*time.Millisecond)
			Expect(kit.HasTaken(ctx, s.Lab, 1, late)).To(BeFalse(), "it does not take a rekey under the KEK that has ended")
			s.Pass(ctx, 90*time.Second)
			kit.Control(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{})), "it has registered again and takes the next rekey")
		})

	It("keeps its KEK beyond its end by the old behaviour, and neither asks nor forgets", kit.Requirement("GETVPN-KEK-02", "GETVPN-KEK-03"), kit.Feature("kek-end:old"),
		func(ctx SpecContext) {
			old := setup(1, living(86400, 86400))
			old.Member = func(_ int, c *policy.Member) { c.Rekey.KEKBehaviour = policy.KEKOld }
			s := &scene{kit.Lab(ctx, old), ctx}
			kit.Precondition(s.KS.Misbehave(tester.Taps(tester.EditSAK(core.Pull2, "KEK_KEY_LIFETIME 300", func(sak *gdoi.SAK) {
				sak.Attributes = tester.SetAttribute(sak.Attributes, wire.TLV32(gdoi.KEKKeyLifetime, 300))
			}))), "the key server tells a shorter lifetime than it has in mind")
			kit.Precondition(s.Up(ctx), "the member registers")
			since := kit.Now(s.Lab)
			s.Pass(ctx, 10*time.Minute)
			Expect(kit.WANSince(s.Lab, since)).To(BeEmpty(), "it asks nobody for anything")
			Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "it takes a rekey under the KEK")
		})

	It("goes on with an early rekey of its KEK, whichever behaviour it has", kit.Requirement("GETVPN-KEK-11"), func(ctx SpecContext) {
		s := group(ctx, 1, living(600, 3600))
		s.Pass(ctx, seconds(1500))
		Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "it takes what comes under the third KEK")
		Expect(s.begun(1, 0)).To(HaveLen(1))
	})
})
