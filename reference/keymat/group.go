package keymat

import (
	"errors"
	"io"
	"sync"
)

// ErrPublicValue means that a public value is of the wrong length or is one that leads to a known secret: 0, 1, p-1, or
// not below p (RFC 2409 §5, RFC 2412 §2.1).
var ErrPublicValue = errors.New("keymat: unusable Diffie-Hellman public value")

// ErrRandom means that the random source gave no usable private value.
var ErrRandom = errors.New("keymat: random source gives no private value")

// Group is a Diffie-Hellman group (RFC 2409 §6, RFC 3526).
type Group interface {
	// ID is the Group Description number.
	ID() uint16
	// PublicLen is the length of a public value in octets; that of the shared value is the same for MODP groups.
	PublicLen() int
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

// The MODP groups: prime length in bits and the constant c of its formula (RFC 3526 §3). Primes are made when first asked
// for.
var groups = map[uint16]func() Group{
	14: sync.OnceValue(func() Group { return newMODP(14, 2048, 124476) }),
}

// DHGroup returns the group of that Group Description number, and whether there is one.
func DHGroup(id uint16) (Group, bool) {
	group, ok := groups[id]
	if !ok {
		return nil, false
	}
	return group(), true
}
