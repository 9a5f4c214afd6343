package membership

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var (
	mainMode   = []string{"MM1", "MM2", "MM3", "MM4", "MM5", "MM6"}
	aggressive = []string{"AM1", "AM2", "AM3"}
	pull       = []string{"PULL1", "PULL2", "PULL3", "PULL4"}
)

func init() {
	for _, side := range sides {
		registers(side.who, kit.DUT(side.role))
	}
}

// registers makes the specs of a registration as a whole, in which the device takes one part and the tester, which does it right, the other.
func registers(who string, dut Labels) {
	Describe("Registration, by "+who+" (profile getvpn)", kit.Subject(subject), dut, func() {
		It(who+" takes part in Main Mode and then in the four messages of a PULL under it, by unicast on port 848",
			kit.Requirement("GETVPN-REG-01", "GETVPN-REG-02", "GETVPN-REG-09", "GETVPN-REG-10", "GETVPN-REG-12"), func(ctx SpecContext) {
				l := kit.Up(ctx, of(1))
				said := talk(l, 0)
				Expect(kinds(said)).To(Equal(append(append([]string(nil), mainMode...), pull...)), "nothing else passes between the two")
				for _, m := range said {
					Expect(m.Header.InitiatorCookie).To(Equal(said[0].Header.InitiatorCookie), "%s is under the one Phase 1", m.Kind)
					Expect(m.From).To(BeElementOf(l.KS.Addr(), l.GM[0].Addr()), "%s comes from port 848 of one", m.Kind)
					Expect(m.To).To(BeElementOf(l.KS.Addr(), l.GM[0].Addr()), "%s goes to port 848 of the other", m.Kind)
				}
				kit.Reading("GETVPN-REG-02", "registers by the exchange of RFC 6407, with exchange type %d", said[len(said)-1].Header.Exchange)
			})

		It(who+" takes part in a registration that begins in Aggressive Mode", kit.Requirement("GETVPN-REG-10"), func(ctx SpecContext) {
			setup := of(1)
			setup.KeyServer = func(c *policy.KeyServer) { c.Phase1.Mode = policy.EitherMode }
			setup.Member = func(i int, c *policy.Member) {
				hasty(i, c)
				c.Phase1.Mode = policy.AggressiveMode
			}
			l := kit.Up(ctx, setup)
			Expect(kinds(talk(l, 0))).To(Equal(append(append([]string(nil), aggressive...), pull...)))
		})

		It(who+" sends nothing of policy or keys in clear", kit.Requirement("GETVPN-REG-17"), func(ctx SpecContext) {
			l := kit.Up(ctx, of(1))
			kit.NeedsKeys(l)
			Expect(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, control.RekeyArgs{KEK: true}))).To(BeTrue(), "the member takes a rekey")
			said := append(only(talk(l, 0), core.Push), pulls(l)...)
			Expect(said).To(HaveLen(1 + len(pull)))
			for _, m := range said {
				Expect(m.Encrypted).To(BeTrue(), "%s is encrypted", m.Kind)
				Expect(m.Decrypted).To(BeTrue(), "%s can be read with the key of the member alone", m.Kind)
			}
		})

		It(who+" moves to port 4500 when the other is behind an address translator, or is itself", kit.Requirement("GETVPN-REG-12"),
			kit.Feature("nat-traversal"), func(ctx SpecContext) {
				setup := of(1)
				setup.NAT = []int{1}
				setup.KeyServer = func(c *policy.KeyServer) { c.Phase1.NATTraversal = true }
				setup.Member = func(i int, c *policy.Member) {
					hasty(i, c)
					c.Phase1.NATTraversal = true
				}
				l := kit.Up(ctx, setup)
				Expect(pulls(l)).NotTo(BeEmpty())
				for _, m := range pulls(l) {
					port := m.To.Port() // that of the member is the translator's
					if m.From.Addr() == l.KS.Addr().Addr() {
						port = m.From.Port()
					}
					Expect(port).To(BeEquivalentTo(4500), "%s is on the port of NAT traversal", m.Kind)
				}
			})
	})
}

// pulls are the messages of registrations, without repetitions.
func pulls(l *lab.Lab) []capture.Message {
	return slices.DeleteFunc(talk(l, 0), func(m capture.Message) bool { return !slices.Contains(pull, m.Kind) })
}
