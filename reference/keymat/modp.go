package keymat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"

	"filippo.io/bigmod"
)

// modp is a group of integers modulo a safe prime with generator 2.
type modp struct {
	id     uint16
	prime  *bigmod.Modulus
	limit  []byte // p-1: the smallest value that is too large
	length int
	powers powers // of the generator
}

// newMODP makes a group from a row of the table. Private exponents are short: at least twice as many bits as the strength
// that RFC 3526 §8 gives to the group by its first estimate (110 bits for group 14, 130 for 15, 150 for 16) and NIST SP 800-56A
// appendix D (112, 128, 152), which costs nothing in a group with a safe prime.
func newMODP(id uint16, bits uint, c int64, private int) *modp {
	p := modpPrime(bits, c)
	m, err := bigmod.NewModulus(p.Bytes())
	if err != nil {
		panic(fmt.Sprintf("keymat: group %d: %v", id, err)) // a wrong row of the table
	}
	return &modp{
		id: id, prime: m, limit: new(big.Int).Sub(p, big.NewInt(1)).Bytes(), length: m.Size(),
		powers: powers{octets: private},
	}
}

func (g *modp) ID() uint16     { return g.id }
func (g *modp) PublicLen() int { return g.length }
func (g *modp) SharedLen() int { return g.length }

// NewKey reads as many octets from rand as a private exponent has, and no more.
func (g *modp) NewKey(rand io.Reader) (PrivateKey, error) {
	x := make([]byte, g.powers.octets)
	if _, err := io.ReadFull(rand, x); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRandom, err)
	}
	k := &modpKey{group: g, x: x}
	k.public = g.powers.exp(x, g.prime).Bytes(g.prime)
	if err := g.check(k.public); err != nil { // an exponent of zero
		return nil, ErrRandom
	}
	return k, nil
}

// check tells apart the values that confine the secret to a known one. They are public, so time may depend on them.
func (g *modp) check(public []byte) error {
	if len(public) != g.length {
		return fmt.Errorf("%w: %d octets in group %d", ErrPublicValue, len(public), g.id)
	}
	one := len(public) - 1
	if bytes.Count(public[:one], []byte{0}) == one && public[one] <= 1 {
		return fmt.Errorf("%w: %d", ErrPublicValue, public[one])
	}
	if bytes.Compare(public, g.limit) >= 0 {
		return fmt.Errorf("%w: not below p-1", ErrPublicValue)
	}
	return nil
}

type modpKey struct {
	group  *modp
	x      []byte
	public []byte
}

func (k *modpKey) Public() []byte { return bytes.Clone(k.public) }

func (k *modpKey) Shared(peer []byte) ([]byte, error) {
	if err := k.group.check(peer); err != nil {
		return nil, err
	}
	y, err := bigmod.NewNat().SetBytes(peer, k.group.prime)
	if err != nil {
		return nil, errors.Join(ErrPublicValue, err)
	}
	return bigmod.NewNat().Exp(y, k.x, k.group.prime).Bytes(k.group.prime), nil
}

// modpPrime is 2^b - 2^(b-64) - 1 + 2^64 * (floor(2^(b-130) pi) + c) (RFC 2412 appendix E, RFC 3526).
func modpPrime(bits uint, c int64) *big.Int {
	middle := floorPi(bits - 130)
	middle.Add(middle, big.NewInt(c))
	p := new(big.Int).Lsh(big.NewInt(1), bits)
	p.Sub(p, new(big.Int).Lsh(big.NewInt(1), bits-64))
	p.Sub(p, big.NewInt(1))
	return p.Add(p, middle.Lsh(middle, 64))
}

// floorPi is floor(2^bits * pi) by Machin's formula, pi = 16 arctan(1/5) - 4 arctan(1/239). Each term is cut off below 2^-64
// of the result's unit, so the error cannot reach it unless the following 50 bits of pi are all equal.
func floorPi(bits uint) *big.Int {
	const guard = 64
	pi := arctanInverse(5, bits+guard)
	pi.Mul(pi, big.NewInt(16))
	small := arctanInverse(239, bits+guard)
	pi.Sub(pi, small.Mul(small, big.NewInt(4)))
	return pi.Rsh(pi, guard)
}

// arctanInverse is 2^bits * arctan(1/n), summed up as 1/n - 1/(3 n^3) + 1/(5 n^5) - ...
func arctanInverse(n int64, bits uint) *big.Int {
	power := new(big.Int).Lsh(big.NewInt(1), bits)
	power.Div(power, big.NewInt(n))
	square := big.NewInt(n * n)
	sum, term := new(big.Int), new(big.Int)
	for k := int64(1); power.Sign() > 0; k += 2 {
		term.Div(power, big.NewInt(k))
		if k%4 == 1 {
			sum.Add(sum, term)
		} else {
			sum.Sub(sum, term)
		}
		power.Div(power, square)
	}
	return sum
}
