package interop

import (
	"context"
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
	kit.DUT(rule.GM), kit.Needs(lab.NeedKernel), func() {
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
	out, in := s.sa(pair.Out), s.sa(pair.In)
	for seq := range uint16(20) {
		data := make([]byte, 1+61*int(seq))
		for i := range data {
			data[i] = byte(i) ^ byte(seq)
		}
		request, err := lab.EchoPacket(ownHost, theirHost, false, 9, seq, false, data)
		kit.Precondition(err, "the own node makes a packet")
		sealed, err := out.Seal(nil, request, esp.NextIPv4)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.own.SendESP(sealed)).To(Succeed())
		s.answered(waiting, in, seq, data)
	}
}

// answered waits for the answer to an echo request, which has what was sent.
func (s *scene) answered(ctx context.Context, in *esp.SA, seq uint16, data []byte) {
	GinkgoHelper()
	sealed, err := s.own.AwaitESP(ctx)
	Expect(err).NotTo(HaveOccurred(), "echo request %d with %d octets is answered", seq, len(data))
	inner, next, err := in.Open(nil, sealed)
	Expect(err).NotTo(HaveOccurred(), "the answer opens under the SA")
	Expect(next).To(Equal(esp.NextIPv4))
	ip, ok := lab.Parse(inner)
	Expect(ok).To(BeTrue(), "it holds an IP packet")
	Expect([]netip.Addr{ip.Source, ip.Destination}).To(Equal([]netip.Addr{theirHost, ownHost}))
	const icmpHeader = 8
	Expect(ip.Payload[icmpHeader:]).To(Equal(data))
}

// sa makes the ESP of one direction.
func (s *scene) sa(t policy.TrafficSA) *esp.SA {
	GinkgoHelper()
	s.Remember(keylog.Of(ownNode, time.Now(), &core.Secret{Traffic: &t})...)
	made, err := esp.New(t, esp.Options{HasSID: true, SIDBits: 8, Window: 64, Rules: kit.Own(), Rand: keymat.Seeded(CurrentSpecReport().LeafNodeText)})
	kit.Precondition(err, "the transform is there")
	return made
}
