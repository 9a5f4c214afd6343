package keymat

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"errors"
	"testing"
)

// signer.pem was made for these tests alone; signer.sig is the signature of TestSignPush by OpenSSL.
var (
	//go:embed testdata/signer.pem
	signerPEM []byte
	//go:embed testdata/signer.sig
	signerSig string
	//go:embed testdata/ecdsa.pub.pem
	ecdsaPEM []byte
)

const (
	pushPayloads = "0c000008000000010c0000100000000201040001000000000900001c000000020010000100000000000000000000000000000000"
	pushUnpadded = "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7 12102101 00000000 00000154"
	pushPadded   = "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7 12102101 00000000 0000015c"
	toyDigest    = "19a0a71494c90b0c0ade0936951c94576c10fadefd1a1bc58762ae1a9595d885"
)

func signer(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode(signerPEM)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

func spki(t testing.TB, key *rsa.PublicKey) []byte {
	t.Helper()
	der, err := MarshalPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestPushDigest(t *testing.T) {
	payloads := unhex(t, pushPayloads)
	equal(t, "unpadded Length", PushDigest(unhex(t, pushUnpadded), payloads), toyDigest)
	equal(t, "padded Length", PushDigest(unhex(t, pushPadded), payloads), "894c5d6a8364e364493fa164f5ce6111fe2d4319f1199b375684b487bc9757d1")
}

func TestSignPush(t *testing.T) {
	sig, err := SignPush(signer(t), unhex(t, toyDigest))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "signature", sig, signerSig)
	if _, err := SignPush(signer(t), []byte("no digest")); err == nil {
		t.Error("something that is no SHA-256 digest was signed")
	}
}

func TestVerifyPush(t *testing.T) {
	key, digest, sig := signer(t), unhex(t, toyDigest), unhex(t, signerSig)
	for name, der := range map[string][]byte{
		"SubjectPublicKeyInfo": spki(t, &key.PublicKey),
		"RSAPublicKey":         x509.MarshalPKCS1PublicKey(&key.PublicKey),
	} {
		if err := VerifyPush(der, digest, sig); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyPushRefuses(t *testing.T) {
	der, digest, sig := spki(t, &signer(t).PublicKey), unhex(t, toyDigest), unhex(t, signerSig)
	flip := func(b []byte, i int) []byte { b = bytes.Clone(b); b[i] ^= 1; return b }
	for i := range sig {
		if err := VerifyPush(der, digest, flip(sig, i)); !errors.Is(err, ErrSignature) {
			t.Errorf("octet %d of the signature altered: %v", i, err)
		}
		if err := VerifyPush(der, digest, sig[:i]); !errors.Is(err, ErrSignature) {
			t.Errorf("signature cut to %d octets: %v", i, err)
		}
	}
	for i := range digest {
		if err := VerifyPush(der, flip(digest, i), sig); !errors.Is(err, ErrSignature) {
			t.Errorf("octet %d of the digest altered: %v", i, err)
		}
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	der := spki(t, &signer(t).PublicKey)
	for n := range der {
		if _, err := ParsePublicKey(der[:n]); !errors.Is(err, ErrPublicKey) {
			t.Errorf("cut to %d octets: %v", n, err)
		}
	}
	if _, err := ParsePublicKey(append(bytes.Clone(der), 0)); !errors.Is(err, ErrPublicKey) {
		t.Errorf("trailing octet: %v", err)
	}
	ecdsaSPKI, _ := pem.Decode(ecdsaPEM)
	if err := VerifyPush(ecdsaSPKI.Bytes, make([]byte, 32), make([]byte, 64)); !errors.Is(err, ErrPublicKey) {
		t.Errorf("an ECDSA key: %v", err)
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
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := ParsePublicKey(der)
		if (key == nil) != (err != nil) {
			t.Errorf("key %v and error %v", key, err)
		}
	})
}
