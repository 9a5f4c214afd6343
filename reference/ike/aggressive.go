package ike

import (
	"maps"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Aggressive Mode (RFC 2409 §5.4) has the payloads of Main Mode in three messages, identities in clear. The public values come
// before anything was agreed, so the group is no matter of negotiation (RFC 2409 §5), and the pre-shared key can be chosen
// by the identity.
//
//	1  I --> R  HDR, SA, KE, Ni, IDii
//	2  I <-- R  HDR, SA, KE, Nr, IDir, HASH_R
//	3  I --> R  HDR[*], HASH_I

var (
	dutyOneGroup = rule.Duty("ike.aggressive.group", "RFC2409-5-15", rule.GM,
		"all transforms of an Aggressive Mode offer have one group")
	dutyNoStatus = rule.Duty("ike.aggressive.status", "RFC2407-4.6.3-02", rule.Both,
		"messages of Aggressive Mode carry no status notification")
	dutyByIdentity = rule.Duty("ike.aggressive.psk", "RFC2409-5.4-02", rule.Both,
		"the pre-shared key is that of the identity, whatever the address")
	checkOneGroup = rule.Check("ike.aggressive.offer", "RFC2409-5-15", rule.KS,
		"an offer with transforms of several groups is refused")
)

// aggressive is what an exchange in Aggressive Mode knows early: the identity that the peer claims, and IDii_b.
type aggressive struct {
	claimed       *isakmp.ID
	initiatorBody []byte
}

// exchangeOf is the exchange that a message of Phase 1 belongs to.
func exchangeOf(k core.Kind) isakmp.ExchangeType {
	switch k {
	case core.Aggressive1, core.Aggressive2, core.Aggressive3:
		return isakmp.ExchangeAggressive
	}
	return isakmp.ExchangeMainMode
}

// opening is the message that a responder takes this one for: one of a mode that is not accepted counts as a wrong first
// message of the mode that is.
func (c *Config) opening(data []byte) core.Kind {
	h, err := isakmp.ParseHeader(data)
	aggressive := err == nil && h.Exchange == isakmp.ExchangeAggressive
	if c.Mode == policy.AggressiveMode || c.Mode == policy.EitherMode && aggressive {
		return core.Aggressive1
	}
	return core.MainMode1
}

// offered are the suites that an initiator offers. In Aggressive Mode they are those with the group of the first.
func (c *Config) offered() []Suite {
	if c.Mode != policy.AggressiveMode || !dutyOneGroup.Kept(c.Rules) {
		return c.Suites
	}
	return slices.DeleteFunc(slices.Clone(c.Suites), func(s Suite) bool { return s.Group != c.Suites[0].Group })
}

// sendAggressive1 makes message 1:
//
//	I --> R  HDR, SA, KE, Ni, IDii
func (x *Exchange) sendAggressive1() (sent, error) {
	x.chosen.suite = x.cfg.Suites[0] // for its group
	x.offer.sa = x.cfg.offerSA()
	ps, err := x.keyExchange(x.offer.sa)
	if err != nil {
		return sent{}, err
	}
	message, _, err := x.cfg.build(x.clear(core.Aggressive1, ps...), func(o *core.Outgoing) error {
		x.offer = x.offer.asSent(o.Payloads)
		x.gxi, x.ni = sentBody(o.Payloads, isakmp.PayloadKE), sentBody(o.Payloads, isakmp.PayloadNonce)
		x.aggressive.initiatorBody = sentBody(o.Payloads, isakmp.PayloadID)
		return nil
	}, cipher{})
	return message, err
}

// keyExchange makes the payloads that messages 1 and 2 have in common: SA, KE, nonce and identity.
func (x *Exchange) keyExchange(sa isakmp.SA) ([]isakmp.Payload, error) {
	var err error
	if x.private, err = x.chosen.suite.group().NewKey(x.cfg.Rand); err != nil {
		return nil, err
	}
	public := x.private.Public()
	if !dutyKELength.Kept(x.cfg.Rules) {
		public = public[1:]
	}
	ps := append(x.cfg.leading(sa), isakmp.KE{Data: public}, isakmp.Nonce{Data: x.cfg.newNonce()}, x.cfg.identity())
	ps = append(append(ps, x.method().asks(x)...), x.vendorIDs()...)
	if !dutyNoStatus.Kept(x.cfg.Rules) {
		ps = append(ps, x.cfg.notify(isakmp.NotifyInitialContact, nil))
	}
	return ps, nil
}

// onAggressive1 takes offer, public value and identity, and answers with the own and the proof. What costs most comes last:
//
//	I --> R  HDR, SA, KE, Ni, IDii
//	I <-- R  HDR, SA, KE, Nr, IDir, HASH_R
func (x *Exchange) onAggressive1(m *message) (sent, error) {
	if err := x.acceptAggressive(m); err != nil {
		return sent{}, err
	}
	x.ci, x.cr = m.header.InitiatorCookie, x.cfg.newCookie()
	ps, err := x.keyExchange(x.cfg.replySA(x.offer, x.chosen))
	if err != nil {
		return sent{}, err
	}
	shared, err := x.agree(x.gxi)
	if err != nil {
		return sent{}, err
	}
	ps = append(append(ps, x.method().shows(x)...), x.discovery()...)
	reply, _, err := x.cfg.build(x.clear(core.Aggressive2, ps...), func(o *core.Outgoing) error {
		x.gxr, x.nr = sentBody(o.Payloads, isakmp.PayloadKE), sentBody(o.Payloads, isakmp.PayloadNonce)
		x.derive(shared)
		return x.addProof(o, x.ownHash(keymat.HashR, o.Payloads))
	}, cipher{})
	return reply, err
}

// addProof puts HASH or SIG behind the payloads of a message.
func (x *Exchange) addProof(o *core.Outgoing, hash []byte) error {
	proof, err := x.method().prove(x, hash)
	o.Payloads = append(o.Payloads[:len(o.Payloads):len(o.Payloads)], proof)
	return err
}

// acceptAggressive checks message 1 and keeps what it says.
func (x *Exchange) acceptAggressive(m *message) error {
	sa, d, _ := isakmp.Find[isakmp.SA](m.payloads)
	err := x.cfg.checkOffer(sa)
	if err != nil {
		return err
	}
	if groups := groupsOf(sa); !checkOneGroup.Holds(x.cfg.Rules, len(groups) < 2) {
		return checkOneGroup.Violated("an offer with groups %d", groups)
	}
	if x.chosen, err = x.cfg.choose(sa); err != nil {
		return noProposalError{err}
	}
	x.offer = offer{sa: sa, body: body(d)}
	x.agreeNATT(m.payloads)
	if x.gxi, x.ni, err = x.receiveKE(m); err != nil {
		return err
	}
	id, at, _ := isakmp.Find[isakmp.ID](m.payloads)
	if err := x.cfg.checkIdentity(id); err != nil {
		return err
	}
	x.aggressive = aggressive{&id, body(at)}
	return x.method().ready(x)
}

// groupsOf are the different groups that an offer names.
func groupsOf(sa isakmp.SA) (groups []uint64) {
	for _, p := range sa.Proposals {
		for _, t := range p.Transforms {
			for _, a := range t.Attributes {
				if v, ok := a.Uint(); ok && a.Type == isakmp.AttrGroupDescription && !slices.Contains(groups, v) {
					groups = append(groups, v)
				}
			}
		}
	}
	return groups
}

// aggressivePlaces are those of message 2, of any method that was offered, and of message 3, of the one that was chosen.
func (x *Exchange) aggressivePlaces() places {
	suites, all := []Suite{x.chosen.suite}, places{isakmp.PayloadNATD: often}
	if x.expect == core.Aggressive2 {
		suites, all = x.cfg.Suites, places{isakmp.PayloadSA: once, isakmp.PayloadKE: once, isakmp.PayloadNonce: once, isakmp.PayloadNATD: often}
	}
	for _, s := range suites {
		maps.Copy(all, methods[s.Authentication].places())
	}
	delete(all, isakmp.PayloadN)
	if x.expect == core.Aggressive3 {
		delete(all, isakmp.PayloadID)
	}
	return all
}

// onAggressive2 takes the responder's part and its proof, and gives the own. The SA is established:
//
//	I <-- R  HDR, SA, KE, Nr, IDir, HASH_R
//	I --> R  HDR[*], HASH_I
func (x *Exchange) onAggressive2(now time.Time, m *message) (sent, error) {
	if err := x.receiveAggressive2(now, m); err != nil {
		return sent{}, err
	}
	x.discover(m)
	o := x.clear(core.Aggressive3, append(x.method().shows(x), x.discovery()...)...)
	if !x.cfg.ClearProof {
		o.Header.Flags |= isakmp.FlagEncryption
	}
	identity := []isakmp.Payload{isakmp.Raw{PayloadType: isakmp.PayloadID, Body: x.aggressive.initiatorBody}}
	message, iv, err := x.cfg.build(o, func(o *core.Outgoing) error {
		return x.addProof(o, x.ownHash(keymat.HashI, identity))
	}, x.cipher())
	if err != nil {
		return sent{}, err
	}
	x.iv = iv
	x.establish(now)
	return message, nil
}

// receiveAggressive2 checks message 2, makes the keys and takes the identity that the responder has proven with them.
func (x *Exchange) receiveAggressive2(now time.Time, m *message) error {
	sa, _, _ := isakmp.Find[isakmp.SA](m.payloads)
	var err error
	if x.chosen, err = x.cfg.checkReply(x.offer, sa); err != nil {
		return err
	}
	if id, _, ok := isakmp.Find[isakmp.ID](m.payloads); ok {
		x.aggressive.claimed = &id
	}
	if err := x.method().ready(x); err != nil {
		return err
	}
	if x.gxr, x.nr, err = x.receiveKE(m); err != nil {
		return err
	}
	x.cr = m.header.ResponderCookie
	x.agreeNATT(m.payloads)
	shared, err := x.agree(x.gxr)
	if err != nil {
		return err
	}
	x.derive(shared)
	m.nextIV = x.firstIV // nothing has been encrypted yet
	return x.receiveAuth(now, m, keymat.HashR)
}

// onAggressive3 checks the initiator's proof of the identity in message 1. The SA is established:
//
//	I --> R  HDR[*], HASH_I
func (x *Exchange) onAggressive3(now time.Time, m *message) (sent, error) {
	id := *x.aggressive.claimed
	c := claim{at: now, id: id, hash: x.hash(keymat.HashI, x.offer.body, x.aggressive.initiatorBody), payloads: m.payloads}
	if err := x.proven(c); err != nil {
		return sent{}, err
	}
	x.iv = x.cfg.advance(x.iv, m.nextIV)
	x.discover(m)
	x.establish(now)
	return sent{}, nil
}
