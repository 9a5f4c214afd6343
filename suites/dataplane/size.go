package dataplane

import (
	"encoding/binary"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Packets that are too big (RFC 4301 §8, RFC 4303 §3.3.4)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		name      string
		transform policy.Transform
		mtu       int
	}{
		{"AES-GCM over a link of 1500 octets", lab.GCM(), 1500},
		{"AES-CBC over a link of 1500 octets", lab.CBC(), 1500},
		{"AES-GCM over a link of 1400 octets", lab.GCM(), 1400},
	} {
		It("tells the sender of a packet with DF the greatest size that fits: "+c.name,
			kit.Requirement("RFC4301-8.2.1-01", "RFC4303-3.3.4-01"), func(ctx SpecContext) {
				s := device(ctx, lab.Setup{Group: withTransform(c.transform), Member: func(_ int, m *policy.Member) { m.MTU = c.mtu }})
				mtu := s.tooBig(1500)
				Expect(mtu).To(BeNumerically(">", c.mtu-80), "no transform adds more")
				fits := sized(s.packet(), mtu)
				fits.DontFragment = true
				out := s.leaves1(fits)
				Expect(out.ESP).NotTo(BeNil(), "a packet of that size leaves in ESP")
				Expect(out.Size).To(BeNumerically("<=", c.mtu))
				Expect(s.tooBig(mtu+1)).To(Equal(mtu), "one octet more is too much")
			})

		It("fragments a packet without DF so that every piece fits, and tells nobody: "+c.name, kit.Requirement("RFC4301-8.2.1-02"),
			func(ctx SpecContext) {
				s := device(ctx, lab.Setup{Group: withTransform(c.transform), Member: func(_ int, m *policy.Member) { m.MTU = c.mtu }})
				before := kit.Now(s.Lab)
				p := sized(s.packet(), 1500)
				s.send(p)
				s.leaves1(s.packet())
				all := s.onWAN(before)
				Expect(whole(all, p)).To(BeTrue(), "the pieces make up the packet")
				for _, out := range all {
					Expect(out.ESP).NotTo(BeNil(), "every piece leaves in ESP")
					Expect(out.Size).To(BeNumerically("<=", c.mtu))
				}
				Expect(fragmentationNeeded(s.onLAN(before))).To(BeNil(), "the host is told nothing")
			})
	}

	It("fragments a packet on an SA that names ports so that it can be put together", kit.Requirement("RFC4301-8.2.1-02", "RFC4301-7.3-01"),
		func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: toPort5000})
			p := sized(s.udp(4000, 5000), 1500)
			out := s.leaves1(p)
			Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
			Expect(out.Size).To(BeNumerically("<=", 1500))
		})

	for _, octets := range []int{1400, 3000} {
		It(fmt.Sprintf("carries pings of %d octets whole to the other host and back", octets), kit.Requirement("RFC4301-8.2.1-02", "RFC4301-7.1-01"),
			func(ctx SpecContext) {
				s := pair(ctx, lab.Setup{})
				before := kit.Now(s.Lab)
				probe, err := s.Hosts[0].Ping(ctx, h2, lab.Ping{Count: 2, Size: octets})
				kit.Precondition(err, "the host pings")
				s.Wait(ctx, lab.Patience, probe.Done)
				Expect(probe.Stop()).To(Equal(lab.PingResult{Sent: 2, Received: 2}))
				for _, out := range s.onWAN(before) {
					Expect(out.ESP).NotTo(BeNil())
					Expect(out.Size).To(BeNumerically("<=", lab.MTU))
				}
			})
	}
})

// tooBig has the host send a packet that must not be fragmented, and returns the MTU that the host is told.
func (s *scene) tooBig(octets int) int {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	p := sized(s.packet(), octets)
	p.DontFragment = true
	s.send(p)
	var told *lab.IPv4
	Expect(s.Wait(s.ctx, lab.Patience, func() bool {
		told = fragmentationNeeded(s.onLAN(before))
		return told != nil
	})).To(BeTrue(), "the host is told that %d octets are too many", octets)
	Expect(told.Destination).To(Equal(h1))
	Expect(told.Payload[8:28]).To(HaveExactElements(quoted(p)...), "and which packet that was")
	Expect(s.onWAN(before)).To(BeEmpty(), "nothing of it leaves")
	return int(binary.BigEndian.Uint16(told.Payload[6:]))
}

// fragmentationNeeded returns the first ICMP message of type 3 code 4, or nil.
func fragmentationNeeded(lan []lab.IPv4) *lab.IPv4 {
	for i, p := range lan {
		if p.Protocol == 1 && len(p.Payload) >= 8+20 && p.Payload[0] == 3 && p.Payload[1] == 4 && lab.Checksum(p.Payload) == 0 {
			return &lan[i]
		}
	}
	return nil
}

// quoted matches the IP header of a packet as an ICMP error quotes it, apart from what forwarding changes.
func quoted(p lab.IPv4) []any {
	header := p.Bytes()[:20]
	matchers := make([]any, len(header))
	for i, octet := range header {
		matchers[i] = octet
		if i == 8 || i == 10 || i == 11 { // TTL and checksum
			matchers[i] = BeNumerically(">=", 0)
		}
	}
	return matchers
}

// whole reports whether the inner packets, put together, are p.
func whole(all []sent, p lab.IPv4) bool {
	var parts lab.Reassembler
	for _, out := range all {
		if ip, ok := parts.Add(out.Inner); ok && same(ip, p) {
			return true
		}
	}
	return false
}
