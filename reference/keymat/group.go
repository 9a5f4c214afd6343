package keymat

import (
	"errors"
	"io"
	"sync"
)

// ErrPublicValue means that a public value is of the wrong length or is one that must not be used: in a MODP group 0, 1,
// p-1, or not below p, which lead to a known secret (RFC 2409 §5, RFC 2412 §2.1); in an ECP group anything that is not a
// point of the curve (RFC 5903 §7).
var ErrPublicValue = errors.New("keymat: unusable Diffie-Hellman public value")

// ErrRandom means that the random source gave no usable private value.
var ErrRandom = errors.New("keymat: random source gives no private value")

// Group is a Diffie-Hellman group (RFC 2409 §6, RFC 3526, RFC 5903).
type Group interface {
	// ID is the Group Description number.
	ID() uint16
	// PublicLen is the length of a public value in octets.
	PublicLen() int
	// SharedLen is the length of the shared value in octets: that of a public value in MODP groups, half of it in ECP groups.
	SharedLen() int
	// NewKey makes a private value from rand: the same octets give the same key.
	NewKey(rand io.Reader) (PrivateKey, error)
}

// PrivateKey is one side's part of a Diffie-Hellman exchange.
type PrivateKey interface {
	// Public is the body of the KE payload, of the group's full length (RFC 2409 §5).
	Public() []byte
	// Shared is g^xy in the group's full length. It returns ErrPublicValue for a peer's value that must not be used.
	Shared(peer []byte) ([]byte, error)
}

// groups are made when first asked for. A MODP group has the length of its prime in bits, the constant c of the prime's
// formula (RFC 2409 §6, RFC 3526 §2 to §5) and the length of private values in octets.
var groups = map[uint16]func() Group{
	1:  sync.OnceValue(func() Group { return newMODP(1, 768, 149686, 28) }),
	2:  sync.OnceValue(func() Group { return newMODP(2, 1024, 129093, 28) }),
	5:  sync.OnceValue(func() Group { return newMODP(5, 1536, 741804, 28) }),
	14: sync.OnceValue(func() Group { return newMODP(14, 2048, 124476, 28) }),
	15: sync.OnceValue(func() Group { return newMODP(15, 3072, 1690314, 33) }),
	16: sync.OnceValue(func() Group { return newMODP(16, 4096, 240904, 38) }),
	19: func() Group { return ecp256 },
	20: func() Group { return ecp384 },
	21: func() Group { return ecp521 },
}

// DHGroup returns the group of that Group Description number, and whether there is one.
func DHGroup(id uint16) (Group, bool) {
	group, ok := groups[id]
	if !ok {
		return nil, false
	}
	return group(), true
}
