package keymat_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
)

// A Decrypter reads what EncryptCBC makes, whatever it has read before.
func TestDecrypter(t *testing.T) {
	for _, c := range []struct {
		cipher keymat.Cipher
		key    []byte
	}{{keymat.AES, fill(16)}, {keymat.AES, fill(32)}, {keymat.TripleDES, fill(24)}} {
		iv := bytes.Repeat([]byte{7}, c.cipher.BlockSize())
		d, err := c.cipher.Decrypter(c.key, iv)
		if err != nil {
			t.Fatal(err)
		}
		for blocks := range 5 {
			plain := fill(blocks * c.cipher.BlockSize())
			sealed, _, err := c.cipher.EncryptCBC(c.key, iv, plain)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := d.Append([]byte{1, 2}, sealed); err != nil || !bytes.Equal(got, append([]byte{1, 2}, plain...)) {
				t.Errorf("%s, %d octets: %x, %v", c.cipher, len(plain), got, err)
			}
		}
		if _, err := d.Append(nil, fill(c.cipher.BlockSize()+1)); !errors.Is(err, keymat.ErrBlocks) {
			t.Errorf("%s, no whole number of blocks: %v", c.cipher, err)
		}
		if _, err := c.cipher.Decrypter(c.key, fill(5)); !errors.Is(err, keymat.ErrKey) {
			t.Errorf("%s, an IV of 5 octets: %v", c.cipher, err)
		}
		if d, err := c.cipher.Decrypter(fill(5), iv); !errors.Is(err, keymat.ErrKey) {
			t.Errorf("%s, a key of 5 octets: %v, %v", c.cipher, d, err)
		}
	}
	if _, err := new(keymat.Decrypter).Append(nil, nil); !errors.Is(err, keymat.ErrKey) {
		t.Errorf("without a key: %v", err)
	}
}

// Decrypters of one key, which share it, and of others do not get in each other's way, whatever their IVs are and whoever uses them.
func TestDecrypters(t *testing.T) {
	var group sync.WaitGroup
	for i := range 12 {
		key, iv := fill(16), bytes.Repeat([]byte{byte(i)}, keymat.AES.BlockSize())
		key[0] = byte(i / 4)
		d, err := keymat.AES.Decrypter(key, iv)
		if err != nil {
			t.Fatal(err)
		}
		plain := fill(160)
		sealed, _, err := keymat.AES.EncryptCBC(key, iv, plain)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			for range 100 {
				if got, err := d.Append(nil, sealed); err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%d: %x, %v", i, got, err)
				}
			}
		})
	}
	group.Wait()
	if _, err := keymat.AES.Decrypter(fill(16), fill(5)); !errors.Is(err, keymat.ErrKey) {
		t.Errorf("an IV of 5 octets: %v", err)
	}
}

// fill is so many octets, 1, 2, 3 and on.
func fill(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i + 1)
	}
	return b
}
