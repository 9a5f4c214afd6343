package natt

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// port is that of NAT traversal, and marker what stands in front of a message there (RFC 3948 §2).
const port, marker = 4500, 4

// vendor is the Vendor ID of NAT traversal (RFC 3947 §3.1).
const vendor = "4a131c81070358455c5728f20e95452f"

// scene is a conversation of a device and a tester, with the first member behind a NAT.
type scene struct {
	*lab.Lab
	device, tester *lab.Peer
	members        []*lab.Peer // those that take part; the one after them is a stranger's place on the WAN
}

// open is a setup in which everybody takes part in NAT traversal and nobody is behind a NAT.
func open() lab.Setup {
	return lab.Setup{
		KeyServer: func(c *policy.KeyServer) { c.Phase1.NATTraversal = true },
		Member: func(i int, c *policy.Member) {
			c.Phase1.NATTraversal = true
			kit.Hurry(i, c, 200*time.Millisecond, 0)
		},
		Group: kit.Acknowledging, Members: 2,
	}
}

// behind is open with the first member, or these, behind a NAT.
func behind(members ...int) lab.Setup {
	s := open()
	if s.NAT = members; len(members) == 0 {
		s.NAT = []int{1}
	}
	s.Members = len(s.NAT) + 1
	return s
}

// prepare builds the network without starting anything.
func prepare(ctx context.Context, setup lab.Setup) *scene {
	GinkgoHelper()
	l := kit.Lab(ctx, setup)
	members := l.GM[:len(l.GM)-1]
	if l.KS.Device() {
		return &scene{l, l.KS, l.GM[0], members}
	}
	return &scene{l, l.GM[0], l.KS, members}
}

// begin has the members register; the tester's messages deviate.
func begin(ctx context.Context, setup lab.Setup, ds ...tester.Deviation) *scene {
	GinkgoHelper()
	s := prepare(ctx, setup)
	Expect(s.tester.Misbehave(tester.Taps(ds...))).To(Succeed())
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	for _, gm := range s.members {
		kit.Precondition(gm.Start(ctx), "the member starts")
	}
	return s
}

// datagram is a UDP datagram as its sender sent it, before any NAT.
type datagram struct {
	at       time.Time
	from, to netip.AddrPort
	data     []byte
	marked   bool          // it begins with a marker
	header   isakmp.Header // of the message in it; zero if there is none
	message  []byte
}

// sent are the datagrams of a peer, oldest first.
func (s *scene) sent(p *lab.Peer) []datagram {
	link := "wan"
	if s.NAT().Hides(p.Addr().Addr()) {
		link = lab.NATLink
	}
	var all []datagram
	for _, f := range s.Frames() {
		ip, ok := lab.ParseIPv4(f.Packet)
		if !ok || f.Link != link || f.Note != "" || ip.Source != p.Addr().Addr() {
			continue
		}
		if from, to, data, ok := ip.UDP(); ok {
			all = append(all, read(f.At, from, to, data))
		}
	}
	return all
}

func read(at time.Time, from, to netip.AddrPort, data []byte) datagram {
	d := datagram{at: at, from: from, to: to, data: data, message: data}
	if d.marked = len(data) >= marker && binary.BigEndian.Uint32(data) == 0; d.marked {
		d.message = data[marker:]
	}
	d.header, _ = isakmp.ParseHeader(d.message)
	return d
}

// messages are the different key management messages of a peer.
func (s *scene) messages(p *lab.Peer) []datagram {
	var once []datagram
	for _, d := range s.sent(p) {
		same := func(have datagram) bool { return string(have.data) == string(d.data) }
		if len(d.message) >= isakmp.HeaderLen && !slices.ContainsFunc(once, same) {
			once = append(once, d)
		}
	}
	return once
}

// under are the messages of a peer under that initiator cookie.
func (s *scene) under(p *lab.Peer, cookie isakmp.Cookie) []datagram {
	return slices.DeleteFunc(s.messages(p), func(d datagram) bool { return d.header.InitiatorCookie != cookie })
}

// opening is the initiator cookie of the first registration.
func (s *scene) opening() isakmp.Cookie {
	GinkgoHelper()
	ms := s.messages(s.GM[0])
	kit.Reached(len(ms) > 0, "the member begins to register")
	return ms[0].header.InitiatorCookie
}

// comes waits until a peer has sent a message of that kind in the first registration.
func (s *scene) comes(ctx context.Context, p *lab.Peer, kind core.Kind) bool {
	GinkgoHelper()
	s.Wait(ctx, lab.Patience, func() bool { return len(s.messages(s.GM[0])) > 0 })
	cookie := s.opening()
	return s.Wait(ctx, lab.Patience, func() bool { return len(s.under(p, cookie)) >= s.sentBy(kind) })
}

// message is what a peer sent in that place of the first registration.
func (s *scene) message(ctx context.Context, p *lab.Peer, kind core.Kind) datagram {
	GinkgoHelper()
	Expect(s.comes(ctx, p, kind)).To(BeTrue(), "%s is sent", kind)
	return s.under(p, s.opening())[s.sentBy(kind)-1]
}

// sentBy is how many messages a registration takes its sender up to one of that kind.
func (s *scene) sentBy(kind core.Kind) int {
	if kind >= core.Aggressive1 {
		return int(kind-core.Aggressive1)/2 + 1
	}
	if kind < core.Pull1 {
		return int(kind+1) / 2
	}
	after := int(kind-core.Pull1)/2 + 1
	switch {
	case s.messages(s.GM[0])[0].header.Exchange != isakmp.ExchangeAggressive:
		return after + 3
	case kind == core.Pull1 || kind == core.Pull3:
		return after + 2
	}
	return after + 1
}

// natds are the NAT-D of a message of the device's, in clear or once there is a key for it.
func (s *scene) natds(ctx context.Context, kind core.Kind) (found [][]byte) {
	GinkgoHelper()
	if d := s.message(ctx, s.device, kind); d.header.Flags&isakmp.FlagEncryption == 0 {
		for _, n := range payloads[isakmp.NATD](d) {
			found = append(found, n.Data)
		}
		return found
	}
	kit.Reached(s.registered(ctx), "the member registers")
	for _, f := range s.decoded(kind)[0].Payloads {
		if f.Name == "NAT-D" {
			hash, err := hex.DecodeString(f.Value)
			Expect(err).NotTo(HaveOccurred())
			found = append(found, hash)
		}
	}
	return found
}

// registered waits until the members are registered, and reports whether all are.
func (s *scene) registered(ctx context.Context) bool {
	return !slices.ContainsFunc(s.members, func(gm *lab.Peer) bool { return gm.AwaitRegistered(ctx) != nil })
}

// afresh has the first member forget everything and register with a tester that deviates no longer.
func (s *scene) afresh(ctx context.Context) bool {
	GinkgoHelper()
	Expect(s.tester.Misbehave(nil)).To(Succeed())
	before := s.GM[0].Registrations()
	kit.Precondition(s.GM[0].Clear(ctx), "the member begins again")
	return s.Wait(ctx, lab.Patience, func() bool { return s.GM[0].Registrations() > before })
}

// payloads are those of a message in clear, of one type.
func payloads[P isakmp.Payload](d datagram) (found []P) {
	ps, _, err := isakmp.Phase1.Parse(d.header.NextPayload, d.message[isakmp.HeaderLen:], isakmp.HeaderLen)
	Expect(err).NotTo(HaveOccurred())
	for _, p := range ps {
		if typed, ok := p.Payload.(P); ok {
			found = append(found, typed)
		}
	}
	return found
}

// natd is the hash of one end, as the default proposal has it (RFC 3947 §3.2).
func natd(h isakmp.Header, end netip.AddrPort) []byte {
	sum := sha256.Sum256(slices.Concat(h.InitiatorCookie[:], h.ResponderCookie[:], end.Addr().AsSlice(),
		binary.BigEndian.AppendUint16(nil, end.Port())))
	return sum[:]
}

// decoded are the messages of a kind that crossed the WAN.
func (s *scene) decoded(kind core.Kind) []capture.Message {
	return kit.MessagesSince(s.Lab, 0, kind.String())
}

// translated are the places at which the NAT has the first member, oldest first: the sources of what left it.
func (s *scene) translated() []netip.AddrPort {
	var all []netip.AddrPort
	for _, f := range kit.WANSince(s.Lab, 0) {
		ip, _ := lab.ParseIPv4(f.Packet)
		if from, _, _, ok := ip.UDP(); ok && from.Addr() == lab.NATAddr && !slices.Contains(all, from) {
			all = append(all, from)
		}
	}
	return all
}

// last is where the NAT has the first member now.
func (s *scene) last() netip.AddrPort {
	GinkgoHelper()
	all := s.translated()
	kit.Reached(len(all) > 0, "the NAT lets something out")
	return all[len(all)-1]
}

// keepalives are the datagrams of a peer that are too short for a marker.
func (s *scene) keepalives(p *lab.Peer) []datagram {
	return slices.DeleteFunc(s.sent(p), func(d datagram) bool { return len(d.data) >= marker })
}

// pushed has the key server rekey, and reports where the PUSH went.
func (s *scene) pushed(ctx context.Context) datagram {
	GinkgoHelper()
	before := len(s.sent(s.KS))
	kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
	var push datagram
	kit.Reached(s.Wait(ctx, lab.Patience, func() bool {
		for _, d := range s.sent(s.KS)[before:] {
			if d.header.Exchange == isakmp.ExchangePush {
				push = d
				return true
			}
		}
		return false
	}), "the key server sends a PUSH")
	return push
}

// inject puts a datagram on the WAN: to a member from where the key server is, to the key server from the stranger's place.
func (s *scene) inject(from, to netip.AddrPort, data []byte) {
	GinkgoHelper()
	packet, err := lab.UDPPacket(from, to, 64, data)
	Expect(err).NotTo(HaveOccurred())
	node := s.KS.Name()
	if s.KS.Device() {
		node = s.GM[len(s.GM)-1].Name()
	}
	s.Inject(node, packet)
}

// expectKeepalives has ten minutes pass in which the device sends nothing but a keepalive after each such silence; 0 stands for the
// 20 seconds of RFC 3948 §4.
func (s *scene) expectKeepalives(ctx context.Context, silence time.Duration) {
	GinkgoHelper()
	s.Pass(ctx, 10*time.Minute)
	if silence == 0 {
		silence = 20 * time.Second
	}
	sent := s.sent(s.device)
	for i := 1; i < len(sent); i++ {
		if len(sent[i].data) < marker {
			Expect(sent[i].at.Sub(sent[i-1].at)).To(BeNumerically("~", silence, time.Second), "silence before a keepalive")
		}
	}
	Expect(len(s.short())).To(BeNumerically("~", int(10*time.Minute/silence), 1))
}
