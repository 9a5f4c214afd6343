package ikev2

import (
	"bytes"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// rekey is what this side has offered for the SA that shall take the place of this one.
type rekey struct {
	spi     [8]byte
	nonce   []byte
	private keymat.PrivateKey
}

// Rekey asks for an SA in the place of this one, by the same algorithms (RFC 7296 §1.3.2, §2.18):
//
//	HDR, SK{SA, Ni, KEi}   HDR, SK{SA, Nr, KEr}
//
// Successor has it when it is made; who has asked for it deletes this one then.
func (sa *SA) Rekey(now time.Time) ([]Datagram, error) {
	key, err := sa.cfg.private(sa.suite.Group)
	if err != nil {
		return nil, err
	}
	r := &rekey{spi: sa.cfg.spi(), nonce: sa.cfg.random(nonceLen), private: key}
	out, err := sa.ask(now, ikev2.ExchangeCreateChildSA, offer([]Suite{sa.suite}, r.spi[:]), ikev2.Nonce{Data: r.nonce},
		ikev2.KE{Group: sa.suite.Group, Data: key.Public()})
	if err == nil {
		sa.rekey = r
	}
	return out, err
}

// onCreateChildSA takes the request of a rekey; who asks for a Child SA gets none (RFC 7296 §1.3).
func (sa *SA) onCreateChildSA(m *message) ([]isakmp.Payload, func(), error) {
	none := func() {}
	offered, _, _ := isakmp.Find[ikev2.SA](m.payloads)
	if len(offered.Proposals) == 0 || offered.Proposals[0].Protocol != ikev2.ProtocolIKE {
		return []isakmp.Payload{notify(ikev2.NotifyNoAdditionalSAs)}, none, fmt.Errorf("ikev2: a Child SA is asked for, and there are none (RFC 7296 §1.3)")
	}
	if sa.rekey != nil { // both ask at once (RFC 7296 §2.25.2)
		return []isakmp.Payload{notify(ikev2.NotifyTemporaryFailure)}, none, fmt.Errorf("ikev2: a rekey is under way (RFC 7296 §2.25.2)")
	}
	spi := sa.cfg.spi()
	suite, answer, ok := choose([]Suite{sa.suite}, offered, spi[:])
	ke, _, _ := isakmp.Find[ikev2.KE](m.payloads)
	nonce, _, _ := isakmp.Find[ikev2.Nonce](m.payloads)
	theirs, right := spiOf(offered, answer.Number)
	switch {
	case !ok || !right:
		return []isakmp.Payload{notify(ikev2.NotifyNoProposalChosen)}, none, fmt.Errorf("ikev2: no proposal of the rekey is acceptable (RFC 7296 §2.18)")
	case ke.Group != suite.Group:
		return []isakmp.Payload{notify(ikev2.NotifyInvalidKEPayload, byte(suite.Group>>8), byte(suite.Group))}, none,
			fmt.Errorf("ikev2: a public value of group %d, not %d (RFC 7296 §1.3.2)", ke.Group, suite.Group)
	case len(nonce.Data) < 16 || len(nonce.Data) > 256:
		return []isakmp.Payload{notify(ikev2.NotifyInvalidSyntax)}, sa.close, fmt.Errorf("ikev2: a nonce of %d octets (RFC 7296 §3.9)", len(nonce.Data))
	}
	key, err := sa.cfg.private(suite.Group)
	if err != nil {
		return []isakmp.Payload{notify(ikev2.NotifyTemporaryFailure)}, none, err
	}
	shared, err := key.Shared(ke.Data)
	if err != nil {
		return []isakmp.Payload{notify(ikev2.NotifyInvalidSyntax)}, sa.close, fmt.Errorf("ikev2: KE: %w", err)
	}
	own := sa.cfg.random(nonceLen)
	sa.succeed(false, suite, shared, bytes.Clone(nonce.Data), own, theirs, spi)
	return []isakmp.Payload{ikev2.SA{Proposals: []ikev2.Proposal{answer}}, ikev2.Nonce{Data: own}, ikev2.KE{Group: suite.Group, Data: key.Public()}}, none, nil
}

// spiOf is the SPI of the proposal with that number.
func spiOf(offered ikev2.SA, number uint8) (spi [8]byte, ok bool) {
	for _, p := range offered.Proposals {
		if p.Number == number && len(p.SPI) == len(spi) {
			return [8]byte(p.SPI), true
		}
	}
	return spi, false
}

// onRekeyed takes the response to the own request of a rekey.
func (sa *SA) onRekeyed(m *message) error {
	r := sa.rekey
	sa.rekey = nil
	if err := m.failure(); err != nil {
		return err
	}
	answer, _, _ := isakmp.Find[ikev2.SA](m.payloads)
	ke, _, _ := isakmp.Find[ikev2.KE](m.payloads)
	nonce, _, _ := isakmp.Find[ikev2.Nonce](m.payloads)
	suite, spi, err := chosen([]Suite{sa.suite}, answer)
	switch {
	case err != nil:
		return err
	case len(spi) != 8 || [8]byte(spi) == [8]byte{}:
		return fmt.Errorf("ikev2: a rekey with an SPI of %d octets (RFC 7296 §3.3.1)", len(spi))
	case ke.Group != suite.Group, len(nonce.Data) < 16, len(nonce.Data) > 256:
		return fmt.Errorf("ikev2: a rekey without a public value of group %d, or a nonce of 16 to 256 octets (RFC 7296 §1.3.2)", suite.Group)
	}
	shared, err := r.private.Shared(ke.Data)
	if err != nil {
		return fmt.Errorf("ikev2: KE: %w", err)
	}
	sa.succeed(true, suite, shared, r.nonce, bytes.Clone(nonce.Data), r.spi, [8]byte(spi))
	return nil
}

// succeed makes the SA that takes the place of this one. Who has asked for it is its original initiator (RFC 7296 §2.18).
func (sa *SA) succeed(initiator bool, suite Suite, shared, ni, nr []byte, spiI, spiR [8]byte) {
	next := &SA{cfg: sa.cfg, initiator: initiator, state: Established, peer: sa.peer, local: sa.local, between: sa.between, suite: suite, shared: shared,
		ni: ni, nr: nr, spiI: spiI, spiR: spiR, peerID: sa.peerID, subject: sa.subject, hashes: sa.hashes}
	next.keys = suite.Rekey(sa.suite.PRF, sa.keys.D, keymat.IKEv2Input{Shared: shared, Ni: ni, Nr: nr, SPIi: spiI, SPIr: spiR})
	sa.successor = next
}
