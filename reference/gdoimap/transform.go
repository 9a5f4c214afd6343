package gdoimap

import (
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// cipherRow is an ESP transform that a member supports.
type cipherRow struct {
	salt     int  // octets behind the key in TEK_ALGORITHM_KEY
	combined bool // protects integrity by itself

	sendLength *rule.Guard // the duty to send Key Length
	keyLength  *rule.Guard // that Key Length is there
	keySize    *rule.Guard // that it is one of AES
	material   *rule.Guard // that TEK_ALGORITHM_KEY has key and salt
}

var ciphers = map[policy.Cipher]cipherRow{
	policy.CipherAESCBC: {sendLength: dutyCBCKeyLength, keyLength: checkKeyLength, keySize: checkSATValue,
		material: checkCipherKey},
	policy.CipherAESGCM16: {salt: 4, combined: true, sendLength: dutyGCMKeyLength, keyLength: checkGCMKeyLength,
		keySize: checkGCMKeyLength, material: checkGCMKey},
}

// integrityKeyLen are the integrity algorithms that a member supports, with the length of their keys in octets.
var integrityKeyLen = map[policy.Integrity]int{
	policy.IntegrityHMACSHA256: 32,
}

// readTransform reads what protects the packets of an SA.
func readTransform(id uint8, n numbers, rules *rule.Switches) (policy.Transform, error) {
	t := policy.Transform{Cipher: policy.Cipher(id)}
	row, supported := ciphers[t.Cipher]
	registered := id > 0 && id <= highestTransform
	switch {
	case !checkTransform.Holds(rules, registered):
		return t, checkTransform.Violated("ESP transform %d", id)
	case registered && !checkSATValue.Holds(rules, supported):
		return t, checkSATValue.Violated("ESP transform %d is not supported", id)
	case !supported:
		return t, nil
	}
	if err := readKeyLength(&t, row, n, rules); err != nil {
		return t, err
	}
	if err := readIntegrity(&t, row, n, rules); err != nil {
		return t, err
	}
	return t, readHandling(&t, n, rules)
}

// readKeyLength takes 128 where the guard of a length is off.
func readKeyLength(t *policy.Transform, row cipherRow, n numbers, rules *rule.Switches) error {
	size := n.or(gdoi.KeyLength, 128)
	fits := slices.Contains(aesKeyBits, size)
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

// readIntegrity demands an Authentication Algorithm for a cipher that is no combined mode: encryption without integrity is
// not supported.
func readIntegrity(t *policy.Transform, row cipherRow, n numbers, rules *rule.Switches) error {
	algorithm := n.or(gdoi.AuthAlgorithm, 0)
	if row.combined {
		if !checkNoIntegrity.Holds(rules, !n.has(gdoi.AuthAlgorithm)) {
			return checkNoIntegrity.Violated("Authentication Algorithm %d with a combined mode", algorithm)
		}
		return nil
	}
	if !checkSATValue.Holds(rules, algorithm == uint64(policy.IntegrityHMACSHA256)) {
		return checkSATValue.Violated("Authentication Algorithm %d", algorithm)
	}
	t.Integrity = policy.IntegrityHMACSHA256
	return nil
}

// readHandling reads encapsulation, address preservation and direction.
func readHandling(t *policy.Transform, n numbers, rules *rule.Switches) error {
	mode := n.or(gdoi.EncapsulationMode, uint64(policy.ModeTunnel))
	preservation := n.or(gdoi.AddressPreservation, uint64(policy.PreserveAbsent))
	direction := n.or(gdoi.SADirection, uint64(policy.DirectionAbsent))
	hasP, hasD := n.has(gdoi.AddressPreservation), n.has(gdoi.SADirection)
	switch {
	case !checkSATValue.Holds(rules, within(mode, uint64(policy.ModeTunnel), uint64(policy.ModeTransport))):
		return checkSATValue.Violated("Encapsulation Mode %d", mode)
	case hasP && !checkPreservation.Holds(rules, within(preservation, 1, uint64(policy.PreserveBoth))):
		return checkPreservation.Violated("Address Preservation %d", preservation)
	case hasD && !checkSATValue.Holds(rules, within(direction, 1, uint64(policy.DirectionSymmetric))):
		return checkSATValue.Violated("SA Direction %d", direction)
	case n.has(gdoi.GroupDescription) && !dutyIgnoreGroup.Kept(rules):
		return checkSATUnknown.Violated("Group Description")
	}
	t.Mode = policy.ModeTunnel
	if mode == uint64(policy.ModeTransport) {
		t.Mode = policy.ModeTransport
	}
	t.Preservation = policy.Preservation(preservation)
	t.Direction = policy.Direction(direction)
	if !hasD && !dutySymmetric.Kept(rules) {
		t.Direction = policy.DirectionReceiverOnly
	}
	return nil
}

func within(v, low, high uint64) bool { return v >= low && v <= high }
