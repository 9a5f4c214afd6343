package tbar

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// tick is that of the groups here.
const tick = time.Second

// units is a duration in what pseudotimes count, hundredths of a second.
func units(d time.Duration) uint64 { return uint64(d / (10 * time.Millisecond)) }

// timed is a group whose packets carry a pseudotime, with that window.
func timed(window time.Duration) lab.Setup {
	return with(policy.AntiReplay{Method: policy.ReplayTime, Window: window, Tick: tick})
}

// with is a group of the profile with that anti-replay.
func with(r policy.AntiReplay) lab.Setup {
	return lab.Setup{Profile: policy.ProfileGETVPN, Group: func(g *policy.Group) { g.SAs[0].AntiReplay = r }}
}

// scene is the device with the host behind it, and the group's keys in the tester's hands.
type scene struct {
	*lab.Lab
	ctx     SpecContext
	packets int
	keys    map[string]*tester.ESPKeys // by SPI; they are kept so that forged packets go on counting
}

// device has the key server and the device run, and the device be registered. The other member does not run.
func device(ctx SpecContext, setup lab.Setup) *scene {
	GinkgoHelper()
	setup.Members, setup.Hosts = max(2, setup.Members), true
	s := &scene{Lab: kit.Lab(ctx, setup), ctx: ctx, keys: make(map[string]*tester.ESPKeys)}
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(ctx), "the device starts")
	kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
	return s
}

// packet makes an ICMP packet from h1 to h2 that its receiver takes no notice of, with contents that no other has.
func (s *scene) packet() lab.IPv4 {
	s.packets++
	icmp := append(make([]byte, 8), fmt.Appendf(nil, "mark%04d", s.packets)...)
	binary.BigEndian.PutUint16(icmp[2:], lab.Checksum(icmp))
	return lab.IPv4{Source: lab.HostAddr(1), Destination: lab.HostAddr(2), Protocol: 1, TTL: 64, ID: uint16(s.packets), Payload: icmp}
}

// back makes a packet from h2 to h1.
func (s *scene) back() lab.IPv4 {
	p := s.packet()
	p.Source, p.Destination = p.Destination, p.Source
	return p
}

// same reports whether two packets are the same one, however often it was forwarded.
func same(a, b lab.IPv4) bool {
	return a.Source == b.Source && a.Destination == b.Destination && bytes.Equal(a.Payload, b.Payload)
}

// group is the SA that the key server handed out last.
func (s *scene) group() *tester.ESPKeys {
	GinkgoHelper()
	kit.NeedsKeys(s.Lab)
	last := ""
	for _, k := range s.Keys() {
		if k.Kind != keylog.KindTraffic {
			continue
		}
		if s.keys[k.SPI] == nil {
			keys, err := tester.NewESPKeys(k)
			kit.Precondition(err, "the tester has the group's keys")
			s.keys[k.SPI] = keys
		}
		if k.Node == s.KS.Name() {
			last = k.SPI
		}
	}
	if s.keys[last] == nil {
		_ = s.KS.Can(peer.ReadKeys) // ends the spec if it shows none
	}
	kit.Reached(s.keys[last] != nil, "the key server has keys for traffic")
	return s.keys[last]
}

// sent are the packets of h1 since the mark as they crossed the WAN, opened.
func (s *scene) sent(m kit.Mark) (all []tester.ESPContent) {
	GinkgoHelper()
	s.group()
	for _, f := range kit.WANSince(s.Lab, m) {
		ip, ok := lab.ParseIPv4(f.Packet)
		if !ok || ip.Protocol != lab.ProtocolESP || ip.Source != lab.HostAddr(1) {
			continue
		}
		spi, _, _ := ip.SPI()
		keys := s.keys[kit.SPI(spi)]
		Expect(keys).NotTo(BeNil(), "a packet is under an SA of the group: %08x", spi)
		content, err := keys.Open(ip.Bytes())
		Expect(err).NotTo(HaveOccurred(), "it opens")
		all = append(all, content)
	}
	return all
}

// leaves has h1 send a packet, which must leave, and returns it as it crossed the WAN.
func (s *scene) leaves(p lab.IPv4) tester.ESPContent {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	kit.Precondition(s.Hosts[0].Send(p.Bytes()), "the host sends")
	Expect(s.Wait(s.ctx, lab.Patience, func() bool { return len(s.sent(before)) > 0 })).To(BeTrue(), "the packet leaves the device")
	return s.sent(before)[0]
}

// stamped is leaves for a packet that has to have a pseudotime.
func (s *scene) stamped(p lab.IPv4) tester.Stamp {
	GinkgoHelper()
	content := s.leaves(p)
	stamp, ok := content.Stamp()
	Expect(ok).To(BeTrue(), "there is a header with a pseudotime: next header %d, %x", content.Next, content.Inner)
	rest := stamp.Inner
	if _, behind, tagged := tester.Tag(stamp.Next, rest); tagged {
		rest = behind
	}
	inner, ok := lab.ParseIPv4(rest)
	Expect(ok && same(inner, p)).To(BeTrue(), "the host's packet is behind it: %x", stamp.Inner)
	return stamp
}

// own is the pseudotime of the device now.
func (s *scene) own() uint64 {
	GinkgoHelper()
	return s.stamped(s.packet()).Pseudotime
}

// fresh waits for the beginning of a tick and returns the pseudotime of the device.
func (s *scene) fresh() (own uint64) {
	GinkgoHelper()
	before := s.own()
	for range 50 {
		if own = s.own(); own != before {
			return own
		}
		s.Pass(s.ctx, tick/20)
	}
	Fail("the pseudotime of the device does not advance")
	return own
}

// within has something happen within one tick of the device. If that ends meanwhile, it is done once more.
func (s *scene) within(do func(own uint64)) {
	GinkgoHelper()
	for range 5 {
		own := s.fresh()
		do(own)
		if s.own() == own {
			return
		}
	}
	kit.Reached(false, "what is done takes no longer than a tick")
}

// inject puts a packet on the WAN as if the other member had sent it.
func (s *scene) inject(packet []byte) { s.Inject(lab.MemberName(2), packet) }

// arrived reports whether the device has delivered a packet to its LAN since the mark.
func (s *scene) arrived(m kit.Mark, p lab.IPv4) bool {
	for _, f := range s.Frames()[m:] {
		if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(1) && same(ip, p) {
			return true
		}
	}
	return false
}

// takes puts a packet on the WAN and reports whether the host gets it within a little while.
func (s *scene) takes(inner lab.IPv4, packet []byte) bool {
	before := kit.Now(s.Lab)
	s.inject(packet)
	return s.Wait(s.ctx, lab.Patience, func() bool { return s.arrived(before, inner) })
}

// taken puts packets with options on the WAN, and an honest one behind them, which has to be delivered. It reports which of them the
// host got.
func (s *scene) taken(honest tester.ESPOption, forged ...[]tester.ESPOption) (got []bool) {
	GinkgoHelper()
	keys, before := s.group(), kit.Now(s.Lab)
	var inner []lab.IPv4
	for _, options := range forged {
		p := s.back()
		inner = append(inner, p)
		s.inject(keys.Packet(p.Bytes(), options...))
	}
	last := s.back()
	kit.Control(s.takes(last, keys.Packet(last.Bytes(), honest)), "an honest packet right behind is delivered")
	for _, p := range inner {
		got = append(got, s.arrived(before, p))
	}
	return got
}
