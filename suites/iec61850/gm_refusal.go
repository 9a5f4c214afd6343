package iec61850

import (
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
	"github.com/gdoilab/gdoilab/suites/kit"
)

// refusal is a message of the key server that a member has to refuse, in one sentence.
type refusal struct {
	sentence    string
	requirement rule.ID
	group       func(*policy.Group)
	deviation   func(core.Kind) tester.Deviation
}

const (
	assurance101 = 101
	unassigned   = 100
)

// policies are refusals of what an SA payload says.
var policies = []refusal{
	{"without an OID", "RFC8052-2.2-01", plainly, of(tester.IECTraffic, []byte{})},
	{"whose OID is no DER", "RFC8052-2.2-01", plainly, of(tester.IECTraffic, []byte("1.2.3"))},
	{"whose OID is cut short", "RFC8052-2.2-01", plainly, of(tester.IECTraffic, []byte{6, 4, 0x2a, 3})},
	{"whose OID has octets behind it", "RFC8052-2.2-01", plainly, of(tester.IECTraffic, []byte{6, 2, 0x2a, 3, 0})},
	{"with SPI 0", "RFC8052-2.2-01", plainly, of(tester.IECSPI, 0)},
	{"with authentication algorithm 0", "RFC8052-4-01", plainly, of(tester.IECAuthentication, 0)},
	{"with authentication algorithm 6", "RFC8052-4-01", plainly, of(tester.IECAuthentication, 6)},
	{"with confidentiality algorithm 0", "RFC8052-4-01", plainly, of(tester.IECEncryption, 0)},
	{"with confidentiality algorithm 6", "RFC8052-4-01", plainly, of(tester.IECEncryption, 6)},
	{"with AES-CBC-128 and no authentication", "RFC8052-2.2.3-01", inCBC, of(tester.IECUnauthenticated, gdoi.IECEncryptionAES128CBC)},
	{"with AES-CBC-256 and no authentication", "RFC8052-2.2.3-01", inCBC, of(tester.IECUnauthenticated, gdoi.IECEncryptionAES256CBC)},
	{"with an attribute that nobody knows", "RFC8052-4-01", plainly, attributes("an unassigned attribute", wire.TV(unassigned, 1))},
	{"with two activation delays", "RFC8052-4-01", plainly,
		attributes("two SA_ATD", wire.TLV32(gdoi.IECActivation, 1), wire.TLV32(gdoi.IECActivation, 2))},
	{"whose SA_KDA has a length field", "RFC8052-4-01", plainly, attributes("SA_KDA as TLV", wire.TLV(gdoi.IECKeyAssurance, []byte{0, 50}))},
	{"whose SA_KDA is more than 100", "RFC8052-4-01", plainly, attributes("SA_KDA 101", wire.TV(gdoi.IECKeyAssurance, assurance101))},
}

// keys are refusals of what a KD has.
var keys = []refusal{
	{"a key of HMAC-SHA256 of 31 octets", "RFC8052-2.3-02", plainly, octets(gdoi.TEKIntegrityKey, 31)},
	{"a key of HMAC-SHA256 of 33 octets", "RFC8052-2.3-02", plainly, octets(gdoi.TEKIntegrityKey, 33)},
	{"a key of HMAC-SHA256 of 16 octets", "RFC8052-2.3-02", plainly, octets(gdoi.TEKIntegrityKey, 16)},
	{"a key of AES-GMAC without salt", "RFC8052-2.3-02", withGMAC, octets(gdoi.TEKIntegrityKey, 16)},
	{"a key of AES-GMAC with a salt of 3 octets", "RFC8052-2.3-02", withGMAC, octets(gdoi.TEKIntegrityKey, 19)},
	{"a key of AES-CBC of 15 octets", "RFC8052-2.3-03", inCBC, octets(gdoi.TEKAlgorithmKey, 15)},
	{"a key of AES-CBC with a salt", "RFC8052-2.3-03", inCBC, octets(gdoi.TEKAlgorithmKey, 20)},
	{"a key of AES-GCM without salt", "RFC8052-2.3-03", inGCM, octets(gdoi.TEKAlgorithmKey, 16)},
	{"a key of AES-GCM with a salt of 5 octets", "RFC8052-2.3-03", inGCM, octets(gdoi.TEKAlgorithmKey, 21)},
}

var _ = Describe("What a member does not take of IEC 61850 (RFC 8052)", kit.Subject("iec61850"), kit.DUT(rule.GM), func() {
	for _, r := range policies {
		It("refuses a SAT of IEC 61850 "+r.sentence, kit.Requirement(string(r.requirement)), kit.Negative, func(ctx SpecContext) {
			r.atRegistration(ctx, core.Pull2)
		})
		It("drops a rekey with a SAT of IEC 61850 "+r.sentence, kit.Requirement(string(r.requirement)), kit.Negative, r.inRekey)
	}
	for _, r := range keys {
		It("refuses "+r.sentence, kit.Requirement(string(r.requirement)), kit.Negative, func(ctx SpecContext) {
			r.atRegistration(ctx, core.Pull4)
		})
		It("drops a rekey with "+r.sentence, kit.Requirement(string(r.requirement)), kit.Negative, r.inRekey)
	}

	It("refuses SATs of IEC 61850 if it has nobody to hand the keys to", kit.Requirement("RFC8052-2.2-01"), kit.Negative, func(ctx SpecContext) {
		s := stage(ctx, plainly, func(i int, m *policy.Member) {
			servant(i, m)
			m.IEC61850 = false
		})
		s.begin()
		kit.Control(s.Wait(ctx, lab.Patience, func() bool { return len(s.messages(0, core.Pull1)) > 1 }), "the member asks for the group, and again")
		Expect(s.messages(0, core.Pull2)).NotTo(BeEmpty(), "the key server has offered its policy")
		Expect(s.messages(0, core.Pull3)).To(BeEmpty(), "the member does not go on with it")
		kit.ExpectRefused(ctx, s.GM[0], "RFC8052-2.2-01", BeNumerically(">", 0))
	})
})

// atRegistration has the member meet the deviation in its first registration: it registers anew instead of going on, and the next
// registration, which is right, gets it into the group.
func (r refusal) atRegistration(ctx SpecContext, kind core.Kind) {
	GinkgoHelper()
	s := stage(ctx, r.group, servant)
	s.misbehave(tester.Once(r.deviation(kind)))
	s.begin()
	asked := func() int { return len(s.messages(0, core.Pull1)) }
	kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return asked() > 0 }), "the member asks for the group")
	s.Wait(ctx, lab.Patience, func() bool { return asked() > 1 || s.GM[0].Registered(ctx) })
	Expect(asked()).To(BeNumerically(">", 1), "it asks anew")
	kit.ExpectRefused(ctx, s.GM[0], r.requirement, BeNumerically(">", 0), "it counts a refusal for %s", r.requirement)

	registered := s.GM[0].AwaitRegistered(ctx) == nil
	kit.Control(registered && s.holds(s.current()), "the unaltered registration is accepted")
	if s.GM[0].Tells("REGISTERED") { // keys of IEC 61850 cross no wire, by which a registration in vain could be told from one that was not
		Expect(s.GM[0].Registrations()).To(Equal(1), "and it is the only one")
	}
}

// inRekey has the member meet the deviation in a rekey, which it drops, and then take one that is right.
func (r refusal) inRekey(ctx SpecContext) {
	GinkgoHelper()
	s := joined(ctx, r.group)
	s.misbehave(r.deviation(core.Push))
	before := s.held()
	kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
	s.Pass(ctx, kit.Settle)
	Expect(spis(s.held())).To(ConsistOf(spis(before)), "it has what it had")
	kit.ExpectRefused(ctx, s.GM[0], r.requirement, BeNumerically(">", 0), "it counts a refusal for %s", r.requirement)
	s.misbehave()
	kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
	kit.Control(s.holds(s.current()), "the next rekey, which is right, is accepted")
}

func spis(held map[string]control.SA) (all []string) {
	for spi := range held {
		all = append(all, spi)
	}
	return all
}

// of completes a deviation that needs one value.
func of[T any](make func(core.Kind, T) tester.Deviation, value T) func(core.Kind) tester.Deviation {
	return func(kind core.Kind) tester.Deviation { return make(kind, value) }
}

func attributes(what string, as ...wire.Attribute) func(core.Kind) tester.Deviation {
	return func(kind core.Kind) tester.Deviation { return tester.IECAttributes(kind, what, as...) }
}

func octets(number uint16, n int) func(core.Kind) tester.Deviation {
	return func(kind core.Kind) tester.Deviation { return tester.KeyOctets(kind, number, n) }
}
