package keyserver

import (
	"io"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

const nonceOctets = 32

// nonce makes Nr.
func (k *KeyServer) nonce() []byte {
	nr := make([]byte, nonceOctets)
	if !guardFreshNonce.Kept(k.opts.Rules) {
		return nr
	}
	if _, err := io.ReadFull(k.opts.Rand, nr); err != nil {
		panic("keyserver: source of randomness failed: " + err.Error())
	}
	return nr
}

// sealPull2 makes message 2: the policy, and no key.
//
//	HDR*, HASH(2), Nr, SA
func (k *KeyServer) sealPull2(s *session, p *pull) (ike.Datagram, error) {
	offer := p.offer.Download
	hash := func(mid [4]byte, after []byte) []byte {
		if !guardHash2.Kept(k.opts.Rules) {
			return pullHash(s.sa, mid, nil, after)
		}
		return pullHash(s.sa, mid, [][]byte{p.ni}, after)
	}
	k.sentNr = p.nr
	d, err := p.stream.Seal(core.Pull2, hash, []isakmp.Payload{
		isakmp.Nonce{Data: p.nr},
		gdoimap.OrderedSAOf(offer.Rekey, offer.Activation, offer.SAs, offer.Access, k.opts.Rules),
	})
	p.nr = k.sentNr
	return d, err
}

// sealPull4 makes message 4: the keys.
//
//	HDR*, HASH(4) [, SEQ], KD
func (k *KeyServer) sealPull4(s *session, p *pull, given policy.Download) (ike.Datagram, error) {
	hash := func(mid [4]byte, after []byte) []byte {
		if !guardHash4.Kept(k.opts.Rules) {
			return pullHash(s.sa, mid, nil, after)
		}
		return pullHash(s.sa, mid, [][]byte{p.ni, p.nr}, after)
	}
	var ps []isakmp.Payload
	if given.Rekey != nil && guardSEQ4.Kept(k.opts.Rules) {
		ps = append(ps, gdoi.SEQ{Number: given.Sequence})
	}
	ps = append(ps, gdoimap.KDOf(given.Rekey, given.SAs, given.SIDs, k.opts.Rules))
	return p.stream.Seal(core.Pull4, hash, ps)
}

// tap lets the tap of the options see everything, and notes the nonce of message 2 as it leaves: what a tap changes when
// a message is built counts as what was sent.
func (k *KeyServer) tap() core.Tap {
	if k.opts.Tap == nil {
		return nil
	}
	return func(stage core.Stage, o *core.Outgoing) {
		k.opts.Tap(stage, o)
		if stage == core.Built && o.Kind == core.Pull2 {
			for _, p := range o.Payloads {
				if nr, ok := isakmp.Unwrap(p).(isakmp.Nonce); ok {
					k.sentNr = nr.Data
				}
			}
		}
	}
}

// notify tells a peer, under the protection of Phase 1, why it gets no other answer. It need not (RFC 2408 §5), but the
// peer need not wait in vain then.
func (k *KeyServer) notify(s *session, t isakmp.NotifyType, to netip.AddrPort) {
	d, err := s.sa.SealInformational(k.opts.Rand, s.sa.Notify(t, nil))
	if err != nil {
		k.fail("notification", err)
		return
	}
	d.To = to
	k.send(d)
}
