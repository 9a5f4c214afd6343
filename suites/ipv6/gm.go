package ipv6

import (
	"context"
	"net/netip"
	"slices"
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
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// over is a lab whose key management is over IPv6, with acknowledgements.
func over(alter ...func(*policy.Group)) lab.Setup {
	return lab.Setup{Family: lab.IPv6Family, Member: hasty, Group: func(g *policy.Group) {
		kit.Acknowledging(g)
		for _, change := range alter {
			change(g)
		}
	}}
}

// hasty has a member whose registration failed try again soon.
func hasty(i int, c *policy.Member) { kit.Hurry(i, c, 0, 200*time.Millisecond) }

// acknowledges waits until a member has acknowledged the rekey, and returns its acknowledgement.
func acknowledges(ctx context.Context, l *lab.Lab, since kit.Mark) capture.Message {
	GinkgoHelper()
	var acks []capture.Message
	Expect(l.Wait(ctx, lab.Patience, func() bool {
		acks = kit.MessagesSince(l, since, core.PushACK.String())
		return len(acks) > 0
	})).To(BeTrue(), "the member acknowledges the rekey")
	return kit.Last(acks)
}

// badEndpoints are ends of the PUSH messages that a SAK must not name.
var badEndpoints = []struct {
	what   string
	change func(*gdoi.SAK)
}{
	{"source is an IPv6 address of four octets", func(s *gdoi.SAK) { s.Source.Data = s.Source.Data[:4] }},
	{"source is called an IPv4 address and has sixteen octets", func(s *gdoi.SAK) { s.Source.Type = isakmp.IDIPv4Addr }},
	{"destination is an IPv6 address of four octets", func(s *gdoi.SAK) { s.Destination.Data = s.Destination.Data[:4] }},
	{"destination is an IPv6 address of seventeen octets", func(s *gdoi.SAK) {
		s.Destination.Data = append(slices.Clone(s.Destination.Data), 0)
	}},
	{"destination is a subnet of IPv6", func(s *gdoi.SAK) {
		s.Destination.Type = isakmp.IDIPv6AddrSubnet
		s.Destination.Data = append(slices.Clone(s.Destination.Data), make([]byte, 16)...)
	}},
}

var _ = Describe("A member whose key management is over IPv6 (RFC 6407, RFC 8263)", kit.Subject("ipv6"), kit.DUT(rule.GM), func() {
	It("registers, and names itself by its IPv6 address in Phase 1", kit.Requirement("RFC2407-4.6.2-01"), func(ctx SpecContext) {
		l := kit.Lab(ctx, over())
		Expect(l.Up(ctx)).To(Succeed())
		message5 := kit.Last(kit.MessagesSince(l, 0, core.MainMode5.String()))
		Expect(message5.From.Addr()).To(Equal(lab.MemberAddr6(1)))
		Expect(kit.Value(message5, "ID/ID Type")).To(ContainSubstring("(5)"))
		Expect(kit.Value(message5, "ID")).To(Equal(lab.MemberAddr6(1).String()))
	})

	for _, transport := range transports {
		It("follows "+transport.name+" rekeys and acknowledges each under its IPv6 address",
			kit.Requirement("RFC8263-3.4-01", "RFC8263-3.4-03", "RFC8263-3-02", "RFC6407-5.3-04"), kit.Feature("ack", transport.acks), func(ctx SpecContext) {
				l := kit.Up(ctx, over(transport.group))
				for _, args := range []control.RekeyArgs{{}, {KEK: true}, {}} {
					since := kit.Now(l)
					rekey := kit.Rekey(ctx, l, args)
					ack := acknowledges(ctx, l, since)
					Expect(kit.Value(ack, "ID/ID Type")).To(ContainSubstring("(5)"))
					Expect(kit.Value(ack, "ID")).To(Equal(lab.MemberAddr6(1).String()))
					Expect(kit.Checked(ack, "ACK HASH")).To(Equal(capture.OK), "rekey %d", rekey.Sequence)
					Expect(ack.From).To(Equal(l.GM[0].Addr()))
					Expect(ack.To).To(Equal(l.KS.Addr()))
				}
			})
	}

	for _, c := range badEndpoints {
		It("refuses a SAK whose "+c.what, kit.Requirement("RFC6407-5.3-04"), kit.Negative, func(ctx SpecContext) {
			l := kit.Lab(ctx, over())
			Expect(l.KS.Misbehave(tester.Taps(tester.Once(tester.EditSAK(core.Pull2, c.what, c.change))))).To(Succeed())
			beginsAnew(ctx, l, core.Pull1, "RFC6407-5.3-04")
		})
	}

	It("refuses a key server that names itself by another IPv6 address", kit.Requirement("RFC6407-3.1-02"), kit.Negative, func(ctx SpecContext) {
		l := kit.Lab(ctx, over())
		Expect(l.KS.Misbehave(tester.Taps(tester.Once(tester.Identity(core.MainMode6, "another address", func(id *isakmp.ID) {
			id.Data = netip.MustParseAddr("2001:db8:0:1::99").AsSlice()
		}))))).To(Succeed())
		beginsAnew(ctx, l, core.MainMode1, "RFC6407-3.1-02")
	})
})

// beginsAnew has the member refuse, for the requirement, what the key server tells it first, and register with what it tells it
// next. Kind is the member's message before.
func beginsAnew(ctx context.Context, l *lab.Lab, kind core.Kind, id rule.ID) {
	GinkgoHelper()
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	kit.Precondition(l.GM[0].Start(ctx), "the member starts")
	registered := l.GM[0].AwaitRegistered(ctx) == nil
	begun := 0
	for _, m := range kit.MessagesSince(l, 0, kind.String()) {
		if m.Repeats == 0 {
			begun++
		}
	}
	Expect(begun).To(Equal(2), "the member begins anew instead of going on")
	kit.ExpectRefused(ctx, l.GM[0], id, BeNumerically(">", 0), "it says that it refused the message for %s", id)
	kit.Control(registered, "it takes what is right")
	Expect(l.GM[0].Registrations()).To(Equal(1), "it has not registered before")
}
