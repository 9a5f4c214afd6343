package algorithms

import (
	"context"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// espColumn is a way of using a transform, of which each is tried.
type espColumn struct {
	mode policy.Mode
	ipv6 bool
	esn  bool
}

// espColumns are both modes for both versions of IP, with and without extended sequence numbers.
func espColumns() (all []espColumn) {
	for _, mode := range []policy.Mode{policy.ModeTunnel, policy.ModeTransport} {
		for _, ipv6 := range []bool{false, true} {
			all = append(all, espColumn{mode, ipv6, false}, espColumn{mode, ipv6, true})
		}
	}
	return all
}

// name completes the sentence of a spec.
func (c espColumn) name() string {
	text := map[policy.Mode]string{policy.ModeTunnel: "in tunnel mode", policy.ModeTransport: "in transport mode"}[c.mode]
	text += map[bool]string{false: " for IPv4", true: " for IPv6"}[c.ipv6]
	if c.esn {
		text += " with extended sequence numbers"
	}
	return text
}

// requirements are those that the column speaks for beside the transform's own.
func (c espColumn) requirements() []string {
	ids := []string{"RFC4301-4.1-01"}
	if c.esn {
		ids = append(ids, "RFC4303-2.2.1-01")
	}
	return ids
}

// setup is a group that uses the transform so.
func (c espColumn) setup(t policy.Transform) lab.Setup {
	if c.mode == policy.ModeTransport {
		t.Mode, t.Preservation = policy.ModeTransport, policy.PreserveAbsent
	}
	t.ESN = c.esn
	s := lab.Setup{IPv6: c.ipv6, Group: withTransform(t)}
	if c.ipv6 {
		s.Group = func(g *policy.Group) {
			g.SAs[0].Transform = t
			g.SAs[0].Selector = policy.Selector{Source: lab.Protected6, Destination: lab.Protected6}
		}
	}
	s.Member = func(i int, m *policy.Member) {
		m.DataPath.Transport = c.mode == policy.ModeTransport
		if c.esn {
			windowed(i, m)
		}
	}
	return s
}

// replayWindow is that of members that have one.
const replayWindow = 64

// windowed gives members the replay window that extended sequence numbers need (RFC 4303 §3.4.3).
func windowed(_ int, c *policy.Member) { c.ReplayWindow = replayWindow }

var _ = Describe("ESP transforms (RFC 6407 §5.5.1)", kit.Subject("algorithms"), kit.DUT(rule.Both), func() {
	It("carries traffic before and after a rekey under the default transform", kit.Requirement("RFC6407-4-06"), func(ctx SpecContext) {
		carries(ctx, lab.Setup{})
	})

	for _, t := range policy.Transforms() {
		for _, c := range espColumns() {
			It(fmt.Sprintf("carries traffic before and after a rekey under %s %s", t.Name(), c.name()),
				kit.Requirement(append(espRequirements(t), c.requirements()...)...), kit.Exhaustive, kit.Scene(kit.DataPlane), func(ctx SpecContext) {
					opens(carries(ctx, c.setup(inTunnel(t))), t)
				})
		}
	}
})

// inTunnel completes a row of the table of transforms: a tunnel with both addresses preserved.
func inTunnel(t policy.Transform) policy.Transform {
	t.Mode, t.Preservation, t.Direction = policy.ModeTunnel, policy.PreserveBoth, policy.DirectionSymmetric
	return t
}

func withTransform(t policy.Transform) func(*policy.Group) {
	return func(g *policy.Group) { g.SAs[0].Transform = t }
}

// The requirements that a transform speaks for once it carries traffic, by its parts.
var (
	cipherRequirements = map[policy.Cipher][]string{
		policy.CipherAESGCM16: {"RFC4106-6-01"},
		policy.CipherAESGCM12: {"RFC4106-6-02"},
		policy.CipherAESGCM8:  {"RFC4106-6-02"},
		policy.CipherGMAC:     {"RFC4543-3.3-01"},
		policy.CipherAESCBC:   {"RFC6407-5.5.1-12", "RFC3602-2.4-01"},
		policy.Cipher3DES:     {"RFC6407-5.5.1-12", "RFC2451-2.1-01"},
		policy.CipherNULL:     {"RFC6407-5.5.1-12", "RFC2407-4.4.4.11-01"},
	}
	integrityRequirements = map[policy.Integrity][]string{
		policy.IntegrityHMACSHA1:   {"RFC2404-2-01"},
		policy.IntegrityHMACSHA256: {"RFC4868-2.3-01"},
		policy.IntegrityHMACSHA384: {"RFC4868-2.3-01"},
		policy.IntegrityHMACSHA512: {"RFC4868-2.3-01"},
	}
)

func espRequirements(t policy.Transform) []string {
	return slices.Concat(cipherRequirements[t.Cipher], integrityRequirements[t.Integrity])
}

// opens demands that every ESP packet that crossed the WAN opens with the group's keys, and that its ICV is as long as the
// transform says.
func opens(l *lab.Lab, t policy.Transform) {
	GinkgoHelper()
	kit.NeedsKeys(l)
	packets := kit.MessagesSince(l, 0, "ESP")
	Expect(packets).NotTo(BeEmpty())
	for _, m := range packets {
		icv, _ := kit.Field(m, "ICV")
		Expect(m.Decrypted).To(BeTrue(), "frame %d opens: %v", m.Frame, m.Checks)
		Expect(icv.Length).To(Equal(t.ICVLen()), "octets of the ICV")
	}
}

// carries registers two members, has their hosts talk, rekeys, and has them talk under the new SAs. They talk over IPv6 in a
// lab that has it.
func carries(ctx context.Context, setup lab.Setup) *lab.Lab {
	GinkgoHelper()
	setup.Members, setup.Hosts = 2, true
	l := kit.Lab(ctx, setup)
	host := lab.HostAddr
	if setup.IPv6 {
		host = lab.HostAddr6
	}
	Expect(l.Up(ctx)).To(Succeed(), "every member registers")
	Expect(kit.PingTo(ctx, l, 1, host(2), 2).Received).To(Equal(2), "answers before the rekey")
	old := kit.SendingSPITo(ctx, l, 1, host(2))
	result, err := l.KS.Rekey(ctx, control.RekeyArgs{KEK: true})
	Expect(err).NotTo(HaveOccurred(), "the key server rekeys")
	Expect(result.SPIs).NotTo(BeEmpty())
	for i := range l.GM {
		Expect(kit.SwitchesToward(ctx, l, i+1, host(2-i), result.SPIs[0])).To(BeTrue(), "member %d sends under the new SA", i+1)
	}
	since := kit.Now(l)
	Expect(kit.PingTo(ctx, l, 1, host(2), 2).Received).To(Equal(2), "answers after the rekey")
	Expect(kit.ClearSince(l, since)).To(BeEmpty(), "packets in clear")
	packets := kit.ESPSince(l, since)
	Expect(packets).NotTo(BeEmpty(), "packets in ESP")
	for _, p := range packets {
		Expect(p.SPI).NotTo(Equal(old), "a packet under the replaced SA")
	}
	return l
}
