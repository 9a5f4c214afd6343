package modes

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var (
	h1 = lab.HostAddr(1)
	h2 = lab.HostAddr(2)
	// outsider is an address on the WAN that the group does not protect.
	outsider = lab.KeyServerAddr
)

// moment is long enough for a packet to have crossed the device, if it does.
const moment = 200 * time.Millisecond

// How a packet of the host leaves the device.
const (
	inESP   = "in ESP"
	inClear = "in clear"
	not     = "not at all"
)

// state is what three packets of the group show of the device.
type state struct {
	Leaves     string // how one of the host does
	Clear, ESP bool   // whether one that comes in so is delivered
}

// The states of a member that has an SA, and of one that drops what is the group's.
var (
	receiveOnly = state{inClear, true, true}
	optional    = state{inESP, true, true}
	both        = state{inESP, false, true}
	blocked     = state{Leaves: not}
	open        = state{Leaves: inClear, Clear: true}
)

type scene struct {
	*lab.Lab
	ctx     SpecContext
	packets int
	keys    map[string]*tester.ESPKeys // by SPI; they count their packets
}

// stage builds a network of GET VPN; no node runs.
func stage(ctx SpecContext, setup lab.Setup) *scene {
	GinkgoHelper()
	setup.Profile, setup.Hosts, setup.Members = policy.ProfileGETVPN, true, max(setup.Members, 2)
	return &scene{Lab: kit.Lab(ctx, setup), ctx: ctx, keys: make(map[string]*tester.ESPKeys)}
}

// device has the key server and the device run, and the device be registered. The other member does not run.
func device(ctx SpecContext, setup lab.Setup) *scene {
	GinkgoHelper()
	s := stage(ctx, setup)
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	s.comes()
	return s
}

// comes has the device start and register.
func (s *scene) comes() {
	GinkgoHelper()
	kit.Precondition(s.GM[0].Start(s.ctx), "the device starts")
	kit.Precondition(s.GM[0].AwaitRegistered(s.ctx), "the device registers")
}

// alone has only the device run, which looks for its key server again and again.
func alone(ctx SpecContext, setup lab.Setup) *scene {
	GinkgoHelper()
	member := setup.Member
	setup.Member = func(i int, c *policy.Member) {
		kit.Hurry(i, c, 100*time.Millisecond, 100*time.Millisecond)
		if member != nil {
			member(i, c)
		}
	}
	s := stage(ctx, setup)
	kit.Precondition(s.GM[0].Start(ctx), "the device starts")
	return s
}

// packet makes an ICMP packet from h1 to h2 that its receiver takes no notice of, with contents that no other has.
func (s *scene) packet() lab.IPv4 {
	s.packets++
	icmp := append(make([]byte, 8), fmt.Appendf(nil, "mark%04d", s.packets)...)
	binary.BigEndian.PutUint16(icmp[2:], lab.Checksum(icmp))
	return lab.IPv4{Source: h1, Destination: h2, Protocol: 1, TTL: 64, ID: uint16(s.packets), Payload: icmp}
}

// ports makes a packet like packet with a protocol that has ports. Its checksum is wrong, so that nobody takes notice of it.
func (s *scene) ports(protocol uint8, from, to uint16) lab.IPv4 {
	p := s.packet()
	p.Protocol = protocol
	mark := p.Payload[8:]
	p.Payload = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from), to)
	p.Payload = append(p.Payload, make([]byte, 16)...)
	if protocol == 17 {
		p.Payload = p.Payload[:8]
		binary.BigEndian.PutUint16(p.Payload[4:], uint16(8+len(mark)))
		p.Payload[6] = 0xbd
	} else {
		p.Payload[12] = 5 << 4
	}
	p.Payload = append(p.Payload, mark...)
	return p
}

// back turns a packet round.
func back(p lab.IPv4) lab.IPv4 {
	p.Source, p.Destination = p.Destination, p.Source
	return p
}

// beyond has a packet be for somebody whom the group does not protect.
func beyond(p lab.IPv4) lab.IPv4 {
	p.Destination = outsider
	return p
}

// same reports whether two packets are the same one, however often it was forwarded.
func same(a, b lab.IPv4) bool {
	return a.Source == b.Source && a.Destination == b.Destination && a.Protocol == b.Protocol && bytes.Equal(a.Payload, b.Payload)
}

// left is how a packet of the host crossed the WAN since the mark.
func (s *scene) left(m kit.Mark, p lab.IPv4) string {
	GinkgoHelper()
	for _, f := range kit.WANSince(s.Lab, m) {
		ip, ok := lab.ParseIPv4(f.Packet)
		switch {
		case ok && same(ip, p):
			return inClear
		case ok && ip.Protocol == lab.ProtocolESP && s.carries(ip, p):
			return inESP
		}
	}
	return not
}

// carries reports whether an ESP packet has that packet inside.
func (s *scene) carries(outer, p lab.IPv4) bool {
	GinkgoHelper()
	keys := s.keysOf(kit.SPI(binary.BigEndian.Uint32(append(outer.Payload[:len(outer.Payload):len(outer.Payload)], 0, 0, 0, 0))))
	if keys == nil {
		return false
	}
	content, err := keys.Open(outer.Bytes())
	Expect(err).NotTo(HaveOccurred(), "what crosses the WAN can be opened with the group's keys")
	inner, ok := lab.ParseIPv4(content.Inner)
	return ok && same(inner, p)
}

// keysOf finds the keys of an SPI, nil if there are none.
func (s *scene) keysOf(spi string) *tester.ESPKeys {
	GinkgoHelper()
	kit.NeedsKeys(s.Lab)
	for _, k := range s.Keys() {
		if k.Kind == keylog.KindTraffic && s.keys[k.SPI] == nil {
			keys, err := tester.NewESPKeys(k)
			kit.Precondition(err, "the tester has the group's keys")
			s.keys[k.SPI] = keys
		}
	}
	return s.keys[spi]
}

// group is the SA that the key server handed out last, nil if there is none.
func (s *scene) group() *tester.ESPKeys {
	GinkgoHelper()
	spi := ""
	for _, k := range s.KS.Keys() {
		if k.Kind == keylog.KindTraffic {
			spi = k.SPI
		}
	}
	return s.keysOf(spi)
}

// delivered reports whether the host behind the device got a packet since the mark.
func (s *scene) delivered(m kit.Mark, p lab.IPv4) bool {
	for _, f := range s.Frames()[m:] {
		if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(1) && same(ip, p) {
			return true
		}
	}
	return false
}

// looks sends three packets of the group and says what they show.
func (s *scene) looks() state {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	out, clear, sealed := s.packet(), back(s.packet()), back(s.packet())
	s.sends(out)
	s.Inject(lab.MemberName(2), clear.Bytes())
	if keys := s.group(); keys != nil {
		s.Inject(lab.MemberName(2), keys.Packet(sealed.Bytes()))
	}
	s.Pass(s.ctx, moment)
	return state{s.left(before, out), s.delivered(before, clear), s.delivered(before, sealed)}
}

// sends has the host behind the device send packets.
func (s *scene) sends(packets ...lab.IPv4) {
	GinkgoHelper()
	for _, p := range packets {
		kit.Precondition(s.Hosts[0].Send(p.Bytes()), "the host sends")
	}
}

// is expects the device to be in a state, soon.
func (s *scene) is(want state, when string) {
	GinkgoHelper()
	Expect(s.comesTo(want)).To(Equal(want), when)
}

// comesTo waits for a state and returns the last that was seen.
func (s *scene) comesTo(want state) (got state) {
	GinkgoHelper()
	s.Wait(s.ctx, lab.Patience, func() bool {
		got = s.looks()
		return got == want
	})
	return got
}

// isNow expects the device to be in a state already.
func (s *scene) isNow(want state, when string) {
	GinkgoHelper()
	Expect(s.looks()).To(Equal(want), when)
}

// passes expects a packet to leave so, or not at all.
func (s *scene) passes(p lab.IPv4, how, what string) {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	s.sends(p)
	if how == not {
		s.Pass(s.ctx, moment)
	} else {
		s.Wait(s.ctx, lab.Patience, func() bool { return s.left(before, p) != not })
	}
	Expect(s.left(before, p)).To(Equal(how), what)
}

// takes expects a packet that comes in clear to be delivered, or not.
func (s *scene) takes(p lab.IPv4, want bool, what string) {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	s.Inject(lab.MemberName(2), p.Bytes())
	if want {
		s.Wait(s.ctx, lab.Patience, func() bool { return s.delivered(before, p) })
	} else {
		s.Pass(s.ctx, moment)
	}
	Expect(s.delivered(before, p)).To(Equal(want), what)
}

// rekeys has the key server replace the SAs, and the device take that.
func (s *scene) rekeys() {
	GinkgoHelper()
	r := kit.Rekey(s.ctx, s.Lab, control.RekeyArgs{})
	kit.Reached(kit.Takes(s.ctx, s.Lab, 1, r), "the device takes a rekey")
}

// ends has the key server end that the group is receive-only.
func (s *scene) ends() control.RekeyResult {
	GinkgoHelper()
	return s.converts(false)
}

func (s *scene) converts(receiveOnly bool) control.RekeyResult {
	GinkgoHelper()
	r, err := s.KS.ReceiveOnly(s.ctx, receiveOnly)
	kit.Precondition(err, "the key server is told whether the group is receive-only")
	return r
}

// directs has the operator of the device set its directions.
func (s *scene) directs(direction string) {
	GinkgoHelper()
	kit.Precondition(s.GM[0].Direction(s.ctx, direction), "the operator sets the directions to "+direction)
}

// rollout has the group be receive-only.
func rollout(g *policy.Group) { g.ReceiveOnly = true }

// lasting gives the SAs a lifetime, with nobody to replace them in time.
func lasting(d time.Duration) func(*policy.Group) {
	return func(g *policy.Group) { g.SAs[0].Lifetime = d }
}
