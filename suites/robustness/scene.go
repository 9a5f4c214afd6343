package robustness

import (
	"context"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// scene is a key server, members, and the first messages that are made of one of them.
type scene struct {
	*lab.Lab
	ctx    context.Context
	opens  []byte // Main Mode 1 of the first member
	copies int    // how many others were made of it
}

// keeping has the key server keep so many unfinished exchanges, in total and with one address; the first of them is the first
// member's, which gets no further than message 1.
func keeping(ctx context.Context, h policy.HalfOpen) *scene {
	GinkgoHelper()
	s := &scene{ctx: ctx, Lab: kit.Lab(ctx, lab.Setup{
		Members:   2,
		KeyServer: func(c *policy.KeyServer) { c.Phase1.HalfOpen = h },
		Member:    func(_ int, c *policy.Member) { c.Phase1.Retransmit = 5 * time.Second },
	})}
	kit.Precondition(s.GM[0].Misbehave(tester.Withhold(core.MainMode3).Tap), "the first member is a tester")
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(ctx), "the member starts")
	kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return len(s.answers(s.GM[0].Addr())) == 1 }), "the key server answers message 1")
	s.opens = s.sent(s.GM[0].Addr(), s.KS.Addr())[0]
	return s
}

// sent are the different datagrams that crossed the WAN from one address and port to another.
func (s *scene) sent(from, to netip.AddrPort) (found [][]byte) {
	for _, f := range kit.WANSince(s.Lab, 0) {
		ip, ok := lab.ParseIPv4(f.Packet)
		if !ok || ip.Source != from.Addr() || ip.Destination != to.Addr() {
			continue
		}
		source, destination, data, ok := ip.UDP()
		again := slices.ContainsFunc(found, func(had []byte) bool { return string(had) == string(data) })
		if ok && source == from && destination == to && !again {
			found = append(found, data)
		}
	}
	return found
}

// answers are the different datagrams that the key server has sent to an address and port.
func (s *scene) answers(to netip.AddrPort) [][]byte { return s.sent(s.KS.Addr(), to) }

// puts puts a datagram to the key server on the WAN as if it came from there.
func (s *scene) puts(from netip.AddrPort, data []byte) {
	GinkgoHelper()
	packet, err := lab.UDPPacket(from, s.KS.Addr(), 64, data)
	kit.Precondition(err, "the tester makes a packet")
	s.Inject(s.GM[0].Name(), packet)
}

// stranger sends a first message with a cookie of its own.
func (s *scene) stranger(from netip.AddrPort) {
	GinkgoHelper()
	s.copies++
	cookie := isakmp.Cookie{0xff, byte(s.copies >> 8), byte(s.copies), 1, 2, 3, 4, 5}
	s.puts(from, append(cookie[:], s.opens[len(cookie):]...))
}

// arrives lets what is on its way arrive.
func (s *scene) arrives() { s.Pass(s.ctx, 200*time.Millisecond) }

// forgotten repeats the first member's message 1 and reports whether the key server begins a new exchange for it. A copy of what
// it knows is answered with the same datagram (RFC 2408 §5.1).
func (s *scene) forgotten() bool {
	GinkgoHelper()
	before := len(s.answers(s.GM[0].Addr()))
	s.puts(s.GM[0].Addr(), s.opens)
	return s.Wait(s.ctx, time.Second, func() bool { return len(s.answers(s.GM[0].Addr())) > before })
}

// neighbour is the i-th address of strangers on the WAN.
func neighbour(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + i)}), lab.Port)
}

// distant is the i-th address of those far away that the group would let in.
func distant(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 19, byte(i >> 8), byte(i)}), lab.Port)
}
