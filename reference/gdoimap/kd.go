package gdoimap

import (
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// What the key server owes in a KD.
var (
	dutyCount = rule.Duty("gdoimap.make.kd.count", "RFC6407-5.6-01", rule.KS,
		"a KD says how many key packets it has")
	dutyPacketLength = rule.Duty("gdoimap.make.kd.length", "RFC6407-5.6-02", rule.KS,
		"the length of a key packet is that of the whole packet")
	dutyKeySPI = rule.Duty("gdoimap.make.kd.spi", "RFC6407-5.6-03", rule.KS,
		"the SPI of a key packet is that of its SAK or SAT")
	dutyComplete = rule.Duty("gdoimap.make.kd.complete", "RFC6407-3.2-18", rule.KS,
		"a KD has a TEK packet for each SAT")
	dutyTEKOnce = rule.Duty("gdoimap.make.tek.once", "RFC6407-5.6.1-01", rule.KS,
		"a TEK packet has each key once")
	dutyGCMKey = rule.Duty("gdoimap.make.tek.gcm", "RFC4106-8.1-01", rule.KS,
		"the salt follows the key of AES-GCM")
	dutyGMACKey = rule.Duty("gdoimap.make.tek.gmac", "RFC4543-5.4-01", rule.KS,
		"the salt follows the key of GMAC")
	dutyTripleDESKey = rule.Duty("gdoimap.make.tek.3des", "RFC6407-5.6.1.1-01", rule.KS,
		"the key of 3DES is three keys in the order of their use")
	dutyIntegrityKey = rule.Duty("gdoimap.make.tek.integrity", "RFC4868-2.1.1-01", rule.KS,
		"the key of HMAC-SHA-2 is as long as the output of its hash")
	dutySHA1Key = rule.Duty("gdoimap.make.tek.sha1", "RFC6407-5.6.1.2-01", rule.KS,
		"the key of HMAC-SHA-1 has 20 octets")
	dutyOneKEK = rule.Duty("gdoimap.make.kek.packet", "RFC6407-5.6.2-03", rule.KS,
		"a KD has at most one KEK packet")
	dutyKEKOnce = rule.Duty("gdoimap.make.kek.once", "RFC6407-5.6.2-01", rule.KS,
		"a KEK packet has each key once")
	dutyIVFirst = rule.Duty("gdoimap.make.kek.iv", "RFC6407-5.6.2.1-01", rule.KS,
		"the IV comes before the key of the KEK")
	dutyPublicKey = rule.Duty("gdoimap.make.kek.signature", "RFC6407-5.6.2.2-01", rule.KS,
		"a KEK packet has the public key of PUSH signatures")
	dutySIDPacket = rule.Duty("gdoimap.make.sid.packet", "RFC6407-5.6.4.4-01", rule.KS,
		"Sender-IDs come with the keys of counter modes")
	dutySIDSPI = rule.Duty("gdoimap.make.sid.spi", "RFC6407-5.6.4-01", rule.KS,
		"a SID packet has no SPI")
)

// KDOf builds the KD payload of message 4 or of a PUSH: key packets for the Rekey SA, for each SPI of the Data-Security SAs
// and for Sender-IDs, as far as there are any (RFC 6407 §5.6). SIDs are for PULL only (§5.6.4).
func KDOf(rekey *policy.RekeySA, sas []policy.TrafficSA, sids *policy.SIDs, rules *rule.Switches) gdoi.KD {
	var kd gdoi.KD
	if rekey != nil {
		packet, once := kekPacket, dutyOneKEK
		if rekey.LKH != nil {
			packet, once = lkhPacket, dutyOneLKH
		}
		kd.Packets = append(kd.Packets, packet(*rekey, rules))
		if !once.Kept(rules) {
			kd.Packets = append(kd.Packets, packet(*rekey, rules))
		}
	}
	kd.Packets = append(kd.Packets, tekPackets(sas, rules)...)
	if sids != nil && dutySIDPacket.Kept(rules) {
		kd.Packets = append(kd.Packets, sidPacket(*sids, rules))
	}
	if n := len(kd.Packets); n > 0 && !dutyPacketLength.Kept(rules) {
		kd.Packets[n-1].LengthDelta = 4
	}
	if !dutyCount.Kept(rules) {
		more := uint16(len(kd.Packets) + 1)
		kd.Count = &more
	}
	return kd
}

// tekPackets makes one packet an SPI: several SATs may name the same SA.
func tekPackets(sas []policy.TrafficSA, rules *rule.Switches) (packets []gdoi.KeyPacket) {
	made := map[uint32]bool{}
	for _, sa := range sas {
		if !made[sa.SPI] {
			made[sa.SPI] = true
			packets = append(packets, tekPacket(sa, rules))
		}
	}
	if len(packets) > 0 && !dutyComplete.Kept(rules) {
		packets = packets[:len(packets)-1]
	}
	return packets
}

func tekPacket(sa policy.TrafficSA, rules *rule.Switches) gdoi.KeyPacket {
	key, integrity := sa.CipherKey, sa.IntegrityKey
	if !kept(ciphers[sa.Transform.Cipher].sendKey, rules) {
		key = cutKey(sa.Transform.Cipher, key)
	}
	if !kept(integrities[sa.Transform.Integrity].sendKey, rules) {
		integrity = integrity[:min(16, len(integrity))]
	}
	p := gdoi.TEKPacket(sa.SPI)
	spoilSPI(p.SPI, rules)
	first := wire.TLV(gdoi.TEKAlgorithmKey, key)
	if len(key) == 0 { // NULL has no key
		first = wire.TLV(gdoi.TEKIntegrityKey, integrity)
	}
	p.Attributes = append(p.Attributes, first)
	if !dutyTEKOnce.Kept(rules) {
		p.Attributes = append(p.Attributes, first)
	}
	if len(key) > 0 && len(integrity) > 0 {
		p.Attributes = append(p.Attributes, wire.TLV(gdoi.TEKIntegrityKey, integrity))
	}
	return p
}

// cutKey is what a mutant leaves of a key: it forgets the salt, or the last of the keys of 3DES.
func cutKey(c policy.Cipher, key []byte) []byte {
	form, _ := c.Form()
	if form.Salt > 0 {
		return key[:max(0, len(key)-form.Salt)]
	}
	return key[:len(key)*2/3]
}

func kekPacket(r policy.RekeySA, rules *rule.Switches) gdoi.KeyPacket {
	first, second := r.IV, r.Key
	if !dutyIVFirst.Kept(rules) {
		first, second = second, first
	}
	key := wire.TLV(gdoi.KEKAlgorithmKey, slices.Concat(first, second))
	p := gdoi.KEKPacket(r.SPI, key)
	spoilSPI(p.SPI, rules)
	if !dutyKEKOnce.Kept(rules) {
		p.Attributes = append(p.Attributes, key)
	}
	if dutyPublicKey.Kept(rules) {
		p.Attributes = append(p.Attributes, wire.TLV(gdoi.SigAlgorithmKey, r.PublicKey))
	}
	return p
}

// sidPacket sends each SID in four octets; RFC 6407 §5.6.4.2 does not say how many it has.
func sidPacket(s policy.SIDs, rules *rule.Switches) gdoi.KeyPacket {
	p := gdoi.SIDPacket(uint16(s.Bits), s.Values...)
	if !dutySIDSPI.Kept(rules) {
		p.SPI = make([]byte, 4)
	}
	return p
}

// spoilSPI is for a mutant.
func spoilSPI(spi []byte, rules *rule.Switches) {
	if !dutyKeySPI.Kept(rules) {
		spi[len(spi)-1] ^= 0xff
	}
}
