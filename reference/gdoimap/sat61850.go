package gdoimap

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// What the key server owes in a SAT of IEC 61850 (RFC 8052 §2.2).
var (
	dutyIECProtocol = rule.Duty("gdoimap.make.sat61850.protocol", "RFC8052-2.2-01", rule.KS,
		"the Protocol-ID of a SAT of IEC 61850 is 3")
	dutyIECTraffic = rule.Duty("gdoimap.make.sat61850.traffic", "RFC8052-2.2-01", rule.KS,
		"a SAT of IEC 61850 names its traffic by an OID in DER, with what belongs to it")
	dutyIECLifetime = rule.Duty("gdoimap.make.sat61850.lifetime", "RFC8052-2.2-01", rule.KS,
		"a SAT of IEC 61850 says how many seconds are left of its SA")
	dutyIECAuthentication = rule.Duty("gdoimap.make.sat61850.authentication", "RFC8052-4-01", rule.KS,
		"authentication algorithms of IEC 61850 have their numbers of the registry")
	dutyIECEncryption = rule.Duty("gdoimap.make.sat61850.encryption", "RFC8052-4-01", rule.KS,
		"confidentiality algorithms of IEC 61850 have their numbers of the registry")
	dutyIECAttributes = rule.Duty("gdoimap.make.sat61850.attributes", "RFC8052-4-01", rule.KS,
		"SA_ATD is attribute 1 in Variable form, SA_KDA attribute 2 in Basic form")
	dutyIECCBC = rule.Duty("gdoimap.make.sat61850.cbc", "RFC8052-2.2.3-01", rule.KS,
		"AES-CBC comes with an authentication algorithm")
	dutyIECAuthenticated = rule.Duty("gdoimap.make.sat61850.authenticated", "RFC8052-3-01", rule.KS,
		"encryption comes with authentication")
	dutyIECDelay = rule.Duty("gdoimap.make.sat61850.atd", "RFC8052-2.2.4.1-01", rule.KS,
		"a SAT of IEC 61850 has the activation delay that the SA's policy gives it")
	dutyIECKey = rule.Duty("gdoimap.make.tek61850.cipher", "RFC8052-2.3-03", rule.KS,
		"TEK_ALGORITHM_KEY has the length of the confidentiality algorithm, salt included")
	dutyIECIntegrityKey = rule.Duty("gdoimap.make.tek61850.integrity", "RFC8052-2.3-02", rule.KS,
		"TEK_INTEGRITY_KEY has the length of the authentication algorithm, salt included")
	dutyIECPacket = rule.Duty("gdoimap.make.tek61850.type", "RFC8052-2.3-01", rule.KS,
		"keys of IEC 61850 come in a key packet of type TEK")
)

// What the member checks in a SAT of IEC 61850 and in its keys.
var (
	checkIECTraffic = rule.Check("gdoimap.read.sat61850.traffic", "RFC8052-2.2-01", rule.GM,
		"the traffic of a SAT of IEC 61850 is named by an OID in DER")
	checkIECSPI = rule.Check("gdoimap.read.sat61850.spi", "RFC8052-2.2-01", rule.GM,
		"the SPI of a SAT of IEC 61850 is not 0")
	checkIECAlgorithm = rule.Check("gdoimap.read.sat61850.algorithm", "RFC8052-4-01", rule.GM,
		"the algorithms of a SAT of IEC 61850 are of the registry")
	checkIECCBC = rule.Check("gdoimap.read.sat61850.cbc", "RFC8052-2.2.3-01", rule.GM,
		"AES-CBC comes with an authentication algorithm")
	checkIECAttribute = rule.Check("gdoimap.read.sat61850.attribute", "RFC8052-4-01", rule.GM,
		"each attribute of a SAT of IEC 61850 is SA_ATD or SA_KDA, in its form and once")
	checkIECAssurance = rule.Bound("gdoimap.read.sat61850.assurance", "RFC8052-4-01", rule.GM,
		"SA_KDA is no more than 100")
	checkIECKey = rule.Check("gdoimap.read.tek61850.cipher", "RFC8052-2.3-03", rule.GM,
		"TEK_ALGORITHM_KEY has the length of the confidentiality algorithm, salt included")
	checkIECIntegrityKey = rule.Check("gdoimap.read.tek61850.integrity", "RFC8052-2.3-02", rule.GM,
		"TEK_INTEGRITY_KEY has the length of the authentication algorithm, salt included")
)

var iecAttributes = attributeSet{
	basic:    []uint16{gdoi.IECKeyAssurance},
	variable: []uint16{gdoi.IECActivation},
	name:     named[gdoi.IECAttribute],
	unknown:  checkIECAttribute,
	form:     checkIECAttribute,
	conflict: checkIECAttribute,
}

const mostKDA = 100 // percent

// unassignedIEC is a number of no algorithm, which a mutant sends.
const unassignedIEC = 0x1000

// sat61850Of builds the SAT of an SA of IEC 61850.
func sat61850Of(sa policy.TrafficSA, rules *rule.Switches) gdoi.SAT {
	t := sa.Transform
	body := &gdoi.SATIEC61850{Traffic: oidOf(sa.Selector.Traffic), SPI: sa.SPI, Authentication: uint16(t.Authentication),
		Encryption: uint16(t.Encryption), Remaining: wholeSeconds(sa.Lifetime), Attributes: handlingOf(sa.Handling, rules)}
	sat := gdoi.SAT{ProtocolID: gdoi.ProtoIEC61850, IEC61850: body}
	separate := t.Encryption != policy.IECEncryptNone && !t.Encryption.Authenticates()
	if separate && (!dutyIECCBC.Kept(rules) || !dutyIECAuthenticated.Kept(rules)) {
		body.Authentication = gdoi.IECAuthNone
	}
	if !dutyIECProtocol.Kept(rules) {
		sat.ProtocolID++
	}
	if !dutyIECTraffic.Kept(rules) {
		body.Traffic.Payload = nil
	}
	if !dutyIECLifetime.Kept(rules) {
		body.Remaining = 0
	}
	if !dutyIECAuthentication.Kept(rules) {
		body.Authentication |= unassignedIEC
	}
	if !dutyIECEncryption.Kept(rules) {
		body.Encryption |= unassignedIEC
	}
	return sat
}

// handlingOf makes the attributes of a SAT of IEC 61850 (RFC 8052 §2.2.4).
func handlingOf(h policy.IECHandling, rules *rule.Switches) (as []wire.Attribute) {
	kept := dutyIECAttributes.Kept(rules)
	if h.ATD != nil && dutyIECDelay.Kept(rules) {
		s := uint32(min(max(*h.ATD/time.Second, 0), math.MaxUint32))
		delay := wire.TLV32(gdoi.IECActivation, s)
		if !kept {
			delay = wire.TV(gdoi.IECActivation, uint16(s))
		}
		as = append(as, delay)
	}
	if h.KDA != nil {
		assurance := wire.TV(gdoi.IECKeyAssurance, uint16(*h.KDA))
		if !kept {
			assurance = wire.TLV(gdoi.IECKeyAssurance, binary.BigEndian.AppendUint16(nil, uint16(*h.KDA)))
		}
		as = append(as, assurance)
	}
	return as
}

// read61850 is the reverse of sat61850Of. A remaining lifetime of 0 says that there is none (RFC 8052 §2.2).
func read61850(b *gdoi.SATIEC61850, rules *rule.Switches) (sa policy.TrafficSA, err error) {
	name, ok := readOID(b.Traffic)
	switch {
	case !checkIECTraffic.Holds(rules, ok):
		return sa, checkIECTraffic.Violated("SAT of IEC 61850 for OID %x", b.Traffic.OID)
	case !checkIECSPI.Holds(rules, b.SPI != 0):
		return sa, checkIECSPI.Violated("SAT of IEC 61850 with SPI 0")
	}
	sa.SPI, sa.Selector.Traffic = b.SPI, name
	if sa.Lifetime = duration(uint64(b.Remaining)); b.Remaining == 0 {
		sa.Lifetime = duration(math.MaxUint32)
	}
	if sa.Transform, err = readIECTransform(b, rules); err != nil {
		return sa, err
	}
	sa.Handling, err = readHandling61850(b.Attributes, rules)
	return sa, err
}

// readIECTransform takes HMAC-SHA256 and no encryption where the guards are off.
func readIECTransform(b *gdoi.SATIEC61850, rules *rule.Switches) (policy.Transform, error) {
	t := policy.Transform{Protocol: policy.ProtocolIEC61850,
		Authentication: policy.IECAuthentication(b.Authentication), Encryption: policy.IECEncryption(b.Encryption)}
	known := t.Authentication.Known() && t.Encryption.Known()
	if !checkIECAlgorithm.Holds(rules, known) {
		return t, checkIECAlgorithm.Violated("SAT of IEC 61850 with authentication %d and encryption %d", b.Authentication, b.Encryption)
	}
	if !known {
		t.Authentication, t.Encryption = policy.IECAuthHMACSHA256, policy.IECEncryptNone
	}
	if err := t.Check(); !checkIECCBC.Holds(rules, err == nil) {
		return t, checkIECCBC.Violated("%v", err)
	}
	return t, nil
}

func readHandling61850(as []wire.Attribute, rules *rule.Switches) (h policy.IECHandling, err error) {
	n, err := iecAttributes.read(as, rules)
	if err != nil {
		return h, err
	}
	if n.has(gdoi.IECActivation) {
		h.ATD = new(duration(n.or(gdoi.IECActivation, 0)))
	}
	if n.has(gdoi.IECKeyAssurance) {
		percent := n.or(gdoi.IECKeyAssurance, 0)
		if !checkIECAssurance.AtMost(rules, percent, mostKDA) {
			return h, checkIECAssurance.Violated("SA_KDA %d", percent)
		}
		h.KDA = new(int(min(percent, mostKDA)))
	}
	return h, nil
}

// spoil61850 is for mutants: what they leave of the keys of IEC 61850.
func spoil61850(p *gdoi.KeyPacket, rules *rule.Switches) {
	for i := range p.Attributes {
		duty := dutyIECKey
		if p.Attributes[i].Type == gdoi.TEKIntegrityKey {
			duty = dutyIECIntegrityKey
		}
		if v := p.Attributes[i].Value; !duty.Kept(rules) {
			p.Attributes[i].Value = v[:max(0, len(v)-4)]
		}
	}
	if !dutyIECPacket.Kept(rules) {
		p.Type = unregisteredKD
	}
}

// unregisteredKD is a type of key packets that nobody has assigned (RFC 6407 §5.6).
const unregisteredKD = 5
