package tbar

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
	"github.com/gdoilab/gdoilab/suites/kit"
)

// hostsTag is the tag of the hosts behind members.
const hostsTag = 100

// tagged is a setup whose packets carry a tag.
func tagged(setup lab.Setup) lab.Setup {
	replay := setup.Group
	setup.Group = func(g *policy.Group) {
		replay(g)
		g.SAs[0].Tag = true
	}
	setup.Member = func(_ int, m *policy.Member) { m.Metadata.Tag = hostsTag }
	return setup
}

// shown is what the device shows of the first of its SAs.
func (s *scene) shown() control.Replay {
	GinkgoHelper()
	status, err := s.GM[0].GMStatus(s.ctx)
	kit.Precondition(err, "the device shows its status")
	Expect(status.SAs).NotTo(BeEmpty())
	Expect(status.SAs[0].Replay).NotTo(BeNil())
	return *status.SAs[0].Replay
}

const tagField = "SA/SAT/Tag Method"

var _ = Describe("The tag of a security group in packets (GET VPN)", kit.Subject("tbar"), kit.DUT(rule.GM), func() {
	It("is that of the member's hosts, between ESP and the packet", kit.Requirement("GETVPN-SGT-01", "GETVPN-SGT-02"), func(ctx SpecContext) {
		s := device(ctx, tagged(with(policy.AntiReplay{Method: policy.ReplayNone})))
		p := s.packet()
		content := s.leaves(p)
		tag, rest, ok := tester.Tag(content.Next, content.Inner)
		Expect(ok).To(BeTrue(), "there is a header with a tag: next header %d, %x", content.Next, content.Inner)
		Expect(tag).To(BeEquivalentTo(hostsTag))
		inner, ok := lab.ParseIPv4(rest)
		Expect(ok && same(inner, p)).To(BeTrue(), "the host's packet is behind it: %x", rest)
	})

	It("stands behind the pseudotime where there are both", kit.Requirement("GETVPN-SGT-01"), func(ctx SpecContext) {
		s := device(ctx, tagged(timed(10*time.Second)))
		stamp, ok := s.leaves(s.packet()).Stamp()
		Expect(ok).To(BeTrue(), "there is a header with a pseudotime")
		tag, _, ok := tester.Tag(stamp.Next, stamp.Inner)
		Expect(ok).To(BeTrue(), "there is a header with a tag behind it: %x", stamp.Inner)
		Expect(tag).To(BeEquivalentTo(hostsTag))
		inner := s.back()
		Expect(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPTag(7), tester.ESPStamp(s.own())))).To(BeTrue(), "a packet with both is delivered")
	})

	It("is taken off, and is there for who receives the packet", kit.Requirement("GETVPN-SGT-01", "GETVPN-SGT-02"), func(ctx SpecContext) {
		s := device(ctx, tagged(with(policy.AntiReplay{Method: policy.ReplayNone})))
		for _, tag := range []uint16{100, 65535, 100} {
			inner := s.back()
			Expect(s.takes(inner, s.group().Packet(inner.Bytes(), tester.ESPTag(tag)))).To(BeTrue(), "a packet with the tag %d is delivered", tag)
		}
		Expect(s.shown().Tags).To(Equal(map[uint16]uint64{100: 2, 65535: 1}), "packets by their tags")
	})

	It("is shown as the method of tagging, or that there is none", kit.Requirement("GETVPN-SGT-03"), func(ctx SpecContext) {
		Expect(device(ctx, tagged(with(policy.AntiReplay{}))).shown().Tag).To(Equal("cts sgt"))
		Expect(device(ctx, with(policy.AntiReplay{})).shown().Tag).To(Equal("disabled"))
	})
})

var _ = Describe("The tag of a security group at a key server (GET VPN)", kit.Subject("tbar"), kit.DUT(rule.KS), func() {
	It("is asked for in the SAT", kit.Requirement("GETVPN-SGT-01"), func(ctx SpecContext) {
		l := kit.Up(ctx, tagged(with(policy.AntiReplay{})))
		Expect(kit.Value(last(l, 0, core.Pull2), tagField)).To(Equal("1"), tagField)
	})

	It("is not asked for if the configuration has none, as there is no anti-replay", kit.Requirement("GETVPN-SGT-04"), func(ctx SpecContext) {
		l := kit.Up(ctx, with(policy.AntiReplay{Method: policy.ReplayNone}))
		m := last(l, 0, core.Pull2)
		_, asked := kit.Field(m, tagField)
		Expect(asked).To(BeFalse(), tagField)
		Expect(kit.Value(m, packetsField)).To(Equal("0"), packetsField)
	})
})
