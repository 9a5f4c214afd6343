package keymat

import (
	"crypto/subtle"
	"sync"

	"filippo.io/bigmod"
)

// digitValues is how many values a digit of a private exponent has, which is read four bits at a time.
const digitValues = 16

// powers holds 2^(v·16^i) for every digit i and value v of an exponent, so that a public value takes one multiplication a
// digit instead of four squarings and one. It is made when a group is first used.
type powers struct {
	octets int // of an exponent
	once   sync.Once
	of     [][digitValues][]uint
}

func (t *powers) fill(m *bigmod.Modulus) {
	base, err := bigmod.NewNat().SetBytes([]byte{2}, m)
	if err != nil {
		panic("keymat: a modulus below 3")
	}
	t.of = make([][digitValues][]uint, 2*t.octets)
	for i := range t.of {
		power := bigmod.NewNat().SetUint(1).ExpandFor(m)
		for v := range t.of[i] {
			t.of[i][v] = append([]uint(nil), power.Bits()...)
			power.Mul(base, m)
		}
		base = power
	}
}

// exp is 2^x modulo m. Its time and its memory accesses do not depend on x.
func (t *powers) exp(x []byte, m *bigmod.Modulus) *bigmod.Nat {
	t.once.Do(func() { t.fill(m) })
	result := bigmod.NewNat().SetUint(1).ExpandFor(m)
	factor := bigmod.NewNat().ExpandFor(m)
	for i := range t.of {
		octet := x[len(x)-1-i/2]
		digit := octet >> (4 * (i % 2)) & 15
		pick(factor.Bits(), &t.of[i], digit)
		result.Mul(factor, m)
	}
	return result
}

// pick copies the row of that value by looking at all of them.
func pick(to []uint, rows *[digitValues][]uint, value byte) {
	clear(to)
	for v, row := range rows {
		mask := -uint(subtle.ConstantTimeByteEq(byte(v), value))
		for w := range to {
			to[w] |= row[w] & mask
		}
	}
}
