package gdoimap

import (
	"math"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// What the key server owes in a SAK.
var (
	dutySAKReserved = rule.Duty("gdoimap.make.sak.reserved2", "RFC6407-5.3-06", rule.KS,
		"the four octets after the SPI of a SAK are 0")
	dutyKEKForm = rule.Duty("gdoimap.make.sak.form", "RFC6407-5.3-07", rule.KS,
		"basic KEK attributes are TV")
	dutyKEKAlgorithm = rule.Duty("gdoimap.make.sak.algorithm", "RFC6407-5.3-08", rule.KS,
		"a SAK has KEK_ALGORITHM")
	dutyKEKKeyLength = rule.Duty("gdoimap.make.sak.keylength", "RFC6407-5.3.3-01", rule.KS,
		"a SAK with AES has KEK_KEY_LENGTH")
	dutyKEKLifetime = rule.Duty("gdoimap.make.sak.lifetime", "RFC6407-5.3.4-01", rule.KS,
		"KEK_KEY_LIFETIME has four octets")
	dutySigAlgorithm = rule.Duty("gdoimap.make.sak.signature", "RFC6407-5.3-09", rule.KS,
		"a SAK has SIG_ALGORITHM")
	dutySigKeyLength = rule.Duty("gdoimap.make.sak.sigkeylength", "RFC6407-5.3.7-01", rule.KS,
		"SIG_KEY_LENGTH is that of the signing key")
	dutySendNoManagement = rule.Duty("gdoimap.make.sak.management", "RFC6407-5.3-11", rule.KS,
		"a SAK of a PULL has no KEK_MANAGEMENT_ALGORITHM")
	dutyAckRequest = rule.Duty("gdoimap.make.sak.ack", "RFC8263-2-01", rule.KS,
		"a key server that wants acknowledgements says so in the SAK")
)

// What the member checks in a SAK, and what it has to overlook.
var (
	checkSAKReserved = rule.Check("gdoimap.read.sak.reserved2", "RFC6407-5.3-06", rule.GM,
		"the four octets after the SPI of a SAK are 0")
	checkSAKProtocol = rule.Check("gdoimap.read.sak.protocol", "RFC6407-5.3.2-01", rule.GM,
		"PUSH messages travel in UDP")
	checkKEKUnknown = rule.Check("gdoimap.read.sak.attribute", "RFC6407-5.3.2-01", rule.GM,
		"each KEK attribute is known")
	checkKEKValue = rule.Check("gdoimap.read.sak.value", "RFC6407-5.3.2-01", rule.GM,
		"each KEK attribute has one value, and that is supported")
	checkKEKForm = rule.Check("gdoimap.read.sak.form", "RFC6407-5.3-07", rule.GM,
		"basic KEK attributes are TV")
	checkKEKAlgorithm = rule.Check("gdoimap.read.sak.algorithm", "RFC6407-5.3-08", rule.GM,
		"a SAK has KEK_ALGORITHM")
	checkKEKKeyLength = rule.Check("gdoimap.read.sak.keylength", "RFC6407-5.3.3-01", rule.GM,
		"a SAK with AES has KEK_KEY_LENGTH")
	checkKEKKeySize = rule.Check("gdoimap.read.sak.keysize", "RFC6407-5.3.3-02", rule.GM,
		"KEK_KEY_LENGTH is one that the cipher has")
	checkKEKLifetime = rule.Check("gdoimap.read.sak.lifetime", "RFC6407-5.3.4-01", rule.GM,
		"KEK_KEY_LIFETIME has four octets, or two in a TV")
	checkSigHash = rule.Check("gdoimap.read.sak.sighash", "RFC6407-5.3.5-01", rule.GM,
		"a SAK with RSA has SIG_HASH_ALGORITHM")
	checkSigAlgorithm = rule.Check("gdoimap.read.sak.signature", "RFC6407-5.3-09", rule.GM,
		"a SAK has SIG_ALGORITHM")
	dutyNoManagement = rule.Duty("gdoimap.read.sak.management", "RFC6407-5.3-12", rule.GM,
		"KEK_MANAGEMENT_ALGORITHM is ignored")
	dutyOtherAck = rule.Duty("gdoimap.read.sak.ack", "RFC8263-4-02", rule.GM,
		"acknowledgements of an unsupported kind do not keep a member out")
)

const (
	protocolUDP = 17

	// defaultKEKLifetime is our choice for a SAK without KEK_KEY_LIFETIME; RFC 6407 has none.
	defaultKEKLifetime = 86400 * time.Second
)

var kekAttributes = attributeSet{
	basic: []uint16{gdoi.KEKManagement, gdoi.KEKAlgorithm, gdoi.KEKKeyLength, gdoi.SigHashAlgorithm, gdoi.SigAlgorithm,
		gdoi.SigKeyLength, gdoi.KEKAckRequested},
	variable: []uint16{gdoi.KEKKeyLifetime},
	name:     named[gdoi.KEKAttribute],
	unknown:  checkKEKUnknown,
	form:     checkKEKForm,
	conflict: checkKEKValue,
}

// sigAlgorithms are the algorithms of signatures (RFC 6407 §5.3.6).
var sigAlgorithms = []uint64{uint64(policy.SigRSA), uint64(policy.SigECDSA256), uint64(policy.SigECDSA384), uint64(policy.SigECDSA521)}

// SAKOf builds the SAK of a Rekey SA (RFC 6407 §5.3).
func SAKOf(r policy.RekeySA, rules *rule.Switches) gdoi.SAK {
	sak := gdoi.SAK{
		Protocol: protocolUDP, Source: endpointID(r.Source), Destination: endpointID(r.Destination), SPI: r.SPI,
		Attributes: sakAttributes(r, rules),
	}
	if !dutySAKReserved.Kept(rules) {
		sak.Reserved2 = math.MaxUint32
	}
	return sak
}

func sakAttributes(r policy.RekeySA, rules *rule.Switches) (as []wire.Attribute) {
	put := func(duty *rule.Guard, a wire.Attribute) {
		if duty.Kept(rules) {
			as = append(as, a)
		}
	}
	if r.LKH != nil || !dutySendNoManagement.Kept(rules) {
		as = append(as, wire.TV(gdoi.KEKManagement, gdoi.KEKManagementLKH))
	}
	put(dutyKEKAlgorithm, basic(gdoi.KEKAlgorithm, uint16(r.Cipher), dutyKEKForm, rules))
	if form, _ := r.Cipher.Form(); !form.Fixed() {
		put(dutyKEKKeyLength, wire.TV(gdoi.KEKKeyLength, uint16(r.KeyBits)))
	}
	as = append(as, lifetimeOf(r.Lifetime, rules), wire.TV(gdoi.SigHashAlgorithm, uint16(r.SigHash)))
	put(dutySigAlgorithm, wire.TV(gdoi.SigAlgorithm, uint16(r.SigAlgorithm)))
	as = append(as, sigKeyLengthOf(r, rules))
	if r.Ack != policy.AckNone {
		put(dutyAckRequest, wire.TV(gdoi.KEKAckRequested, uint16(r.Ack)))
	}
	return as
}

// basic makes a TV, or a TLV of two octets where the duty is neglected.
func basic(number, value uint16, duty *rule.Guard, rules *rule.Switches) wire.Attribute {
	a := wire.TV(number, value)
	a.Basic = duty.Kept(rules)
	return a
}

func lifetimeOf(d time.Duration, rules *rule.Switches) wire.Attribute {
	s := wholeSeconds(d)
	if !dutyKEKLifetime.Kept(rules) {
		return wire.TV(gdoi.KEKKeyLifetime, uint16(min(s, math.MaxUint16)))
	}
	return wire.TLV32(gdoi.KEKKeyLifetime, s)
}

func sigKeyLengthOf(r policy.RekeySA, rules *rule.Switches) wire.Attribute {
	bits := uint16(r.SigKeyBits)
	if !dutySigKeyLength.Kept(rules) {
		bits /= 8 // in octets
	}
	return wire.TV(gdoi.SigKeyLength, bits)
}

// readSAK is the reverse of SAKOf.
func readSAK(sak gdoi.SAK, rules *rule.Switches) (*policy.RekeySA, error) {
	switch {
	case !checkSAKReserved.Holds(rules, sak.Reserved2 == 0):
		return nil, checkSAKReserved.Violated("RESERVED2 of the SAK is %#x", sak.Reserved2)
	case !checkSAKProtocol.Holds(rules, sak.Protocol == protocolUDP):
		return nil, checkSAKProtocol.Violated("PUSH in IP protocol %d", sak.Protocol)
	}
	r := &policy.RekeySA{SPI: sak.SPI}
	var err error
	if r.Source, err = readEndpoint(sak.Source, "source", rules); err != nil {
		return nil, err
	}
	if r.Destination, err = readEndpoint(sak.Destination, "destination", rules); err != nil {
		return nil, err
	}
	return r, readKEKAttributes(r, sak.Attributes, rules)
}

func readKEKAttributes(r *policy.RekeySA, as []wire.Attribute, rules *rule.Switches) error {
	n, err := kekAttributes.read(as, rules)
	if err != nil {
		return err
	}
	if err := readKEKCipher(r, n, rules); err != nil {
		return err
	}
	if err := readKEKLifetime(r, as, rules); err != nil {
		return err
	}
	if err := readSignature(r, n, rules); err != nil {
		return err
	}
	if n.has(gdoi.KEKManagement) && !dutyNoManagement.Kept(rules) {
		return checkKEKUnknown.Violated("KEK_MANAGEMENT_ALGORITHM")
	}
	return readAck(r, n, rules)
}

func readKEKCipher(r *policy.RekeySA, n numbers, rules *rule.Switches) error {
	algorithm := n.or(gdoi.KEKAlgorithm, uint64(policy.KEKAES))
	form, supported := policy.KEKCipher(algorithm).Form()
	supported = supported && algorithm <= math.MaxUint16
	switch {
	case !checkKEKAlgorithm.Holds(rules, n.has(gdoi.KEKAlgorithm)):
		return checkKEKAlgorithm.Violated("SAK without KEK_ALGORITHM")
	case !checkKEKValue.Holds(rules, supported):
		return checkKEKValue.Violated("KEK_ALGORITHM %d", algorithm)
	case !supported:
		form, _ = policy.KEKAES.Form()
	}
	r.Cipher = form.Cipher
	return readKEKLength(r, n, form, rules)
}

// readKEKLength reads the length of the key, which a cipher with one length alone need not tell (RFC 6407 §5.3.3).
func readKEKLength(r *policy.RekeySA, n numbers, form policy.KEKForm, rules *rule.Switches) error {
	usual := form.KeyBits[0]
	size := n.or(gdoi.KEKKeyLength, uint64(usual))
	fits := size <= math.MaxUint16 && slices.Contains(form.KeyBits, int(size))
	switch {
	case !checkKEKKeyLength.Holds(rules, form.Fixed() || n.has(gdoi.KEKKeyLength)):
		return checkKEKKeyLength.Violated("SAK without KEK_KEY_LENGTH")
	case !checkKEKKeySize.Holds(rules, fits):
		return checkKEKKeySize.Violated("KEK_KEY_LENGTH %d", size)
	case !fits:
		size = uint64(usual)
	}
	r.KeyBits = int(size)
	return nil
}

// readKEKLifetime also takes a TV, as some key servers send (RFC 6407 §5.3.4 wants four octets).
func readKEKLifetime(r *policy.RekeySA, as []wire.Attribute, rules *rule.Switches) error {
	r.Lifetime = defaultKEKLifetime
	for _, a := range as {
		if a.Type != gdoi.KEKKeyLifetime {
			continue
		}
		if !checkKEKLifetime.Holds(rules, a.Basic || len(a.Value) == 4) {
			return checkKEKLifetime.Violated("KEK_KEY_LIFETIME of %d octets", len(a.Value))
		}
		r.Lifetime = duration(number(a))
	}
	return nil
}

func readSignature(r *policy.RekeySA, n numbers, rules *rule.Switches) error {
	algorithm := n.or(gdoi.SigAlgorithm, uint64(policy.SigRSA))
	supported := slices.Contains(sigAlgorithms, algorithm)
	switch {
	case !checkSigAlgorithm.Holds(rules, n.has(gdoi.SigAlgorithm)):
		return checkSigAlgorithm.Violated("SAK without SIG_ALGORITHM")
	case !checkKEKValue.Holds(rules, supported):
		return checkKEKValue.Violated("SIG_ALGORITHM %d", algorithm)
	case !supported:
		algorithm = uint64(policy.SigRSA)
	}
	r.SigAlgorithm = policy.SigAlgorithm(algorithm)
	r.SigKeyBits = int(min(n.or(gdoi.SigKeyLength, 0), math.MaxUint16))
	return readSigHash(r, n, rules)
}

// readSigHash reads the hash of signatures. With ECDSA it need not be told, and there is no other than that of the curve
// (RFC 6407 §5.3.5).
func readSigHash(r *policy.RekeySA, n numbers, rules *rule.Switches) error {
	fixed := r.SigAlgorithm.Hash()
	usual := max(fixed, policy.SigHashSHA256)
	number := n.or(gdoi.SigHashAlgorithm, uint64(usual))
	hash := policy.SigHash(number)
	_, supported := sigHashes[hash]
	supported = supported && number <= math.MaxUint16 && (fixed == 0 || hash == fixed)
	switch {
	case !checkSigHash.Holds(rules, fixed != 0 || n.has(gdoi.SigHashAlgorithm)):
		return checkSigHash.Violated("SAK without SIG_HASH_ALGORITHM")
	case !checkKEKValue.Holds(rules, supported):
		return checkKEKValue.Violated("SIG_HASH_ALGORITHM %d with SIG_ALGORITHM %d", number, r.SigAlgorithm)
	case !supported:
		hash = usual
	}
	r.SigHash = hash
	return nil
}

func readAck(r *policy.RekeySA, n numbers, rules *rule.Switches) error {
	ack := n.or(gdoi.KEKAckRequested, uint64(policy.AckNone))
	switch {
	case ack >= uint64(policy.AckKEKSHA256) && ack <= uint64(policy.AckLKHSHA512):
		r.Ack = policy.AckType(ack)
	case n.has(gdoi.KEKAckRequested) && !dutyOtherAck.Kept(rules):
		return checkKEKValue.Violated("KEK_ACK_REQUESTED %d", ack)
	}
	return nil
}
