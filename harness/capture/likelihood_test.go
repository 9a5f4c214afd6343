package capture

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// TestLikelihood puts messages that a wrong IV gives behind one that the right IV gives, though no check tells them apart.
func TestLikelihood(t *testing.T) {
	const block = 16
	hash, seq := []byte{18, 0, 0, 8, 1, 2, 3, 4}, []byte{0, 0, 0, 8, 0, 0, 0, 5}
	for _, c := range []struct {
		name string
		body [][]byte
		want int
	}{
		{"whole", [][]byte{hash, seq}, 3},
		{"whole and padded", [][]byte{hash, seq, make([]byte, block-1)}, 3},
		{"a chain that ends long before", [][]byte{hash, seq, make([]byte, block)}, 2},
		{"a chain that breaks", [][]byte{hash, {0, 0, 0, 99}}, 1},
		{"a chain that breaks behind a reserved octet", [][]byte{{18, 7, 0, 8, 1, 2, 3, 4}, {0, 0, 0, 99}}, 0},
		{"nothing", nil, 0},
	} {
		data := make([]byte, isakmp.HeaderLen)
		for _, b := range c.body {
			data = append(data, b...)
		}
		if got := likelihood(read(isakmp.Header{NextPayload: isakmp.PayloadHASH}, data), block); got != c.want {
			t.Errorf("%s: %d instead of %d", c.name, got, c.want)
		}
	}
}
