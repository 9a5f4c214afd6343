package ike

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// method is how the two sides of Phase 1 prove who they are: a row for each value of Authentication Method. An exchange asks it
// where the methods differ, and is the same otherwise (RFC 2409 §5.1 and §5.4).
type method interface {
	// ready refuses a peer with whom the method cannot be used, as soon as it is chosen. It notes in the exchange what it needs.
	ready(x *Exchange) error
	// asks are the payloads that this side sends beside its public value: certificate requests, or nothing.
	asks(x *Exchange) []isakmp.Payload
	// keys derives SKEYID and what follows from it (RFC 2409 §5).
	keys(x *Exchange, in keymat.Phase1Input) keymat.Phase1Keys
	// hash is the one whose HMAC makes HASH_I and HASH_R.
	hash(s Suite) keymat.Hash
	// shows are the payloads that stand between the own identity and its proof: certificates, or nothing.
	shows(x *Exchange) []isakmp.Payload
	// prove makes the proof of HASH_I or HASH_R: the payload HASH or SIG.
	prove(x *Exchange, hash []byte) (isakmp.Payload, error)
	// verify checks the peer's proof. It notes in the exchange what else the proof says of the peer.
	verify(x *Exchange, c claim) error
	// places are those of the payloads of a message that proves an identity.
	places() places
}

// claim is what a peer says of itself in message 5 or 6, in a message that has the right form.
type claim struct {
	at       time.Time
	id       isakmp.ID
	hash     []byte // HASH_I or HASH_R as it has to be
	payloads []isakmp.Decoded
}

// methods are all rows.
var methods = map[uint16]method{
	isakmp.AuthPreSharedKey: presharedKey{},
	isakmp.AuthRSA:          signature{algorithm: policy.SigRSA},
	isakmp.AuthECDSA256:     signature{algorithm: policy.SigECDSA256, digest: keymat.SHA256},
	isakmp.AuthECDSA384:     signature{algorithm: policy.SigECDSA384, digest: keymat.SHA384},
	isakmp.AuthECDSA521:     signature{algorithm: policy.SigECDSA521, digest: keymat.SHA512},
}

// method is that of the chosen suite. There is a row for every suite that Suites makes.
func (x *Exchange) method() method { return methods[x.chosen.suite.Authentication] }

// hear notes the certificate requests of a message. They may come in any (RFC 2408 §3.10) and add none (RFC 2409 §5).
func (x *Exchange) hear(ps []isakmp.Decoded) {
	for _, p := range ps {
		if asked, ok := p.Payload.(isakmp.CR); ok {
			x.asked = append(x.asked[:len(x.asked):len(x.asked)], asked)
		}
	}
}

// hashFunc is keymat.HashI or keymat.HashR.
type hashFunc func(h keymat.Hash, skeyid, gxi, gxr []byte, ci, cr [8]byte, saBody, idBody []byte) []byte

func (x *Exchange) hash(of hashFunc, saBody, idBody []byte) []byte {
	return of(x.method().hash(x.chosen.suite), x.keys.SKEYID, x.gxi, x.gxr, x.ci, x.cr, saBody, idBody)
}

// sendAuth makes message 5 or 6: identity and its proof, encrypted.
func (x *Exchange) sendAuth(kind core.Kind, of hashFunc) (sent, error) {
	ps := append([]isakmp.Payload{x.cfg.identity()}, x.method().shows(x)...)
	o := x.clear(kind, append(ps, x.responderLifetime()...)...)
	if dutyEncryption.Kept(x.cfg.Rules) {
		o.Header.Flags |= isakmp.FlagEncryption
	}
	message, iv, err := x.cfg.build(o, func(o *core.Outgoing) error {
		proof, err := x.method().prove(x, x.ownHash(of, o.Payloads))
		if err != nil {
			return err
		}
		o.Payloads = append(o.Payloads[:len(o.Payloads):len(o.Payloads)], proof)
		return nil
	}, x.cipher())
	x.iv = iv
	return message, err
}

func (x *Exchange) ownHash(of hashFunc, ps []isakmp.Payload) []byte {
	saBody, idBody := x.offer.body, sentBody(ps, isakmp.PayloadID)
	if !dutyHashSA.Kept(x.cfg.Rules) {
		saBody = saBody[min(8, len(saBody)):] // without DOI and Situation
	}
	if !dutyHashID.Kept(x.cfg.Rules) {
		idBody = nil
	}
	return x.hash(of, saBody, idBody)
}

// receiveAuth checks message 5 or 6 and notes the identity that it proves.
func (x *Exchange) receiveAuth(now time.Time, m *message, of hashFunc) error {
	id, d, _ := isakmp.Find[isakmp.ID](m.payloads)
	if err := x.cfg.checkIdentity(id); err != nil {
		return err
	}
	c := claim{at: now, id: id, hash: x.hash(of, x.offer.body, body(d)), payloads: m.payloads}
	if err := x.proven(c); err != nil {
		return err
	}
	x.iv = x.cfg.advance(x.iv, m.nextIV)
	return nil
}

// proven checks a claim, and notes the identity.
func (x *Exchange) proven(c claim) error {
	if err := x.method().verify(x, c); err != nil {
		return err
	}
	if err := x.checkExpected(c.id); err != nil {
		return err
	}
	x.peerID = c.id
	return nil
}

// side is I for what the peer of a responder sends, R for that of an initiator.
func (x *Exchange) side() string {
	if x.initiator {
		return "R"
	}
	return "I"
}
