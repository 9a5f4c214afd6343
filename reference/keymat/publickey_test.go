package keymat

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"testing"
)

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PublicKey {
	t.Helper()
	d := make([]byte, (curve.Params().BitSize+7)/8)
	d[len(d)-1] = 7
	key, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

func TestParsePublicKey(t *testing.T) {
	rsaKey := &signer(t).PublicKey
	for name, c := range map[string]struct {
		der  []byte
		want interface{ Equal(crypto.PublicKey) bool }
	}{
		"SubjectPublicKeyInfo": {spki(t, rsaKey), rsaKey},
		"RSAPublicKey":         {x509.MarshalPKCS1PublicKey(rsaKey), rsaKey},
		"P-256":                {spki(t, ecKey(t, elliptic.P256())), ecKey(t, elliptic.P256())},
		"P-384":                {spki(t, ecKey(t, elliptic.P384())), ecKey(t, elliptic.P384())},
		"P-521":                {spki(t, ecKey(t, elliptic.P521())), ecKey(t, elliptic.P521())},
	} {
		if key, err := ParsePublicKey(c.der); err != nil || !c.want.Equal(key) {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	for name, der := range map[string][]byte{"RSA": spki(t, &signer(t).PublicKey), "P-256": spki(t, ecKey(t, elliptic.P256()))} {
		for n := range der {
			if _, err := ParsePublicKey(der[:n]); !errors.Is(err, ErrPublicKey) {
				t.Errorf("%s cut to %d octets: %v", name, n, err)
			}
		}
		if _, err := ParsePublicKey(append(bytes.Clone(der), 0)); !errors.Is(err, ErrPublicKey) {
			t.Errorf("%s with a trailing octet: %v", name, err)
		}
	}
	if _, err := ParsePublicKey(spki(t, ecKey(t, elliptic.P224()))); !errors.Is(err, ErrPublicKey) {
		t.Errorf("P-224: %v", err)
	}
}

func TestMarshalPublicKeyRefuses(t *testing.T) {
	if _, err := MarshalPublicKey(&rsa.PublicKey{}); !errors.Is(err, ErrPublicKey) {
		t.Errorf("an empty key: %v", err)
	}
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add(spki(f, &signer(f).PublicKey))
	f.Add(x509.MarshalPKCS1PublicKey(&signer(f).PublicKey))
	f.Add(spki(f, ecKey(f, elliptic.P384())))
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := ParsePublicKey(der)
		if (key == nil) != (err != nil) {
			t.Errorf("key %v and error %v", key, err)
		}
		if err == nil && SignatureLen(key) == 0 {
			t.Errorf("%T signs nothing", key)
		}
	})
}
