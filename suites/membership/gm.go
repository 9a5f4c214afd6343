package membership

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// families are the versions of IP, and how a node reports its groups in each.
var families = []struct {
	family lab.Family
	how    string
}{
	{lab.IPv4Family, "IPv4 by IGMP"},
	{lab.IPv6Family, "IPv6 by MLD"},
}

// other is a group beside that of the lab.
func other(f lab.Family) netip.Addr { return f.Group().Next() }

// reported is the last that the member said of a group since the mark: whether it is in it. It is false if it said nothing.
func reported(l *lab.Lab, since kit.Mark, group netip.Addr) (member, said bool) {
	for _, f := range kit.WANSince(l, since) {
		ip, _ := lab.Parse(f.Packet)
		for _, r := range ip.Reports() {
			if r.Group == group {
				member, said = r.Member, true
			}
		}
	}
	return member, said
}

// awaits waits until the member has reported that about the group.
func awaits(ctx context.Context, l *lab.Lab, since kit.Mark, group netip.Addr, want bool) bool {
	return l.Wait(ctx, lab.Patience, func() bool {
		member, said := reported(l, since, group)
		return said && member == want
	})
}

// redirect has SAKs name another group as the destination of PUSH messages.
func redirect(to netip.Addr) tester.Deviation {
	return tester.EditSAK(core.Push, "another group", func(s *gdoi.SAK) { s.Destination.Data = to.AsSlice() })
}

// moved takes the key server's datagrams to one group on to another.
func moved(from, to netip.Addr) func(*lab.Crossing) {
	return func(c *lab.Crossing) {
		ip, ok := lab.Parse(c.Packet)
		sender, dest, data, isUDP := ip.UDP()
		if !ok || !isUDP || dest.Addr() != from {
			return
		}
		if packet, err := lab.UDPPacket(sender, netip.AddrPortFrom(to, dest.Port()), 64, data); err == nil {
			c.Packet = packet
		}
	}
}

// mute withholds what the member sends for registrations, so that it gets no SAK any more.
func mute(c *lab.Crossing) {
	ip, _ := lab.Parse(c.Packet)
	_, _, data, ok := ip.UDP()
	h, err := isakmp.ParseHeader(data)
	c.Drop = ok && err == nil && c.From == lab.MemberName(1) && h.Exchange != isakmp.ExchangePushACK
}

var _ = Describe("Multicast groups of a member (RFC 6407 §4, §5.3)", kit.Subject("membership"), kit.DUT(rule.GM), func() {
	for _, c := range families {
		up := func(ctx SpecContext) *lab.Lab {
			GinkgoHelper()
			return kit.Up(ctx, lab.Setup{Family: c.family, Group: lab.Multicast})
		}

		It("joins the multicast group that its SAK names, and takes rekeys there: "+c.how, kit.Requirement("RFC6407-5.3-13"), func(ctx SpecContext) {
			l := up(ctx)
			Expect(awaits(ctx, l, 0, c.family.Group(), true)).To(BeTrue(), "it reports that it is in the group")
			rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(kit.Takes(ctx, l, 1, rekey)).To(BeTrue(), "it takes rekey %d", rekey.Sequence)
		})

		It("joins no multicast group for rekeys by unicast: "+c.how, kit.Requirement("RFC6407-5.3-13"), func(ctx SpecContext) {
			l := kit.Up(ctx, lab.Setup{Family: c.family})
			rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(kit.Takes(ctx, l, 1, rekey)).To(BeTrue(), "it takes rekey %d", rekey.Sequence)
			_, said := reported(l, 0, c.family.Group())
			Expect(said).To(BeFalse(), "it reports nothing of the group")
		})

		It("leaves the group of a Rekey SA that a rekey replaces, for the group of the new one: "+c.how,
			kit.Requirement("RFC6407-4-05", "RFC6407-5.3-13", "RFC6407-5.3-14"), func(ctx SpecContext) {
				l := up(ctx)
				kit.Reached(awaits(ctx, l, 0, c.family.Group(), true), "it joins the first group")
				since := kit.Now(l)
				Expect(l.KS.Misbehave(tester.Taps(redirect(other(c.family))))).To(Succeed())
				kit.Rekey(ctx, l, control.RekeyArgs{KEK: true}) // KS --> GM  HDR*, SEQ, SA {SAK with another group}, KD, SIG
				Expect(l.KS.Misbehave(nil)).To(Succeed())
				Expect(awaits(ctx, l, since, c.family.Group(), false)).To(BeTrue(), "it leaves the first group")
				Expect(awaits(ctx, l, since, other(c.family), true)).To(BeTrue(), "it joins the second group")

				l.Intercept(moved(c.family.Group(), other(c.family)))
				Expect(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, control.RekeyArgs{}))).To(BeTrue(), "it takes a rekey that comes there")
			})

		It("leaves its group when the key server deletes the Rekey SA: "+c.how, kit.Requirement("RFC6407-4-05", "RFC6407-5.9-05", "RFC6407-5.3-14"),
			func(ctx SpecContext) {
				l := up(ctx)
				kit.Reached(awaits(ctx, l, 0, c.family.Group(), true), "it joins the group")
				since := kit.Now(l)
				l.Intercept(mute) // or it would be in the group again at once
				kit.Rekey(ctx, l, control.RekeyArgs{DeleteAll: true})
				Expect(awaits(ctx, l, since, c.family.Group(), false)).To(BeTrue(), "it reports that it has left")

				since = kit.Now(l)
				l.Intercept(nil)
				Expect(awaits(ctx, l, since, c.family.Group(), true)).To(BeTrue(), "it is in the group again once it has registered anew")
			})
	}
})
