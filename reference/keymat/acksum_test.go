package keymat_test

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
)

// The key is derived anew whenever anything is another, and HASH is what it is without anything that is remembered.
func TestSumOfAcknowledgements(t *testing.T) {
	base, spi := []byte("sixteen octets.."), [16]byte{1}
	for i, c := range []struct {
		by   keymat.Ack
		base []byte
		spi  [16]byte
	}{
		{keymat.AckSHA256, base, spi}, {keymat.AckSHA256, base, spi}, {keymat.AckSHA512, base, spi},
		{keymat.AckSHA512, []byte("another sixteen."), spi}, {keymat.AckSHA512, []byte("another sixteen."), [16]byte{2}},
	} {
		seq, id := []byte{byte(i)}, []byte("me")
		if got, want := c.by.Sum(c.base, c.spi, seq, id), c.by.Hash(c.by.Key(c.base, c.spi), seq, id); !bytes.Equal(got, want) {
			t.Errorf("%v: %x, want %x", c, got, want)
		}
	}
	base[0] = 'S' // by the caller, afterwards
	keymat.AckSHA256.Sum(base, spi, nil, nil)
	base[0] = 's'
	if got, want := keymat.AckSHA256.Sum(base, spi, nil, nil), keymat.AckSHA256.Hash(keymat.AckSHA256.Key(base, spi), nil, nil); !bytes.Equal(got, want) {
		t.Errorf("the base is shared: %x, want %x", got, want)
	}
}
