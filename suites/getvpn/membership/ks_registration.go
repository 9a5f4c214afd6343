package membership

import (
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// otherGroup is a group beside that of the lab.
const otherGroup = lab.GroupID + 1

// tekKey and kekKey are the key packets of a KD payload.
const tekKey, kekKey = "Key Packet TEK", "Key Packet KEK"

// twoSAs has a group with an SA of each of two transforms.
func twoSAs(g *policy.Group) {
	second := g.SAs[0]
	second.Transform = lab.CBC()
	second.Selector = policy.Selector{Source: lab.MemberLAN(1), Destination: lab.MemberLAN(2)}
	g.SAs = append(g.SAs, second)
}

var _ = Describe("Registration at a key server (profile getvpn)", kit.Subject(subject), kit.DUT(rule.KS), func() {
	It("sends policy in message 2 and keys in message 4 alone", kit.Requirement("GETVPN-REG-04", "GETVPN-REG-07"), func(ctx SpecContext) {
		l := kit.Up(ctx, of(1, twoSAs))
		second, fourth := given(ctx, l, 1, core.Pull2), given(ctx, l, 1, core.Pull4)
		Expect(kit.Names(second)).To(ContainElement("SA"))
		Expect(kit.Names(second)).NotTo(ContainElement("KD"))
		Expect(kit.Names(fourth)).To(ContainElement("KD"))
		Expect(parts(fourth, "KD", kekKey)).To(HaveLen(1), "one KEK")
		Expect(values(parts(fourth, "KD", tekKey), "SPI")).To(ConsistOf(values(parts(second, "SA", "SAT"), "SPI")), "and one TEK for each SA")
	})

	It("sends no policy to who names a group that it does not have", kit.Requirement("GETVPN-REG-04"), kit.Negative, func(ctx SpecContext) {
		l := begun(ctx, tester.GroupID([]byte{0, 0, 0x10, 0xe1}), core.Pull1)
		Expect(only(talk(l, 0), core.Pull2)).To(BeEmpty(), "nothing answers message 1")
		kit.Control(joins(ctx, l), "it lets the member in that names its group")
	})

	It("releases no key before the member has accepted the policy", kit.Requirement("GETVPN-REG-04"), kit.Negative, func(ctx SpecContext) {
		l := begun(ctx, tester.Withhold(core.Pull3), core.Pull2)
		Expect(only(talk(l, 0), core.Pull4)).To(BeEmpty(), "keys come with message 4, which answers message 3")
		kit.Control(joins(ctx, l), "it gives keys to who sends message 3")
	})

	It("sends at most one rekey policy, and for each SA its SPI, transform, lifetime, source and destination, in the order of the configuration",
		kit.Requirement("GETVPN-REG-14", "GETVPN-CFG-03"), func(ctx SpecContext) {
			m := given(ctx, kit.Up(ctx, of(1, twoSAs)), 1, core.Pull2)
			Expect(parts(m, "SA", "SAK")).To(HaveLen(1))
			sats := parts(m, "SA", "SAT")
			Expect(sats).To(HaveLen(2))
			for _, field := range []string{"SPI", "Transform ID", "SA Life Duration", "Source", "Destination"} {
				Expect(values(sats, field)).To(HaveLen(2), "each has its %s", field)
			}
			Expect(values(sats, "Transform ID")).To(HaveExactElements(ContainSubstring("(20)"), ContainSubstring("(12)")), "AES-GCM, then AES-CBC")
		})

	It("gives who joins later the SA in force with the rest of its life, and after a rekey the new one",
		kit.Requirement("GETVPN-REG-06", "GETVPN-PLAT-10"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			const life, waited = 2 * time.Hour, 20 * time.Minute
			l := kit.Lab(ctx, of(3, lasting(life, 24*time.Hour)))
			start(ctx, l, 1)
			first := given(ctx, l, 1, core.Pull2)
			l.Pass(ctx, waited)
			start(ctx, l, 2)
			second := given(ctx, l, 2, core.Pull2)
			Expect(values(parts(second, "SA", "SAT"), "SPI")).To(Equal(values(parts(first, "SA", "SAT"), "SPI")), "the SA is the one in force")
			Expect(seconds(second)).To(BeNumerically("~", (life-waited).Seconds(), 2), "it lives as long as for the member before")
			rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
			start(ctx, l, 3)
			Expect(values(parts(given(ctx, l, 3, core.Pull2), "SA", "SAT"), "SPI")).To(Equal(rekey.SPIs), "after the rekey it is the new one")
		})

	It("makes a group's keys anew, and tells its members, before those before have ended", kit.Requirement("GETVPN-REG-05"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			const life = time.Hour
			l := kit.Up(ctx, of(1, lasting(life, 24*time.Hour)))
			end := given(ctx, l, 1, core.Pull2).At.Add(life)
			for n := 1; n <= 3; n++ {
				Expect(l.Wait(ctx, life, func() bool { return len(fresh(l)) >= n })).To(BeTrue(), "rekey %d comes", n)
				m := fresh(l)[n-1]
				Expect(m.At).To(BeTemporally("<", end), "rekey %d comes before the SA ends", n)
				end = m.At.Add(life)
			}
		})

	It("keeps its members by the groups that they have joined", kit.Requirement("GETVPN-REG-15", "GETVPN-REG-16"), func(ctx SpecContext) {
		setup := of(3)
		setup.KeyServer = func(c *policy.KeyServer) {
			other := c.Groups[0]
			other.Name, other.ID = "other", otherGroup
			c.Groups = append(c.Groups, other)
		}
		setup.Member = func(i int, c *policy.Member) {
			if hasty(i, c); i == 3 {
				c.Group = otherGroup
			}
		}
		l := kit.Up(ctx, setup)
		Expect(counted(ctx, l)).To(Equal(map[uint32][]string{lab.GroupID: addresses(l, 1, 2), otherGroup: addresses(l, 3)}))
		Expect(values(parts(given(ctx, l, 3, core.Pull2), "SA", "SAT"), "SPI")).NotTo(Equal(values(parts(given(ctx, l, 1, core.Pull2), "SA", "SAT"), "SPI")),
			"each group has keys of its own")
	})

	It("keeps a record of each address that registers, and sends a rekey to each", kit.Requirement("GETVPN-REG-22"), func(ctx SpecContext) {
		l := kit.Up(ctx, of(2))
		Expect(counted(ctx, l)[lab.GroupID]).To(Equal(addresses(l, 1, 2)))
		since := kit.Now(l)
		kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(l.Wait(ctx, lab.Patience, func() bool { return len(pushes(l, since)) >= 2 })).To(BeTrue())
		Expect([]int{toward(l, since, 1), toward(l, since, 2)}).To(Equal([]int{1, 1}))
	})
})

// begun starts a key server and a member whose messages deviate, and waits until a message of that kind is on the wire and what it leads to has had time.
func begun(ctx SpecContext, d tester.Deviation, until core.Kind) *lab.Lab {
	GinkgoHelper()
	l := kit.Lab(ctx, of(1))
	Expect(l.GM[0].Misbehave(tester.Taps(d))).To(Succeed())
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	kit.Precondition(l.GM[0].Start(ctx), "the member starts")
	kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(only(talk(l, 0), until)) > 0 }), "the member sends "+until.String())
	l.Pass(ctx, kit.Settle)
	return l
}

// joins reports whether the member registers now that it deviates no more.
func joins(ctx SpecContext, l *lab.Lab) bool {
	GinkgoHelper()
	Expect(l.GM[0].Misbehave(nil)).To(Succeed())
	kit.Precondition(l.GM[0].Clear(ctx), "the member begins again")
	return l.Wait(ctx, lab.Patience, func() bool { return len(only(talk(l, 0), core.Pull4)) > 0 })
}

// start starts member i, the key server first if it is the first of all, and waits until it is in the group.
func start(ctx SpecContext, l *lab.Lab, i int) {
	GinkgoHelper()
	if i == 1 {
		kit.Precondition(l.KS.Start(ctx), "the key server starts")
	}
	kit.Precondition(l.GM[i-1].Start(ctx), "the member starts")
	kit.Precondition(l.GM[i-1].AwaitRegistered(ctx), "the member registers")
}

// seconds is the lifetime of the first SA that a message brings.
func seconds(m capture.Message) int {
	GinkgoHelper()
	n, err := strconv.Atoi(values(parts(m, "SA", "SAT"), "SA Life Duration")[0])
	Expect(err).NotTo(HaveOccurred())
	return n
}

// fresh are the PUSH messages that bring an SA which none before them has brought.
func fresh(l *lab.Lab) []capture.Message {
	seen := make(map[string]bool)
	var all []capture.Message
	for _, m := range pushes(l, 0) {
		for _, spi := range values(parts(m, "SA", "SAT"), "SPI") {
			if !seen[spi] {
				all = append(all, m)
			}
			seen[spi] = true
		}
	}
	return all
}
