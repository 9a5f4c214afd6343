package keymat_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
)

// IV and key are encrypted as a whole, with the IV of the encrypting key.
func TestWrapLKH(t *testing.T) {
	under, data := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	copy(under[16:], "sixteen  octets ")
	block, err := aes.NewCipher(under[16:])
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, len(data))
	cipher.NewCBCEncrypter(block, under[:16]).CryptBlocks(want, data)
	wrapped, err := keymat.AES.WrapLKH(under, data)
	if err != nil || !bytes.Equal(wrapped, want) {
		t.Fatalf("%x, %v; want %x", wrapped, err, want)
	}
	if back, err := keymat.AES.UnwrapLKH(under, wrapped); err != nil || !bytes.Equal(back, data) {
		t.Errorf("%x, %v comes back", back, err)
	}
}

func TestWrapLKHRefuses(t *testing.T) {
	for _, c := range []struct {
		name        string
		cipher      keymat.Cipher
		under, data int
		want        error
	}{
		{"no key behind the IV", keymat.AES, 16, 32, keymat.ErrKey},
		{"nothing to encrypt with", keymat.TripleDES, 0, 32, keymat.ErrKey},
		{"a key of a length that AES lacks", keymat.AES, 33, 32, keymat.ErrKey},
		{"AES-192, whose IV and key are no whole blocks", keymat.AES, 40, 40, keymat.ErrBlocks},
	} {
		if _, err := c.cipher.WrapLKH(make([]byte, c.under), make([]byte, c.data)); !errors.Is(err, c.want) {
			t.Errorf("%s: wrapping: %v", c.name, err)
		}
		if _, err := c.cipher.UnwrapLKH(make([]byte, c.under), make([]byte, c.data)); !errors.Is(err, c.want) {
			t.Errorf("%s: unwrapping: %v", c.name, err)
		}
	}
}
