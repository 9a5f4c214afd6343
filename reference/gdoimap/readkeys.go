package gdoimap

import (
	"bytes"
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

var (
	checkTEKOnce = rule.Check("gdoimap.read.tek.once", "RFC6407-5.6.1-01", rule.GM,
		"an SPI has one TEK packet, with each key that its SAT calls for once and nothing else")
	checkCipherKey = rule.Check("gdoimap.read.tek.cipher", "RFC6407-5.6.1-04", rule.GM,
		"the key of AES-CBC has the length of the SAT")
	checkGCMKey = rule.Check("gdoimap.read.tek.gcm", "RFC4106-8.1-01", rule.GM,
		"the key of AES-GCM has the length of the SAT and four octets of salt")
	checkGMACKey = rule.Check("gdoimap.read.tek.gmac", "RFC4543-5.4-01", rule.GM,
		"the key of GMAC has the length of the SAT and four octets of salt")
	checkTripleDESKey = rule.Check("gdoimap.read.tek.3des", "RFC6407-5.6.1.1-01", rule.GM,
		"the key of 3DES has 24 octets")
	checkTripleDES = rule.Check("gdoimap.read.tek.parts", "RFC2451-2.3-01", rule.GM,
		"no key of 3DES is that before it")
	checkIntegrityKey = rule.Check("gdoimap.read.tek.integrity", "RFC4868-2.1.1-01", rule.GM,
		"the key of HMAC-SHA-2 is as long as the output of its hash")
	checkSHA1Key = rule.Check("gdoimap.read.tek.sha1", "RFC2404-3-01", rule.GM,
		"the key of HMAC-SHA-1 has 20 octets")
	checkOneKEK = rule.Check("gdoimap.read.kek.packet", "RFC6407-5.6.2-03", rule.GM,
		"a KD has at most one KEK packet")
	checkKEKOnce = rule.Check("gdoimap.read.kek.once", "RFC6407-5.6.2-01", rule.GM,
		"a KEK packet has KEK_ALGORITHM_KEY and SIG_ALGORITHM_KEY once and nothing else")
	checkKEKKey = rule.Check("gdoimap.read.kek.key", "RFC6407-5.6.2.1-01", rule.GM,
		"KEK_ALGORITHM_KEY is an IV and a key of the SAK's lengths")
	checkThreeKeys = rule.Check("gdoimap.read.kek.3des", "RFC6407-5.3.2.2-01", rule.GM,
		"the three keys of 3DES differ from each other")
	checkPublicKey = rule.Check("gdoimap.read.kek.signature", "RFC6407-5.6.2.2-01", rule.GM,
		"SIG_ALGORITHM_KEY is a public key of the SAK's algorithm")
	checkSigKeyLength = rule.Check("gdoimap.read.kek.sigkeylength", "RFC6407-5.3.7-01", rule.GM,
		"SIG_KEY_LENGTH is that of the public key")
)

func (k *keyring) takeTEK(p *gdoi.KeyPacket) error {
	targets := k.targets(p.SPI)
	if targets == nil {
		if !checkBound.Holds(k.rules, false) {
			return checkBound.Violated("TEK packet for the unknown SPI %x", p.SPI)
		}
		targets = k.firstWithout()
	}
	k.teks++
	for _, i := range targets {
		if !checkTEKOnce.Holds(k.rules, !k.keys[i].read) {
			return checkTEKOnce.Violated("a second TEK packet for SPI %08x", k.sas[i].SPI)
		}
		if err := k.keys[i].take(&k.sas[i], p, k.rules); err != nil {
			return err
		}
		k.keys[i].read = true
	}
	return nil
}

// targets are the places of the SAs that an SPI names.
func (k *keyring) targets(spi []byte) (places []int) {
	if !dutyBySPI.Kept(k.rules) && k.teks < len(k.sas) {
		return []int{k.teks}
	}
	for i := range k.sas {
		if bytes.Equal(spi, binary.BigEndian.AppendUint32(nil, k.sas[i].SPI)) {
			places = append(places, i)
		}
	}
	return places
}

func (k *keyring) firstWithout() []int {
	for i, t := range k.keys {
		if !t.read {
			return []int{i}
		}
	}
	return nil
}

// take reads the keys of an SA.
func (t *tek) take(sa *policy.TrafficSA, p *gdoi.KeyPacket, rules *rule.Switches) error {
	cipher, integrity := sa.Transform.CipherKeyLen(), sa.Transform.IntegrityKeyLen()
	supported := keyed(sa.Transform)
	wanted := make([]uint16, 0, 2)
	if cipher > 0 || !supported {
		wanted = append(wanted, gdoi.TEKAlgorithmKey)
	}
	if integrity > 0 {
		wanted = append(wanted, gdoi.TEKIntegrityKey)
	}
	keys, fault := sole(p.Attributes, named[gdoi.TEKKeyAttribute], wanted...)
	if !checkTEKOnce.Holds(rules, fault == "") {
		return checkTEKOnce.Violated("TEK packet of SPI %08x: %s", sa.SPI, fault)
	}
	if !supported {
		key, _ := keys.of(gdoi.TEKAlgorithmKey)
		t.cipher = bytes.Clone(key)
		return nil
	}
	var err error
	if cipher > 0 {
		check := ciphers[sa.Transform.Cipher].material
		if sa.Transform.Protocol == policy.ProtocolIEC61850 {
			check = checkIECKey
		}
		if t.cipher, err = readKey(keys, gdoi.TEKAlgorithmKey, cipher, check, rules); err != nil {
			return err
		}
		if _, ok := keys.of(gdoi.TEKAlgorithmKey); ok && sa.Transform.Cipher == policy.Cipher3DES &&
			!checkTripleDES.Holds(rules, keymat.Triple(t.cipher)) {
			return checkTripleDES.Violated("the key of SPI %08x is one of DES", sa.SPI)
		}
	}
	if integrity > 0 {
		check := integrities[sa.Transform.Integrity].material
		if sa.Transform.Protocol == policy.ProtocolIEC61850 {
			check = checkIECIntegrityKey
		}
		t.integrity, err = readKey(keys, gdoi.TEKIntegrityKey, integrity, check, rules)
	}
	return err
}

// keyed reports whether it is known which keys a transform has.
func keyed(t policy.Transform) bool {
	_, supported := t.Cipher.Form()
	return supported || t.Protocol != policy.ProtocolESP
}

// readKey returns a copy of the key in its right length. One that is missing reads as zeros: that it is there is for another
// guard to see.
func readKey(keys values, number uint16, length int, check *rule.Guard, rules *rule.Switches) ([]byte, error) {
	key, ok := keys.of(number)
	if ok && !check.Holds(rules, len(key) == length) {
		return nil, check.Violated("key of %d octets instead of %d", len(key), length)
	}
	return fit(key, length), nil
}

func (k *keyring) takeKEK(p *gdoi.KeyPacket) error {
	known := k.rekey != nil && bytes.Equal(p.SPI, k.rekey.SPI[:])
	switch {
	case !checkOneKEK.Holds(k.rules, k.keks == 0):
		return checkOneKEK.Violated("a second KEK packet")
	case !checkBound.Holds(k.rules, known):
		return checkBound.Violated("KEK packet for the unknown SPI %x", p.SPI)
	case k.rekey == nil:
		return nil
	}
	k.keks++
	keys, fault := sole(p.Attributes, named[gdoi.KEKKeyAttribute], gdoi.KEKAlgorithmKey, gdoi.SigAlgorithmKey)
	if !checkKEKOnce.Holds(k.rules, fault == "") {
		return checkKEKOnce.Violated("KEK packet: %s", fault)
	}
	cipher := CipherOf(*k.rekey)
	iv := cipher.BlockSize()
	both, err := readKey(keys, gdoi.KEKAlgorithmKey, iv+k.rekey.KeyBits/8, checkKEKKey, k.rules)
	if err != nil {
		return err
	}
	k.rekey.IV, k.rekey.Key = both[:iv:iv], both[iv:]
	if !checkThreeKeys.Holds(k.rules, cipher != keymat.TripleDES || keymat.Independent(k.rekey.Key)) {
		return checkThreeKeys.Violated("two of the three keys of 3DES are the same")
	}
	if public, ok := keys.of(gdoi.SigAlgorithmKey); ok {
		return readPublicKey(k.rekey, public, k.rules)
	}
	return nil
}

// readPublicKey takes SubjectPublicKeyInfo and RSAPublicKey, and keeps the former.
func readPublicKey(r *policy.RekeySA, der []byte, rules *rule.Switches) error {
	key, err := keymat.ParsePublicKey(der)
	algorithm, size, _ := policy.SignatureOf(key)
	if algorithm != r.SigAlgorithm {
		if !checkPublicKey.Holds(rules, false) {
			return checkPublicKey.Violated("SIG_ALGORITHM_KEY is no key of SIG_ALGORITHM %d: %T, %v", r.SigAlgorithm, key, err)
		}
		r.PublicKey = bytes.Clone(der)
		return nil
	}
	if r.SigKeyBits == 0 {
		r.SigKeyBits = size
	}
	if !checkSigKeyLength.Holds(rules, r.SigKeyBits == size) {
		return checkSigKeyLength.Violated("SIG_KEY_LENGTH is %d, the key has %d bits", r.SigKeyBits, size)
	}
	r.PublicKey, err = keymat.MarshalPublicKey(key)
	return err
}
