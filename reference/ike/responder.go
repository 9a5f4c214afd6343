package ike

import (
	"errors"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// noProposalError says why no transform of an offer is acceptable.
type noProposalError struct{ why error }

func (e noProposalError) Error() string { return e.why.Error() }
func (e noProposalError) Unwrap() error { return e.why }

// onMain1 takes the offer and answers it. This costs no more than a look at the transforms:
//
//	I --> R  HDR, SA
//	I <-- R  HDR, SA
func (x *Exchange) onMain1(m *message) (sent, error) {
	var err error
	sa, d, _ := isakmp.Find[isakmp.SA](m.payloads)
	if err := x.cfg.checkOffer(sa); err != nil {
		return sent{}, err
	}
	if x.chosen, err = x.cfg.choose(sa); err != nil {
		return sent{}, noProposalError{err}
	}
	if err := x.method().ready(x); err != nil {
		return sent{}, err
	}
	x.offer = offer{sa: sa, body: body(d)}
	x.agreeNATT(m.payloads)
	x.ci, x.cr = m.header.InitiatorCookie, x.cfg.newCookie()
	o := x.clear(core.MainMode2, append(x.cfg.leading(x.cfg.replySA(x.offer, x.chosen)), x.vendorIDs()...)...)
	reply, _, err := x.cfg.build(o, nil, cipher{})
	return reply, err
}

// refusal is the answer to message 1 when it was refused: nothing, or NO-PROPOSAL-CHOSEN in clear.
func (x *Exchange) refusal(m *message, err error) []Datagram {
	var none noProposalError
	if !errors.As(err, &none) {
		return nil
	}
	return x.cfg.notifyInClear(m, isakmp.NotifyNoProposalChosen)
}

// onMain3 makes the keys, the first costly work of a responder:
//
//	I --> R  HDR, KE, Ni
//	I <-- R  HDR, KE, Nr
func (x *Exchange) onMain3(m *message) (sent, error) {
	var err error
	if x.gxi, x.ni, err = x.receiveKE(m); err != nil {
		return sent{}, err
	}
	x.discover(m)
	if x.private, err = x.chosen.suite.group().NewKey(x.cfg.Rand); err != nil {
		return sent{}, err
	}
	shared, err := x.agree(x.gxi)
	if err != nil {
		return sent{}, err
	}
	reply, ke, nonce, err := x.sendKE(core.MainMode4)
	if err != nil {
		return sent{}, err
	}
	x.gxr, x.nr = ke, nonce
	x.derive(shared)
	return reply, nil
}

// onMain5 checks the initiator's proof and gives the own. The SA is established:
//
//	I --> R  HDR*, IDii, HASH_I
//	I <-- R  HDR*, IDir, HASH_R
func (x *Exchange) onMain5(now time.Time, m *message) (sent, error) {
	if err := x.receiveAuth(now, m, keymat.HashI); err != nil {
		return sent{}, err
	}
	reply, err := x.sendAuth(core.MainMode6, keymat.HashR)
	if err != nil {
		return sent{}, err
	}
	x.establish(now)
	return reply, nil
}

// body is that of a payload as it was received, nothing if there was none.
func body(d *isakmp.Decoded) []byte {
	if d == nil {
		return nil
	}
	return d.Body()
}
