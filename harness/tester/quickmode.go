package tester

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Numbers of the DOI of IPsec (RFC 2407 §4.2.1, §4.4). The attributes are those that GDOI has taken over.
const (
	doiIPsec      = 1
	identityOnly  = 1
	protocolESP   = 3
	secondsOfLife = 3600

	exchangeQuickMode = isakmp.ExchangePull // a GROUPKEY-PULL has the number of Quick Mode (RFC 6407 §3.2.1)
)

// Pair is what Quick Mode makes: an SA for each direction.
type Pair struct{ Out, In policy.TrafficSA }

// quickMode is one exchange in progress, as its initiator.
type quickMode struct {
	sa     *ike.SA
	stream *ike.Stream
	mid    [4]byte
	spi    [4]byte // own
	ni     []byte
}

// QuickMode negotiates ESP in UDP, in tunnel mode, between two networks (RFC 2409 §5.5, RFC 3947 §5.1):
//
//	1  I --> R  HDR*, HASH(1), SA, Ni, IDci, IDcr
//	2  R --> I  HDR*, HASH(2), SA, Nr, IDci, IDcr
//	3  I --> R  HDR*, HASH(3)
//
// Nothing is repeated: the lab loses nothing that it is not told to.
func (n *IKE) QuickMode(ctx context.Context, t policy.Transform, local, remote netip.Prefix) (Pair, error) {
	id := n.sa.NewMessageID(n.cfg.Rand)
	q := &quickMode{sa: n.sa, stream: n.sa.NewStream(exchangeQuickMode, id), ni: make([]byte, 16)}
	binary.BigEndian.PutUint32(q.mid[:], id)
	for _, b := range [][]byte{q.ni, q.spi[:]} {
		if _, err := io.ReadFull(n.cfg.Rand, b); err != nil {
			return Pair{}, fmt.Errorf("tester: %w", err)
		}
	}
	q.spi[0] |= 0x80 // none of the reserved ones (RFC 4303 §2.1)
	first, err := q.stream.Seal(core.KindUnknown, q.hash(nil), []isakmp.Payload{
		q.offer(t), isakmp.Nonce{Data: q.ni}, network(local), network(remote)})
	if err != nil {
		return Pair{}, err
	}
	if err := n.send(first); err != nil {
		return Pair{}, err
	}
	theirs, nr, err := n.second(ctx, q)
	if err != nil {
		return Pair{}, n.failed(err)
	}
	third, err := q.stream.Seal(core.KindUnknown, func(mid [4]byte, _ []byte) []byte {
		return q.prf([]byte{0}, mid[:], q.ni, nr)
	}, nil)
	if err != nil {
		return Pair{}, err
	}
	return q.pair(t, theirs, nr, local, remote), n.send(third)
}

func (q *quickMode) prf(parts ...[]byte) []byte { return q.sa.Hash().PRF(q.sa.SKEYIDa(), parts...) }

// hash is HASH(1), or HASH(2) with the initiator's nonce.
func (q *quickMode) hash(ni []byte) func(mid [4]byte, after []byte) []byte {
	return func(mid [4]byte, after []byte) []byte { return q.prf(mid[:], ni, after) }
}

// offer is the SA payload of message 1.
func (q *quickMode) offer(t policy.Transform) isakmp.SA {
	as := []wire.Attribute{
		wire.TV(gdoi.SALifeType, isakmp.LifeSeconds), wire.TV(gdoi.SALifeDuration, secondsOfLife),
		wire.TV(gdoi.EncapsulationMode, gdoi.EncapsulationUDPTunnel),
	}
	if t.Integrity != policy.IntegrityNone {
		as = append(as, wire.TV(gdoi.AuthAlgorithm, uint16(t.Integrity)))
	}
	if t.KeyBits > 0 {
		as = append(as, wire.TV(gdoi.KeyLength, uint16(t.KeyBits)))
	}
	return isakmp.SA{DOI: doiIPsec, Situation: identityOnly, Proposals: []isakmp.Proposal{{Number: 1, Protocol: protocolESP, SPI: q.spi[:],
		Transforms: []isakmp.Transform{{Number: 1, ID: uint8(t.Cipher), Attributes: as}}}}}
}

// network is the identity of what is to be protected.
func network(p netip.Prefix) isakmp.ID {
	var id isakmp.ID
	id.IDType, id.Data = isakmp.SubnetIdentity(p)
	return id
}

// second waits for message 2 and returns the peer's SPI and nonce. What comes in between is not for this exchange.
func (n *IKE) second(ctx context.Context, q *quickMode) (spi [4]byte, nr []byte, err error) {
	for {
		a, err := n.receive(ctx, time.Time{})
		if err != nil {
			return spi, nil, err
		}
		o, err := q.stream.Open(a.data, isakmp.Phase1)
		if err != nil {
			n.refused = err
			continue
		}
		o.Commit()
		return q.accept(o)
	}
}

var errQuickMode = errors.New("tester: Quick Mode")

// accept checks message 2.
func (q *quickMode) accept(o *ike.Opened) (spi [4]byte, nr []byte, err error) {
	if !hmac.Equal(o.Hash, q.hash(q.ni)(q.mid, o.After)) {
		return spi, nil, fmt.Errorf("%w: HASH(2) does not verify", errQuickMode)
	}
	sa, _, _ := isakmp.Find[isakmp.SA](o.Payloads)
	nonce, _, _ := isakmp.Find[isakmp.Nonce](o.Payloads)
	if len(sa.Proposals) != 1 || len(sa.Proposals[0].SPI) != len(spi) || len(nonce.Data) == 0 {
		return spi, nil, fmt.Errorf("%w: message 2 has not one proposal with an SPI, and a nonce", errQuickMode)
	}
	return [4]byte(sa.Proposals[0].SPI), nonce.Data, nil
}

// pair makes the keys of both directions.
func (q *quickMode) pair(t policy.Transform, theirs [4]byte, nr []byte, local, remote netip.Prefix) Pair {
	secret := q.sa.Secret()
	of := func(spi [4]byte, from, to netip.Prefix) policy.TrafficSA {
		length := t.CipherKeyLen()
		keys := keymat.QuickMode(q.sa.Hash(), secret.SKEYIDd, protocolESP, spi, q.ni, nr, length+t.IntegrityKeyLen())
		return policy.TrafficSA{SPI: binary.BigEndian.Uint32(spi[:]), Selector: policy.Selector{Source: from, Destination: to}, Transform: t,
			Lifetime: secondsOfLife * time.Second, CipherKey: slices.Clip(keys[:length]), IntegrityKey: keys[length:]}
	}
	return Pair{Out: of(theirs, local, remote), In: of(q.spi, remote, local)}
}

// SendESP sends an ESP packet in UDP (RFC 3948 §2.1).
func (n *IKE) SendESP(packet []byte) error {
	return n.write(n.sa.Local().Port(), n.sa.Peer(), packet)
}

// AwaitESP waits for an ESP packet in UDP.
func (n *IKE) AwaitESP(ctx context.Context) ([]byte, error) {
	select {
	case packet := <-n.esp:
		return packet, nil
	case <-ctx.Done():
		return nil, n.failed(ctx.Err())
	}
}
