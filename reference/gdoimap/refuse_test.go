package gdoimap

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// refusal is one thing that a key server must not send, and the guard that sees it.
type refusal struct {
	name  string
	guard *rule.Guard
	alter func(*fixture)
}

var unknownPayload = isakmp.Raw{PayloadType: 99, Body: []byte{1, 2, 3, 4}}

var saRefusals = []refusal{
	{"DOI 1", checkDOI, func(f *fixture) { f.sa.DOI = 1 }},
	{"DOI 0", checkDOI, func(f *fixture) { f.sa.DOI = 0 }},
	{"situation 1", checkSituation, func(f *fixture) { f.sa.Situation = 1 }},
	{"RESERVED2", checkSAReserved, func(f *fixture) { f.sa.Reserved2 = 0xffff }},
	{"first payload KD", checkFirst, func(f *fixture) { f.sa.AttributeNext = 17; f.packets(atTEKofGCM, atTEKofCBC) }},
	{"first payload in the wrong octet", checkFirst, func(f *fixture) { f.sa.AttributeNext = 0x100 | 15 }},
	{"GAP alone", checkSomething, func(f *fixture) { f.order(atGAP); f.packets() }},
	{"nothing", checkSomething, func(f *fixture) { f.sa.Attributes, f.sa.AttributeNext = nil, 0; f.packets() }},
	{"two SAKs", checkOnce, func(f *fixture) { f.order(atSAK, atSAK, atGAP, atGCM, atCBC) }},
	{"two GAPs", checkOnce, func(f *fixture) { f.order(atSAK, atGAP, atGAP, atGCM, atCBC) }},
	{"SAK after SAT", checkOrder, func(f *fixture) { f.order(atGCM, atSAK, atCBC) }},
	{"SAK last", checkOrder, func(f *fixture) { f.order(atGCM, atCBC, atSAK) }},
	{"GAP after SAT", checkGAPPlace, func(f *fixture) { f.order(atSAK, atGCM, atGAP, atCBC) }},
	{"GAP before SAK", checkGAPPlace, func(f *fixture) { f.order(atGAP, atSAK, atGCM, atCBC) }},
	{"unknown after SAK", checkAfterSAK, func(f *fixture) { f.insert(atSAK+1, unknownPayload) }},
	{"unknown after GAP", checkAfterGAP, func(f *fixture) { f.insert(atGAP+1, unknownPayload) }},
	{"unknown after SAT", checkAfterSAT, func(f *fixture) { f.insert(atGCM+1, unknownPayload) }},
	{"unknown at the end", checkAfterSAT, func(f *fixture) { f.insert(atCBC+1, unknownPayload) }},
	{"RESERVED of SAK", checkSAKOctet, func(f *fixture) { f.reserve(atSAK) }},
	{"RESERVED of GAP", checkGAPOctet, func(f *fixture) { f.reserve(atGAP) }},
	{"RESERVED of SAT", checkSATOctet, func(f *fixture) { f.reserve(atCBC) }},
	{"GAP attribute 77", checkGAPUnknown, gapWith(wire.TV(77, 1))},
	{"ATD as TLV", checkGAPUnknown, gapWith(wire.TLV(gdoi.GAPActivation, from(0xf0, 8)))},
	{"two ATDs", checkGAPUnknown, func(f *fixture) {
		f.gap(func(p *gdoi.GAP) { p.Attributes = append(p.Attributes, wire.TV(gdoi.GAPActivation, 6)) })
	}},
	{"SENDER_ID_REQUEST", checkGAPDirection, gapWith(wire.TV(gdoi.GAPSenderIDRequest, 1))},
}

var sakRefusals = []refusal{
	{"RESERVED2", checkSAKReserved, func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Reserved2 = 1 }) }},
	{"TCP", checkSAKProtocol, func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Protocol = 6 }) }},
	{"ID type 200", checkEndpoint, func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Destination.Type = 200 }) }},
	{"source of IPv6 with 4 octets", checkEndpoint, func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Source.Type = 5 }) }},
	{"source of IPv4 with 16 octets", checkEndpoint, func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Source.Data = make([]byte, 16) }) }},
	{"a subnet as source", checkEndpoint, func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Source.Type, p.Source.Data = 4, make([]byte, 8) }) }},
	{"source of three octets", checkEndpoint, func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Source.Data = make([]byte, 3) }) }},
	{"source of no octets", checkEndpoint, func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Source.Data = nil }) }},
	{"attribute 100", checkKEKUnknown, sakWith(wire.TV(100, 1))},
	{"attribute 8", checkKEKUnknown, sakWith(wire.TV(8, 14))},
	{"KEK_ALGORITHM 9", checkKEKValue, sakWith(wire.TV(gdoi.KEKAlgorithm, 9))},
	{"KEK_ALGORITHM DES", checkKEKValue, sakWith(wire.TV(gdoi.KEKAlgorithm, 1))},
	{"SIG_HASH_ALGORITHM MD5", checkKEKValue, sakWith(wire.TV(gdoi.SigHashAlgorithm, 1))},
	{"SIG_HASH_ALGORITHM 6", checkKEKValue, sakWith(wire.TV(gdoi.SigHashAlgorithm, 6))},
	{"SIG_ALGORITHM ECDSS", checkKEKValue, sakWith(wire.TV(gdoi.SigAlgorithm, 3))},
	{"ECDSA-256 with SHA-384", checkKEKValue, both(withRekey(ecdsaRekey), sakWith(wire.TV(gdoi.SigHashAlgorithm, 4)))},
	{"SIG_ALGORITHM DSS", checkKEKValue, sakWith(wire.TV(gdoi.SigAlgorithm, 2))},
	{"two KEK_ALGORITHMs", checkKEKValue, func(f *fixture) {
		f.sak(func(p *gdoi.SAK) { p.Attributes = append([]wire.Attribute{wire.TV(2, 1)}, p.Attributes...) })
	}},
	{"KEK_ALGORITHM as TLV", checkKEKForm, sakWith(wire.TLV(gdoi.KEKAlgorithm, []byte{0, 3}))},
	{"no KEK_ALGORITHM", checkKEKAlgorithm, sakWithout(gdoi.KEKAlgorithm)},
	{"no KEK_KEY_LENGTH", checkKEKKeyLength, sakWithout(gdoi.KEKKeyLength)},
	{"KEK_KEY_LENGTH 0", checkKEKKeySize, sakWith(wire.TV(gdoi.KEKKeyLength, 0))},
	{"KEK_KEY_LENGTH 512", checkKEKKeySize, sakWith(wire.TV(gdoi.KEKKeyLength, 512))},
	{"KEK_KEY_LENGTH 168 of 3DES", checkKEKKeySize, both(withRekey(tripleRekey), sakWith(wire.TV(gdoi.KEKKeyLength, 168)))},
	{"KEK_KEY_LIFETIME of three octets", checkKEKLifetime, sakWith(wire.TLV(gdoi.KEKKeyLifetime, from(0, 3)))},
	{"KEK_KEY_LIFETIME of eight octets", checkKEKLifetime, sakWith(wire.TLV(gdoi.KEKKeyLifetime, from(0xf0, 8)))},
	{"KEK_KEY_LIFETIME of no octets", checkKEKLifetime, sakWith(wire.TLV(gdoi.KEKKeyLifetime, nil))},
	{"no SIG_HASH_ALGORITHM", checkSigHash, sakWithout(gdoi.SigHashAlgorithm)},
	{"no SIG_ALGORITHM", checkSigAlgorithm, sakWithout(gdoi.SigAlgorithm)},
	{"SIG_KEY_LENGTH 1024", checkSigKeyLength, sakWith(wire.TV(gdoi.SigKeyLength, 1024))},
	{"SIG_KEY_LENGTH 512 of P-256", checkSigKeyLength, both(withRekey(ecdsaRekey), sakWith(wire.TV(gdoi.SigKeyLength, 512)))},
}

var satRefusals = []refusal{
	{"protocol 5", checkProtocol, func(f *fixture) { f.sat(atGCM, asRaw(5)); f.packets(atKEK, atTEKofCBC) }},
	{"protocol 0", checkProtocol, func(f *fixture) { f.sat(atGCM, asRaw(0)); f.packets(atKEK, atTEKofCBC) }},
	{"AH with AH_RSA", checkSATValue, asAH(gdoi.AHRSA, 5)},
	{"AH with transform 1", checkTransform, asAH(1, 5)},
	{"AH_SHA2-256 with HMAC-SHA1", checkAHAlgorithm, asAH(gdoi.AHSHA256, 2)},
	{"AH_SHA2-256 with Key Length", checkAHAlgorithm, func(f *fixture) {
		asAH(gdoi.AHSHA256, 5)(f)
		satWith(atCBC, wire.TV(gdoi.KeyLength, 256))(f)
	}},
	{"destination of ID type 200", checkSelector, satESP(atGCM, func(e *gdoi.SATESP) { e.Destination.Type = 200 })},
	{"source of ID type 200", checkSelector, satESP(atGCM, func(e *gdoi.SATESP) { e.Source.Type = 200 })},
	{"zeros of ID type 200", checkSelector, satESP(atGCM, func(e *gdoi.SATESP) { e.Source = gdoi.ID16{Type: 200, Data: make([]byte, 8)} })},
	{"IPv6 to IPv4", checkSelector, satESP(atCBC, func(e *gdoi.SATESP) { e.Source = gdoi.ID16{Type: 5, Data: from(0, 16)} })},
	{"zeros of IPv6 to IPv4", checkSelector, satESP(atCBC, func(e *gdoi.SATESP) { e.Source = gdoi.ID16{Type: 5, Data: make([]byte, 16)} })},
	{"a mask of IPv6 with a hole", checkSelector, satESP(atCBC, func(e *gdoi.SATESP) {
		e.Destination = gdoi.ID16{Type: 6, Data: append(make([]byte, 16), 255, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)}
	})},
	{"a range that is no prefix", checkSelector, satESP(atCBC, func(e *gdoi.SATESP) {
		e.Destination = gdoi.ID16{Type: 7, Data: []byte{10, 0, 0, 0, 10, 0, 0, 254}}
	})},
	{"a range that begins inside a prefix", checkSelector, satESP(atCBC, func(e *gdoi.SATESP) {
		e.Destination = gdoi.ID16{Type: 7, Data: []byte{10, 0, 0, 1, 10, 0, 0, 255}}
	})},
	{"a range of 9 octets", checkSelector, satESP(atCBC, func(e *gdoi.SATESP) { e.Destination = gdoi.ID16{Type: 7, Data: make([]byte, 9)} })},
	{"a range", checkSelector, satESP(atCBC, func(e *gdoi.SATESP) { e.Source.Type, e.Source.Data = 7, from(1, 8) })},
	{"a mask with a hole", checkSelector, satESP(atCBC, func(e *gdoi.SATESP) { e.Destination.Data = []byte{10, 0, 0, 0, 255, 0, 255, 0} })},
	{"no destination", checkSelector, satESP(atCBC, func(e *gdoi.SATESP) { e.Destination.Data = nil })},
	{"SPI 0", checkSPI, func(f *fixture) {
		f.sat(atCBC, func(p *gdoi.SAT) { p.ESP.SPI = 0 })
		f.kd.Packets[atTEKofCBC].SPI = make([]byte, 4)
	}},
	{"transform 0", checkTransform, satESP(atGCM, func(e *gdoi.SATESP) { e.TransformID = 0 })},
	{"transform 24", checkTransform, satESP(atGCM, func(e *gdoi.SATESP) { e.TransformID = 24 })},
	{"transform 17, which nothing is registered for", checkTransform, satESP(atGCM, func(e *gdoi.SATESP) { e.TransformID = 17 })},
	{"RC5", checkSATValue, satESP(atGCM, func(e *gdoi.SATESP) { e.TransformID = 4 })},
	{"AES-CCM", checkSATValue, satESP(atGCM, func(e *gdoi.SATESP) { e.TransformID = 16 })},
	{"attribute 100", checkSATUnknown, satWith(atGCM, wire.TV(100, 1))},
	{"sequence numbers of another length", checkSATValue, satWith(atGCM, wire.TV(gdoi.ExtendedSequenceNumber, 2))},
	{"extended sequence numbers as TLV", checkSATForm, satWith(atGCM, wire.TLV(gdoi.ExtendedSequenceNumber, []byte{0, 1}))},
	{"Encapsulation Mode as TLV", checkSATForm, satWith(atGCM, wire.TLV(gdoi.EncapsulationMode, []byte{0, 1}))},
	{"SA Life Type as TLV", checkSATForm, satWith(atGCM, wire.TLV(gdoi.SALifeType, []byte{0, 1}))},
	{"Encapsulation Mode 5", checkSATValue, satWith(atGCM, wire.TV(gdoi.EncapsulationMode, 5))},
	{"Encapsulation Mode 0", checkSATValue, satWith(atGCM, wire.TV(gdoi.EncapsulationMode, 0))},
	{"KPDK", checkSATValue, satWith(atCBC, wire.TV(gdoi.AuthAlgorithm, 4))},
	{"Authentication Algorithm 200", checkSATValue, satWith(atCBC, wire.TV(gdoi.AuthAlgorithm, 200))},
	{"CBC without integrity", checkSATValue, satWithout(atCBC, gdoi.AuthAlgorithm)},
	{"GCM with integrity", checkNoIntegrity, satWith(atGCM, wire.TV(gdoi.AuthAlgorithm, 5))},
	{"CBC without Key Length", checkKeyLength, satWithout(atCBC, gdoi.KeyLength)},
	{"CBC of 100 bits", checkSATValue, satWith(atCBC, wire.TV(gdoi.KeyLength, 100))},
	{"GCM without Key Length", checkGCMKeyLength, satWithout(atGCM, gdoi.KeyLength)},
	{"GCM of 100 bits", checkGCMKeyLength, satWith(atGCM, wire.TV(gdoi.KeyLength, 100))},
	{"Address Preservation 0", checkPreservation, satWith(atGCM, wire.TV(gdoi.AddressPreservation, 0))},
	{"Address Preservation 5", checkPreservation, satWith(atGCM, wire.TV(gdoi.AddressPreservation, 5))},
	{"SA Direction 0", checkSATValue, satWith(atGCM, wire.TV(gdoi.SADirection, 0))},
	{"SA Direction 4", checkSATValue, satWith(atGCM, wire.TV(gdoi.SADirection, 4))},
	{"two kinds of Address Preservation", checkConflict, satAdd(atGCM, wire.TV(gdoi.AddressPreservation, 3))},
	{"two lifetimes", checkConflict, satAdd(atGCM, wire.TV(gdoi.SALifeType, 1), wire.TLV32(gdoi.SALifeDuration, 1))},
	{"kilobytes", checkSATValue, satAdd(atGCM, wire.TV(gdoi.SALifeType, 2), wire.TLV32(gdoi.SALifeDuration, 1))},
	{"lifetime of nine octets", checkSATValue, satWith(atGCM, wire.TLV(gdoi.SALifeDuration, from(0, 9)))},
	{"SA Life Duration alone", checkLifeOrder, satWithout(atGCM, gdoi.SALifeType)},
	{"SA Life Type alone", checkLifeOrder, satWithout(atGCM, gdoi.SALifeDuration)},
	{"SA Life Type last", checkLifeOrder, satAdd(atGCM, wire.TV(gdoi.SALifeType, 1))},
	{"SA Life Duration first", checkLifeOrder, satESP(atGCM, func(e *gdoi.SATESP) {
		e.Attributes[0], e.Attributes[1] = e.Attributes[1], e.Attributes[0]
	})},
}

var kdRefusals = []refusal{
	{"RESERVED2", checkKDReserved, func(f *fixture) { f.kd.Reserved2 = 1 }},
	{"RESERVED of a packet", checkKDReserved, func(f *fixture) { f.kd.Packets[atTEKofCBC].Reserved = 1 }},
	{"one packet too many announced", checkCount, func(f *fixture) { f.count(5) }},
	{"one packet too few announced", checkCount, func(f *fixture) { f.count(3) }},
	{"key packet of type 5", checkKDType, func(f *fixture) { f.kd.Packets = append(f.kd.Packets, gdoi.KeyPacket{Type: 5}) }},
	{"TEK of another SPI", checkBound, func(f *fixture) { f.kd.Packets[atTEKofGCM].SPI = from(1, 4) }},
	{"TEK of 16 octets of SPI", checkBound, func(f *fixture) { f.kd.Packets[atTEKofGCM].SPI = from(1, 16) }},
	{"TEK too many", checkBound, func(f *fixture) {
		f.packets(atKEK, atTEKofGCM, atTEKofCBC, atTEKofCBC)
		f.kd.Packets[3].SPI = from(1, 4)
	}},
	{"KEK of another SPI", checkBound, func(f *fixture) { f.kd.Packets[atKEK].SPI = from(1, 16) }},
	{"KEK without a SAK", checkBound, func(f *fixture) { f.order(atGAP, atGCM, atCBC) }},
	{"no KEK", checkComplete, func(f *fixture) { f.packets(atTEKofGCM, atTEKofCBC) }},
	{"no TEK of the last SAT", checkComplete, func(f *fixture) { f.packets(atKEK, atTEKofGCM) }},
	{"no TEK of the first SAT", checkComplete, func(f *fixture) { f.packets(atKEK, atTEKofCBC) }},
	{"no packets", checkComplete, func(f *fixture) { f.packets() }},
	{"two TEK packets for an SPI", checkTEKOnce, func(f *fixture) { f.packets(atKEK, atTEKofGCM, atTEKofGCM, atTEKofCBC) }},
	{"two TEK_ALGORITHM_KEYs", checkTEKOnce, keyAdd(atTEKofGCM, wire.TLV(gdoi.TEKAlgorithmKey, from(0x60, 20)))},
	{"GCM with TEK_INTEGRITY_KEY", checkTEKOnce, keyAdd(atTEKofGCM, wire.TLV(gdoi.TEKIntegrityKey, from(0, 32)))},
	{"attribute 99 in a TEK packet", checkTEKOnce, keyAdd(atTEKofGCM, wire.TLV(99, from(0, 32)))},
	{"no TEK_ALGORITHM_KEY", checkTEKOnce, keyWithout(atTEKofGCM, gdoi.TEKAlgorithmKey)},
	{"no TEK_INTEGRITY_KEY", checkTEKOnce, keyWithout(atTEKofCBC, gdoi.TEKIntegrityKey)},
	{"GCM without salt", checkGCMKey, keyWith(atTEKofGCM, wire.TLV(gdoi.TEKAlgorithmKey, from(0, 16)))},
	{"GCM of 256 bits for 128", checkGCMKey, keyWith(atTEKofGCM, wire.TLV(gdoi.TEKAlgorithmKey, from(0, 36)))},
	{"CBC of 15 octets", checkCipherKey, keyWith(atTEKofCBC, wire.TLV(gdoi.TEKAlgorithmKey, from(0, 15)))},
	{"CBC of no octets", checkCipherKey, keyWith(atTEKofCBC, wire.TLV(gdoi.TEKAlgorithmKey, nil))},
	{"CBC with salt", checkCipherKey, keyWith(atTEKofCBC, wire.TLV(gdoi.TEKAlgorithmKey, from(0, 20)))},
	{"HMAC of 20 octets", checkIntegrityKey, keyWith(atTEKofCBC, wire.TLV(gdoi.TEKIntegrityKey, from(0, 20)))},
	{"HMAC of 33 octets", checkIntegrityKey, keyWith(atTEKofCBC, wire.TLV(gdoi.TEKIntegrityKey, from(0, 33)))},
	{"two KEK packets", checkOneKEK, func(f *fixture) { f.packets(atKEK, atTEKofGCM, atTEKofCBC, atKEK) }},
	{"two KEK_ALGORITHM_KEYs", checkKEKOnce, keyAdd(atKEK, wire.TLV(gdoi.KEKAlgorithmKey, from(0, 32)))},
	{"attribute 9 in the KEK packet", checkKEKOnce, keyAdd(atKEK, wire.TLV(9, from(0, 32)))},
	{"no KEK_ALGORITHM_KEY", checkKEKOnce, keyWithout(atKEK, gdoi.KEKAlgorithmKey)},
	{"no SIG_ALGORITHM_KEY", checkKEKOnce, keyWithout(atKEK, gdoi.SigAlgorithmKey)},
	{"KEK without IV", checkKEKKey, keyWith(atKEK, wire.TLV(gdoi.KEKAlgorithmKey, from(0, 16)))},
	{"KEK of no octets", checkKEKKey, keyWith(atKEK, wire.TLV(gdoi.KEKAlgorithmKey, nil))},
	{"KEK of 256 bits for 128", checkKEKKey, keyWith(atKEK, wire.TLV(gdoi.KEKAlgorithmKey, from(0, 48)))},
	{"KEK of 16 octets of IV for 3DES", checkKEKKey, both(withRekey(tripleRekey), keyWith(atKEK, wire.TLV(gdoi.KEKAlgorithmKey, from(0, 40))))},
	{"3DES with K1 = K2", checkThreeKeys, both(withRekey(tripleRekey), keyWith(atKEK, wire.TLV(gdoi.KEKAlgorithmKey, tripleKey(1, 1, 2))))},
	{"3DES with K2 = K3", checkThreeKeys, both(withRekey(tripleRekey), keyWith(atKEK, wire.TLV(gdoi.KEKAlgorithmKey, tripleKey(1, 2, 2))))},
	{"3DES with K1 = K3", checkThreeKeys, both(withRekey(tripleRekey), keyWith(atKEK, wire.TLV(gdoi.KEKAlgorithmKey, tripleKey(1, 2, 1))))},
	{"an RSA key for ECDSA", checkPublicKey, both(withRekey(ecdsaRekey), keyWith(atKEK, wire.TLV(gdoi.SigAlgorithmKey, der(signerPEM))))},
	{"an ECDSA key", checkPublicKey, keyWith(atKEK, wire.TLV(gdoi.SigAlgorithmKey, der(ecdsaPEM)))},
	{"no public key", checkPublicKey, keyWith(atKEK, wire.TLV(gdoi.SigAlgorithmKey, nil))},
	{"no DER", checkPublicKey, keyWith(atKEK, wire.TLV(gdoi.SigAlgorithmKey, from(0, 32)))},
	{"SID with SPI", checkSIDSPI, func(f *fixture) { f.kd.Packets[atSID].SPI = from(0, 4) }},
	{"attribute 9 in the SID packet", checkSIDUnknown, keyAdd(atSID, wire.TV(9, 1))},
	{"no NUMBER_OF_SID_BITS", checkSIDWidth, keyWithout(atSID, gdoi.SIDBits)},
	{"two NUMBER_OF_SID_BITS", checkSIDWidth, keyAdd(atSID, wire.TV(gdoi.SIDBits, 8))},
	{"SIDs of 0 bits", checkSIDWidth, keyWith(atSID, wire.TV(gdoi.SIDBits, 0))},
	{"SIDs of 64 bits", checkSIDWidth, keyWith(atSID, wire.TV(gdoi.SIDBits, 64))},
	{"a SID of nine bits", checkSIDWidth, keyAdd(atSID, wire.TLV(gdoi.SIDValue, []byte{1, 0}))},
	{"a SID of five octets", checkSIDWidth, keyAdd(atSID, wire.TLV(gdoi.SIDValue, from(0, 5)))},
	{"a SID of no octets", checkSIDWidth, keyAdd(atSID, wire.TLV(gdoi.SIDValue, nil))},
	{"SIDs of two lengths", checkSIDSame, func(f *fixture) {
		f.packets(atKEK, atTEKofGCM, atTEKofCBC, atSID, atSID)
		f.kd.Packets[atSID].Attributes = []wire.Attribute{wire.TV(gdoi.SIDBits, 12)}
	}},
}

func (f *fixture) count(n uint16) { f.kd.Count = &n }

// withRekey has the fixture be of another Rekey SA.
func withRekey(rekey func() *policy.RekeySA) func(*fixture) {
	return func(f *fixture) { *f = *fixtureOf(rekey(), nil) }
}

func both(first, second func(*fixture)) func(*fixture) {
	return func(f *fixture) { first(f); second(f) }
}

// tripleKey is an IV and a key of 3DES from three of DES.
func tripleKey(keys ...byte) []byte {
	material := make([]byte, 8)
	for _, k := range keys {
		material = append(material, bytes.Repeat([]byte{k << 1}, 8)...)
	}
	return material
}

func gapWith(a wire.Attribute) func(*fixture) {
	return func(f *fixture) { f.gap(func(p *gdoi.GAP) { p.Attributes = with(p.Attributes, a) }) }
}

func sakWith(a wire.Attribute) func(*fixture) {
	return func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Attributes = with(p.Attributes, a) }) }
}

func sakWithout(number uint16) func(*fixture) {
	return func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Attributes = without(p.Attributes, number) }) }
}

// otherRefusals alter the fixture of the other transforms.
var otherRefusals = []refusal{
	{"GMAC with integrity", checkGMACAlone, satWith(atGMAC, wire.TV(gdoi.AuthAlgorithm, 5))},
	{"GMAC without Key Length", checkGMACKeyLength, satWithout(atGMAC, gdoi.KeyLength)},
	{"GMAC of 160 bits", checkGMACKeyLength, satWith(atGMAC, wire.TV(gdoi.KeyLength, 160))},
	{"3DES with Key Length", checkNoKeyLength, satWith(at3DES, wire.TV(gdoi.KeyLength, 192))},
	{"3DES without integrity", checkSATValue, func(f *fixture) {
		satWithout(at3DES, gdoi.AuthAlgorithm)(f)
		keyWith(at3DES, wire.TLV(gdoi.TEKIntegrityKey, from(0, 32)))(f) // of what the mutant takes it for
	}},
	{"3DES with HMAC-MD5", checkSATValue, func(f *fixture) {
		satWith(at3DES, wire.TV(gdoi.AuthAlgorithm, 1))(f)
		keyWith(at3DES, wire.TLV(gdoi.TEKIntegrityKey, from(0, 32)))(f)
	}},
	{"NULL with Key Length", checkNoKeyLength, satWith(atNULL, wire.TV(gdoi.KeyLength, 128))},
	{"NULL without integrity", checkBothNULL, func(f *fixture) {
		satWithout(atNULL, gdoi.AuthAlgorithm)(f)
		keyWith(atNULL, wire.TLV(gdoi.TEKIntegrityKey, from(0, 32)))(f)
	}},
	{"NULL with KPDK", checkSATValue, func(f *fixture) {
		satWith(atNULL, wire.TV(gdoi.AuthAlgorithm, 4))(f)
		keyWith(atNULL, wire.TLV(gdoi.TEKIntegrityKey, from(0, 32)))(f)
	}},

	{"GMAC without salt", checkGMACKey, keyWith(atGMAC, wire.TLV(gdoi.TEKAlgorithmKey, from(0, 16)))},
	{"GMAC with TEK_INTEGRITY_KEY", checkTEKOnce, keyAdd(atGMAC, wire.TLV(gdoi.TEKIntegrityKey, from(0, 32)))},
	{"3DES of two keys", checkTripleDESKey, keyWith(at3DES, wire.TLV(gdoi.TEKAlgorithmKey, from(0, 16)))},
	{"3DES with a key twice", checkTripleDES, keyWith(at3DES, wire.TLV(gdoi.TEKAlgorithmKey, tripleKey(1, 1, 2)[8:]))},
	{"3DES with a key twice at the end", checkTripleDES, keyWith(at3DES, wire.TLV(gdoi.TEKAlgorithmKey, tripleKey(1, 2, 2)[8:]))},
	{"3DES with salt", checkTripleDESKey, keyWith(at3DES, wire.TLV(gdoi.TEKAlgorithmKey, from(0, 28)))},
	{"HMAC-SHA-1 of 16 octets", checkSHA1Key, keyWith(at3DES, wire.TLV(gdoi.TEKIntegrityKey, from(0, 16)))},
	{"HMAC-SHA-1 of 32 octets", checkSHA1Key, keyWith(at3DES, wire.TLV(gdoi.TEKIntegrityKey, from(0, 32)))},
	{"NULL with TEK_ALGORITHM_KEY", checkTEKOnce, keyAdd(atNULL, wire.TLV(gdoi.TEKAlgorithmKey, from(0, 16)))},
	{"NULL without TEK_INTEGRITY_KEY", checkTEKOnce, keyWithout(atNULL, gdoi.TEKIntegrityKey)},
	{"HMAC-SHA-512 of 32 octets", checkIntegrityKey, keyWith(atNULL, wire.TLV(gdoi.TEKIntegrityKey, from(0, 32)))},
}

func satESP(at int, alter func(*gdoi.SATESP)) func(*fixture) {
	return func(f *fixture) { f.sat(at, func(p *gdoi.SAT) { alter(p.ESP) }) }
}

func satWith(at int, a wire.Attribute) func(*fixture) {
	return satESP(at, func(e *gdoi.SATESP) { e.Attributes = with(e.Attributes, a) })
}

func satAdd(at int, as ...wire.Attribute) func(*fixture) {
	return satESP(at, func(e *gdoi.SATESP) { e.Attributes = append(e.Attributes, as...) })
}

func satWithout(at int, number uint16) func(*fixture) {
	return satESP(at, func(e *gdoi.SATESP) { e.Attributes = without(e.Attributes, number) })
}

// asAH makes the SAT of CBC one of AH.
func asAH(transform uint8, algorithm uint16) func(*fixture) {
	return func(f *fixture) {
		satWithout(atCBC, gdoi.KeyLength)(f)
		satWith(atCBC, wire.TV(gdoi.AuthAlgorithm, algorithm))(f)
		f.sat(atCBC, func(p *gdoi.SAT) { p.ProtocolID, p.ESP.TransformID = gdoi.ProtoIPsecAH, transform })
		keyWithout(atTEKofCBC, gdoi.TEKAlgorithmKey)(f)
	}
}

func asRaw(protocol uint8) func(*gdoi.SAT) {
	return func(p *gdoi.SAT) { *p = gdoi.SAT{ProtocolID: protocol, Raw: from(0, 10)} }
}

func keyWith(at int, a wire.Attribute) func(*fixture) {
	return func(f *fixture) { f.kd.Packets[at].Attributes = with(f.kd.Packets[at].Attributes, a) }
}

func keyAdd(at int, a wire.Attribute) func(*fixture) {
	return func(f *fixture) { f.kd.Packets[at].Attributes = append(f.kd.Packets[at].Attributes, a) }
}

func keyWithout(at int, number uint16) func(*fixture) {
	return func(f *fixture) { f.kd.Packets[at].Attributes = without(f.kd.Packets[at].Attributes, number) }
}

// Each guard refuses, and no other one would: with the guard off the same thing passes. So a mutant can be noticed.
func TestRefusals(t *testing.T) {
	for part, refusals := range map[string][]refusal{"SA": saRefusals, "SAK": sakRefusals, "SAT": satRefusals, "KD": kdRefusals,
		"other transforms": otherRefusals, "download": downloadRefusals, "updates": updateRefusals, "IEC 61850": iecRefusals} {
		for _, c := range refusals {
			t.Run(part+"/"+c.name, func(t *testing.T) {
				build := newFixture
				switch part {
				case "other transforms":
					build = newOthers
				case "download":
					build = newDownload
				case "updates":
					build = newUpdates
				case "IEC 61850":
					build = newIEC
				}
				f := build(nil)
				c.alter(f)
				if _, _, err := f.receive(t, nil); err == nil {
					t.Errorf("accepted, against %v", c.guard)
				} else if g := violated(t, err); g != c.guard {
					t.Errorf("%v refuses instead of %v: %v", g, c.guard, err)
				}
				if p, _, err := f.receive(t, altered(t, c.guard.Name, rule.Off)); err != nil {
					t.Errorf("without %v: %v", c.guard, err)
				} else {
					sane(t, p)
				}
			})
		}
	}
}

// sane checks that what a lenient member installs has keys of lengths that its ciphers take.
func sane(t *testing.T, p Policy) {
	t.Helper()
	if p.Rekey != nil && (len(p.Rekey.IV) != CipherOf(*p.Rekey).BlockSize() || len(p.Rekey.Key) != p.Rekey.KeyBits/8) {
		t.Errorf("KEK %x %x", p.Rekey.IV, p.Rekey.Key)
	}
	for _, sa := range p.SAs {
		if _, supported := sa.Transform.Cipher.Form(); !supported {
			continue
		}
		if len(sa.CipherKey) != sa.Transform.CipherKeyLen() || len(sa.IntegrityKey) != sa.Transform.IntegrityKeyLen() {
			t.Errorf("%s: keys of %d and %d octets", sa.Transform, len(sa.CipherKey), len(sa.IntegrityKey))
		}
	}
}

func TestEveryCheckRefuses(t *testing.T) {
	covered := map[*rule.Guard]bool{checkRequestUnknown: true, checkRequestForm: true} // in TestReadRequest
	for _, refusals := range [][]refusal{saRefusals, sakRefusals, satRefusals, kdRefusals, otherRefusals, downloadRefusals, updateRefusals, iecRefusals, replayRefusals} {
		for _, c := range refusals {
			covered[c.guard] = true
		}
	}
	for _, g := range own(rule.KindCheck, "gdoimap.") {
		if !covered[g] {
			t.Errorf("no test for %v", g)
		}
	}
}

func TestReadRequest(t *testing.T) {
	for name, c := range map[string]struct {
		as   []wire.Attribute
		want int
	}{
		"two":           {RequestOf(2, nil).Attributes, 2},
		"nothing":       {nil, 0},
		"none":          {RequestOf(-1, nil).Attributes, 0},
		"more than any": {RequestOf(1<<20, nil).Attributes, 65535},
	} {
		if n, err := ReadRequest(gdoi.GAP{Attributes: c.as}, nil); err != nil || n != c.want {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	for name, c := range map[string]struct {
		guard *rule.Guard
		a     wire.Attribute
	}{
		"unknown": {checkRequestUnknown, wire.TV(77, 1)},
		"ATD":     {checkRequestUnknown, wire.TV(gdoi.GAPActivation, 1)},
		"TLV":     {checkRequestForm, wire.TLV(gdoi.GAPSenderIDRequest, []byte{0, 2})},
	} {
		gap := gdoi.GAP{Attributes: []wire.Attribute{c.a}}
		if _, err := ReadRequest(gap, nil); err == nil || violated(t, err) != c.guard {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ReadRequest(gap, altered(t, c.guard.Name, rule.Off)); err != nil {
			t.Errorf("%s, without guard: %v", name, err)
		}
	}
}
