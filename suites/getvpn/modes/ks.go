package modes

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

const (
	receiver  = "receiver only (2)"
	symmetric = "symmetric (3)"
)

var _ = Describe("A key server whose group is receive-only", kit.Subject("modes"), kit.DUT(rule.KS), kit.Feature("profile:getvpn", "receive-only"), func() {
	up := func(ctx SpecContext, group func(*policy.Group)) *lab.Lab {
		GinkgoHelper()
		return kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Group: group})
	}
	// said are the values that the SATs of a message have of a field.
	said := func(m capture.Message, name string) (all []string) {
		sa, _ := kit.Field(m, "SA")
		for _, sat := range sa.Children {
			for _, f := range sat.Children {
				if sat.Name == "SAT" && f.Name == name {
					all = append(all, f.Value)
				}
			}
		}
		return all
	}
	directions := func(m capture.Message) []string { return said(m, "SA Direction") }
	// pushed waits for the rekey that leaves at once since the mark.
	pushed := func(ctx SpecContext, l *lab.Lab, since kit.Mark) capture.Message {
		GinkgoHelper()
		sent := func() []capture.Message { return kit.MessagesSince(l, since, core.Push.String()) }
		Expect(l.Wait(ctx, kit.Settle, func() bool { return len(sent()) > 0 })).To(BeTrue(), "a rekey is sent at once")
		return sent()[0]
	}
	// converts has the key server change over, and returns the rekey about it.
	converts := func(ctx SpecContext, l *lab.Lab, on bool) capture.Message {
		GinkgoHelper()
		before := kit.Now(l)
		_, err := l.KS.ReceiveOnly(ctx, on)
		kit.Precondition(err, "the key server changes over")
		return pushed(ctx, l, before)
	}
	spis := func(m capture.Message) []string { return said(m, "SPI") }
	two := func(g *policy.Group) {
		g.ReceiveOnly = true
		g.SAs = append(g.SAs, g.SAs[0])
		g.SAs[0].Selector.Protocol = 17
	}

	It("marks all SAs as receive-only, at registration and in rekeys", kit.Requirement("GETVPN-RECVONLY-01", "GETVPN-RECVONLY-03"), func(ctx SpecContext) {
		l := up(ctx, two)
		Expect(directions(kit.Last(kit.MessagesSince(l, 0, core.Pull2.String())))).To(Equal([]string{receiver, receiver}))
		before := kit.Now(l)
		kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(directions(pushed(ctx, l, before))).To(Equal([]string{receiver, receiver}))
	})

	It("sends new SAs for both directions at once when receive-only ends", kit.Requirement("GETVPN-RECVONLY-06", "GETVPN-RECVONLY-09", "GETVPN-POLICY-09"),
		func(ctx SpecContext) {
			l := up(ctx, two)
			given := kit.Last(kit.MessagesSince(l, 0, core.Pull2.String()))
			push := converts(ctx, l, false)
			Expect(directions(push)).To(Equal([]string{symmetric, symmetric}))
			Expect(spis(push)).To(HaveLen(2))
			for _, spi := range spis(push) {
				Expect(spis(given)).NotTo(ContainElement(spi), "the SAs are new")
			}
		})

	It("sends receive-only SAs at once when that begins", kit.Requirement("GETVPN-RECVONLY-03", "GETVPN-RECVONLY-09", "GETVPN-POLICY-08"), func(ctx SpecContext) {
		l := up(ctx, nil)
		Expect(directions(kit.Last(kit.MessagesSince(l, 0, core.Pull2.String())))).NotTo(ContainElement(receiver))
		Expect(directions(converts(ctx, l, true))).To(Equal([]string{receiver}))
	})

	It("shows that its SAs are receive-only, and as soon as that ends that they are for both directions", kit.Requirement("GETVPN-POLICY-15", "GETVPN-RECVONLY-02"),
		func(ctx SpecContext) {
			l := up(ctx, rollout)
			shown := func() string {
				GinkgoHelper()
				status, err := l.KS.KSStatus(ctx)
				kit.Precondition(err, "the key server tells its state")
				return status.Groups[0].Direction
			}
			Expect(shown()).To(Equal("receive-only"))
			converts(ctx, l, false)
			Expect(shown()).To(Equal("both"))
		})

	It("says that its SAs are receive-only, and when they no longer are", kit.Requirement("GETVPN-RECVONLY-02"), func(ctx SpecContext) {
		l := up(ctx, rollout)
		Expect(l.KS.AwaitLog(ctx, "KS_CONV_SAS_INGRESS", 0, lab.Patience)).To(BeTrue())
		Expect(l.KS.Logged("KS_CONV_SAS_DUPLEX")).To(BeEmpty())
		converts(ctx, l, false)
		Expect(l.KS.AwaitLog(ctx, "KS_CONV_SAS_DUPLEX", 0, lab.Patience)).To(BeTrue())
		Expect(l.KS.Logged("KS_CONV_SAS_INGRESS")).To(HaveLen(1))
	})
})
