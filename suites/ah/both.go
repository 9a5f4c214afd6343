package ah

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

type frame = capture.Frame

// way is a way of using AH, of which each is tried.
type way struct {
	name   string
	mode   policy.Mode
	keep   policy.Preservation
	ipv6   bool
	esn    bool
	extra  []string // requirements beside those of all
	peered bool     // the members know in front of which addresses each other is
}

var ways = []way{
	{name: "in tunnel mode for IPv4", mode: policy.ModeTunnel, keep: policy.PreserveBoth, extra: []string{"RFC5374-3.1-01", "RFC5374-3.1-02"}},
	{name: "in tunnel mode for IPv4 with extended sequence numbers", mode: policy.ModeTunnel, keep: policy.PreserveBoth, esn: true},
	{name: "in tunnel mode for IPv4 between the gateways' own addresses", mode: policy.ModeTunnel, keep: policy.PreserveNone, peered: true,
		extra: []string{"RFC5374-5.1-01"}},
	{name: "in tunnel mode for IPv6", mode: policy.ModeTunnel, keep: policy.PreserveBoth, ipv6: true},
	{name: "in transport mode for IPv4", mode: policy.ModeTransport, extra: []string{"RFC4302-3.1.1-01"}},
	{name: "in transport mode for IPv6", mode: policy.ModeTransport, ipv6: true, extra: []string{"RFC4302-3.1.1-01"}},
}

func (w way) setup(t policy.Transform) lab.Setup {
	t.Mode, t.Preservation, t.ESN = w.mode, w.keep, w.esn
	s := lab.Setup{Members: 2, Hosts: true, IPv6: w.ipv6, Group: using(t)}
	if w.ipv6 {
		s.Group = func(g *policy.Group) {
			g.SAs[0].Transform = t
			g.SAs[0].Selector = policy.Selector{Source: lab.Protected6, Destination: lab.Protected6}
		}
	}
	s.Member = func(_ int, m *policy.Member) {
		m.DataPath.Transport = w.mode == policy.ModeTransport
		if w.esn {
			m.ReplayWindow = replayWindow
		}
		if w.peered {
			m.DataPath.Peers = []policy.TunnelPeer{{Network: lab.MemberLAN(1), Gateway: lab.MemberAddr(1)}, {Network: lab.MemberLAN(2), Gateway: lab.MemberAddr(2)}}
		}
	}
	return s
}

var _ = Describe("AH (RFC 6407 §5.5, RFC 4302)", kit.Subject("ah"), kit.DUT(rule.Both), kit.Scene(kit.DataPlane), func() {
	for _, t := range policy.AHTransforms() {
		for _, w := range ways {
			ids := append([]string{"RFC4302-2.2-01"}, w.extra...)
			It("carries traffic before and after a rekey under "+t.Name()+" "+w.name, kit.Requirement(ids...), kit.Exhaustive, func(ctx SpecContext) {
				authentic(carries(ctx, w.setup(t), w.header(t)), t)
			})
		}
	}
})

// header is how AH begins here: what it protects, its length less two in words of 4 octets, and two zeros (RFC 4302 §2).
func (w way) header(t policy.Transform) []byte {
	next, words := byte(4), 3+t.ICVLen()/4
	switch {
	case w.mode == policy.ModeTransport && w.ipv6:
		next = 58
	case w.mode == policy.ModeTransport:
		next = 1
	case w.ipv6:
		next = 41
	}
	if w.ipv6 {
		words += words % 2
	}
	return []byte{next, byte(words - 2), 0, 0}
}

// carries registers two members, has their hosts talk, rekeys, and has them talk under the new SA. All that crosses the WAN is AH, which
// begins as it has to.
func carries(ctx context.Context, setup lab.Setup, header []byte) *lab.Lab {
	GinkgoHelper()
	l := kit.Lab(ctx, setup)
	host := lab.HostAddr
	if setup.IPv6 {
		host = lab.HostAddr6
	}
	Expect(l.Up(ctx)).To(Succeed(), "every member registers")
	since := kit.Now(l)
	Expect(kit.PingTo(ctx, l, 1, host(2), 2).Received).To(Equal(2), "answers before the rekey")
	old := sent(l, since)
	Expect(old).To(HaveLen(4), "packets in AH")
	result, err := l.KS.Rekey(ctx, control.RekeyArgs{KEK: true})
	Expect(err).NotTo(HaveOccurred(), "the key server rekeys")
	for i := range l.GM {
		Expect(kit.Has(ctx, l, i+1, result.SPIs[0])).To(BeTrue(), "member %d has the new SA", i+1)
	}
	since = kit.Now(l)
	Expect(kit.PingTo(ctx, l, 1, host(2), 2).Received).To(Equal(2), "answers after the rekey")
	Expect(sent(l, since)).To(HaveLen(4), "packets in AH")
	for _, p := range sent(l, since) {
		Expect(p.Payload[:4]).To(Equal(header), "Next Header, Payload Len and RESERVED")
		Expect(spiOf(p)).To(Equal(result.SPIs[0]))
		Expect(spiOf(p)).NotTo(Equal(spiOf(old[0])))
	}
	return l
}

// authentic demands that the ICV of every packet of AH that crossed the WAN is that of the group's key, and as long as the
// transform says.
func authentic(l *lab.Lab, t policy.Transform) {
	GinkgoHelper()
	kit.NeedsKeys(l)
	packets := kit.MessagesSince(l, 0, capture.KindAH)
	Expect(packets).NotTo(BeEmpty())
	for _, m := range packets {
		icv, _ := kit.Field(m, "ICV")
		Expect(kit.Checked(m, "ICV")).To(Equal(capture.OK), "frame %d: %v", m.Frame, m.Checks)
		Expect(icv.Length).To(Equal(t.ICVLen()), "octets of the ICV")
	}
}
