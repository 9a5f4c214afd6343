package keymat

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"testing"
)

// count are the octets from one number on.
func count(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(from + i)
	}
	return b
}

var (
	cbcSuite = IKEv2Suite{PRF: SHA256, Cipher: AES, KeyLen: 32, Integrity: SHA256}
	gcmSuite = IKEv2Suite{PRF: SHA384, KeyLen: 16, GCM: true}
	// worked is an input whose keys were computed by somebody else.
	worked = IKEv2Input{Shared: count(0x80, 32), Ni: count(0, 32), Nr: count(0x20, 32),
		SPIi: [8]byte(count(1, 8)), SPIr: [8]byte(count(0x11, 8))}
)

func TestIKEv2Derive(t *testing.T) {
	k := cbcSuite.Derive(worked)
	for name, tt := range map[string]struct {
		got  []byte
		want string
	}{
		"SK_d":  {k.D, "b5e52906cdf4c01b3c1ab6fa2619d92def65620d78e982986a7f4b5b213996fa"},
		"SK_ai": {k.AI, "0b279d90c666b2595157bd79273f665075b51cdc6a8d73d499446e3a3f484943"},
		"SK_ar": {k.AR, "fa83a9b8388c37d76d45d77bcadee116eaefad8d31979ec975d84beae0b52623"},
		"SK_ei": {k.EI, "e6a301c10c3de335b0a0c771fb9d7af5511c6cfaad33f2a678e2662bf884f3cb"},
		"SK_er": {k.ER, "81f9ac329d84f0b8a070b5228e64d16e934456788360ce17ea09842b1540c59b"},
		"SK_pi": {k.PI, "40718e053bf40296a627f961f0ab1c965be0a8e58b171007863225fc5945a877"},
		"SK_pr": {k.PR, "f2ab34879f75f2880d9b07c63bc7c5863778cf208fac5c5c04fa9d6c26f89d3f"},
	} {
		if hex.EncodeToString(tt.got) != tt.want {
			t.Errorf("%s is %x", name, tt.got)
		}
	}
	g := gcmSuite.Derive(worked)
	if len(g.AI)+len(g.AR) != 0 || len(g.EI) != 20 || len(g.ER) != 20 || len(g.PR) != 48 || len(g.D) != 48 {
		t.Errorf("keys of GCM: %+v", g)
	}
	// by the definition: the seed of the new SA comes from the old one's SK_d
	again := cbcSuite.Rekey(SHA256, k.D, worked)
	seed := SHA256.PRF(k.D, worked.Shared, worked.Ni, worked.Nr)
	if !bytes.Equal(again.D, PRFPlus(SHA256, seed, bytes.Join([][]byte{worked.Ni, worked.Nr, worked.SPIi[:], worked.SPIr[:]}, nil), 32)) {
		t.Error("SK_d after a rekey")
	}
}

func TestPRFPlus(t *testing.T) {
	long := PRFPlus(SHA1, []byte("key"), []byte("seed"), 255*20)
	t1 := SHA1.PRF([]byte("key"), []byte("seed\x01"))
	t2 := SHA1.PRF([]byte("key"), t1, []byte("seed\x02"))
	if !bytes.Equal(long[:20], t1) || !bytes.Equal(long[20:40], t2) || !bytes.Equal(PRFPlus(SHA1, []byte("key"), []byte("seed"), 7), t1[:7]) {
		t.Errorf("%x", long[:40])
	}
	defer func() {
		if recover() == nil {
			t.Error("it has more than 255 blocks")
		}
	}()
	PRFPlus(SHA1, nil, nil, 255*20+1)
}

// TestIKEv2Message makes an empty INFORMATIONAL request that somebody else has made too.
func TestIKEv2Message(t *testing.T) {
	k := cbcSuite.Derive(worked)
	want, _ := hex.DecodeString("010203040506070811121314151617182e202508000000020000005000000034101112131415161718191a1b1c1d1e1f" +
		"581cbad1823c4fcb78f2d561257de11d4ee8870323a24dfb5c1d52cc9d1e321e")
	got, err := cbcSuite.Seal(want[:32], k.EI, k.AI, count(0x10, 16), nil)
	if err != nil || !bytes.Equal(got, want) || cbcSuite.SealedLen(0) != len(want)-32 {
		t.Errorf("%x, %v", got, err)
	}
	if plain, err := cbcSuite.Open(want[:32], k.EI, k.AI, want[32:]); err != nil || len(plain) != 0 {
		t.Errorf("%x, %v", plain, err)
	}
}

func TestIKEv2SealAndOpen(t *testing.T) {
	head := count(0, 32)
	for name, s := range map[string]IKEv2Suite{
		"AES-CBC-256 and SHA-256": cbcSuite, "AES-GCM-128": gcmSuite, "AES-GCM-256": {PRF: SHA256, KeyLen: 32, GCM: true},
		"3DES and SHA-1":          {PRF: SHA1, Cipher: TripleDES, KeyLen: 24, Integrity: SHA1},
		"AES-CBC-128 and SHA-512": {PRF: SHA512, Cipher: AES, KeyLen: 16, Integrity: SHA512},
		"AES-CBC-192 and SHA-384": {PRF: SHA384, Cipher: AES, KeyLen: 24, Integrity: SHA384},
	} {
		k := s.Derive(worked)
		for n := range 40 {
			message, err := s.Seal(head, k.ER, k.AR, count(7, s.IVLen()), count(1, n))
			if err != nil || len(message) != len(head)+s.SealedLen(n) {
				t.Fatalf("%s: %d octets of %d, %v", name, len(message), n, err)
			}
			if plain, err := s.Open(head, k.ER, k.AR, message[32:]); err != nil || !bytes.Equal(plain, count(1, n)) {
				t.Fatalf("%s: %x, %v", name, plain, err)
			}
			if n%13 != 0 {
				continue
			}
			for i := range message {
				altered := bytes.Clone(message)
				altered[i] ^= 1
				if _, err := s.Open(altered[:32], k.ER, k.AR, altered[32:]); !errors.Is(err, ErrProtected) {
					t.Fatalf("%s: octet %d altered: %v", name, i, err)
				}
				if _, err := s.Open(head, k.ER, k.AR, message[32:max(i, 32)]); !errors.Is(err, ErrProtected) {
					t.Fatalf("%s: cut at %d: %v", name, i, err)
				}
			}
			if _, err := s.Open(head, k.EI, k.AI, message[32:]); !errors.Is(err, ErrProtected) {
				t.Errorf("%s: with the keys of the other direction: %v", name, err)
			}
		}
		if _, err := s.Seal(head, k.ER, k.AR, nil, nil); !errors.Is(err, ErrKey) {
			t.Errorf("%s: without an IV: %v", name, err)
		}
		if _, err := s.Seal(head, k.ER[1:], k.AR, count(0, s.IVLen()), nil); !errors.Is(err, ErrKey) {
			t.Errorf("%s: with a short key: %v", name, err)
		}
	}
}

// TestIKEv2Padding opens what was protected by somebody who has the keys and pads wrongly.
func TestIKEv2Padding(t *testing.T) {
	k, head := cbcSuite.Derive(worked), count(0, 32)
	forge := func(plain []byte) []byte {
		iv := count(0, 16)
		sealed, _, err := AES.EncryptCBC(k.EI, iv, plain)
		if err != nil {
			t.Fatal(err)
		}
		return append(append(iv, sealed...), cbcSuite.icv(k.AI, head, iv, sealed)...)
	}
	most := append(make([]byte, 15), 15)
	if plain, err := cbcSuite.Open(head, k.EI, k.AI, forge(most)); err != nil || len(plain) != 0 {
		t.Errorf("nothing but padding: %x, %v", plain, err)
	}
	if _, err := cbcSuite.Open(head, k.EI, k.AI, forge(append(make([]byte, 15), 16))); !errors.Is(err, ErrPadding) {
		t.Errorf("more padding than octets: %v", err)
	}
	if _, err := cbcSuite.Open(head, k.EI, k.AI, forge(nil)); !errors.Is(err, ErrPadding) {
		t.Errorf("no octet of padding length: %v", err)
	}
	iv := count(0, 16)
	half := append(append([]byte(nil), iv...), 1, 2, 3)
	if _, err := cbcSuite.Open(head, k.EI, k.AI, append(half, cbcSuite.icv(k.AI, head, half)...)); !errors.Is(err, ErrBlocks) {
		t.Errorf("half a block: %v", err)
	}
}

func FuzzIKEv2Open(f *testing.F) {
	k := [2]IKEv2Keys{cbcSuite.Derive(worked), gcmSuite.Derive(worked)}
	for i, s := range []IKEv2Suite{cbcSuite, gcmSuite} {
		message, err := s.Seal(count(0, 32), k[i].EI, k[i].AI, count(0, s.IVLen()), count(0, 20))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message[:32], message[32:])
	}
	f.Fuzz(func(t *testing.T, head, body []byte) {
		for i, s := range []IKEv2Suite{cbcSuite, gcmSuite} {
			if plain, err := s.Open(head, k[i].EI, k[i].AI, body); err == nil && len(plain) >= len(body) {
				t.Errorf("%d octets of %d", len(plain), len(body))
			}
		}
	})
}

func TestIKEv2SharedKey(t *testing.T) {
	k := cbcSuite.Derive(worked)
	id, _ := hex.DecodeString("0b000000676d31406578616d706c65")
	message := bytes.Repeat([]byte("MSG1"), 7)
	signed := IKEv2Signed(SHA256, message, worked.Nr, k.PI, id)
	if got := hex.EncodeToString(signed[len(message)+32:]); got != "0e8708a470215ba6ff75e37ace2c00a772407e78ad688206845e7840fe33aa20" {
		t.Errorf("MACedIDForI is %s", got)
	}
	if got := hex.EncodeToString(IKEv2SharedKey(SHA256, []byte("presharedsecret"), signed)); got != "da202fc6d59f309ff9afd313afa59f7bf2b27edb683b4e50792e1cdc749df556" {
		t.Errorf("AUTH is %s", got)
	}
}

func TestIKEv2Signatures(t *testing.T) {
	octets := []byte("what is signed")
	for name, key := range testKeys(t) {
		for _, h := range []Hash{SHA256, SHA384, SHA512} {
			for _, form := range []AuthForm{{Hash: h}, {Hash: h, Bare: true}, {Hash: h, PSS: true}} {
				sig, err := form.Sign(rand.Reader, key, octets)
				if err != nil {
					t.Fatalf("%s, %+v: %v", name, form, err)
				}
				if err := form.Verify(key.Public(), octets, sig); err != nil {
					t.Errorf("%s, %+v: %v", name, form, err)
				}
				if err := form.Verify(key.Public(), octets[1:], sig); !errors.Is(err, ErrSignature) {
					t.Errorf("%s, %+v, of other octets: %v", name, form, err)
				}
				if again, err := form.Sign(rand.Reader, key, octets); err != nil || bytes.Equal(again, sig) != (name != "RSA" || !form.PSS) {
					t.Errorf("%s, %+v: another signature of the same: %t", name, form, bytes.Equal(again, sig))
				}
			}
			der, ok := AuthForm{Hash: h}.Algorithm(key.Public())
			if got, known := FormOf(key.Public(), der); !ok || !known || got != (AuthForm{Hash: h}) {
				t.Errorf("%s: %x is %+v", name, der, got)
			}
		}
		if _, ok := (AuthForm{Hash: MD5}).Algorithm(key.Public()); ok {
			t.Errorf("%s with MD5", name)
		}
		if _, ok := FormOf(key.Public(), []byte{0x30, 0}); ok {
			t.Errorf("%s: an algorithm of nothing", name)
		}
	}
	if (AuthForm{Hash: SHA256}).Verify(nil, octets, nil) == nil {
		t.Error("no key")
	}
	if _, ok := (AuthForm{Hash: SHA256}).Algorithm(nil); ok {
		t.Error("no key")
	}
}

// TestSignatureAlgorithms reads the octets as what they are made of: the algorithm and, of PSS, hash, mask and length of the salt.
func TestSignatureAlgorithms(t *testing.T) {
	type identifier struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	var pss struct {
		Hash identifier `asn1:"explicit,tag:0"`
		Mask struct {
			Algorithm asn1.ObjectIdentifier
			Hash      identifier
		} `asn1:"explicit,tag:1"`
		Salt int `asn1:"explicit,tag:2"`
	}
	for _, row := range algorithms {
		var of identifier
		if rest, err := asn1.Unmarshal(unhex(t, row.der), &of); err != nil || len(rest) > 0 {
			t.Errorf("%s: %v", row.der, err)
		}
		if !row.of.PSS {
			continue
		}
		if rest, err := asn1.Unmarshal(of.Parameters.FullBytes, &pss); err != nil || len(rest) > 0 {
			t.Errorf("%s: %v", row.der, err)
		}
		if pss.Salt != row.of.Hash.Size() || !pss.Hash.Algorithm.Equal(pss.Mask.Hash.Algorithm) {
			t.Errorf("%s: %+v", row.der, pss)
		}
	}
}

// testKeys are a key of each kind.
func testKeys(t *testing.T) map[string]crypto.Signer {
	return map[string]crypto.Signer{"RSA": signer(t), "P-256": curveKey(t, elliptic.P256(), "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")}
}
