package keymat_test

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
)

// The last key is derived anew whenever anything is another, and is what is derived without it.
func TestLastAckKey(t *testing.T) {
	var last keymat.LastAckKey
	base, spi := []byte("sixteen octets.."), [16]byte{1}
	for _, c := range []struct {
		by   keymat.Ack
		base []byte
		spi  [16]byte
	}{
		{keymat.AckSHA256, base, spi}, {keymat.AckSHA256, base, spi}, {keymat.AckSHA512, base, spi},
		{keymat.AckSHA512, []byte("another sixteen."), spi}, {keymat.AckSHA512, []byte("another sixteen."), [16]byte{2}},
	} {
		if got, want := last.Key(c.by, c.base, c.spi), c.by.Key(c.base, c.spi); !bytes.Equal(got, want) {
			t.Errorf("%v: %x, want %x", c, got, want)
		}
	}
	base[0] = 'S' // by the caller, afterwards
	last.Key(keymat.AckSHA256, base, spi)
	base[0] = 's'
	if got, want := last.Key(keymat.AckSHA256, base, spi), keymat.AckSHA256.Key(base, spi); !bytes.Equal(got, want) {
		t.Errorf("the base is shared: %x, want %x", got, want)
	}
}
