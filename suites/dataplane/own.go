package dataplane

import (
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// owning has the device put entries of its own before the group's policy.
func owning(entries ...policy.OwnEntry) lab.Setup {
	return lab.Setup{Member: carrying(func(d *policy.DataPath) { d.Own = entries })}
}

// allUDP is an entry for UDP between any hosts, whichever way it goes.
func allUDP(a policy.OwnAction, d policy.Direction) policy.OwnEntry {
	anywhere := netip.MustParsePrefix("0.0.0.0/0")
	return policy.OwnEntry{Selector: policy.Selector{Source: anywhere, Destination: anywhere, Protocol: 17}, Action: a, Direction: d}
}

// ownDirections are those of an entry, and whose packets it is about.
var ownDirections = []struct {
	name           string
	value          policy.Direction
	sends, receive bool
	id             string
}{
	{"sender-only", policy.DirectionSenderOnly, true, false, "RFC5374-4.1.1-03"},
	{"receiver-only", policy.DirectionReceiverOnly, false, true, "RFC5374-4.1.1-04"},
	{"symmetric", policy.DirectionSymmetric, true, true, "RFC4301-4.4.1-01"},
}

// only names what an entry is about.
func only(sends, receives bool) string {
	switch {
	case !receives:
		return "what leaves, and nothing that comes in"
	case !sends:
		return "what comes in, and nothing that leaves"
	}
	return "what leaves and what comes in"
}

var _ = Describe("A member's own policy before that of its group (RFC 5374 §4.1.1, RFC 4301 §4.4.1)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	// reversed is a packet as h2 would send it.
	reversed := func(p lab.IPv4) lab.IPv4 { p.Source, p.Destination = p.Destination, p.Source; return p }

	for _, c := range ownDirections {
		It(fmt.Sprintf("lets pass in clear %s, by a %s BYPASS entry", only(c.sends, c.receive), c.name), kit.Requirement(c.id, "RFC4301-4.4.1-01"),
			kit.Negative, func(ctx SpecContext) {
				s := device(ctx, owning(allUDP(policy.OwnBypass, c.value)))
				Expect(s.leaves1(s.udp(4000, 5000)).ESP == nil).To(Equal(c.sends), "what leaves is in clear")
				kit.Control(s.leaves1(s.packet()).ESP != nil, "what the entry does not name leaves in ESP")
				before := kit.Now(s.Lab)
				clear := reversed(s.udp(4000, 5000))
				s.inject(clear.Bytes())
				Expect(s.honest()).To(BeTrue(), "a protected packet is delivered")
				Expect(arrived(s.onLAN(before), clear) != nil).To(Equal(c.receive), "what comes in clear is delivered")
			})

		It(fmt.Sprintf("discards %s, by a %s DISCARD entry", only(c.sends, c.receive), c.name), kit.Requirement(c.id, "RFC4301-4.4.1-01"),
			kit.Negative, func(ctx SpecContext) {
				s := device(ctx, owning(allUDP(policy.OwnDiscard, c.value)))
				foreign := func(p lab.IPv4) lab.IPv4 { p.Destination = outsider; return p } // no group protects it
				kit.Control(s.leaves1(foreign(s.packet())).ESP == nil, "what neither the entry nor the group names leaves in clear")
				out, next := foreign(s.udp(4000, 5000)), foreign(s.packet())
				Expect(find(s.leaves(out, next), out) == nil).To(Equal(c.sends), "what leaves is discarded")
				before := kit.Now(s.Lab)
				in := reversed(foreign(s.udp(4000, 5000)))
				s.inject(in.Bytes())
				Expect(s.honest()).To(BeTrue(), "a protected packet is delivered")
				Expect(arrived(s.onLAN(before), in) == nil).To(Equal(c.receive), "what comes in is discarded")
			})
	}

	It("discards what the group would protect, and delivers what comes protected all the same", kit.Requirement("RFC4301-4.4.1-01", "RFC5374-4.1.1-04"),
		kit.Negative, func(ctx SpecContext) {
			s := device(ctx, owning(allUDP(policy.OwnDiscard, policy.DirectionSymmetric)))
			out, next := s.udp(4000, 5000), s.packet()
			all := s.leaves(out, next)
			kit.Control(find(all, next).ESP != nil, "what the entry does not name leaves in ESP")
			Expect(find(all, out)).To(BeNil())
			in := reversed(s.udp(4000, 5000))
			Expect(s.takes(in, s.group().Packet(in.Bytes()))).NotTo(BeNil(), "an SA has its own selectors")
		})

	for _, c := range []struct {
		name  string
		order []policy.OwnAction
		sent  bool
	}{
		{"the one that lets it pass before the one that discards it", []policy.OwnAction{policy.OwnBypass, policy.OwnDiscard}, true},
		{"the one that discards it before the one that lets it pass", []policy.OwnAction{policy.OwnDiscard, policy.OwnBypass}, false},
	} {
		It("does with a packet what the first entry says that takes it: "+c.name, kit.Requirement("RFC4301-4.4.1-01"), kit.Negative, func(ctx SpecContext) {
			var entries []policy.OwnEntry
			for _, a := range c.order {
				entries = append(entries, allUDP(a, policy.DirectionSenderOnly))
			}
			s := device(ctx, owning(entries...))
			p, next := s.udp(4000, 5000), s.packet()
			all := s.leaves(p, next)
			kit.Control(find(all, next).ESP != nil, "what no entry names leaves in ESP")
			Expect(find(all, p) != nil).To(Equal(c.sent))
		})
	}

	It("lets an entry with a port take no later fragment past the group's SA", kit.Requirement("RFC4301-7.3-01", "RFC4301-4.4.1-01"), kit.Negative,
		func(ctx SpecContext) {
			entry := allUDP(policy.OwnBypass, policy.DirectionSenderOnly)
			entry.Selector.DestinationPort = 5000
			s := device(ctx, owning(entry))
			kit.Control(s.leaves1(s.udp(4000, 5000)).ESP == nil, "a whole packet to that port leaves in clear")
			Expect(s.leaves1(halves(s.udp(4000, 5000))[1]).ESP).NotTo(BeNil(), "a fragment that hides its port leaves in ESP")
		})
})
