package ipv6

import (
	"context"
	"net/netip"

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

// acked is the number of the last PUSH that the key server has counted as acknowledged by gm1.
func acked(ctx context.Context, l *lab.Lab) uint32 {
	GinkgoHelper()
	status, err := l.KS.KSStatus(ctx)
	kit.Precondition(err, "the key server answers its control socket")
	for _, m := range status.Groups[0].Members {
		if m.Address == l.GM[0].Addr().String() {
			return m.Acked
		}
	}
	return 0
}

func awaitAcked(ctx context.Context, l *lab.Lab, sequence uint32) bool {
	return l.Wait(ctx, lab.Patience, func() bool { return acked(ctx, l) == sequence })
}

// badAcks are identities in whose name nothing is acknowledged.
var badAcks = []struct {
	what        string
	requirement rule.ID
	change      func(*isakmp.ID)
}{
	{"whose ID is the address of somebody who is no member", "RFC8263-6-11", func(id *isakmp.ID) {
		id.Data = netip.MustParseAddr("2001:db8:0:1::99").AsSlice()
	}},
	{"whose ID is the IPv4 address of its sender", "RFC8263-6-11", func(id *isakmp.ID) {
		id.IDType, id.Data = isakmp.IDIPv4Addr, lab.MemberAddr(1).AsSlice()
	}},
	{"whose ID is an IPv6 address of four octets", "RFC2408-5.8-01", func(id *isakmp.ID) { id.Data = id.Data[:4] }},
	{"whose ID is called an IPv4 address and has sixteen octets", "RFC2408-5.8-01", func(id *isakmp.ID) { id.IDType = isakmp.IDIPv4Addr }},
}

var _ = Describe("A key server whose key management is over IPv6 (RFC 6407, RFC 8263)", kit.Subject("ipv6"), kit.DUT(rule.KS), func() {
	It("names itself and the ends of its rekeys by IPv6 addresses", kit.Requirement("RFC2407-4.6.2-01", "RFC6407-5.3-04"), func(ctx SpecContext) {
		l := kit.Up(ctx, over(lab.Multicast))
		message6 := kit.Last(kit.MessagesSince(l, 0, core.MainMode6.String()))
		Expect(kit.Value(message6, "ID/ID Type")).To(ContainSubstring("(5)"))
		Expect(kit.Value(message6, "ID")).To(Equal(lab.KeyServerAddr6.String()))
		pull2 := kit.Last(kit.MessagesSince(l, 0, core.Pull2.String()))
		Expect(kit.Value(pull2, "SA/SAK/Source")).To(ContainSubstring(lab.KeyServerAddr6.String() + " port 848"))
		Expect(kit.Value(pull2, "SA/SAK/Destination")).To(ContainSubstring(lab.MulticastGroup6.String() + " port 848"))
	})

	It("names the unspecified address of IPv6 as the destination of unicast rekeys", kit.Requirement("RFC6407-5.3-04"), func(ctx SpecContext) {
		l := kit.Up(ctx, over())
		pull2 := kit.Last(kit.MessagesSince(l, 0, core.Pull2.String()))
		Expect(kit.Value(pull2, "SA/SAK/Destination")).To(HaveSuffix("ADDR " + netip.IPv6Unspecified().String()))
	})

	for _, transport := range transports {
		It("sends "+transport.name+" rekeys over IPv6 and records their acknowledgements",
			kit.Requirement("RFC6407-4-09", "RFC8263-5-05"), kit.Feature("ack", transport.acks), func(ctx SpecContext) {
				l := kit.Up(ctx, over(transport.group))
				want := l.GM[0].Addr()
				if transport.name == "multicast" {
					want = netip.AddrPortFrom(lab.MulticastGroup6, lab.Port)
				}
				for _, args := range []control.RekeyArgs{{}, {KEK: true}, {}} {
					since := kit.Now(l)
					rekey := kit.Rekey(ctx, l, args)
					Expect(awaitAcked(ctx, l, rekey.Sequence)).To(BeTrue(), "rekey %d", rekey.Sequence)
					push := kit.Last(kit.MessagesSince(l, since, core.Push.String()))
					Expect(push.To).To(Equal(want))
					Expect(push.From).To(Equal(l.KS.Addr()))
				}
			})
	}

	for _, c := range badAcks {
		It("discards an acknowledgement "+c.what, kit.Requirement(string(c.requirement)), kit.Feature("ack"), kit.Negative, func(ctx SpecContext) {
			l := kit.Up(ctx, over())
			first := kit.Rekey(ctx, l, control.RekeyArgs{})
			kit.Reached(awaitAcked(ctx, l, first.Sequence), "an ordinary acknowledgement is recorded")
			before := kit.Refused(ctx, l.KS, c.requirement)

			Expect(l.GM[0].Misbehave(tester.Taps(tester.AckID(c.what, c.change)))).To(Succeed())
			second := kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(kit.AwaitRefusal(ctx, l, l.KS, c.requirement, before, func() bool { return acked(ctx, l) == second.Sequence })).To(BeTrue(), "the key server says that it discarded the acknowledgement")
			Expect(acked(ctx, l)).To(Equal(first.Sequence), "it counts nothing as acknowledged")

			Expect(l.GM[0].Misbehave(nil)).To(Succeed())
			third := kit.Rekey(ctx, l, control.RekeyArgs{})
			kit.Control(awaitAcked(ctx, l, third.Sequence), "the next acknowledgement, unaltered, is recorded")
		})
	}

	It("admits members by prefixes of IPv6, and nobody else", kit.Requirement("RFC6407-3.1-03", "RFC6407-3.1-04"), kit.Negative, func(ctx SpecContext) {
		setup := over(func(g *policy.Group) { g.Members = []netip.Prefix{netip.PrefixFrom(lab.MemberAddr6(2), 128)} })
		setup.Members = 2
		l := kit.Lab(ctx, setup)
		kit.Precondition(l.KS.Start(ctx), "the key server starts")
		kit.Precondition(l.GM[0].Start(ctx), "gm1 starts")
		Expect(kit.AwaitRefusal(ctx, l, l.KS, "RFC6407-3.1-03", 0, func() bool { return l.GM[0].Registered(ctx) })).To(BeTrue())
		kit.ExpectRefused(ctx, l.KS, "RFC6407-3.1-03", BeNumerically(">", 0), "it says that it refused gm1")
		Expect(kit.MessagesSince(l, 0, core.Pull2.String())).To(BeEmpty())
		kit.Precondition(l.GM[1].Start(ctx), "gm2 starts")
		kit.Control(l.GM[1].AwaitRegistered(ctx) == nil, "it admits gm2")
	})
})
