package timers

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// configure has the key server go by another policy of the group.
func (s *scene) configure(alter func(*policy.Group)) {
	GinkgoHelper()
	_, err := s.KS.Configure(s.ctx, func(c *policy.KeyServer) { alter(&c.Groups[0]) })
	kit.Precondition(err, "the key server takes another policy while it runs")
}

// transformIDs are those of all SAs that a rekey tells of: it may tell of the ones before, too, since they end sooner.
func transformIDs(m capture.Message) (all []string) {
	for _, payload := range m.Payloads {
		for _, sa := range payload.Children {
			for _, f := range sa.Children {
				if f.Name == "Transform ID" {
					all = append(all, f.Value)
				}
			}
		}
	}
	return all
}

var _ = Describe("Rekeys by lifetime and by change of policy", kit.Subject("timers"), kit.DUT(rule.KS), kit.Needs(lab.NeedVirtualTime), func() {
	for _, transport := range transports {
		requirements := []string{"GETVPN-REKEY-04"}
		if transport.name == "multicast" {
			requirements = append(requirements, "GETVPN-MCAST-03")
		}
		It(fmt.Sprintf("tells a new TEK when its time has come and another policy at once, by %s", transport.name), kit.Requirement(requirements...), func(ctx SpecContext) {
			s := group(ctx, 2, transport.alter, living(86400, 600))
			s.until(ends(s.given(1), lifeOfTEK))
			first := s.pushes(0)
			Expect(first).NotTo(BeEmpty(), "one is sent as the TEK ends")
			since, at := kit.Now(s.Lab), s.Now()
			s.configure(func(g *policy.Group) { g.SAs[0].Transform = lab.CBC() })
			s.Pass(ctx, 5*time.Second)
			next := s.pushes(since)
			Expect(next).To(HaveLen(len(first)), "one is sent as the policy changes")
			Expect(after(at, next)).To(HaveEach(BeNumerically("<=", 1)))
			for _, m := range next {
				Expect(transformIDs(m)).To(ContainElement(Not(Equal(kit.Value(first[0], "SA/SAT/Transform ID")))), "with the new transform")
			}
			Expect(s.GM[0].Registrations()).To(Equal(1))
		})
	}
})

var _ = Describe("A group that goes over to multicast", kit.Subject("timers"), kit.DUT(rule.GM), kit.Needs(lab.NeedVirtualTime), func() {
	It("has a member whom no rekey reaches register again before its TEK ends, and take rekeys by multicast from then on",
		kit.Requirement("GETVPN-REKEY-21"), kit.Feature("multicast"), func(ctx SpecContext) {
			s := group(ctx, 1, living(86400, 600))
			end, since := ends(s.given(1), lifeOfTEK), kit.Now(s.Lab)
			s.Intercept(func(c *lab.Crossing) {
				ip, ok := lab.ParseIPv4(c.Packet)
				c.Drop = ok && isPush(ip)
			})
			s.configure(lab.Multicast)
			s.until(end)
			begun := s.begun(1, since)
			Expect(begun).To(HaveLen(1))
			Expect(end.Sub(begun[0].At)).To(about(60 * time.Second))
			Expect(strings.Contains(kit.Value(s.given(1), "SA/SAK/Destination"), lab.MulticastGroup.String())).To(BeTrue(), "it is given the other transport")
			s.Intercept(nil)
			Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "it takes a rekey that comes so")
		})
})
