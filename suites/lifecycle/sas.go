package lifecycle

import (
	"net/netip"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// shared has one SA serve what goes from behind gm1 to behind gm2 and to behind gm3.
func shared(g *policy.Group) {
	g.SAs[0].Selector, g.SAs[0].Also = between(1, 2), []policy.Selector{between(1, 3)}
}

// nested has an SA of its own for UDP within what another one protects, and names it first or last.
func nested(last bool) func(*policy.Group) {
	return func(g *policy.Group) {
		udp := g.SAs[0]
		udp.Selector.Protocol = 17
		g.SAs = []policy.SAPolicy{udp, g.SAs[0]}
		if last {
			g.SAs[0], g.SAs[1] = g.SAs[1], g.SAs[0]
		}
	}
}

// sendsUDP is sends for a UDP packet.
func (s *scene) sendsUDP(i, j int) string {
	GinkgoHelper()
	packet, err := lab.UDPPacket(netip.AddrPortFrom(lab.HostAddr(i), 5000), netip.AddrPortFrom(lab.HostAddr(j), 5000), 64, []byte("datagram"))
	kit.Precondition(err, "the packet is made")
	before := kit.Now(s.Lab)
	kit.Precondition(s.Hosts[i-1].Send(packet), "the host sends")
	s.Wait(s.ctx, lab.Patience, func() bool { return len(s.encrypted(before, i, j)) > 0 })
	for _, p := range s.encrypted(before, i, j) {
		return kit.SPI(p.SPI)
	}
	return nothing
}

var _ = Describe("Several SAs of one group at a member (RFC 6407 §5.5, RFC 4301 §5)", kit.Subject("lifecycle"), kit.DUT(rule.GM), func() {
	It("protects each flow under the SA whose SAT names it, with the transform of that", kit.Requirement("RFC6407-5.5.1-05", "RFC6407-5.5.1-07"),
		func(ctx SpecContext) {
			s := group(ctx, 3, toward(lab.GCM(), lab.CBC()))
			Expect([]string{s.sends(1, 2), s.sends(1, 3)}).To(Equal(s.inForce(0)))
			since := kit.Now(s.Lab)
			gcm, cbc := s.sends(1, 2), s.sends(1, 3)
			Expect(gcm).NotTo(Equal(cbc))
			overhead := func(j int) int { return len(s.encrypted(since, 1, j)[0].Packet) }
			Expect(overhead(3)).To(BeNumerically(">", overhead(2)), "CBC has the longer IV and padding")
		})

	for _, c := range []struct {
		name string
		last bool
	}{{"named first", false}, {"named last", true}} {
		It("uses the first SA of the policy that takes a packet, though another does too: "+c.name, kit.Requirement("RFC6407-5.5.1-01", "RFC6407-5.5.1-05"),
			func(ctx SpecContext) {
				s := group(ctx, 2, nested(c.last))
				spis := s.inForce(0)
				if c.last { // everything matches the SA before it
					Expect([]string{s.sendsUDP(1, 2), s.sends(1, 2)}).To(Equal([]string{spis[0], spis[0]}))
				} else {
					Expect([]string{s.sendsUDP(1, 2), s.sends(1, 2)}).To(Equal(spis))
				}
				next := s.rekey(control.RekeyArgs{})
				Expect(s.carriesOut(1, next)).To(BeTrue())
				s.goesOver(1, next)
				Expect([]string{s.sendsUDP(1, 2), s.sends(1, 2)}).To(HaveEach(BeElementOf(next.SPIs)))
				Expect(s.sendsUDP(1, 2) == s.sends(1, 2)).To(Equal(c.last), "the order is the same after a rekey")
			})
	}

	It("uses one SA for the flows of all SATs that name it, and no IV twice", kit.Requirement("RFC6407-3.5-01", "RFC6054-3-03", "RFC6407-5.6-03"),
		func(ctx SpecContext) {
			s := group(ctx, 3, shared)
			since := kit.Now(s.Lab)
			for range 3 {
				Expect(s.sends(1, 2)).To(Equal(s.inForce(0)[0]))
				Expect(s.sends(1, 3)).To(Equal(s.inForce(0)[0]))
			}
			ivs, sent := map[string]bool{}, append(s.encrypted(since, 1, 2), s.encrypted(since, 1, 3)...)
			for _, p := range sent {
				ip, _ := lab.ParseIPv4(p.Packet)
				ivs[string(ip.Payload[8:16])] = true
			}
			Expect(len(sent)).To(BeNumerically(">=", 6))
			Expect(ivs).To(HaveLen(len(sent)))
		})

	It("deletes an SA for all flows that it serves", kit.Requirement("RFC6407-5.9-04"), kit.Negative, func(ctx SpecContext) {
		s := group(ctx, 3, shared)
		s.protects(1, 2)
		Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{DeleteTEKs: []string{s.protects(1, 3)}}))).To(BeTrue())
		Expect(s.closed(1, 2)).To(BeTrue())
		Expect(s.closed(1, 3)).To(BeTrue())
		next := s.rekey(control.RekeyArgs{TEK: true})
		kit.Control(s.carriesOut(1, next) && s.sends(1, 2) == next.SPIs[0] && s.sends(1, 3) == next.SPIs[0], "both have the next SA")
	})

	It("replaces one SA of two and goes on with the other", kit.Requirement("RFC6407-4-06", "RFC5374-4.2.1-06"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			s := group(ctx, 3, toward(lab.GCM(), lab.GCM()), func(g *policy.Group) {
				g.SAs[0].Lifetime, g.Rekey.Margin = 2*time.Minute, 20*time.Second
			})
			short, long := s.protects(1, 2), s.protects(1, 3)
			s.Pass(ctx, 110*time.Second)
			Expect(s.sends(1, 2)).NotTo(BeElementOf(short, nothing), "its own time has come")
			Expect(s.sends(1, 3)).To(Equal(long))
			s.Pass(ctx, 20*time.Second)
			Expect(s.installed(1)).NotTo(ContainElement(short), "the old one is gone")
			Expect(s.installed(1)).To(ContainElement(long))
		})
})

var _ = Describe("Several SAs of one group on a key server (RFC 6407 §5.5, §5.6)", kit.Subject("lifecycle"), kit.DUT(rule.KS), func() {
	It("gives each SA of the policy its own SPI, transform, lifetime and key", kit.Requirement("RFC6407-3.2-12", "RFC6407-3.5-05", "RFC6407-5.5.1-07", "RFC6407-5.5.1-11"),
		func(ctx SpecContext) {
			s := group(ctx, 1, toward(lab.GCM(), lab.CBC(), lab.GCM()), func(g *policy.Group) {
				for i := range g.SAs {
					g.SAs[i].Lifetime = time.Duration(i+1) * time.Hour
				}
			})
			offer, keys := kit.Last(s.pulls(0, core.Pull2, 1)), kit.Last(s.pulls(0, core.Pull4, 1))
			Expect(values(offer.Payloads, "SA", "SAT", "SA Life Duration")).To(HaveExactElements(
				left(time.Hour), left(2*time.Hour), left(3*time.Hour)))
			transforms := values(offer.Payloads, "SA", "SAT", "Transform ID")
			Expect(transforms[0]).To(Equal(transforms[2]))
			Expect(transforms[1]).NotTo(Equal(transforms[0]))
			different(values(offer.Payloads, "SA", "SAT", "SPI"), 3)
			different(values(keys.Payloads, "KD", "Key Packet TEK", "TEK_ALGORITHM_KEY"), 3)
			Expect(values(keys.Payloads, "KD", "Key Packet TEK", "TEK_INTEGRITY_KEY")).To(HaveLen(1), "only CBC has a key of its own for integrity")
		})

	It("names an SA in a SAT for each of its flows, with one key packet", kit.Requirement("RFC6407-5.6-03", "RFC6407-5.6.1-01", "RFC6407-3.2-18"),
		func(ctx SpecContext) {
			s := group(ctx, 1, shared)
			offer, keys := kit.Last(s.pulls(0, core.Pull2, 1)), kit.Last(s.pulls(0, core.Pull4, 1))
			spis := values(offer.Payloads, "SA", "SAT", "SPI")
			Expect(spis).To(HaveLen(2))
			Expect(spis[0]).To(Equal(spis[1]))
			different(values(offer.Payloads, "SA", "SAT", "Destination"), 2)
			Expect(values(keys.Payloads, "KD", "Key Packet TEK", "SPI")).To(Equal(spis[:1]))
			m := s.seen(s.rekey(control.RekeyArgs{}))
			Expect(values(m.Payloads, "SA", "SAT", "SPI")).To(HaveLen(2))
			Expect(values(m.Payloads, "KD", "Key Packet TEK", "SPI")).To(HaveLen(1), "in a PUSH too")
		})

	It("never uses an SPI or a key of a counter mode again, over many rekeys", kit.Requirement("RFC6407-3.5-05", "RFC6407-3.2-12"), func(ctx SpecContext) {
		s := group(ctx, 1, toward(lab.GCM(), lab.GCM()))
		const rekeys = 10
		for range rekeys {
			Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{KEK: true}))).To(BeTrue())
		}
		var spis, keys []string
		for _, m := range append(s.pulls(0, core.Pull4, 1), kit.MessagesSince(s.Lab, 0, core.Push.String())...) {
			spis = append(spis, values(m.Payloads, "KD", "Key Packet TEK", "SPI")...)
			keys = append(keys, values(m.Payloads, "KD", "Key Packet TEK", "TEK_ALGORITHM_KEY")...)
		}
		different(spis, 2*(rekeys+1))
		different(keys, 2*(rekeys+1))
	})
})

// different states that there are so many, all different.
func different(all []string, n int) {
	GinkgoHelper()
	seen := map[string]bool{}
	for _, one := range all {
		seen[one] = true
	}
	Expect(all).To(HaveLen(n))
	Expect(seen).To(HaveLen(n), "all different: %v", all)
}

// left matches what may be said to be left, in seconds, of a lifetime that began with the group: not more, and not so much less that
// it would be another's.
func left(lifetime time.Duration) types.GomegaMatcher {
	return WithTransform(strconv.Atoi, And(BeNumerically("<=", lifetime.Seconds()), BeNumerically(">", (lifetime-lab.Patience).Seconds())))
}
