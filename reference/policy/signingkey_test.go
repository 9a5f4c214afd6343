package policy_test

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// Each test key has the algorithm, size and hash that its kind has, and leaves the choices that its kind leaves.
func TestSignatureOf(t *testing.T) {
	for _, c := range []struct {
		file      string
		algorithm policy.SigAlgorithm
		bits      int
		hash      policy.SigHash
	}{
		{"ks1", policy.SigRSA, 2048, 0},
		{"ks-rsa3072", policy.SigRSA, 3072, 0},
		{"ks-rsa4096", policy.SigRSA, 4096, 0},
		{"ks-p256", policy.SigECDSA256, 256, policy.SigHashSHA256},
		{"ks-p384", policy.SigECDSA384, 384, policy.SigHashSHA384},
		{"ks-p521", policy.SigECDSA521, 521, policy.SigHashSHA512},
	} {
		der, err := policy.DecodeSigningKey(readFixture(t, "keys/"+c.file+".pem"))
		if err != nil {
			t.Errorf("%s %v", c.file, err)
			continue
		}
		key, err := policy.ParseSigningKey(der)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		algorithm, bits, ok := policy.SignatureOf(key.Public())
		if !ok || algorithm != c.algorithm || bits != c.bits || algorithm.Hash() != c.hash {
			t.Errorf("%s: algorithm %d, %d bits, hash %d", c.file, algorithm, bits, algorithm.Hash())
		}
		free := c.hash == 0
		for _, r := range []policy.RekeyPolicy{{SigHash: policy.SigHashSHA1}, {SigForm: policy.SigBareHash}} {
			if err := r.SignableBy(algorithm); (err == nil) != free {
				t.Errorf("%s with %+v: %v", c.file, r, err)
			}
		}
		if err := (policy.RekeyPolicy{SigHash: c.hash}).SignableBy(algorithm); err != nil {
			t.Errorf("%s: %v", c.file, err)
		}
	}
}
