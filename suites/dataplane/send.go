package dataplane

import (
	"bytes"
	"encoding/binary"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// withSID has the key server give the device that Sender-ID, once.
func withSID(s *scene, sid uint32, bits uint16) {
	GinkgoHelper()
	give := tester.EditKeys(core.Pull4, gdoi.KDTypeSID, fmt.Sprintf("SID %#x of %d bits", sid, bits), func(p *gdoi.KeyPacket) {
		p.Attributes = []wire.Attribute{wire.TV(gdoi.SIDBits, bits), wire.TLV32(gdoi.SIDValue, sid)}
	})
	kit.Precondition(s.KS.Misbehave(tester.Taps(tester.Once(give))), "the tester hands out a SID")
}

// deviceWithSID is device, with that Sender-ID.
func deviceWithSID(ctx SpecContext, sid uint32, bits uint16) *scene {
	GinkgoHelper()
	s := stage(ctx, lab.Setup{})
	withSID(s, sid, bits)
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(ctx), "the device starts")
	kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
	return s
}

var _ = Describe("ESP packets that a member sends (RFC 4303 §2, §3.3)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	// several has the host send so many packets, and returns them as they left.
	several := func(s *scene, count int) []sent {
		GinkgoHelper()
		packets := make([]lab.IPv4, count)
		for i := range packets {
			packets[i] = s.packet()
		}
		all := s.leaves(packets...)
		Expect(all).To(HaveLen(count), "each packet leaves once")
		for _, p := range all {
			Expect(p.ESP).NotTo(BeNil(), "and in ESP")
		}
		return all
	}

	It("numbers the packets of an SA 1, 2, 3, and so on", kit.Requirement("RFC4303-2.2-01", "RFC4303-2.2-02", "RFC4303-2.2-03"),
		func(ctx SpecContext) {
			for i, p := range several(device(ctx, lab.Setup{}), 5) {
				Expect(p.ESP.Sequence).To(Equal(uint32(i + 1)))
			}
		})

	for _, c := range []struct {
		name      string
		transform policy.Transform
		align     int
		ids       []string
	}{
		{"AES-GCM", lab.GCM(), 4, []string{"RFC4303-2.4-03", "RFC4303-2.4-02", "RFC4303-2.3-01", "RFC4106-3.2-01"}},
		{"AES-CBC", lab.CBC(), 16, []string{"RFC4303-2.4-03", "RFC4303-2.4-02", "RFC4303-2.3-01", "RFC3602-2.4-01"}},
	} {
		It("pads the packets of "+c.name+" to whole blocks with 1, 2, 3, and so on", kit.Requirement(c.ids...), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: withTransform(c.transform)})
			var packets []lab.IPv4
			for extra := range 16 {
				packets = append(packets, sized(s.packet(), 36+extra))
			}
			for _, p := range s.leaves(packets...) {
				Expect(p.ESP).NotTo(BeNil())
				for i, octet := range p.ESP.Padding {
					Expect(octet).To(Equal(byte(i+1)), "octet %d of the padding %x", i, p.ESP.Padding)
				}
				Expect(len(p.ESP.Padding)).To(BeNumerically("<", c.align))
				Expect((len(p.ESP.Inner)+len(p.ESP.Padding)+2)%c.align).To(BeZero(), "what is encrypted fills whole blocks")
				Expect(p.ESP.Next).To(Equal(uint8(4)), "the Next Header is IPv4")
			}
		})
	}

	It("seals AES-GCM so that an independent receiver opens it: salt and IV, SPI and sequence number, a tag of 16 octets",
		kit.Requirement("RFC4106-5-01", "RFC4106-3.1-01", "RFC4106-4-01", "RFC4106-6-01", "RFC4303-2.2.1-02"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			p := s.packet()
			out := s.leaves1(p)
			Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
			Expect(same(out.Inner, p)).To(BeTrue())
		})

	It("seals AES-CBC with HMAC-SHA-256 so that an independent receiver opens it: an ICV of 16 octets from SPI to Next Header",
		kit.Requirement("RFC4868-2.3-01", "RFC6407-5.5.1-12", "RFC4303-3.4.4.1-01"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: withTransform(lab.CBC())})
			p := s.packet()
			out := s.leaves1(p)
			Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
			Expect(same(out.Inner, p)).To(BeTrue())
		})

	It("draws each IV of AES-CBC at random", kit.Requirement("RFC3602-3-01"), func(ctx SpecContext) {
		all := several(device(ctx, lab.Setup{Group: withTransform(lab.CBC())}), 24)
		seen := make(map[string]bool)
		steps := make(map[uint64]bool)
		var first [16][256]int
		for i, p := range all {
			Expect(seen).NotTo(HaveKey(string(p.ESP.IV)), "no IV comes twice")
			seen[string(p.ESP.IV)] = true
			for at, octet := range p.ESP.IV {
				first[at][octet]++
				Expect(first[at][octet]).To(BeNumerically("<", len(all)/2), "octet %d of the IV is not %#02x again and again", at, octet)
			}
			if i > 0 {
				before := all[i-1].ESP
				Expect(bytes.Equal(p.ESP.IV, before.LastBlock)).To(BeFalse(), "it is not the last block of the packet before")
				steps[binary.BigEndian.Uint64(p.ESP.IV[8:])-binary.BigEndian.Uint64(before.IV[8:])] = true
			}
		}
		Expect(len(steps)).To(Equal(len(all)-1), "the IVs do not follow each other in steps")
	})

	for _, c := range []struct {
		bits uint16
		sid  uint32
	}{{8, 0xab}, {12, 0xabc}, {16, 0xabcd}} {
		It(fmt.Sprintf("puts its SID of %d bits in the leftmost bits of every IV", c.bits),
			kit.Requirement("RFC6054-3-01", "RFC6054-5-01", "RFC6054-3-06", "RFC6407-5.6.4.1-01", "RFC6407-5.6.4.3-01"), func(ctx SpecContext) {
				for _, p := range several(deviceWithSID(ctx, c.sid, c.bits), 3) {
					Expect(p.ESP.IV).To(HaveLen(8))
					Expect(binary.BigEndian.Uint64(p.ESP.IV)>>(64-c.bits)).To(Equal(uint64(c.sid)), "IV %x", p.ESP.IV)
				}
			})
	}

	It("uses the same SID on every counter-mode SA of the group", kit.Requirement("RFC6407-3.5-04"), func(ctx SpecContext) {
		s := stage(ctx, lab.Setup{Group: func(g *policy.Group) {
			icmp := g.SAs[0]
			icmp.Selector.Protocol = 1
			g.SAs = []policy.SAPolicy{icmp, g.SAs[0]}
		}})
		withSID(s, 0x5c, 8)
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		kit.Precondition(s.GM[0].Start(ctx), "the device starts")
		kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
		icmp, udp := s.leaves1(s.packet()), s.leaves1(s.udp(4000, 5000))
		Expect(icmp.ESP).NotTo(BeNil())
		Expect(udp.ESP).NotTo(BeNil())
		Expect(icmp.ESP.SPI).NotTo(Equal(udp.ESP.SPI), "the two flows have SAs of their own")
		Expect([]byte{icmp.ESP.IV[0], udp.ESP.IV[0]}).To(Equal([]byte{0x5c, 0x5c}))
	})

	It("uses no IV twice", kit.Requirement("RFC6054-3-03", "RFC6407-3.5-01", "RFC4106-3.1-02"), func(ctx SpecContext) {
		seen := make(map[string]bool)
		for _, p := range several(device(ctx, lab.Setup{}), 50) {
			Expect(seen).NotTo(HaveKey(string(p.ESP.IV)))
			seen[string(p.ESP.IV)] = true
		}
	})

	It("stops sending when its SID has no IV left, and starts afresh with a new SID",
		kit.Requirement("RFC6407-5.6.4.3-02", "RFC6407-5.6.4.3-03", "RFC6407-5.6.4.3-05", "RFC6054-5-03"), func(ctx SpecContext) {
			const bits, room = 62, 4 // two bits are left to count with
			s := deviceWithSID(ctx, 9, bits)
			before := kit.Now(s.Lab)
			for range room + 2 {
				s.send(s.packet())
			}
			Expect(s.GM[0].AwaitRegistrations(ctx, 1, lab.Patience)).To(BeTrue(), "the device registers again for another SID")
			s.leaves1(s.packet())
			ivs := make(map[uint64]bool)
			old := 0
			for _, p := range s.onWAN(before) {
				Expect(p.ESP).NotTo(BeNil(), "nothing leaves in clear")
				iv := binary.BigEndian.Uint64(p.ESP.IV)
				Expect(ivs).NotTo(HaveKey(iv), "no IV is used twice")
				ivs[iv] = true
				if iv>>(64-bits) == 9 {
					old++
				}
			}
			Expect(old).To(Equal(room), "packets under the old SID")
		})
})
