package keymat

import (
	"bytes"
	"testing"

	"filippo.io/bigmod"
)

func TestPublicValuesAreThoseOfExp(t *testing.T) {
	for _, row := range modpGroups {
		g := group(t, row.id).(*modp)
		two, err := bigmod.NewNat().SetBytes([]byte{2}, g.prime)
		if err != nil {
			t.Fatal(err)
		}
		n := row.private
		exponents := [][]byte{make([]byte, n), bytes.Repeat([]byte{0xff}, n), append(make([]byte, n-1), 1),
			append([]byte{0x80}, make([]byte, n-1)...), append(make([]byte, n-2), 1, 0)}
		random := Seeded("exponents")
		for range 5 {
			exponents = append(exponents, read(t, random, n))
		}
		for _, x := range exponents {
			want := bigmod.NewNat().Exp(two, x, g.prime).Bytes(g.prime)
			if got := g.powers.exp(x, g.prime).Bytes(g.prime); !bytes.Equal(got, want) {
				t.Errorf("group %d: 2^%x = %x, want %x", row.id, x, got, want)
			}
		}
	}
}
