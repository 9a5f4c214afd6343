package keymat_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/keymat"
)

// count returns n octets, counted from first.
func count(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

// The keys of signature authentication, computed with Python's hmac (RFC 2409 §5).
func TestDeriveSigned(t *testing.T) {
	for hash, want := range map[keymat.Hash][2]string{
		keymat.SHA1: {"a192d2717c65975fc246258ab50418e703d9a9eb", "dd6fd249094a33a358bdc2b25ae4fb57df392b47"},
		keymat.SHA256: {"66cd0ee63055effd24c52b90779f9a43e1e1532844604980435267fcb4517027",
			"12d45fa02700ea083bfc0ad8bb1019a8a83553fec13be002ce75c5893464c7e6"},
		keymat.SHA384: {"46943642664a70bf7265a9a399ca5a4ed681d68d37a0cb1916516aa32aecbb7366ca6489c9dfe5e7e7e15e3d37249cd7",
			"183ee99a0ea942ae6a45a0cf15e98064c7d924feeb29e16bceff97bd75733831c3767a822cbede4c98e2eaf6bcca713e"},
	} {
		in := keymat.Phase1Input{Hash: hash, PSK: []byte("counts for nothing"), Ni: count(0, 16), Nr: count(16, 16), Shared: count(0x20, 64)}
		for i := range 8 {
			in.CookieI[i], in.CookieR[i] = 1, 2
		}
		k := keymat.DeriveSigned(in)
		if got := [2]string{hex.EncodeToString(k.SKEYID), hex.EncodeToString(k.E)}; got != want {
			t.Errorf("%s: %s, want %s", hash, got, want)
		}
	}
}

func signers() map[string]crypto.Signer {
	return map[string]crypto.Signer{
		"RSA": pki.RSA("phase1-gm"), "P-256": pki.ECDSA(elliptic.P256(), "a"), "P-384": pki.ECDSA(elliptic.P384(), "a"),
		"P-521": pki.ECDSA(elliptic.P521(), "a"),
	}
}

// A signature verifies with its key and HASH, is as long as its key says, and is the same each time.
func TestSignHash(t *testing.T) {
	for name, key := range signers() {
		for _, size := range []int{16, 20, 32, 48, 64} {
			hash := count(1, size)
			sig, err := keymat.SignHash(key, hash)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if again, _ := keymat.SignHash(key, hash); !bytes.Equal(sig, again) || len(sig) != keymat.SignatureLen(key.Public()) {
				t.Errorf("%s: %d octets, another time others", name, len(sig))
			}
			if err := keymat.VerifyHash(key.Public(), hash, sig); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for what, wrong := range map[string][]byte{"short": sig[1:], "long": append(slices.Clone(sig), 0), "none": nil, "zeros": make([]byte, len(sig))} {
				if err := keymat.VerifyHash(key.Public(), hash, wrong); !errors.Is(err, keymat.ErrSignature) {
					t.Errorf("%s: a signature that is %s: %v", name, what, err)
				}
			}
			other := slices.Clone(hash)
			other[0] ^= 1
			if err := keymat.VerifyHash(key.Public(), other, sig); !errors.Is(err, keymat.ErrSignature) {
				t.Errorf("%s: the signature of another HASH: %v", name, err)
			}
		}
	}
}

// An RSA signature has the HASH alone behind its padding (RFC 2409 §5.1), unless a DigestInfo is asked for.
func TestRSAIsBare(t *testing.T) {
	key, hash := pki.RSA("phase1-gm").(*rsa.PrivateKey), count(7, 32)
	block := func(sig []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		b := new(big.Int).Exp(new(big.Int).SetBytes(sig), big.NewInt(int64(key.E)), key.N).Bytes()
		return b[bytes.IndexByte(b, 0)+1:]
	}
	bare, _ := keymat.SignHash(key, hash)
	if got := block(bare, nil); !bytes.Equal(got, hash) {
		t.Errorf("signed is %x", got)
	}
	around, err := keymat.SignDigestInfo(key, hash)
	if got := block(around, err); len(got) != 19+32 || !bytes.HasSuffix(got, hash) {
		t.Errorf("signed is %x", got)
	}
	if err := keymat.VerifyDigestInfo(&key.PublicKey, hash, around); err != nil {
		t.Error(err)
	}
	if err := keymat.VerifyDigestInfo(&key.PublicKey, hash, bare); !errors.Is(err, keymat.ErrSignature) {
		t.Errorf("a bare signature is taken for one with DigestInfo: %v", err)
	}
	if err := keymat.VerifyHash(&key.PublicKey, hash, around); !errors.Is(err, keymat.ErrSignature) {
		t.Errorf("a signature with DigestInfo is taken for a bare one: %v", err)
	}
	if err := keymat.VerifyDigestInfo(&key.PublicKey, hash[:5], around); !errors.Is(err, keymat.ErrSignature) {
		t.Errorf("5 octets are taken for a digest: %v", err)
	}
	if _, err := keymat.SignDigestInfo(key, hash[:5]); err == nil {
		t.Error("5 octets are signed as a digest")
	}
}

func TestSignHashWithOtherKeys(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keymat.SignHash(key, count(0, 32)); !errors.Is(err, keymat.ErrPublicKey) {
		t.Errorf("signed with Ed25519: %v", err)
	}
	if err := keymat.VerifyHash(key.Public(), count(0, 32), count(0, 64)); !errors.Is(err, keymat.ErrSignature) {
		t.Errorf("verified with Ed25519: %v", err)
	}
	if _, err := keymat.SignHash(pki.ECDSA(elliptic.P256(), "a"), count(0, 5)); err == nil {
		t.Error("5 octets are signed as a digest")
	}
}
