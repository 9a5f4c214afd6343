package algorithms

import (
	"encoding/binary"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// espScene is the device with a host behind it, and the keys of the group's SA in the tester's hands, who stands where the
// other member would be.
type espScene struct {
	*lab.Lab
	ctx     SpecContext
	keys    *tester.ESPKeys
	packets int
}

// espDevice has the device be registered in a group with that transform.
func espDevice(ctx SpecContext, t policy.Transform, member func(int, *policy.Member)) *espScene {
	GinkgoHelper()
	s := &espScene{ctx: ctx, Lab: kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, Group: withTransform(inTunnel(t)), Member: member})}
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(ctx), "the device starts")
	kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
	for _, k := range s.KS.Keys() {
		if k.Kind == keylog.KindTraffic {
			keys, err := tester.NewESPKeys(k)
			kit.Precondition(err, "the tester has the group's keys")
			s.keys = keys
		}
	}
	kit.Reached(s.keys != nil, "the key server has keys for traffic")
	return s
}

// innerOctets is the length of an inner packet of ICMP here; with the two octets behind it, it fills no block.
const innerOctets = 44

// packet makes an ICMP packet that its receiver takes no notice of, with contents that no other has.
func (s *espScene) packet(from, to int) lab.IPv4 {
	s.packets++
	icmp := append(make([]byte, 8), fmt.Appendf(nil, "packet of the tester %03d", s.packets)[:innerOctets-28-4]...)
	icmp = binary.BigEndian.AppendUint32(icmp, uint32(s.packets))
	binary.BigEndian.PutUint16(icmp[2:], lab.Checksum(icmp))
	return lab.IPv4{Source: lab.HostAddr(from), Destination: lab.HostAddr(to), Protocol: 1, TTL: 64, ID: uint16(s.packets), Payload: icmp}
}

// forged makes an ESP packet to the host behind the device.
func (s *espScene) forged(options ...tester.ESPOption) []byte {
	return s.keys.Packet(s.packet(2, 1).Bytes(), options...)
}

// takes puts a packet of the tester on the WAN and reports whether the host gets what is in it.
func (s *espScene) takes(options ...tester.ESPOption) bool {
	before, inner := kit.Now(s.Lab), s.packet(2, 1)
	s.Inject(lab.MemberName(2), s.keys.Packet(inner.Bytes(), options...))
	return s.Wait(s.ctx, lab.Patience, func() bool {
		for _, got := range s.delivered(before) {
			if string(got.Payload) == string(inner.Payload) {
				return true
			}
		}
		return false
	})
}

// delivered returns what the device gave its host since the mark.
func (s *espScene) delivered(m kit.Mark) (all []lab.IPv4) {
	for _, f := range s.Frames()[m:] {
		if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(1) && ip.Source == lab.HostAddr(2) {
			all = append(all, ip)
		}
	}
	return all
}

// drops has the device get forged packets and then an honest one, made with the options. Only that may reach the host, and the
// device says that it refused the others for the requirement.
func (s *espScene) drops(id rule.ID, honest []tester.ESPOption, forged ...[]byte) {
	GinkgoHelper()
	before, refused := kit.Now(s.Lab), kit.Refused(s.ctx, s.GM[0], id)
	for _, p := range forged {
		s.Inject(lab.MemberName(2), p)
	}
	kit.Control(s.takes(honest...), "an honest packet right behind is delivered")
	Expect(s.delivered(before)).To(HaveLen(1), "only the honest packet is delivered")
	kit.ExpectRefused(s.ctx, s.GM[0], id, Equal(refused+uint64(len(forged))), "the device counts what it refused for %s", id)
}

// sends has the host send packets and returns the ESP packets in which they leave, of which there have to be so many, by their
// numbers: a network may let one overtake another.
func (s *espScene) sends(packets, leave int) []kit.ESP {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	for range packets {
		kit.Precondition(s.Hosts[0].Send(s.packet(1, 2).Bytes()), "the host sends")
	}
	s.Wait(s.ctx, lab.Patience, func() bool { return s.onLAN(before) >= packets && len(kit.ESPSince(s.Lab, before)) >= leave })
	all := kit.ESPSince(s.Lab, before)
	Expect(all).To(HaveLen(leave), "packets that leave the device in ESP")
	Expect(kit.ClearSince(s.Lab, before)).To(BeEmpty(), "packets in clear")
	slices.SortStableFunc(all, func(a, b kit.ESP) int { return int(int32(a.Sequence - b.Sequence)) })
	return all
}

// onLAN counts the packets that the host has sent since the mark.
func (s *espScene) onLAN(m kit.Mark) (n int) {
	for _, f := range s.Frames()[m:] {
		if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(1) && ip.Source == lab.HostAddr(1) {
			n++
		}
	}
	return n
}
