package interop

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The networks between which ESP is. The own one has a single host, the spec itself.
var (
	ownNetwork   = netip.MustParsePrefix("172.31.9.0/24")
	ownHost      = netip.MustParseAddr("172.31.9.1")
	theirNetwork = lab.MemberLAN(1)
	theirHost    = lab.LANGateway(1)
)

var _ = Describe("ESP in UDP with a daemon that somebody else wrote (RFC 2409 §5.5, RFC 3947, RFC 3948, RFC 4303)", kit.Subject("interop"),
	kit.DUT(rule.GM), kit.Needs(lab.NeedKernel), kit.Scene(kit.DataPlane), func() {
		for _, t := range []policy.Transform{lab.GCM(), lab.CBC()} {
			It(fmt.Sprintf("strongswan answers echo requests through ESP with %s", t), kit.Requirement("RFC3947-3.1-01", "RFC3947-3.2-01", "RFC3947-3.2-02",
				"RFC3947-4-01", "RFC3947-4-02", "RFC3947-4-03", "RFC3947-5.1-01", "RFC3948-2.1-01", "RFC3948-2.2-01", "RFC4303-2.2-01", "RFC4303-2.4-02"),
				func(ctx SpecContext) {
					s := meet(ctx, "strongswan", usual, traffic(t))
					kit.Precondition(s.begin(ctx), "Phase 1 is established")
					Expect(s.own.SA().Peer().Port()).To(BeEquivalentTo(natt.Port), "Phase 1 goes on where there is room for ESP beside it")
					s.exchanges(ctx, t)
				})
		}
	})

// exchanges has echo requests and their answers cross, each of another length and content.
func (s *scene) exchanges(ctx context.Context, t policy.Transform) {
	GinkgoHelper()
	waiting, done := patient(ctx)
	defer done()
	pair, err := s.own.QuickMode(waiting, t, ownNetwork, theirNetwork)
	Expect(err).NotTo(HaveOccurred(), "Quick Mode makes two SAs")
	e := &echo{scene: s, out: s.sa(pair.Out), in: s.sa(pair.In)}
	kit.Reached(e.through(waiting), "the daemon has laid the route of its SA, which it does a moment after its last message")
	for seq := range uint16(20) {
		data := make([]byte, 1+61*int(seq))
		for i := range data {
			data[i] = byte(i) ^ byte(seq)
		}
		e.send(seq, data)
		Expect(e.answer(waiting, seq)).To(Equal(data), "what echo request %d brings back", seq)
	}
}

// echo is a conversation of echo requests and their answers.
type echo struct {
	*scene
	out, in *esp.SA
}

// first is the number of the requests that may be lost.
const first = 0xffff

// through sends requests until one is answered.
func (e *echo) through(ctx context.Context) bool {
	const each = 100 * time.Millisecond
	for ctx.Err() == nil {
		e.send(first, []byte("first"))
		short, done := context.WithTimeout(ctx, each)
		sealed, err := e.own.AwaitESP(short)
		done()
		if err == nil {
			_, _, err = e.in.Open(nil, sealed)
			return err == nil
		}
	}
	return false
}

func (e *echo) send(seq uint16, data []byte) {
	GinkgoHelper()
	request, err := lab.EchoPacket(ownHost, theirHost, false, 9, seq, false, data)
	kit.Precondition(err, "the own node makes a packet")
	sealed, err := e.out.Seal(nil, request, esp.NextIPv4)
	Expect(err).NotTo(HaveOccurred())
	Expect(e.own.SendESP(sealed)).To(Succeed())
}

// answer waits for the answer to an echo request and returns what it brings back. Late answers to the first ones are passed over.
func (e *echo) answer(ctx context.Context, seq uint16) []byte {
	GinkgoHelper()
	const numberAt, dataAt = 6, 8
	for {
		sealed, err := e.own.AwaitESP(ctx)
		Expect(err).NotTo(HaveOccurred(), "echo request %d is answered", seq)
		inner, next, err := e.in.Open(nil, sealed)
		Expect(err).NotTo(HaveOccurred(), "the answer opens under the SA")
		Expect(next).To(Equal(esp.NextIPv4))
		ip, ok := lab.Parse(inner)
		Expect(ok && len(ip.Payload) >= dataAt).To(BeTrue(), "it holds an ICMP message in an IP packet")
		Expect([]netip.Addr{ip.Source, ip.Destination}).To(Equal([]netip.Addr{theirHost, ownHost}))
		if binary.BigEndian.Uint16(ip.Payload[numberAt:]) == seq {
			return ip.Payload[dataAt:]
		}
	}
}

// sa makes the ESP of one direction.
func (s *scene) sa(t policy.TrafficSA) *esp.SA {
	GinkgoHelper()
	s.Remember(keylog.Of(ownNode, time.Now(), &core.Secret{Traffic: &t})...)
	made, err := esp.New(t, esp.Options{HasSID: true, SIDBits: 8, Window: 64, Rules: kit.Own(), Rand: keymat.Seeded(CurrentSpecReport().LeafNodeText)})
	kit.Precondition(err, "the transform is there")
	return made
}
