package policy_test

import (
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

func transformNames() (names []string) {
	for _, t := range append(policy.Transforms(), policy.AHTransforms()...) {
		names = append(names, t.Name())
	}
	return names
}

// Names, key lengths and what an operator reads, of one transform of each kind.
func TestTransformForms(t *testing.T) {
	cbc := func(bits int, a policy.Integrity) policy.Transform {
		return policy.Transform{Cipher: policy.CipherAESCBC, KeyBits: bits, Integrity: a}
	}
	for _, c := range []struct {
		t                      policy.Transform
		name, text             string
		cipher, integrity, icv int
		counter                bool
	}{
		{policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128}, "aes128-gcm16", "aes-gcm-16-128", 20, 0, 16, true},
		{policy.Transform{Cipher: policy.CipherAESGCM12, KeyBits: 192}, "aes192-gcm12", "aes-gcm-12-192", 28, 0, 12, true},
		{policy.Transform{Cipher: policy.CipherAESGCM8, KeyBits: 256}, "aes256-gcm8", "aes-gcm-8-256", 36, 0, 8, true},
		{policy.Transform{Cipher: policy.CipherGMAC, KeyBits: 128}, "aes128-gmac", "null-aes-gmac-128", 20, 0, 16, true},
		{cbc(128, policy.IntegrityHMACSHA256), "aes128-cbc-hmac-sha256", "aes-cbc-128 hmac-sha-256-128", 16, 32, 16, false},
		{cbc(256, policy.IntegrityHMACSHA512), "aes256-cbc-hmac-sha512", "aes-cbc-256 hmac-sha-512-256", 32, 64, 32, false},
		{policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1}, "3des-hmac-sha1", "3des-cbc hmac-sha-1-96", 24, 20, 12, false},
		{policy.Transform{Cipher: policy.CipherNULL, Integrity: policy.IntegrityHMACSHA384}, "null-hmac-sha384", "null hmac-sha-384-192", 0, 48, 24, false},
	} {
		if err := c.t.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := c.t.Name(); got != c.name {
			t.Errorf("%s has the name %s", c.name, got)
		}
		if got := c.t.String(); got != c.text {
			t.Errorf("%s reads %s", c.name, got)
		}
		if c.t.CipherKeyLen() != c.cipher || c.t.IntegrityKeyLen() != c.integrity || c.t.ICVLen() != c.icv {
			t.Errorf("%s: keys of %d and %d octets, ICV of %d", c.name, c.t.CipherKeyLen(), c.t.IntegrityKeyLen(), c.t.ICVLen())
		}
		if c.t.CounterMode() != c.counter {
			t.Errorf("%s: CounterMode %v", c.name, !c.counter)
		}
	}
	if names := transformNames(); len(names) != 36 || len(slices.Compact(slices.Sorted(slices.Values(names)))) != 36 {
		t.Errorf("names of the transforms: %v", names)
	}
}

func TestTransformCheck(t *testing.T) {
	for name, transform := range map[string]policy.Transform{
		"unknown cipher":          {Cipher: 4, KeyBits: 128},
		"no cipher":               {},
		"AES of 100 bits":         {Cipher: policy.CipherAESCBC, KeyBits: 100, Integrity: policy.IntegrityHMACSHA256},
		"3DES with a length":      {Cipher: policy.Cipher3DES, KeyBits: 192, Integrity: policy.IntegrityHMACSHA1},
		"NULL with a length":      {Cipher: policy.CipherNULL, KeyBits: 128, Integrity: policy.IntegrityHMACSHA1},
		"neither of the two":      {Cipher: policy.CipherNULL},
		"CBC without integrity":   {Cipher: policy.CipherAESCBC, KeyBits: 128},
		"CBC with MD5":            {Cipher: policy.CipherAESCBC, KeyBits: 128, Integrity: 1},
		"GCM with integrity":      {Cipher: policy.CipherAESGCM8, KeyBits: 128, Integrity: policy.IntegrityHMACSHA1},
		"GMAC with integrity":     {Cipher: policy.CipherGMAC, KeyBits: 128, Integrity: policy.IntegrityHMACSHA256},
		"GMAC without Key Length": {Cipher: policy.CipherGMAC},
	} {
		if err := transform.Check(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if text := (policy.Transform{Cipher: 99, KeyBits: 128, ESN: true}).String(); text != "cipher-99-128 esn" {
		t.Errorf("unknown cipher: %s", text)
	}
}
