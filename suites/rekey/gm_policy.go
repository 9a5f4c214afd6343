package rekey

import (
	"slices"

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

// withCBC has the group use AES-CBC, for which nobody needs a Sender-ID.
func withCBC(g *policy.Group) { g.SAs[0].Transform = lab.CBC() }

var _ = Describe("SA and KD of a GROUPKEY-PUSH at a member (RFC 6407 §4.3, §4.4)", kit.Subject("rekey"), kit.DUT(rule.GM), func() {
	// SA and KD mean the same as in a PULL. Of all that suites/registration tries there this is a choice.
	refusals([]refusal{
		bad("whose SA is of another DOI", "RFC6407-5.2-05", tester.EditSA(core.Push, "DOI 1", func(sa *gdoi.SA) { sa.DOI = 1 })),
		bad("whose SA holds nothing", "RFC6407-5.2.1-02", tester.EditSA(core.Push, "no SAT", func(sa *gdoi.SA) { sa.AttributeNext, sa.Attributes = 0, nil })),
		bad("whose SAT has a transform that nobody knows", "RFC6407-5.5.1-07",
			tester.EditSAT(core.Push, "Transform ID 100", func(t *gdoi.SAT) { t.ESP.TransformID = 100 })),
		bad("whose SAT has SPI 0", "RFC4303-2.1-05", tester.EditSAT(core.Push, "SPI 0", func(t *gdoi.SAT) { t.ESP.SPI = 0 }),
			tester.EditKeys(core.Push, gdoi.KDTypeTEK, "SPI 0", func(p *gdoi.KeyPacket) { p.SPI = make([]byte, 4) })),
		bad("whose SAT is not the one that KD has a key for", "RFC6407-5.6-03",
			tester.EditKeys(core.Push, gdoi.KDTypeTEK, "another SPI", func(p *gdoi.KeyPacket) { p.SPI = []byte{0xfe, 0xdc, 0xba, 0x98} })),
		bad("that lacks the key of its SAT", "RFC6407-3.2-18", tester.OmitKeys(core.Push, gdoi.KDTypeTEK)),
		bad("with a key that is too short", "RFC4106-8.1-01", tester.EditKeys(core.Push, gdoi.KDTypeTEK, "a key of 16 octets",
			func(p *gdoi.KeyPacket) { p.Attributes[0].Value = p.Attributes[0].Value[:16] })),
		bad("with a SAK and no KEK for it", "RFC6407-3.2-18", tester.EditSA(core.Push, "a SAK", func(sa *gdoi.SA) {
			sa.AttributeNext, sa.Attributes = 0, append([]isakmp.Payload{strangeSAK()}, sa.Attributes...)
		})),
		bad("whose policy is wrong, with its Delete of all SAs", "RFC6407-5.2-06",
			tester.EditSA(core.Push, "situation 1", func(sa *gdoi.SA) { sa.Situation = 1 }),
			tester.AlsoDeletes("a Delete of all SAs", tester.DeleteESP(0))),
		bad("whose keys are wrong, with its Delete of the KEK", "RFC6407-3.2-18", tester.OmitKeys(core.Push, gdoi.KDTypeTEK),
			tester.AlsoDeletes("a Delete of the KEK", tester.DeleteKEK(make([]byte, 16)))),
		{what: "that brings Sender-IDs", requires: []rule.ID{"RFC6054-5-01"}, deviation: withSID},
		{what: "to the multicast group that brings Sender-IDs", requires: []rule.ID{"RFC6054-5-01"}, group: multicast,
			deviation: withSID},
	})

	It("installs no counter-mode SA from a rekey if it has no Sender-ID", kit.Requirement("RFC6407-4.4-07"), kit.Negative, func(ctx SpecContext) {
		s := group(ctx, withCBC)
		before, since := s.protects(), kit.Now(s.Lab)
		end := s.withhold(isakmp.ExchangePull) // it may ask for a Sender-ID
		s.rekey(control.RekeyArgs{}, toGCM...)
		s.refuses("RFC6407-4.4-07", 0, since)
		Expect(s.sending()).To(Equal(before), "it sends on under the SA that needs no Sender-ID")
		Expect(s.installed()).To(Equal([]string{before}), "it has no other")
		end()
		kit.Control(s.follows(s.rekey(control.RekeyArgs{})), "it takes a rekey with an SA that needs no Sender-ID")
		s.expectRefused("RFC6407-4.4-07", 1, "its log says that it did not install the SA")
	})
})

// bad is a PUSH whose SA or KD is wrong.
func bad(what string, id rule.ID, ds ...tester.Deviation) refusal {
	return refusal{what: what, requires: []rule.ID{id}, deviation: tester.Deviation{Name: what, Tap: tester.Taps(ds...)}}
}

// withSID puts a Sender-ID into KD, as if the message were for one member.
var withSID = tester.EditKD(core.Push, "a Sender-ID", func(kd *gdoi.KD) {
	kd.Packets = append(kd.Packets, gdoi.KeyPacket{Type: gdoi.KDTypeSID,
		Attributes: []wire.Attribute{wire.TV(gdoi.SIDBits, 8), wire.TLV32(gdoi.SIDValue, 9)}})
})

// strangeSAK is the policy of a Rekey SA that nobody has a key for.
func strangeSAK() gdoi.SAK {
	id := gdoi.ID16{Type: isakmp.IDIPv4Addr, Port: lab.Port, Data: lab.KeyServerAddr.AsSlice()}
	return gdoi.SAK{Protocol: 17, Source: id, Destination: id, SPI: [16]byte{0xfe, 0xdc}, Attributes: []wire.Attribute{
		wire.TV(gdoi.KEKAlgorithm, 3), wire.TV(gdoi.KEKKeyLength, 128), wire.TLV32(gdoi.KEKKeyLifetime, 3600),
		wire.TV(gdoi.SigHashAlgorithm, 3), wire.TV(gdoi.SigAlgorithm, 1), wire.TV(gdoi.SigKeyLength, 2048)}}
}

// toGCM makes the SA of AES-CBC in a PUSH one of AES-GCM.
var toGCM = []tester.Deviation{
	tester.EditSAT(core.Push, "AES-GCM instead of AES-CBC", func(t *gdoi.SAT) {
		t.ESP.TransformID = uint8(policy.CipherAESGCM16)
		t.ESP.Attributes = tester.RemoveAttribute(t.ESP.Attributes, gdoi.AuthAlgorithm)
	}),
	tester.EditKeys(core.Push, gdoi.KDTypeTEK, "a key of AES-GCM", func(p *gdoi.KeyPacket) {
		p.Attributes = tester.RemoveAttribute(p.Attributes, gdoi.TEKIntegrityKey)
		p.Attributes[0].Value = append(slices.Clone(p.Attributes[0].Value), 1, 2, 3, 4)
	}),
}
