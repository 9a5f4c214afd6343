package gdoimap

import (
	"math"
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// cipherRow is the guards of one ESP transform; what it looks like stands in the table of package policy.
type cipherRow struct {
	// What the key server owes; nil: nothing of its own.
	sendID     *rule.Guard // that the Transform ID is that of its ICV
	sendLength *rule.Guard // to send Key Length, or to leave it out
	sendAuth   *rule.Guard // to send an Authentication Algorithm, or to leave it out
	sendKey    *rule.Guard // TEK_ALGORITHM_KEY whole: with its salt, or with all its keys

	// What the member checks.
	keyLength *rule.Guard // that Key Length is there, or not
	keySize   *rule.Guard // that it is one of AES
	auth      *rule.Guard // that an Authentication Algorithm is there, or not
	material  *rule.Guard // that TEK_ALGORITHM_KEY has the right length
}

var (
	gcmRow = cipherRow{sendID: dutyGCMTransform, sendLength: dutyGCMKeyLength, sendAuth: dutyNoIntegrity, sendKey: dutyGCMKey,
		keyLength: checkGCMKeyLength, keySize: checkGCMKeyLength, auth: checkNoIntegrity, material: checkGCMKey}

	ciphers = map[policy.Cipher]cipherRow{
		policy.CipherAESGCM16: gcmRow,
		policy.CipherAESGCM12: gcmRow,
		policy.CipherAESGCM8:  gcmRow,
		policy.CipherGMAC: {sendLength: dutyGMACKeyLength, sendAuth: dutyGMACAlone, sendKey: dutyGMACKey,
			keyLength: checkGMACKeyLength, keySize: checkGMACKeyLength, auth: checkGMACAlone, material: checkGMACKey},
		policy.CipherAESCBC: {sendLength: dutyCBCKeyLength,
			keyLength: checkKeyLength, keySize: checkSATValue, auth: checkSATValue, material: checkCipherKey},
		policy.Cipher3DES: {sendLength: dutyNoKeyLength, sendKey: dutyTripleDESKey,
			keyLength: checkNoKeyLength, auth: checkSATValue, material: checkTripleDESKey},
		policy.CipherNULL: {sendLength: dutyNoKeyLength, sendAuth: dutyNULLIntegrity,
			keyLength: checkNoKeyLength, auth: checkBothNULL},
	}
)

// integrityRow is the guards of the key of one integrity algorithm: the key server's duty and the member's check.
type integrityRow struct{ sendKey, material *rule.Guard }

var integrities = map[policy.Integrity]integrityRow{
	policy.IntegrityHMACSHA1:   {dutySHA1Key, checkSHA1Key},
	policy.IntegrityHMACSHA256: {dutyIntegrityKey, checkIntegrityKey},
	policy.IntegrityHMACSHA384: {dutyIntegrityKey, checkIntegrityKey},
	policy.IntegrityHMACSHA512: {dutyIntegrityKey, checkIntegrityKey},
}

// kept reports whether a duty that a row may not have is fulfilled.
func kept(duty *rule.Guard, rules *rule.Switches) bool { return duty == nil || duty.Kept(rules) }

// readTransform reads what protects the packets of an SA.
func readTransform(id uint8, n numbers, rules *rule.Switches) (policy.Transform, error) {
	t := policy.Transform{Cipher: policy.Cipher(id)}
	form, supported := t.Cipher.Form()
	registered := gdoi.TransformName(gdoi.ProtoIPsecESP, id) != ""
	switch {
	case !checkTransform.Holds(rules, registered):
		return t, checkTransform.Violated("ESP transform %d", id)
	case registered && !checkSATValue.Holds(rules, supported):
		return t, checkSATValue.Violated("ESP transform %d is not supported", id)
	case !supported:
		return t, nil
	}
	if err := readKeyLength(&t, form, n, rules); err != nil {
		return t, err
	}
	if err := readIntegrity(&t, form, n, rules); err != nil {
		return t, err
	}
	if err := readESN(&t, n, rules); err != nil {
		return t, err
	}
	return t, readHandling(&t, n, rules)
}

// readKeyLength takes 128 where the guard of a length is off.
func readKeyLength(t *policy.Transform, form policy.CipherForm, n numbers, rules *rule.Switches) error {
	row, size := ciphers[t.Cipher], n.or(gdoi.KeyLength, 128)
	if len(form.KeyBits) == 0 {
		if !row.keyLength.Holds(rules, !n.has(gdoi.KeyLength)) {
			return row.keyLength.Violated("Key Length %d with ESP transform %d, whose keys have one length", size, t.Cipher)
		}
		return nil
	}
	fits := size <= math.MaxUint16 && slices.Contains(form.KeyBits, int(size))
	switch {
	case !row.keyLength.Holds(rules, n.has(gdoi.KeyLength)):
		return row.keyLength.Violated("ESP transform %d without Key Length", t.Cipher)
	case !row.keySize.Holds(rules, fits):
		return row.keySize.Violated("Key Length %d", size)
	case !fits:
		size = 128
	}
	t.KeyBits = int(size)
	return nil
}

// readIntegrity demands an Authentication Algorithm for a transform that is no combined mode: encryption without integrity is
// not supported, and nothing at all is forbidden (RFC 4303 §3.2). It takes HMAC-SHA-256 where the guards are off.
func readIntegrity(t *policy.Transform, form policy.CipherForm, n numbers, rules *rule.Switches) error {
	check, algorithm := ciphers[t.Cipher].auth, n.or(gdoi.AuthAlgorithm, 0)
	if form.Combined() {
		if !check.Holds(rules, !n.has(gdoi.AuthAlgorithm)) {
			return check.Violated("Authentication Algorithm %d with a combined mode", algorithm)
		}
		return nil
	}
	_, known := policy.Integrity(algorithm).Form()
	known = known && algorithm <= math.MaxUint16
	switch {
	case !check.Holds(rules, n.has(gdoi.AuthAlgorithm)):
		return check.Violated("ESP transform %d without Authentication Algorithm", t.Cipher)
	case n.has(gdoi.AuthAlgorithm) && !checkSATValue.Holds(rules, known):
		return checkSATValue.Violated("Authentication Algorithm %d", algorithm)
	case !known:
		algorithm = uint64(policy.IntegrityHMACSHA256)
	}
	t.Integrity = policy.Integrity(algorithm)
	return nil
}

// readESN reads how long sequence numbers are: the attribute has one value only (RFC 4304 §2). Whether the member has the
// window that long ones need is its own to say.
func readESN(t *policy.Transform, n numbers, rules *rule.Switches) error {
	v := n.or(gdoi.ExtendedSequenceNumber, gdoi.SequenceNumber64)
	if !checkSATValue.Holds(rules, v == gdoi.SequenceNumber64) {
		return checkSATValue.Violated("Extended (64-bit) Sequence Number %d", v)
	}
	t.ESN = n.has(gdoi.ExtendedSequenceNumber) && dutyReadESN.Kept(rules)
	return nil
}

// readHandling reads encapsulation, address preservation and direction.
func readHandling(t *policy.Transform, n numbers, rules *rule.Switches) error {
	mode := n.or(gdoi.EncapsulationMode, uint64(policy.ModeTunnel))
	preservation := n.or(gdoi.AddressPreservation, uint64(policy.PreserveAbsent))
	direction := n.or(gdoi.SADirection, uint64(policy.DirectionAbsent))
	hasP, hasD := n.has(gdoi.AddressPreservation), n.has(gdoi.SADirection)
	switch {
	case !checkSATValue.Holds(rules, within(mode, uint64(policy.ModeTunnel), uint64(policy.ModeUDPTransport))):
		return checkSATValue.Violated("Encapsulation Mode %d", mode)
	case hasP && !checkPreservation.Holds(rules, within(preservation, 1, uint64(policy.PreserveBoth))):
		return checkPreservation.Violated("Address Preservation %d", preservation)
	case hasD && !checkSATValue.Holds(rules, within(direction, 1, uint64(policy.DirectionSymmetric))):
		return checkSATValue.Violated("SA Direction %d", direction)
	case n.has(gdoi.GroupDescription) && !dutyIgnoreGroup.Kept(rules):
		return checkSATUnknown.Violated("Group Description")
	}
	t.Mode = policy.ModeTunnel
	if within(mode, uint64(policy.ModeTunnel), uint64(policy.ModeUDPTransport)) {
		t.Mode = policy.Mode(mode)
	}
	t.Preservation = policy.Preservation(preservation)
	t.Direction = policy.Direction(direction)
	if !hasD && !dutySymmetric.Kept(rules) {
		t.Direction = policy.DirectionReceiverOnly
	}
	return nil
}

func within(v, low, high uint64) bool { return v >= low && v <= high }
