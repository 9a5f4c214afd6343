package keymat

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

const (
	nistIV    = "000102030405060708090a0b0c0d0e0f"
	nistPlain = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710"
)

// NIST SP 800-38A, F.2.1 to F.2.6.
func TestCBCVectors(t *testing.T) {
	for name, c := range map[string]struct{ key, want string }{
		"AES-128": {"2b7e151628aed2a6abf7158809cf4f3c", "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2 73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7"},
		"AES-192": {"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "4f021db243bc633d7178183a9fa071e8 b4d9ada9ad7dedf4e5e738763f69145a 571b242012fb7ae07fa9baac3df102e0 08b0e27988598881d920a9e64f5615cd"},
		"AES-256": {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d 39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b"},
	} {
		t.Run(name, func(t *testing.T) {
			key, iv := unhex(t, c.key), unhex(t, nistIV)
			sealed, next, err := AES.EncryptCBC(key, iv, unhex(t, nistPlain))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "ciphertext", sealed, c.want)
			equal(t, "next IV", next, c.want[len(c.want)-32:])
			plain, next, err := AES.DecryptCBC(key, iv, sealed)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "plaintext", plain, nistPlain)
			equal(t, "next IV", next, c.want[len(c.want)-32:])
		})
	}
}

func TestCBCPadsWithZeros(t *testing.T) {
	key, iv := from(0, 16), from(16, 16)
	for n := range 50 {
		plain := from(1, n)
		sealed, next, err := AES.EncryptCBC(key, iv, plain)
		if err != nil {
			t.Fatal(err)
		}
		opened, nextOpened, err := AES.DecryptCBC(key, iv, sealed)
		if err != nil {
			t.Fatal(err)
		}
		padding := bytes.TrimPrefix(opened, plain)
		if len(padding) >= BlockSize || len(bytes.Trim(padding, "\x00")) != 0 || len(opened)%BlockSize != 0 {
			t.Errorf("%d octets: padding %x", n, padding)
		}
		if !bytes.Equal(next, nextOpened) || !bytes.Equal(next, NextIV(iv, sealed)) {
			t.Errorf("%d octets: next IV %x and %x", n, next, nextOpened)
		}
	}
}

// Each message goes on where the one before it ended (RFC 2409 appendix B).
func TestCBCChainsMessages(t *testing.T) {
	key, iv, whole := unhex(t, "2b7e151628aed2a6abf7158809cf4f3c"), unhex(t, nistIV), unhex(t, nistPlain)
	first, next, err := AES.EncryptCBC(key, iv, whole[:32])
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := AES.EncryptCBC(key, next, whole[32:])
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := AES.EncryptCBC(key, iv, whole)
	if err != nil || !bytes.Equal(append(first, second...), want) {
		t.Errorf("two messages differ from one: %v", err)
	}
}

func TestCBCLeavesItsInputsAlone(t *testing.T) {
	key, iv, in := from(0, 16), from(16, 16), from(32, 32)
	sealed, next, err := AES.EncryptCBC(key, iv, in)
	if err != nil {
		t.Fatal(err)
	}
	kept := bytes.Clone(next)
	for i := range sealed {
		sealed[i] = 0
	}
	if !bytes.Equal(next, kept) || !bytes.Equal(in, from(32, 32)) || !bytes.Equal(iv, from(16, 16)) {
		t.Error("results share memory, or an input was written to")
	}
	if _, _, err := AES.DecryptCBC(key, iv, in); err != nil || !bytes.Equal(in, from(32, 32)) {
		t.Errorf("ciphertext was written to, or %v", err)
	}
}

func TestCBCAppends(t *testing.T) {
	key, iv, head := from(0, 16), from(16, 16), []byte("head")
	sealed, err := AES.AppendEncryptCBC(bytes.Clone(head), key, iv, from(0, 20))
	if err != nil || !bytes.HasPrefix(sealed, head) || len(sealed) != 4+32 {
		t.Fatalf("%x, %v", sealed, err)
	}
	plain, err := AES.AppendDecryptCBC(bytes.Clone(head), key, iv, sealed[4:])
	if err != nil || !bytes.HasPrefix(plain, append(head, from(0, 20)...)) {
		t.Errorf("%x, %v", plain, err)
	}
}

func TestCBCRefuses(t *testing.T) {
	good := from(0, 16)
	for _, n := range []int{0, 1, 15, 17, 31, 33} {
		bad := from(0, n)
		if _, _, err := AES.EncryptCBC(bad, good, good); !errors.Is(err, ErrKey) {
			t.Errorf("encrypt, key of %d: %v", n, err)
		}
		if _, _, err := AES.EncryptCBC(good, bad, good); !errors.Is(err, ErrKey) {
			t.Errorf("encrypt, IV of %d: %v", n, err)
		}
		if _, _, err := AES.DecryptCBC(bad, good, good); !errors.Is(err, ErrKey) {
			t.Errorf("decrypt, key of %d: %v", n, err)
		}
		if _, _, err := AES.DecryptCBC(good, bad, good); !errors.Is(err, ErrKey) {
			t.Errorf("decrypt, IV of %d: %v", n, err)
		}
		if _, _, err := AES.DecryptCBC(good, good, bad); n > 0 && !errors.Is(err, ErrBlocks) {
			t.Errorf("decrypt, %d octets: %v", n, err)
		}
	}
}

func FuzzCBC(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte("fedcba9876543210"), []byte("some plaintext"))
	f.Add([]byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, key, iv, data []byte) {
		sealed, _, err := AES.EncryptCBC(key, iv, data)
		if err != nil {
			return
		}
		plain, _, err := AES.DecryptCBC(key, iv, sealed)
		if err != nil || !bytes.HasPrefix(plain, data) {
			t.Errorf("%x became %x: %v", data, plain, err)
		}
		if _, _, err := AES.DecryptCBC(key, iv, data); err != nil && len(data)%BlockSize == 0 {
			t.Errorf("decrypt: %v", err)
		}
	})
}

const tripleDESChain = "2079c3d53aa763e193b79e2569ab5262516570481f25b50f"

// NIST SP 800-67 and SP 800-20 publish single blocks; this chain was made with "openssl enc -des-ede3-cbc -nopad".
func TestTripleDES(t *testing.T) {
	key, iv := unhex(t, "0123456789abcdef23456789abcdef01456789abcdef0123"), unhex(t, "f69f2445df4f9b17")
	sealed, next, err := TripleDES.EncryptCBC(key, iv, unhex(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "ciphertext", sealed, tripleDESChain)
	equal(t, "next IV", next, tripleDESChain[len(tripleDESChain)-16:])
	plain, _, err := TripleDES.DecryptCBC(key, iv, sealed)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "plaintext", plain, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c")
	if _, _, err := TripleDES.EncryptCBC(key[:16], iv, nil); !errors.Is(err, ErrKey) {
		t.Errorf("a key of 16 octets: %v", err)
	}
	if _, _, err := TripleDES.EncryptCBC(key, make([]byte, 16), nil); !errors.Is(err, ErrKey) {
		t.Errorf("an IV of 16 octets: %v", err)
	}
}

func TestIndependent(t *testing.T) {
	a, b, c := from(0x10, 8), from(0x20, 8), from(0x30, 8)
	parity := slices.Clone(a)
	for i := range parity {
		parity[i] ^= 1
	}
	for name, test := range map[string]struct {
		key  []byte
		want bool
	}{
		"three keys":             {slices.Concat(a, b, c), true},
		"K1 = K2":                {slices.Concat(a, a, c), false},
		"K2 = K3":                {slices.Concat(a, b, b), false},
		"K1 = K3":                {slices.Concat(a, b, a), false},
		"K1 = K3 but for parity": {slices.Concat(a, b, parity), false},
	} {
		if got := Independent(test.key); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if one := slices.Concat(a, b, parity); !Triple(one) || Triple(slices.Concat(a, parity, c)) || Triple(slices.Concat(a, c, c)) {
		t.Error("a key of 3DES is one of DES if two neighbours are the same, and only then")
	}
}
