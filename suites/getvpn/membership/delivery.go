package membership

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Delivery of rekeys by a key server (profile getvpn)", kit.Subject(subject), kit.DUT(rule.KS), func() {
	It("sends a multicast rekey once, from its port 848 to the address and port of the policy, to all who have joined",
		kit.Requirement("GETVPN-MCAST-01", "GETVPN-MCAST-12"), func(ctx SpecContext) {
			l := kit.Up(ctx, of(3, lab.Multicast))
			since := kit.Now(l)
			rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
			for i := range l.GM {
				Expect(kit.Takes(ctx, l, i+1, rekey)).To(BeTrue(), "gm%d takes it", i+1)
			}
			sent := pushes(l, since)
			Expect(sent).To(HaveLen(1))
			Expect(sent[0].From).To(Equal(l.KS.Addr()))
			Expect(sent[0].To.Addr()).To(Equal(lab.MulticastGroup))
			Expect(sent[0].To.Port()).To(BeEquivalentTo(lab.Port))
		})

	It("repeats a multicast rekey, so that who has lost the first has the second and need not register again",
		kit.Requirement("GETVPN-MCAST-14"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			l := kit.Up(ctx, of(2, lab.Multicast, repeated(2, 10*time.Second)))
			before := []int{l.GM[0].Registrations(), l.GM[1].Registrations()}
			lost := 0
			l.Intercept(func(c *lab.Crossing) {
				if exchange(c.Packet) == isakmp.ExchangePush && lost == 0 {
					lost, c.Drop = lost+1, true
				}
			})
			kit.Rekey(ctx, l, control.RekeyArgs{})
			for _, gm := range l.GM { // testers, who tell; a repetition has a number of its own
				Expect(gm.AwaitLog(ctx, "REKEY_ACCEPTED", 0, lab.Patience)).To(BeTrue(), "%s takes a repetition", gm.Name())
			}
			l.Pass(ctx, 10*time.Minute)
			Expect([]int{l.GM[0].Registrations(), l.GM[1].Registrations()}).To(Equal(before), "nobody registers again")
		})

	It("replaces the KEK by multicast while the one before is in force", kit.Requirement("GETVPN-MCAST-05"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			const life = time.Hour
			l := kit.Up(ctx, of(2, lab.Multicast, lasting(3*time.Hour, life)))
			end := given(ctx, l, 1, core.Pull2).At.Add(life)
			Expect(l.Wait(ctx, life+time.Minute, func() bool { return renewal(l) != nil })).To(BeTrue(), "the key server replaces the KEK")
			m := renewal(l)
			Expect(m.To.Addr()).To(Equal(lab.MulticastGroup))
			Expect(m.At).To(BeTemporally("<=", end.Add(time.Second)), "no later than the KEK before ends")
			kit.Reading("GETVPN-MCAST-05", "sends the new KEK %.0f s before the one before ends", end.Sub(m.At).Seconds())
			for i := range l.GM {
				Expect(kit.Takes(ctx, l, i+1, kit.Rekey(ctx, l, control.RekeyArgs{}))).To(BeTrue(), "gm%d follows under the new KEK", i+1)
			}
		})
})

// renewal is the first PUSH that brings a KEK, or nil.
func renewal(l *lab.Lab) *capture.Message {
	for _, m := range pushes(l, 0) {
		if len(parts(m, "SA", "SAK")) > 0 {
			return &m
		}
	}
	return nil
}

// exchange is that of a key management packet, or 0.
func exchange(packet []byte) isakmp.ExchangeType {
	ip, _ := lab.Parse(packet)
	_, _, data, ok := ip.UDP()
	h, err := isakmp.ParseHeader(data)
	if !ok || err != nil {
		return 0
	}
	return h.Exchange
}
