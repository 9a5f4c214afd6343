package keymat

import (
	"crypto/ecdh"
	"fmt"
	"io"
)

// sec1Uncompressed stands before x | y in the form that crypto/ecdh reads (SEC 1 §2.3.3), and in no KE payload.
const sec1Uncompressed = 4

// privateTries bounds how often octets are drawn that make no private value. For P-256 one draw in 2^32 does not.
const privateTries = 4

// ecp is a group of points on a curve over a prime field (RFC 5903). A public value is the point's x | y, the shared value
// is x alone, each coordinate in the field's full length (§7).
type ecp struct {
	id         uint16
	curve      ecdh.Curve
	coordinate int  // octets
	top        byte // bits of the first octet that a private value may have
}

var (
	ecp256 = &ecp{id: 19, curve: ecdh.P256(), coordinate: 32, top: 0xff}
	ecp384 = &ecp{id: 20, curve: ecdh.P384(), coordinate: 48, top: 0xff}
	ecp521 = &ecp{id: 21, curve: ecdh.P521(), coordinate: 66, top: 0x01}
)

func (g *ecp) ID() uint16     { return g.id }
func (g *ecp) PublicLen() int { return 2 * g.coordinate }
func (g *ecp) SharedLen() int { return g.coordinate }

// NewKey reads as many octets from rand as a coordinate has, once more if they are zero or not below the group's order.
// GenerateKey of crypto/ecdh would not give the same key for the same octets.
func (g *ecp) NewKey(rand io.Reader) (PrivateKey, error) {
	x := make([]byte, g.coordinate)
	for range privateTries {
		if _, err := io.ReadFull(rand, x); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRandom, err)
		}
		x[0] &= g.top
		if private, err := g.curve.NewPrivateKey(x); err == nil {
			return &ecpKey{group: g, private: private}, nil
		}
	}
	return nil, ErrRandom
}

type ecpKey struct {
	group   *ecp
	private *ecdh.PrivateKey
}

func (k *ecpKey) Public() []byte { return k.private.PublicKey().Bytes()[1:] }

func (k *ecpKey) Shared(peer []byte) ([]byte, error) {
	g := k.group
	if len(peer) != g.PublicLen() {
		return nil, fmt.Errorf("%w: %d octets in group %d", ErrPublicValue, len(peer), g.id)
	}
	public, err := g.curve.NewPublicKey(append([]byte{sec1Uncompressed}, peer...))
	if err != nil {
		return nil, fmt.Errorf("%w: no point of group %d", ErrPublicValue, g.id)
	}
	shared, err := k.private.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPublicValue, err)
	}
	return shared, nil
}
