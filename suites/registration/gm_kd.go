package registration

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("KD at a member (RFC 6407 §5.6)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	refusals(4, []refusal{
		{sentence: "refuses a KD whose second reserved field is not zero", requirement: "RFC6407-5.6-01",
			deviation: tester.EditKD(core.Pull4, "RESERVED2 1", func(kd *gdoi.KD) { kd.Reserved2 = 1 })},
		{sentence: "refuses a key packet whose reserved octet is not zero", requirement: "RFC6407-5.6-01",
			deviation: tester.EditKeys(core.Pull4, gdoi.KDTypeTEK, "RESERVED 1", func(p *gdoi.KeyPacket) { p.Reserved = 1 })},
		{sentence: "refuses a KD with fewer key packets than it says", requirement: "RFC6407-5.6-01",
			deviation: tester.EditKD(core.Pull4, "one key packet too few", func(kd *gdoi.KD) { kd.Count = count(len(kd.Packets) + 1) })},
		{sentence: "refuses a KD with more key packets than it says", requirement: "RFC6407-5.6-01",
			deviation: tester.EditKD(core.Pull4, "one key packet too many", func(kd *gdoi.KD) { kd.Count = count(len(kd.Packets) - 1) })},
		{sentence: "refuses a key packet of a type that nobody knows", requirement: "RFC6407-5.3.2-01",
			deviation: anotherPacket("KD Type 100", gdoi.KeyPacket{Type: unassigned})},
		{sentence: "refuses a TEK for an SPI that no SAT has", requirement: "RFC6407-5.6-03 RFC6407-3.3-06",
			deviation: tester.EditKeys(core.Pull4, gdoi.KDTypeTEK, "another SPI", strangeSPI)},
		{sentence: "refuses a KEK for an SPI that the SAK does not have", requirement: "RFC6407-5.6-03 RFC6407-3.3-06",
			deviation: tester.EditKeys(core.Pull4, gdoi.KDTypeKEK, "another SPI", strangeSPI)},
		{sentence: "refuses a KD without the key of the SAK", requirement: "RFC6407-3.2-18",
			deviation: tester.OmitKeys(core.Pull4, gdoi.KDTypeKEK)},
		{sentence: "refuses a KD with the key of one SAT and without that of another", requirement: "RFC6407-3.2-18", group: withTwoSAs,
			deviation: withoutLast(gdoi.KDTypeTEK)},
		{sentence: "refuses a KD without any key where no rekey could bring one", requirement: "RFC6407-3.2-18", group: withoutRekey,
			deviation: tester.OmitKeys(core.Pull4, gdoi.KDTypeTEK)},

		{sentence: "refuses two TEK packets for one SPI", requirement: "RFC6407-5.6.1-01", deviation: doubled(gdoi.KDTypeTEK)},
		{sentence: "refuses a TEK packet with two cipher keys", requirement: "RFC6407-5.6.1-01",
			deviation: keyTwice(gdoi.KDTypeTEK)},
		{sentence: "refuses a TEK packet with an integrity key that its SAT does not call for", requirement: "RFC6407-5.6.1-01",
			deviation: keyWith(gdoi.KDTypeTEK, "an integrity key", wire.TLV(gdoi.TEKIntegrityKey, make([]byte, 32)))},
		{sentence: "refuses a TEK packet without cipher key", requirement: "RFC6407-5.6.1-01",
			deviation: keyWithout(gdoi.KDTypeTEK, gdoi.TEKAlgorithmKey)},
		{sentence: "refuses a TEK packet without the integrity key of HMAC", requirement: "RFC6407-5.6.1-01", group: withCBC,
			deviation: keyWithout(gdoi.KDTypeTEK, gdoi.TEKIntegrityKey)},
		{sentence: "refuses a key of AES-CBC that is too short", requirement: "RFC6407-5.6.1-04", group: withCBC,
			deviation: keyWith(gdoi.KDTypeTEK, "a key of 15 octets", wire.TLV(gdoi.TEKAlgorithmKey, make([]byte, 15)))},
		{sentence: "refuses a key of AES-CBC that is too long", requirement: "RFC6407-5.6.1-04", group: withCBC,
			deviation: keyWith(gdoi.KDTypeTEK, "a key of 32 octets", wire.TLV(gdoi.TEKAlgorithmKey, make([]byte, 32)))},
		{sentence: "refuses a key of AES-GCM without salt", requirement: "RFC4106-8.1-01",
			deviation: keyWith(gdoi.KDTypeTEK, "a key of 16 octets", wire.TLV(gdoi.TEKAlgorithmKey, make([]byte, 16)))},
		{sentence: "refuses a key of HMAC-SHA-256 of 20 octets", requirement: "RFC4868-2.1.1-01 RFC6407-5.6.1.2-01", group: withCBC,
			deviation: keyWith(gdoi.KDTypeTEK, "an integrity key of 20 octets", wire.TLV(gdoi.TEKIntegrityKey, make([]byte, 20)))},

		{sentence: "refuses two KEK packets", requirement: "RFC6407-5.6.2-03", deviation: doubled(gdoi.KDTypeKEK)},
		{sentence: "refuses a KEK packet with two cipher keys", requirement: "RFC6407-5.6.2-01", deviation: keyTwice(gdoi.KDTypeKEK)},
		{sentence: "refuses a KEK packet without cipher key", requirement: "RFC6407-5.6.2-01",
			deviation: keyWithout(gdoi.KDTypeKEK, gdoi.KEKAlgorithmKey)},
		{sentence: "refuses a KEK packet without the public key of PUSH", requirement: "RFC6407-5.6.2-01 RFC6407-5.6.2.2-01",
			deviation: keyWithout(gdoi.KDTypeKEK, gdoi.SigAlgorithmKey)},
		{sentence: "refuses a KEK packet with an attribute that nobody knows", requirement: "RFC6407-5.6.2-01",
			deviation: keyWith(gdoi.KDTypeKEK, "an unassigned attribute", wire.TV(unassigned, 1))},
		{sentence: "refuses a KEK without the IV before it", requirement: "RFC6407-5.6.2.1-01",
			deviation: keyWith(gdoi.KDTypeKEK, "a key of 16 octets", wire.TLV(gdoi.KEKAlgorithmKey, make([]byte, 16)))},
		{sentence: "refuses a KEK packet whose key is in Basic form", requirement: "RFC6407-5.6.2.1-01 RFC6407-5.6.2-02",
			deviation: keyWith(gdoi.KDTypeKEK, "KEK_ALGORITHM_KEY as TV", wire.TV(gdoi.KEKAlgorithmKey, 1))},
		{sentence: "refuses a public key that is none", requirement: "RFC6407-5.6.2.2-01",
			deviation: keyWith(gdoi.KDTypeKEK, "SIG_ALGORITHM_KEY of zeros", wire.TLV(gdoi.SigAlgorithmKey, make([]byte, 64)))},
		{sentence: "refuses a public key of another length than the SAK says", requirement: "RFC6407-5.3.7-01",
			deviation: sakWith("SIG_KEY_LENGTH 1024", wire.TV(gdoi.SigKeyLength, 1024))},

		{sentence: "refuses a SID packet with an SPI", requirement: "RFC6407-5.6.4-01",
			deviation: tester.EditKeys(core.Pull4, gdoi.KDTypeSID, "an SPI", func(p *gdoi.KeyPacket) { p.SPI = []byte{0, 0, 0, 1} })},
		{sentence: "refuses a SID packet with an attribute that nobody knows", requirement: "RFC6407-5.3.2-01",
			deviation: keyWith(gdoi.KDTypeSID, "an unassigned attribute", wire.TV(unassigned, 1))},
		{sentence: "refuses a SID packet that does not say how long its SIDs are", requirement: "RFC6407-5.6.4.1-01",
			deviation: keyWithout(gdoi.KDTypeSID, gdoi.SIDBits)},
		{sentence: "refuses a SID that is wider than the packet says", requirement: "RFC6407-5.6.4.1-01",
			deviation: keyWith(gdoi.KDTypeSID, "SID 256 of 8 bits", wire.TLV32(gdoi.SIDValue, 256))},
		{sentence: "refuses SIDs of 0 bits", requirement: "RFC6407-5.6.4.1-01",
			deviation: keyWith(gdoi.KDTypeSID, "NUMBER_OF_SID_BITS 0", wire.TV(gdoi.SIDBits, 0))},
		{sentence: "refuses SIDs that leave no IV to count", requirement: "RFC6407-5.6.4.1-01",
			deviation: keyWith(gdoi.KDTypeSID, "NUMBER_OF_SID_BITS 64", wire.TV(gdoi.SIDBits, 64))},
		{sentence: "refuses SIDs of two lengths", requirement: "RFC6054-3-05",
			deviation: anotherPacket("a SID of 12 bits", gdoi.KeyPacket{Type: gdoi.KDTypeSID,
				Attributes: []wire.Attribute{wire.TV(gdoi.SIDBits, 12), wire.TLV32(gdoi.SIDValue, 7)}})},
	})
})

func count(n int) *uint16 {
	c := uint16(n)
	return &c
}

func strangeSPI(p *gdoi.KeyPacket) {
	p.SPI = slices.Clone(p.SPI)
	p.SPI[len(p.SPI)-1] ^= 1
}

// anotherPacket adds a key packet at the end of the KD.
func anotherPacket(what string, p gdoi.KeyPacket) tester.Deviation {
	return tester.EditKD(core.Pull4, what, func(kd *gdoi.KD) { kd.Packets = append(kd.Packets, p) })
}

// doubled sends the key packets of that type twice.
func doubled(typ gdoi.KDType) tester.Deviation {
	return tester.EditKD(core.Pull4, "each "+typ.String()+" packet twice", func(kd *gdoi.KD) {
		for _, p := range slices.Clone(kd.Packets) {
			if p.Type == typ {
				kd.Packets = append(kd.Packets, p)
			}
		}
	})
}

// withoutLast leaves out the last key packet of that type.
func withoutLast(typ gdoi.KDType) tester.Deviation {
	return tester.EditKD(core.Pull4, "the last "+typ.String()+" packet left out", func(kd *gdoi.KD) {
		for i := len(kd.Packets) - 1; i >= 0; i-- {
			if kd.Packets[i].Type == typ {
				kd.Packets = slices.Delete(kd.Packets, i, i+1)
				return
			}
		}
	})
}

// keyWith has the key packets of that type say the attribute.
func keyWith(typ gdoi.KDType, what string, a wire.Attribute) tester.Deviation {
	return tester.EditKeys(core.Pull4, typ, what, func(p *gdoi.KeyPacket) { p.Attributes = tester.SetAttribute(p.Attributes, a) })
}

// keyWithout has the key packets of that type lack an attribute.
func keyWithout(typ gdoi.KDType, number uint16) tester.Deviation {
	return tester.EditKeys(core.Pull4, typ, "an attribute missing in "+typ.String(), func(p *gdoi.KeyPacket) {
		p.Attributes = tester.RemoveAttribute(p.Attributes, number)
	})
}

// keyTwice has the key packets of that type say their first attribute twice.
func keyTwice(typ gdoi.KDType) tester.Deviation {
	return tester.EditKeys(core.Pull4, typ, "a key twice in "+typ.String(), func(p *gdoi.KeyPacket) {
		p.Attributes = append(p.Attributes, p.Attributes[0])
	})
}
