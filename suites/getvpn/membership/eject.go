package membership

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// cycle is the time between two rekeys that an operator asks for: more than acknowledgements and repetitions take.
const cycle = 5 * time.Minute

// silent has a member acknowledge nothing, or acknowledge again.
func silent(m *lab.Peer, is bool) {
	GinkgoHelper()
	var tap core.Tap
	if is {
		tap = tester.Taps(tester.Withhold(core.PushACK))
	}
	Expect(m.Misbehave(tap)).To(Succeed())
}

// rekeyed has the key server rekey, lets a cycle pass, and returns how many datagrams each member was sent in it.
func rekeyed(ctx SpecContext, l *lab.Lab) (to []int) {
	GinkgoHelper()
	since := kit.Now(l)
	kit.Rekey(ctx, l, control.RekeyArgs{})
	l.Pass(ctx, cycle)
	for i := range l.GM {
		to = append(to, toward(l, since, i+1))
	}
	return to
}

var _ = Describe("Ejection of silent members by a key server (profile getvpn)", kit.Subject(subject), kit.DUT(rule.KS), kit.Feature("ack"),
	kit.Needs(lab.NeedVirtualTime), func() {
		long := lasting(2*time.Hour, 24*time.Hour)

		for _, c := range []struct {
			who    string
			heard  bool // it has acknowledged a rekey before
			copies int
		}{
			{"has never acknowledged any", false, 0},
			{"has acknowledged those before", true, 0},
			{"gets each of them three times", true, 2},
		} {
			It("sends no more rekeys to a member that leaves three in a row unacknowledged and "+c.who,
				kit.Requirement("GETVPN-EJECT-01", "GETVPN-UCAST-11"), kit.Negative, func(ctx SpecContext) {
					l := kit.Up(ctx, of(3, acknowledged, long, repeated(c.copies, 10*time.Second)))
					if silent(l.GM[2], !c.heard); c.heard {
						Expect(rekeyed(ctx, l)).To(Equal([]int{1, 1, 1}))
						silent(l.GM[2], true)
					}
					for n := 1; n <= 3; n++ {
						Expect(rekeyed(ctx, l)).To(Equal([]int{1, 1, 1 + c.copies}), "rekey %d goes to all, and again to who is silent", n)
					}
					Expect(rekeyed(ctx, l)).To(Equal([]int{1, 1, 0}), "the one after goes to those that have acknowledged")
					Expect(counted(ctx, l)[lab.GroupID]).To(Equal(addresses(l, 1, 2)), "the third is no longer counted")
					kit.Reading("GETVPN-EJECT-01", "ejects after three rekeys of %d datagrams each: repetitions within one do not count", 1+c.copies)

					silent(l.GM[2], false)
					kit.Precondition(l.GM[2].Register(ctx), "the member registers")
					kit.Precondition(l.GM[2].AwaitRegistered(ctx), "the member registers")
					l.Pass(ctx, kit.Settle)
					kit.Control(rekeyed(ctx, l)[2] == 1, "it sends rekeys again to a member that has registered anew")
				})
		}

		It("keeps a member that acknowledges one rekey between two and two that it leaves unacknowledged", kit.Requirement("GETVPN-EJECT-04"),
			func(ctx SpecContext) {
				l := kit.Up(ctx, of(2, acknowledged, long))
				for n, heard := range []bool{false, false, true, false, false, true} {
					silent(l.GM[1], !heard)
					Expect(rekeyed(ctx, l)).To(Equal([]int{1, 1}), "rekey %d goes to both", n+1)
				}
				kit.Reading("GETVPN-EJECT-04", "begins to count anew with each acknowledgement")
			})

		It("keeps members that are silent where rekeys go by multicast", kit.Requirement("GETVPN-EJECT-03"), func(ctx SpecContext) {
			l := kit.Up(ctx, of(2, acknowledged, lab.Multicast, long))
			for _, gm := range l.GM {
				silent(gm, true)
			}
			for range 5 {
				rekeyed(ctx, l)
			}
			Expect(counted(ctx, l)[lab.GroupID]).To(Equal(addresses(l, 1, 2)))
		})
	})

var _ = Describe("A member that was ejected (profile getvpn)", kit.Subject(subject), kit.DUT(rule.GM), kit.Feature("ack"), kit.Needs(lab.NeedVirtualTime), func() {
	It("goes on under its SA to its end, registers again then, and gets rekeys as before", kit.Requirement("GETVPN-EJECT-02"), func(ctx SpecContext) {
		const life = time.Hour
		setup := of(2, acknowledged, promptly, lasting(life, 24*time.Hour), func(g *policy.Group) { g.Rekey.Margin = time.Minute / 2 })
		setup.Hosts = true
		l := kit.Up(ctx, setup)
		l.Intercept(losing(l))
		last := lastOf(ctx, l)
		kit.Reached(len(counted(ctx, l)[lab.GroupID]) == 1, "the key server ejects the member")
		registered := l.GM[0].Registrations()
		Expect(kit.SPI(kit.SendingSPI(ctx, l, 1, 2))).To(Equal(last), "it goes on under the last SA that it was told")
		l.Intercept(nil)
		Expect(l.GM[0].AwaitRegistrations(ctx, registered, life)).To(BeTrue(), "it registers again before that has ended")
		Expect(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, control.RekeyArgs{}))).To(BeTrue(), "it takes rekeys")
	})
})

// losing has the WAN lose the acknowledgements of member 1.
func losing(l *lab.Lab) func(*lab.Crossing) {
	return func(c *lab.Crossing) {
		c.Drop = c.From == l.GM[0].Name() && exchange(c.Packet) == isakmp.ExchangePushACK
	}
}

// lastOf has three rekeys pass that nobody hears the acknowledgements of, and returns the SPI that the last of them brings.
func lastOf(ctx SpecContext, l *lab.Lab) (spi string) {
	GinkgoHelper()
	for range 3 {
		since := kit.Now(l)
		kit.Rekey(ctx, l, control.RekeyArgs{})
		l.Pass(ctx, cycle)
		spi = values(parts(pushes(l, since)[0], "SA", "SAT"), "SPI")[0]
	}
	return spi
}
