package keymat

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
)

func TestASignatureThatIsRememberedIsRightForNoOtherDigestOrKey(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a rekey message"))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	sig := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	altered := append([]byte(nil), sig...)
	altered[40] ^= 1
	another := sha256.Sum256([]byte("another"))
	for round := range 2 {
		if !verifyECDSA(&key.PublicKey, digest[:], sig) {
			t.Errorf("round %d: a right signature is refused", round)
		}
		if verifyECDSA(&key.PublicKey, digest[:], altered) {
			t.Errorf("round %d: an altered signature is taken", round)
		}
		if verifyECDSA(&key.PublicKey, another[:], sig) {
			t.Errorf("round %d: the signature is taken for another digest", round)
		}
		if verifyECDSA(&other.PublicKey, digest[:], sig) {
			t.Errorf("round %d: the signature is taken for another key", round)
		}
	}
}

func TestAnRSASignatureThatIsRememberedIsRightForNothingElse(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	digest, another := sha256.Sum256([]byte("a rekey message")), sha256.Sum256([]byte("another"))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	bare, err := rsa.SignPKCS1v15(nil, key, 0, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	altered := append([]byte(nil), sig...)
	altered[40] ^= 1
	exponent := rsa.PublicKey{N: key.N, E: 3}
	for round := range 2 {
		for _, right := range []struct {
			block crypto.Hash
			sig   []byte
		}{{crypto.SHA256, sig}, {0, bare}} {
			if err := verifyRSA(&key.PublicKey, right.block, digest[:], right.sig); err != nil {
				t.Errorf("round %d: a right signature is refused: %v", round, err)
			}
		}
		for name, err := range map[string]error{
			"altered":                    verifyRSA(&key.PublicKey, crypto.SHA256, digest[:], altered),
			"for another digest":         verifyRSA(&key.PublicKey, crypto.SHA256, another[:], sig),
			"for another key":            verifyRSA(&other.PublicKey, crypto.SHA256, digest[:], sig),
			"for another exponent":       verifyRSA(&exponent, crypto.SHA256, digest[:], sig),
			"as one without DigestInfo":  verifyRSA(&key.PublicKey, 0, digest[:], sig),
			"as one with DigestInfo":     verifyRSA(&key.PublicKey, crypto.SHA256, digest[:], bare),
			"as one over another's hash": verifyRSA(&key.PublicKey, crypto.SHA512_256, digest[:], sig),
		} {
			if err == nil {
				t.Errorf("round %d: the signature is taken %s", round, name)
			}
		}
	}
}
