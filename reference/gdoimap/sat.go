package gdoimap

import (
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// What the key server owes in a SAT.
var (
	dutyProtocol = rule.Duty("gdoimap.make.sat.protocol", "RFC6407-5.5-03", rule.KS,
		"the Protocol-ID of an ESP SAT is 1")
	dutyTransform = rule.Duty("gdoimap.make.sat.transform", "RFC6407-5.5.1-07", rule.KS,
		"the Transform ID is from the registry of ESP transforms")
	dutySATForm = rule.Duty("gdoimap.make.sat.form", "RFC2407-4.5-01", rule.KS,
		"basic attributes of a SAT are TV")
	dutyNoGroup = rule.Duty("gdoimap.make.sat.group", "RFC6407-5.5.1-09", rule.KS,
		"a SAT has no Group Description")
	dutyNoIntegrity = rule.Duty("gdoimap.make.sat.combined", "RFC2407-4.5-04", rule.KS,
		"AES-GCM comes without Authentication Algorithm")
	dutyGMACAlone = rule.Duty("gdoimap.make.sat.gmac", "RFC4543-3-01", rule.KS,
		"GMAC comes without Authentication Algorithm")
	dutyNULLIntegrity = rule.Duty("gdoimap.make.sat.null", "RFC2407-4.5-05", rule.KS,
		"NULL comes with an Authentication Algorithm")
	dutyKeyLength = rule.Duty("gdoimap.make.sat.keylength", "RFC2407-4.5-06", rule.KS,
		"a cipher with keys of several lengths comes with Key Length")
	dutyNoKeyLength = rule.Duty("gdoimap.make.sat.nokeylength", "RFC2407-4.5-06", rule.KS,
		"a cipher with keys of one length, or none, comes without Key Length")
	dutyCBCKeyLength = rule.Duty("gdoimap.make.sat.cbckeylength", "RFC3602-5.3-01", rule.KS,
		"AES-CBC comes with Key Length")
	dutyGCMKeyLength = rule.Duty("gdoimap.make.sat.gcmkeylength", "RFC4106-8.4-01", rule.KS,
		"AES-GCM comes with Key Length")
	dutyGMACKeyLength = rule.Duty("gdoimap.make.sat.gmackeylength", "RFC4543-5.3-01", rule.KS,
		"GMAC comes with Key Length")
	dutyGCMTransform = rule.Duty("gdoimap.make.sat.gcm", "RFC4106-8.3-01", rule.KS,
		"AES-GCM with an ICV of 8, 12 or 16 octets is transform 18, 19 or 20")
	dutySendESN = rule.Duty("gdoimap.make.sat.esn", "RFC4303-2.2.1-02", rule.KS,
		"a SAT says so if sequence numbers have 64 bits")
)

// What the member checks in a SAT, and what it has to overlook.
var (
	checkProtocol = rule.Check("gdoimap.read.sat.protocol", "RFC6407-5.5-03", rule.GM,
		"the Protocol-ID of a SAT is that of ESP, AH or IEC 61850")
	checkTransform = rule.Check("gdoimap.read.sat.transform", "RFC6407-5.5.1-07", rule.GM,
		"the Transform ID is registered")
	checkSPI = rule.Check("gdoimap.read.sat.spi", "RFC4303-2.1-05", rule.GM,
		"the SPI of a SAT is not 0")
	checkSATUnknown = rule.Check("gdoimap.read.sat.attribute", "RFC2407-4.5.3-01", rule.GM,
		"each attribute of a SAT is supported")
	checkSATValue = rule.Check("gdoimap.read.sat.value", "RFC2407-4.5.3-01", rule.GM,
		"each value in a SAT is supported")
	checkSATForm = rule.Check("gdoimap.read.sat.form", "RFC2407-4.5-01", rule.GM,
		"basic attributes of a SAT are TV")
	checkConflict = rule.Check("gdoimap.read.sat.conflict", "RFC2407-4.5.2-03", rule.GM,
		"no attribute of a SAT has two values")
	checkNoIntegrity = rule.Check("gdoimap.read.sat.combined", "RFC2407-4.5-04", rule.GM,
		"AES-GCM comes without Authentication Algorithm")
	checkGMACAlone = rule.Check("gdoimap.read.sat.gmac", "RFC4543-3-01", rule.GM,
		"GMAC comes without Authentication Algorithm")
	checkBothNULL = rule.Check("gdoimap.read.sat.null", "RFC4303-3.2-01", rule.GM,
		"NULL comes with an Authentication Algorithm")
	checkKeyLength = rule.Check("gdoimap.read.sat.keylength", "RFC2407-4.5-06", rule.GM,
		"AES-CBC comes with Key Length")
	checkNoKeyLength = rule.Check("gdoimap.read.sat.nokeylength", "RFC2407-4.5-06", rule.GM,
		"a cipher with keys of one length, or none, comes without Key Length")
	checkGCMKeyLength = rule.Check("gdoimap.read.sat.gcmkeylength", "RFC4106-8.4-01", rule.GM,
		"AES-GCM comes with a Key Length of 128, 192 or 256")
	checkGMACKeyLength = rule.Check("gdoimap.read.sat.gmackeylength", "RFC4543-5.3-01", rule.GM,
		"GMAC comes with a Key Length of 128, 192 or 256")
	dutyReadESN = rule.Duty("gdoimap.read.sat.esn", "RFC4303-2.2.1-02", rule.GM,
		"sequence numbers have 64 bits if the SAT says so")
	checkPreservation = rule.Check("gdoimap.read.sat.preservation", "RFC6407-5.5.1.1.1-02", rule.GM,
		"Address Preservation is one of 1 to 4")
	dutyIgnoreGroup = rule.Duty("gdoimap.read.sat.group", "RFC6407-5.5.1-10", rule.GM,
		"Group Description is ignored")
	dutySymmetric = rule.Duty("gdoimap.read.sat.symmetric", "RFC6407-5.5.1.1.2-03", rule.GM,
		"without SA Direction an SA is symmetric")
)

// satAttributes are those but lifetimes.
var satAttributes = attributeSet{
	basic: []uint16{gdoi.GroupDescription, gdoi.EncapsulationMode, gdoi.AuthAlgorithm, gdoi.KeyLength,
		gdoi.ExtendedSequenceNumber, gdoi.AddressPreservation, gdoi.SADirection},
	name:     named[gdoi.SAAttribute],
	unknown:  checkSATUnknown,
	form:     checkSATForm,
	conflict: checkConflict,
}

// ProtocolID is the number of a protocol in a SAT and in a Delete (RFC 6407 §5.5, §5.9).
func ProtocolID(p policy.Protocol) uint8 {
	if p == policy.ProtocolESP {
		return gdoi.ProtoIPsecESP
	}
	return uint8(p)
}

// SATOf builds the SAT of a Data-Security SA (RFC 6407 §5.5).
func SATOf(sa policy.TrafficSA, rules *rule.Switches) gdoi.SAT {
	if sa.Transform.Protocol == policy.ProtocolIEC61850 {
		return sat61850Of(sa, rules)
	}
	s := sa.Selector
	sat := gdoi.SAT{ProtocolID: ProtocolID(sa.Transform.Protocol), ESP: &gdoi.SATESP{
		Protocol:    s.Protocol,
		Source:      prefixID(s.Source, s.SourcePort),
		Destination: prefixID(s.Destination, s.DestinationPort),
		TransformID: transformID(sa.Transform),
		SPI:         sa.SPI,
		Attributes:  slices.Concat(lifeOf(sa.Lifetime, rules), transformOf(sa.Transform, sa.Zeros, rules), replayOf(sa.Replay, rules)),
	}}
	if !dutyProtocol.Kept(rules) {
		sat.ProtocolID = 5
	}
	if !kept(ciphers[sa.Transform.Cipher].sendID, rules) {
		sat.ESP.TransformID = otherGCM[sa.Transform.Cipher]
	}
	if !dutyTransform.Kept(rules) {
		sat.ESP.TransformID = 0
	}
	return sat
}

// transformID is the number of a transform in the registry of its protocol.
func transformID(t policy.Transform) uint8 {
	if t.Protocol == policy.ProtocolAH {
		return ahTransforms[t.Integrity]
	}
	return uint8(t.Cipher)
}

func transformOf(t policy.Transform, zeros bool, rules *rule.Switches) (as []wire.Attribute) {
	if !dutyNoGroup.Kept(rules) {
		as = append(as, wire.TV(gdoi.GroupDescription, 14))
	}
	as = append(as, basic(gdoi.EncapsulationMode, encapsulation(t.Mode, rules), dutySATForm, rules))
	as = append(as, algorithmsOf(t, rules)...)
	if t.ESN && dutySendESN.Kept(rules) {
		as = append(as, wire.TV(gdoi.ExtendedSequenceNumber, gdoi.SequenceNumber64))
	}
	if t.Preservation != policy.PreserveAbsent || zeros {
		as = append(as, wire.TV(gdoi.AddressPreservation, uint16(t.Preservation)))
	}
	if t.Direction != policy.DirectionAbsent || zeros {
		as = append(as, wire.TV(gdoi.SADirection, uint16(t.Direction)))
	}
	return as
}

// otherGCM is the transform that a mutant names instead: with another ICV.
var otherGCM = map[policy.Cipher]uint8{
	policy.CipherAESGCM16: uint8(policy.CipherAESGCM8),
	policy.CipherAESGCM12: uint8(policy.CipherAESGCM16),
	policy.CipherAESGCM8:  uint8(policy.CipherAESGCM12),
}

// algorithmsOf says what goes with the Transform ID: an Authentication Algorithm and a Key Length, or neither. A neglected
// duty turns that round.
func algorithmsOf(t policy.Transform, rules *rule.Switches) (as []wire.Attribute) {
	if t.Protocol == policy.ProtocolAH {
		return []wire.Attribute{wire.TV(gdoi.AuthAlgorithm, uint16(t.Integrity))}
	}
	row := ciphers[t.Cipher]
	form, _ := t.Cipher.Form()
	algorithm, bits := t.Integrity, t.KeyBits
	if form.Combined() {
		algorithm = policy.IntegrityHMACSHA256
	}
	if form.Combined() != kept(row.sendAuth, rules) {
		as = append(as, wire.TV(gdoi.AuthAlgorithm, uint16(algorithm)))
	}
	sized := len(form.KeyBits) > 0
	if !sized {
		bits = 128
	}
	if sized && !dutyKeyLength.Kept(rules) {
		return as
	}
	if sized == kept(row.sendLength, rules) {
		as = append(as, wire.TV(gdoi.KeyLength, uint16(bits)))
	}
	return as
}

// withoutZeros leaves out Address Preservation and SA Direction of the value 0, which is none that they have: some daemons send them
// for what is absent.
func withoutZeros(as []wire.Attribute) []wire.Attribute {
	return slices.DeleteFunc(slices.Clone(as), func(a wire.Attribute) bool {
		v, ok := a.Uint()
		return (a.Type == gdoi.AddressPreservation || a.Type == gdoi.SADirection) && a.Basic && ok && v == 0
	})
}

// readSAT is the reverse of SATOf. Without an error it is not ok for a SAT whose body is of no protocol that is known.
func readSAT(sat gdoi.SAT, how reading, rules *rule.Switches) (sa policy.TrafficSA, ok bool, err error) {
	registered := sat.ProtocolID <= gdoi.ProtoIEC61850 && sat.ProtocolID > 0
	switch {
	case sat.IEC61850 != nil:
		sa, err = read61850(sat.IEC61850, rules)
		return sa, err == nil, err
	case !checkProtocol.Holds(rules, registered):
		return sa, false, checkProtocol.Violated("SAT of protocol %d", sat.ProtocolID)
	case !registered || sat.ESP == nil:
		return sa, false, nil
	}
	sa, err = readIPsec(sat.ProtocolID, sat.ESP, how, rules)
	return sa, err == nil, err
}

// readIPsec reads the body that ESP and AH have.
func readIPsec(protocol uint8, e *gdoi.SATESP, how reading, rules *rule.Switches) (sa policy.TrafficSA, err error) {
	if !checkSPI.Holds(rules, e.SPI != 0) {
		return sa, checkSPI.Violated("SAT with SPI 0")
	}
	sa.SPI = e.SPI
	if sa.Selector, err = readSelector(e, rules); err != nil {
		return sa, err
	}
	rest, life, err := readLife(e.Attributes, rules)
	if err != nil {
		return sa, err
	}
	sa.Lifetime = life
	if rest, sa.Replay, err = takeReplay(rest, how.replay, rules); err != nil {
		return sa, err
	}
	if how.zeros {
		rest = withoutZeros(rest)
	}
	n, err := satAttributes.read(rest, rules)
	if err != nil {
		return sa, err
	}
	if protocol == gdoi.ProtoIPsecAH {
		sa.Transform, err = readAH(e.TransformID, n, rules)
	} else {
		sa.Transform, err = readTransform(e.TransformID, n, rules)
	}
	return sa, err
}
