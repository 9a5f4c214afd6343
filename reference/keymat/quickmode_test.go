package keymat_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
)

// The formula of RFC 2409 §5.5 written out with the standard library: no vectors of it are published.
func TestQuickMode(t *testing.T) {
	const sha1Number = keymat.Hash(2)
	skeyidD, spi, ni, nr := []byte("skeyid_d"), [4]byte{1, 2, 3, 4}, []byte("initiator"), []byte("responder")
	prf := func(parts ...[]byte) []byte {
		mac := hmac.New(sha1.New, skeyidD)
		for _, p := range parts {
			mac.Write(p)
		}
		return mac.Sum(nil)
	}
	k1 := prf([]byte{3}, spi[:], ni, nr)
	k2 := prf(k1, []byte{3}, spi[:], ni, nr)
	k3 := prf(k2, []byte{3}, spi[:], ni, nr)
	want := append(append(k1, k2...), k3...)
	for _, n := range []int{0, 1, 20, 21, 48, 60} {
		if got := keymat.QuickMode(sha1Number, skeyidD, 3, spi, ni, nr, n); !bytes.Equal(got, want[:n]) {
			t.Errorf("%d octets: %x, want %x", n, got, want[:n])
		}
	}
}
