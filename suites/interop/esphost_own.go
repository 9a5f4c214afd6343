package interop

import (
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/esphost"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// sealed is the reference's own ESP in the spec's hands, and a host with foreign ESP. There is no group and no device.
type sealed struct {
	*lab.Lab
	foreign lab.ESPHost
	sa      policy.TrafficSA
	own     *esp.SA
}

// seal makes an SA of the transform whose numbers begin with first, and gives it to both.
func seal(ctx SpecContext, name string, t policy.Transform, first uint64) *sealed {
	GinkgoHelper()
	theirs, rules := described(name), kit.Own()
	random := keymat.Seeded(CurrentSpecReport().LeafNodeText)
	s := &sealed{Lab: kit.Lab(ctx, lab.Setup{Members: 2}), sa: policy.TrafficSA{SPI: 0x600df00d, Transform: t,
		Selector: policy.Selector{Source: lab.Protected, Destination: lab.Protected}}}
	s.sa.CipherKey, s.sa.IntegrityKey = make([]byte, t.CipherKeyLen()), make([]byte, t.IntegrityKeyLen())
	for _, key := range [][]byte{s.sa.CipherKey, s.sa.IntegrityKey} {
		_, err := random.Read(key)
		kit.Precondition(err, "there are keys")
	}
	var err error
	s.own, err = esp.New(s.sa, esp.Options{HasSID: true, SID: 1, SIDBits: 8, Window: espWindow, First: first, Rules: rules, Rand: random})
	kit.Precondition(err, "the transform is there")
	s.foreign, err = s.Seat(ctx, 2, theirs)
	kit.Precondition(err, name+" starts")
	kit.Precondition(s.foreign.Install(ctx, s.keys(first)), name+" takes the SA")
	return s
}

// keys are those of the SA for the foreign host, and for those who read the capture.
func (s *sealed) keys(first uint64) esphost.SA {
	entry := keylog.Of(lab.MemberName(1), time.Now(), &core.Secret{Traffic: &s.sa})[0]
	s.Remember(entry)
	return esphost.SA{Keys: entry, Window: espWindow, First: first}
}

// put puts a datagram under the own ESP on the WAN.
func (s *sealed) put(d esphost.Datagram, alter ...func(esp []byte)) {
	GinkgoHelper()
	inner, err := lab.UDPPacket(endOf(d.From), endOf(d.To), 64, d.Data)
	kit.Precondition(err, "the own node makes a packet")
	octets, err := s.own.Seal(nil, inner, esp.NextIPv4)
	Expect(err).NotTo(HaveOccurred())
	for _, f := range alter {
		f(octets)
	}
	packet, err := lab.ESPPacket(d.From, d.To, octets)
	kit.Precondition(err, "the own node makes a packet")
	s.Inject(lab.MemberName(1), packet)
}

// gets reports whether the foreign host tells of a datagram.
func (s *sealed) gets(ctx SpecContext, d esphost.Datagram) bool {
	return s.Wait(ctx, lab.Patience, func() bool { return s.has(d) })
}

func (s *sealed) has(d esphost.Datagram) bool {
	for _, got := range s.foreign.Received() {
		if got.From == d.From && got.To == d.To && string(got.Data) == string(d.Data) {
			return true
		}
	}
	return false
}

// opens has the foreign host send a datagram, and returns what the own ESP makes of the packet that it comes in.
func (s *sealed) opens(ctx SpecContext, d esphost.Datagram) string {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	kit.Precondition(s.foreign.Send(ctx, d), "the foreign host sends")
	s.Wait(ctx, lab.Patience, func() bool { return len(kit.ESPSince(s.Lab, before)) > 0 })
	packets := kit.ESPSince(s.Lab, before)
	Expect(packets).To(HaveLen(1), "packets in ESP")
	outer, _ := lab.Parse(packets[0].Packet)
	Expect([]any{outer.Source, outer.Destination}).To(Equal([]any{d.From, d.To}), "the addresses outside")
	inner, next, err := s.own.Open(nil, outer.Payload)
	Expect(err).NotTo(HaveOccurred(), "the packet opens")
	Expect(next).To(Equal(esp.NextIPv4))
	ip, ok := lab.Parse(inner)
	_, _, data, udp := ip.UDP()
	Expect(ok && udp).To(BeTrue(), "it holds a datagram")
	Expect([]any{ip.Source, ip.Destination}).To(Equal([]any{d.From, d.To}), "the addresses inside")
	return string(data)
}

var _ = Describe("The reference's ESP with a host that somebody else wrote (RFC 4303)", kit.Subject("interop"), kit.DUT(rule.GM),
	kit.Needs(lab.NeedKernel), kit.Scene(kit.DataPlane), func() {
		for _, name := range espHosts {
			for _, t := range []policy.Transform{lab.GCM(), lab.CBC()} {
				t := inMode(t, policy.ModeTunnel)
				It(fmt.Sprintf("the reference and %s open each other's multicast under %s", name, t.Name()),
					kit.Requirement("RFC4303-2.2-01", "RFC4303-2.4-02"), func(ctx SpecContext) {
						s := seal(ctx, name, t, 1)
						there := esphost.Datagram{From: deviceHost, To: lab.MulticastGroup, Data: []byte("to the group")}
						s.put(there)
						Expect(s.gets(ctx, there)).To(BeTrue(), "%s opens a packet to the group", name)
						back := esphost.Datagram{From: foreignHost, To: lab.MulticastGroup, Data: []byte("from the group")}
						Expect(s.opens(ctx, back)).To(Equal("from the group"))
					})
				extended := t
				extended.ESN = true
				It(fmt.Sprintf("%s follows the extended sequence numbers of the reference past 2^32 under %s", name, t.Name()),
					kit.Requirement("RFC4303-2.2.1-01", "RFC4303-A2-01"), func(ctx SpecContext) {
						s := seal(ctx, name, extended, 1<<32-3)
						for i := range 6 {
							d := esphost.Datagram{From: deviceHost, To: foreignHost, Data: fmt.Appendf(nil, "datagram %d", i)}
							s.put(d)
							Expect(s.gets(ctx, d)).To(BeTrue(), "%s opens datagram %d", name, i)
						}
					})
			}
			It(name+" refuses a packet of the reference that was changed on its way", kit.Requirement("RFC4303-3.4.4.2-01"), kit.Negative,
				func(ctx SpecContext) {
					s := seal(ctx, name, inMode(lab.GCM(), policy.ModeTunnel), 1)
					changed := esphost.Datagram{From: deviceHost, To: foreignHost, Data: []byte("changed")}
					s.put(changed, func(esp []byte) { esp[len(esp)-1] ^= 1 })
					right := esphost.Datagram{From: deviceHost, To: foreignHost, Data: []byte("as it was")}
					s.put(right)
					kit.Control(s.gets(ctx, right), name+" opens the next packet")
					Expect(s.has(changed)).To(BeFalse(), "%s opens the changed packet", name)
				})
		}
	})

// endOf is the end of a conversation of datagrams.
func endOf(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, esphost.Port) }
