package rekey

import (
	"crypto/rsa"
	"crypto/x509"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// newKEK is a SAK with its KEK packet, as a rekey may bring them beside Data-Security SAs. The key server knows nothing of it, so
// that a member which has dropped it follows the next rekey.
type newKEK struct {
	what      string
	id        rule.ID
	behind    bool // the SAK comes behind the SATs
	saks      int  // instead of one
	keks      int  // instead of one
	changeSAK func(*gdoi.SAK)
	changeKEK func(*gdoi.KeyPacket)
}

// deviation adds them to a rekey.
func (n newKEK) deviation() tester.Deviation {
	return tester.Deviation{Name: "a SAK and a KEK, " + n.what, Tap: tester.Taps(
		tester.EditSA(core.Push, "a SAK", func(sa *gdoi.SA) {
			sak := n.sak()
			added := slices.Repeat([]isakmp.Payload{sak}, max(1, n.saks))
			sa.AttributeNext = 0 // that of the first
			if n.behind {
				sa.Attributes = append(slices.Clone(sa.Attributes), added...)
			} else {
				sa.Attributes = append(added, sa.Attributes...)
			}
		}),
		tester.EditKD(core.Push, "a KEK", func(kd *gdoi.KD) {
			kd.Packets = append(slices.Clone(kd.Packets), slices.Repeat([]gdoi.KeyPacket{n.kek()}, max(1, n.keks))...)
		}),
	)}
}

func (n newKEK) sak() gdoi.SAK {
	from := gdoi.ID16{Type: isakmp.IDIPv4Addr, Port: lab.Port, Data: lab.KeyServerAddr.AsSlice()}
	to := gdoi.ID16{Type: isakmp.IDIPv4Addr, Data: netip.IPv4Unspecified().AsSlice()}
	sak := gdoi.SAK{Protocol: 17, Source: from, Destination: to, SPI: [16]byte{0xfe, 0xdc}, Attributes: []wire.Attribute{
		wire.TV(gdoi.KEKAlgorithm, gdoi.KEKCipherAES), wire.TV(gdoi.KEKKeyLength, 128), wire.TLV32(gdoi.KEKKeyLifetime, 3600),
		wire.TV(gdoi.SigHashAlgorithm, 3), wire.TV(gdoi.SigAlgorithm, 1), wire.TV(gdoi.SigKeyLength, 2048)}}
	if n.changeSAK != nil {
		n.changeSAK(&sak)
	}
	return sak
}

func (n newKEK) kek() gdoi.KeyPacket {
	spi := [16]byte{0xfe, 0xdc}
	kek := gdoi.KeyPacket{Type: gdoi.KDTypeKEK, SPI: spi[:], Attributes: []wire.Attribute{
		wire.TLV(gdoi.KEKAlgorithmKey, make([]byte, 16+16)), wire.TLV(gdoi.SigAlgorithmKey, publicKey("ks1"))}}
	if n.changeKEK != nil {
		n.changeKEK(&kek)
	}
	return kek
}

// publicKey is that of one of the test keys, as a KEK packet has it.
func publicKey(name string) []byte {
	GinkgoHelper()
	der, err := x509.MarshalPKIXPublicKey(signingKey(name).Public().(*rsa.PublicKey))
	kit.Precondition(err, "the tester encodes the public key of "+name)
	return der
}

var _ = Describe("A SAK and its KEK in a GROUPKEY-PUSH at a member (RFC 6407 §4.3, §4.4, §5.3, §5.6.2)", kit.Subject("rekey"), kit.DUT(rule.GM), func() {
	says := func(a wire.Attribute) func(*gdoi.SAK) {
		return func(s *gdoi.SAK) { s.Attributes = tester.SetAttribute(s.Attributes, a) }
	}
	lacks := func(number uint16) func(*gdoi.SAK) {
		return func(s *gdoi.SAK) { s.Attributes = tester.RemoveAttribute(s.Attributes, number) }
	}
	keyed := func(a wire.Attribute) func(*gdoi.KeyPacket) {
		return func(p *gdoi.KeyPacket) { p.Attributes = tester.SetAttribute(p.Attributes, a) }
	}
	without := func(number uint16) func(*gdoi.KeyPacket) {
		return func(p *gdoi.KeyPacket) { p.Attributes = tester.RemoveAttribute(p.Attributes, number) }
	}

	It("takes a rekey with a SAK and its KEK beside Data-Security SAs", kit.Requirement("RFC6407-4.4-04", "RFC6407-4.3-02"), func(ctx SpecContext) {
		s := group(ctx)
		p := s.rekey(control.RekeyArgs{}, newKEK{what: "both right"}.deviation()) // it asks for no acknowledgement
		Expect(kit.Has(ctx, s.Lab, 1, p.SPIs[0])).To(BeTrue(), "nothing is wrong with the message that is altered in what follows")
	})

	var rows []refusal
	for _, n := range []newKEK{
		{what: "with a SAK that has an attribute which nobody knows", id: "RFC6407-5.3.2-01", changeSAK: says(wire.TV(100, 1))},
		{what: "with a SAK for a cipher that nobody knows", id: "RFC6407-5.3.2-01", changeSAK: says(wire.TV(gdoi.KEKAlgorithm, 100))},
		{what: "with a SAK for a signature that nobody knows", id: "RFC6407-5.3.2-01", changeSAK: says(wire.TV(gdoi.SigAlgorithm, 100))},
		{what: "with a SAK for a management of keys that nobody knows", id: "RFC6407-5.3.2-01", changeSAK: says(wire.TV(gdoi.KEKManagement, 100))},
		{what: "with a SAK without cipher", id: "RFC6407-5.3-08", changeSAK: lacks(gdoi.KEKAlgorithm)},
		{what: "with a SAK without signature algorithm", id: "RFC6407-5.3-09", changeSAK: lacks(gdoi.SigAlgorithm)},
		{what: "with a SAK without the length of its AES key", id: "RFC6407-5.3.3-01", changeSAK: lacks(gdoi.KEKKeyLength)},
		{what: "with a SAK for RSA and without signature hash", id: "RFC6407-5.3.5-01", changeSAK: lacks(gdoi.SigHashAlgorithm)},
		{what: "with a SAK whose lifetime has three octets", id: "RFC6407-5.3.4-01", changeSAK: says(wire.TLV(gdoi.KEKKeyLifetime, []byte{1, 0, 0}))},
		{what: "with a SAK whose second reserved field is not zero", id: "RFC6407-5.3-06", changeSAK: func(s *gdoi.SAK) { s.Reserved2 = 1 }},
		{what: "with a SAK behind its SATs", id: "RFC6407-5.2.1-04", behind: true},
		{what: "with two SAKs", id: "RFC6407-5.2.1-03", saks: 2},
		{what: "with two KEK packets", id: "RFC6407-5.6.2-03", keks: 2},
		{what: "with a KEK for another SPI than that of its SAK", id: "RFC6407-5.6-03", changeKEK: func(p *gdoi.KeyPacket) { p.SPI[15]++ }},
		{what: "with a KEK packet without cipher key", id: "RFC6407-5.6.2-01", changeKEK: without(gdoi.KEKAlgorithmKey)},
		{what: "with a KEK packet without the public key of PUSH", id: "RFC6407-5.6.2-01", changeKEK: without(gdoi.SigAlgorithmKey)},
		{what: "with a KEK without the IV before it", id: "RFC6407-5.6.2.1-01", changeKEK: keyed(wire.TLV(gdoi.KEKAlgorithmKey, make([]byte, 16)))},
		{what: "with a KEK packet whose reserved octet is not zero", id: "RFC6407-5.6-01", changeKEK: func(p *gdoi.KeyPacket) { p.Reserved = 1 }},
		{what: "with a KEK whose public key is none", id: "RFC6407-5.6.2.2-01", changeKEK: keyed(wire.TLV(gdoi.SigAlgorithmKey, make([]byte, 64)))},
		{what: "with a public key of another length than the SAK says", id: "RFC6407-5.3.7-01", changeSAK: says(wire.TV(gdoi.SigKeyLength, 1024))},
	} {
		rows = append(rows, refusal{what: n.what, requires: []rule.ID{n.id, "RFC6407-4.3-02"}, made: func(*scene) tester.Deviation { return n.deviation() }})
	}
	refusals(rows)

	refusals([]refusal{
		bad("whose SA has a second reserved field that is not zero", "RFC6407-5.2-08",
			tester.EditSA(core.Push, "RESERVED2 1", func(sa *gdoi.SA) { sa.Reserved2 = 1 })),
		bad("whose KD has a second reserved field that is not zero", "RFC6407-5.6-01",
			tester.EditKD(core.Push, "RESERVED2 1", func(kd *gdoi.KD) { kd.Reserved2 = 1 })),
		bad("whose KD has a key packet more than it says", "RFC6407-5.6-01",
			tester.EditKD(core.Push, "a key packet less", func(kd *gdoi.KD) { kd.Count = packets(len(kd.Packets) - 1) })),
		bad("whose KD has a key packet less than it says", "RFC6407-5.6-01",
			tester.EditKD(core.Push, "a key packet more", func(kd *gdoi.KD) { kd.Count = packets(len(kd.Packets) + 1) })),
		bad("with two keys for its SAT", "RFC6407-5.6.1-01",
			tester.EditKD(core.Push, "each packet twice", func(kd *gdoi.KD) { kd.Packets = append(kd.Packets, kd.Packets...) })),
		delayed("with a GAP that has an attribute which nobody knows", "RFC6407-5.4-07", wire.TV(100, 1)),
		delayed("with a GAP in which the key server asks for Sender-IDs", "RFC6407-5.4.2-01", wire.TV(gdoi.GAPSenderIDRequest, 1)),
	})

	It("verifies what comes under a KEK with the public key that came with it, and no more with the one before",
		kit.Requirement("RFC6407-5.6.2.2-01", "RFC6407-4.4-03"), kit.Negative, func(ctx SpecContext) {
			s := group(ctx)
			other := tester.EditKeys(core.Push, gdoi.KDTypeKEK, "another public key", func(p *gdoi.KeyPacket) {
				p.Attributes = tester.SetAttribute(p.Attributes, wire.TLV(gdoi.SigAlgorithmKey, publicKey("ks2")))
			})
			before := s.rekey(control.RekeyArgs{KEK: true}, other) // KS --> GM  HDR*, SEQ, SA, KD with another public key, SIG by the present one
			kit.Reached(s.follows(before), "the member takes a KEK with another public key")
			sent := s.protects()
			said, since := s.refusals("RFC6407-4.4-03"), kit.Now(s.Lab)
			s.rekey(control.RekeyArgs{}) // signed with the key of before
			s.refuses("RFC6407-4.4-03", said, since)
			Expect(s.sending()).To(Equal(sent), "it goes on with the keys it had")
			Expect(s.taken(since)).To(BeEmpty(), "it takes nothing")
			kit.Control(s.follows(s.rekey(control.RekeyArgs{}, tester.Resign("by the key that came with the KEK", signingKey("ks2"), label("rekey")))),
				"it takes a rekey that is signed with the key which came with the KEK")
		})
})

// withDelays has the group say when new SAs begin and old ones end.
func withDelays(g *policy.Group) {
	atd, dtd := time.Duration(0), 10*time.Second
	g.Activation = policy.Activation{ATD: &atd, DTD: &dtd}
}

// delayed is a rekey whose GAP says something that it must not.
func delayed(what string, id rule.ID, a wire.Attribute) refusal {
	return refusal{what: what, requires: []rule.ID{id}, group: []func(*policy.Group){withDelays},
		deviation: tester.EditGAP(core.Push, what, func(g *gdoi.GAP) { g.Attributes = tester.SetAttribute(g.Attributes, a) })}
}

func packets(n int) *uint16 {
	count := uint16(n)
	return &count
}
