package keymat

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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

func TestSignaturesAreRememberedUpToABound(t *testing.T) {
	var r recent
	name := func(i int) [sha256.Size]byte { return sha256.Sum256([]byte{byte(i), byte(i >> 8)}) }
	for i := range 3 * len(r.ring) {
		r.add(name(i))
		r.add(name(i)) // twice counts once
	}
	if len(r.has) != len(r.ring) {
		t.Errorf("%d are remembered, want %d", len(r.has), len(r.ring))
	}
	if r.contains(name(2*len(r.ring)-1)) || !r.contains(name(2*len(r.ring))) {
		t.Error("the last ones are remembered, and no others")
	}
}
