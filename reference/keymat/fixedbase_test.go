package keymat

import (
	"bytes"
	"io"
	"testing"

	"filippo.io/bigmod"
)

func TestPublicValuesAreThoseOfExp(t *testing.T) {
	g := group14(t).(*modp)
	two, err := bigmod.NewNat().SetBytes([]byte{2}, g.prime)
	if err != nil {
		t.Fatal(err)
	}
	exponents := [][]byte{make([]byte, privateLen), bytes.Repeat([]byte{0xff}, privateLen), append(make([]byte, privateLen-1), 1),
		append([]byte{0x80}, make([]byte, privateLen-1)...), append(make([]byte, privateLen-2), 1, 0)}
	random := Seeded("exponents")
	for range 20 {
		x := make([]byte, privateLen)
		if _, err := io.ReadFull(random, x); err != nil {
			t.Fatal(err)
		}
		exponents = append(exponents, x)
	}
	for _, x := range exponents {
		want := bigmod.NewNat().Exp(two, x, g.prime).Bytes(g.prime)
		if got := g.powers.exp(x, g.prime).Bytes(g.prime); !bytes.Equal(got, want) {
			t.Errorf("2^%x = %x, want %x", x, got, want)
		}
	}
}
