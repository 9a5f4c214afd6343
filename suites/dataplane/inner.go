package dataplane

import (
	"encoding/binary"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// protectedByHost makes a packet of ESP that h1 has protected by itself, under an SPI of its own.
func (s *scene) protectedByHost(spi uint32) lab.IPv4 {
	p := s.packet()
	p.Protocol = lab.ProtocolESP
	p.Payload = append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, spi), 1), append(make([]byte, 24), s.mark()...)...)
	return p
}

var _ = Describe("Odd packets inside ESP (RFC 4301 §5, RFC 4303 §3.4)", kit.Subject("dataplane"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		name string
		spi  func(s *scene) uint32
	}{
		{"an SPI that the device does not know", func(*scene) uint32 { return 0x01020304 }},
		{"the SPI of the group's SA", func(s *scene) uint32 { return s.group().SPI }},
	} {
		It("treats ESP that hosts speak to each other like every other protocol: with "+c.name, kit.Requirement("RFC6407-5.5.1-01", "RFC4301-5.2-01"),
			func(ctx SpecContext) {
				s := device(ctx, lab.Setup{})
				out := s.leaves1(s.protectedByHost(c.spi(s)))
				Expect(out.ESP).NotTo(BeNil(), "it leaves in ESP")
				Expect(out.ESP.SPI).To(Equal(s.group().SPI), "that of the group")
				Expect(out.ESP.Next).To(Equal(uint8(nextIPv4)), "around the host's packet")
				in := s.protectedByHost(c.spi(s))
				in.Source, in.Destination = in.Destination, in.Source
				Expect(s.takes(in, s.group().Packet(in.Bytes()))).NotTo(BeNil(), "and comes as it was sent")
			})
	}

	for _, c := range []struct {
		name  string
		alter func(inner []byte) []byte
	}{
		{"that says it is longer than it is", func(b []byte) []byte { binary.BigEndian.PutUint16(b[2:], uint16(len(b)+1)); return b }},
		{"that says it is as long as a packet can be", func(b []byte) []byte { binary.BigEndian.PutUint16(b[2:], 0xffff); return b }},
		{"that says it is shorter than its header", func(b []byte) []byte { binary.BigEndian.PutUint16(b[2:], 19); return b }},
		{"that says its header is of 16 octets", func(b []byte) []byte { b[0] = 0x44; return b }},
		{"whose header is longer than itself", func(b []byte) []byte { b[0] = 0x4f; return b }},
		{"of IP version 0", func(b []byte) []byte { b[0] = 0x05; return b }},
		{"of IP version 6 that says it is IPv4", func(b []byte) []byte { b[0] = 0x65; return b }},
		{"that ends within its header", func(b []byte) []byte { return b[:19] }},
		{"of no octets", func([]byte) []byte { return nil }},
	} {
		It("does not deliver an authentic packet with one inside "+c.name, kit.Requirement("RFC4301-5.2-01"), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{})
			inner := c.alter(s.back().Bytes())
			s.drops("", s.group().Packet(inner, tester.OuterSource(h2), tester.OuterDestination(h1)))
		})
	}

	for _, c := range []struct {
		name      string
		transform policy.Transform
		id        string
	}{{"AES-GCM", lab.GCM(), "RFC4303-3.4.4.2-01"}, {"AES-CBC", lab.CBC(), "RFC4303-3.4.4.1-01"}} {
		It("drops a packet of "+c.name+" that is cut, wherever that is", kit.Requirement(c.id, "RFC4303-3.4.2-01"), kit.Negative, func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Group: withTransform(c.transform)})
			whole, ok := lab.ParseIPv4(s.group().Packet(s.back().Bytes()))
			kit.Reached(ok, "the tester makes a packet")
			var cut [][]byte
			for n := range len(whole.Payload) {
				p := whole
				p.Payload = whole.Payload[:n]
				cut = append(cut, p.Bytes())
			}
			s.drops("", cut...)
		})
	}
})
