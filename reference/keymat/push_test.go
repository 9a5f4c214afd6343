package keymat

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
)

// signer.pem was made for these tests alone. The other files are signatures of the toy message with it by OpenSSL, of which the
// bare ones lack the -pkeyopt:
//
//	openssl dgst -sha384 -binary MESSAGE > DIGEST
//	openssl pkeyutl -sign -inkey signer.pem -in DIGEST -pkeyopt digest:sha384
//
//go:embed testdata
var testdata embed.FS

const (
	pushPayloads = "0c000008000000010c0000100000000201040001000000000900001c000000020010000100000000000000000000000000000000"
	pushUnpadded = "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7 12102101 00000000 00000154"
	pushPadded   = "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7 12102101 00000000 0000015c"
	toyDigest    = "19a0a71494c90b0c0ade0936951c94576c10fadefd1a1bc58762ae1a9595d885"
)

// plainScheme is the one that RFC 6407 §6.1 asks for.
var plainScheme = PushScheme{Hash: crypto.SHA256}

// opensslSignatures are the files with signatures of the toy message.
var opensslSignatures = map[string]PushScheme{
	"signer.sig":             plainScheme,
	"signer-sha1.sig":        {Hash: crypto.SHA1},
	"signer-sha384.sig":      {Hash: crypto.SHA384},
	"signer-sha512.sig":      {Hash: crypto.SHA512},
	"signer-sha256-bare.sig": {Hash: crypto.SHA256, Bare: true},
	"signer-sha512-bare.sig": {Hash: crypto.SHA512, Bare: true},
}

func testfile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := testdata.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func signature(t testing.TB, name string) []byte {
	t.Helper()
	return unhex(t, string(testfile(t, name)))
}

func signer(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode(testfile(t, "signer.pem"))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

// curveKey is a private key of ECDSA from its number in hexadecimal.
func curveKey(t testing.TB, curve elliptic.Curve, d string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(curve, unhex(t, d))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func spki(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := MarshalPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func toyDigestOf(t testing.TB, s PushScheme) []byte {
	t.Helper()
	return s.Digest(unhex(t, pushUnpadded), unhex(t, pushPayloads))
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func TestPushDigest(t *testing.T) {
	payloads := unhex(t, pushPayloads)
	equal(t, "unpadded Length", plainScheme.Digest(unhex(t, pushUnpadded), payloads), toyDigest)
	equal(t, "padded Length", plainScheme.Digest(unhex(t, pushPadded), payloads), "894c5d6a8364e364493fa164f5ce6111fe2d4319f1199b375684b487bc9757d1")
	if d := (PushScheme{}).Digest(nil, payloads); d != nil {
		t.Errorf("without a hash: %x", d)
	}
}

// RSA signs as OpenSSL does, and each form and hash verifies as itself and as no other.
func TestSignRSA(t *testing.T) {
	key := signer(t)
	for name, s := range opensslSignatures {
		sig, err := s.Sign(key, toyDigestOf(t, s))
		if err != nil || !bytes.Equal(sig, signature(t, name)) || len(sig) != SignatureLen(&key.PublicKey) {
			t.Errorf("%s: %x, %v", name, sig, err)
		}
		for other, o := range opensslSignatures {
			if err := o.Verify(&key.PublicKey, toyDigestOf(t, o), sig); (err == nil) != (name == other) {
				t.Errorf("%s as %s: %v", name, other, err)
			}
		}
	}
}

// The signatures of "sample" in RFC 6979 A.2.5 to A.2.7, and that of RFC 4754 §8.1, whose nonce is another.
func TestECDSAVectors(t *testing.T) {
	digestOf := func(h crypto.Hash, text string) []byte { return digest(h.New(), [][]byte{[]byte(text)}) }
	for _, c := range []struct {
		curve   elliptic.Curve
		hash    crypto.Hash
		d, r, s string
	}{
		{elliptic.P256(), crypto.SHA256, "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
			"EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716", "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
		{elliptic.P384(), crypto.SHA384,
			"6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
			"94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
			"99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8"},
		{elliptic.P521(), crypto.SHA512,
			"00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538",
			"00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E377FA",
			"00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A"},
	} {
		key, s := curveKey(t, c.curve, c.d), PushScheme{Hash: c.hash}
		sig, err := s.Sign(key, digestOf(c.hash, "sample"))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, c.curve.Params().Name, sig, c.r+c.s)
		if err := s.Verify(&key.PublicKey, digestOf(c.hash, "sample"), sig); err != nil {
			t.Errorf("%s: %v", c.curve.Params().Name, err)
		}
	}
	key := curveKey(t, elliptic.P256(), "DC51D3866A15BACDE33D96F992FCA99DA7E6EF0934E7097559C27F1614C88A7F")
	sig := unhex(t, "CB28E0999B9C7715FD0A80D8E47A77079716CBBF917DD72E97566EA1C066957C"+
		"86FA3BB4E26CAD5BF90B7F81899256CE7594BB1EA0C89212748BFF3B3D5B0315")
	if err := plainScheme.Verify(&key.PublicKey, digestOf(crypto.SHA256, "abc"), sig); err != nil {
		t.Error(err)
	}
}

func TestVerifyPushRefuses(t *testing.T) {
	p256 := curveKey(t, elliptic.P256(), "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
	for name, key := range map[string]crypto.Signer{"RSA": signer(t), "ECDSA": p256} {
		digest, public := unhex(t, toyDigest), key.Public()
		sig, err := plainScheme.Sign(key, digest)
		if err != nil {
			t.Fatal(err)
		}
		for i := range sig {
			if err := plainScheme.Verify(public, digest, flip(sig, i)); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: octet %d of the signature altered: %v", name, i, err)
			}
			if err := plainScheme.Verify(public, digest, sig[:i]); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: signature cut to %d octets: %v", name, i, err)
			}
		}
		for i := range digest {
			if err := plainScheme.Verify(public, flip(digest, i), sig); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: octet %d of the digest altered: %v", name, i, err)
			}
		}
		for what, wrong := range map[string][]byte{"an octet more": append(bytes.Clone(sig), 0), "swapped": append(bytes.Clone(sig[len(sig)/2:]), sig[:len(sig)/2]...)} {
			if err := plainScheme.Verify(public, digest, wrong); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
	}
	der, err := p256.Sign(nil, unhex(t, toyDigest), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := plainScheme.Verify(p256.Public(), unhex(t, toyDigest), der); !errors.Is(err, ErrSignature) {
		t.Errorf("DER: %v", err)
	}
}

// What is no key, no digest or no hash neither signs nor verifies.
func TestPushNeedsKeyAndDigest(t *testing.T) {
	key, digest := signer(t), unhex(t, toyDigest)
	strange := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	for name, c := range map[string]struct {
		scheme PushScheme
		key    crypto.Signer
		digest []byte
	}{
		"no digest":   {plainScheme, key, []byte("no digest")},
		"no hash":     {PushScheme{}, key, nil},
		"bare nobody": {PushScheme{Bare: true}, key, digest},
		"Ed25519":     {plainScheme, strange, digest},
	} {
		if sig, err := c.scheme.Sign(c.key, c.digest); err == nil {
			t.Errorf("%s: signed %x", name, sig)
		}
		if err := c.scheme.Verify(c.key.Public(), c.digest, signature(t, "signer.sig")); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := plainScheme.Verify(nil, digest, signature(t, "signer.sig")); !errors.Is(err, ErrSignature) {
		t.Errorf("no key: %v", err)
	}
	if n := SignatureLen(strange.Public()); n != 0 {
		t.Errorf("length of a signature: %d", n)
	}
}

func FuzzVerifyPush(f *testing.F) {
	key := curveKey(f, elliptic.P521(), "01"+strings.Repeat("5a", 65))
	s := PushScheme{Hash: crypto.SHA512}
	right, err := s.Sign(key, toyDigestOf(f, s))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(right)
	f.Add(make([]byte, 132))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, sig []byte) {
		if err := s.Verify(&key.PublicKey, toyDigestOf(t, s), sig); err == nil && len(sig) != len(right) {
			t.Errorf("%x verifies", sig)
		}
	})
}
