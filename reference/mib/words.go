package mib

import "github.com/gdoilab/gdoilab/reference/policy"

// The module's own numbers for words of package control. What it has no number for is 0: unknown, or none.
var (
	kekCiphers = map[string]uint32{"3des": 3, "aes128-cbc": 12, "aes192-cbc": 12, "aes256-cbc": 12}
	hashes     = map[string]uint32{"sha1": 2, "sha256": 5, "sha384": 6, "sha512": 7}
	signatures = map[string]uint32{"rsa": 1, "ecdsa-256": 9, "ecdsa-384": 10, "ecdsa-521": 11}
	management = map[string]uint32{"lkh": 1}
	protocols  = map[string]uint32{"esp": 1}
)

// modes has the words of configurations; the numbers are those of RFC 2407 §4.5.
var modes = func() map[string]uint32 {
	found := make(map[string]uint32)
	for _, m := range []policy.Mode{policy.ModeTunnel, policy.ModeTransport, policy.ModeUDPTunnel, policy.ModeUDPTransport} {
		found[m.Word()] = uint32(m)
	}
	return found
}()

// integrities are numbered as IKEv2 does; those of combined modes are none.
var integrities = map[policy.Integrity]uint32{
	policy.IntegrityHMACSHA1: 2, policy.IntegrityHMACSHA256: 12, policy.IntegrityHMACSHA384: 13, policy.IntegrityHMACSHA512: 14,
}

// gmac is the only transform that the module numbers otherwise than RFC 2407 and its successors.
const gmac = 21

// transforms are those that SAs may have, by their words in configurations.
var transforms = func() map[string]policy.Transform {
	found := make(map[string]policy.Transform)
	for _, t := range append(policy.Transforms(), policy.AHTransforms()...) {
		found[t.Name()] = t
	}
	return found
}()

func encryption(t policy.Transform) uint32 {
	if t.Cipher == policy.CipherGMAC {
		return gmac
	}
	return uint32(t.Cipher)
}
