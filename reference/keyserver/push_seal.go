package keyserver

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// sealPush makes the message of a plan, signed and then encrypted under the Rekey SA in force before it (RFC 6407 §4.3).
// It is nil if a tap withheld it.
//
//	HDR*, SEQ, [D,] [SA, KD,] SIG
func (k *KeyServer) sealPush(p group.Plan) ([]byte, error) {
	o := &core.Outgoing{Kind: core.Push, Header: k.pushHeader(p.Under.SPI), Payloads: k.pushPayloads(p.Rekey)}
	k.opts.Tap.See(core.Built, o)
	sig, err := k.signPush(p.Under, o)
	if err != nil {
		return nil, err
	}
	o.Payloads = append(o.Payloads[:len(o.Payloads):len(o.Payloads)], sig)
	k.opts.Tap.See(core.Authenticated, o)
	if o.Withhold {
		return nil, nil
	}
	return k.encryptPush(p, o)
}

// pushHeader is the header but for Next Payload and Length, which follow from what is behind it (RFC 6407 §4.2).
func (k *KeyServer) pushHeader(spi policy.RekeySPI) isakmp.Header {
	rules := k.opts.Rules
	h := isakmp.Header{
		InitiatorCookie: isakmp.Cookie(spi[:8]), ResponderCookie: isakmp.Cookie(spi[8:]),
		Version: isakmp.Version10, Exchange: isakmp.ExchangePush, Flags: isakmp.FlagEncryption,
	}
	if !guardPushCookies.Kept(rules) {
		h.InitiatorCookie, h.ResponderCookie = h.ResponderCookie, h.InitiatorCookie
	}
	if !guardPushExchange.Kept(rules) {
		h.Exchange++
	}
	if !guardPushE.Kept(rules) {
		h.Flags = 0
	}
	if !guardPushFlags.Kept(rules) {
		h.Flags |= isakmp.FlagAuthOnly
	}
	if !guardPushMessageID.Kept(rules) {
		h.MessageID = 1
	}
	return h
}

// signPush signs, as the Rekey SA says, the label, the header with the Length that the message has before it is padded, and
// all payloads in front of SIG as they are sent.
func (k *KeyServer) signPush(under policy.RekeySA, o *core.Outgoing) (isakmp.SIG, error) {
	signer := k.signer(under)
	blank := isakmp.SIG{Data: make([]byte, keymat.SignatureLen(signer.Public()))}
	plain, err := isakmp.AppendPayloads(nil, append(o.Payloads[:len(o.Payloads):len(o.Payloads)], blank))
	if err != nil {
		return blank, err
	}
	h := finish(o, len(plain)).Append(nil)
	covered := plain[:len(plain)-isakmp.GenericLen-len(blank.Data)]
	if !guardPushSIG.Kept(k.opts.Rules) {
		h = nil
	}
	scheme := gdoimap.SchemeOf(under)
	if !guardPushRSA.Kept(k.opts.Rules) {
		scheme.Bare = true
	}
	digest := scheme.Digest(h, covered)
	if g := guardPushECDSA[under.SigAlgorithm]; g != nil && !g.Kept(k.opts.Rules) {
		der, err := signer.Sign(nil, digest, scheme.Hash)
		return isakmp.SIG{Data: der}, err
	}
	signature, err := scheme.Sign(signer, digest)
	return isakmp.SIG{Data: signature}, err
}

// encryptPush makes the octets of the message.
func (k *KeyServer) encryptPush(p group.Plan, o *core.Outgoing) ([]byte, error) {
	rules := k.opts.Rules
	body, err := isakmp.AppendPayloads(nil, o.Payloads)
	if err != nil {
		return nil, err
	}
	kek := p.Under
	if p.Rekey.NewRekey != nil && !guardPushKEK.Kept(rules) {
		kek = *p.Rekey.NewRekey
	}
	if o.Header.Flags&isakmp.FlagEncryption != 0 && guardPushEncrypted.Kept(rules) {
		if body, _, err = gdoimap.CipherOf(kek).EncryptCBC(kek.Key, kek.IV, body); err != nil {
			return nil, err
		}
	}
	h := finish(o, len(body))
	if !guardPushLength.Kept(rules) {
		h.Length--
	}
	var b bytes.Buffer
	b.Grow(isakmp.HeaderLen + len(body))
	b.Write(h.Append(nil))
	b.Write(body)
	return b.Bytes(), nil
}

// finish fills in what a tap has left open in the header of a message with a body of n octets.
func finish(o *core.Outgoing, n int) isakmp.Header {
	h := o.Header
	if h.NextPayload == isakmp.PayloadNone {
		h.NextPayload = isakmp.FirstType(o.Payloads)
	}
	if h.Length == 0 {
		h.Length = uint32(isakmp.HeaderLen + n)
	}
	return h
}

// pushPayloads are the payloads in front of SIG.
func (k *KeyServer) pushPayloads(r policy.Rekey) []isakmp.Payload {
	rules := k.opts.Rules
	ps := append([]isakmp.Payload{gdoi.SEQ{Number: r.Sequence}}, k.pushDeletes(r)...)
	if r.NewRekey != nil || len(r.SAs) > 0 || !guardDeleteOnly.Kept(rules) {
		ps = append(ps, k.pushSA(r), k.pushKD(r))
	}
	if !guardPushOrder.Kept(rules) {
		ps[0], ps[len(ps)-1] = ps[len(ps)-1], ps[0]
	}
	return ps
}

func (k *KeyServer) pushSA(r policy.Rekey) gdoi.SA {
	if !guardPushSAK.Kept(k.opts.Rules) {
		r.NewRekey = nil
	}
	return gdoimap.OrderedSAOf(r.NewRekey, r.Activation, r.SAs, r.Access, k.opts.Rules)
}

func (k *KeyServer) pushKD(r policy.Rekey) gdoi.KD {
	var sids *policy.SIDs
	if !guardPushNoSID.Kept(k.opts.Rules) {
		sids = &policy.SIDs{Bits: 8, Values: []uint32{0}}
	}
	return gdoimap.KDOf(r.NewRekey, r.SAs, sids, k.opts.Rules)
}

// deleteRekey is the Protocol-ID of a Delete of the KEK (RFC 6407 §5.9).
const deleteRekey = 0

// pushDeletes are the Delete payloads. SPI 0 stands for all of a kind.
func (k *KeyServer) pushDeletes(r policy.Rekey) []isakmp.Payload {
	var deletes []isakmp.Payload
	everything := len(r.DeleteTEKs) == 1 && r.DeleteTEKs[0] == 0 && r.DeleteKEK
	if len(r.DeleteTEKs) > 0 && (!everything || guardDeleteAll.Kept(k.opts.Rules)) {
		deletes = append(deletes, k.deleteTEKs(r)...)
	}
	if r.DeleteKEK && (guardDeleteApart.Kept(k.opts.Rules) || len(deletes) == 0) {
		deletes = append(deletes, k.deleteRekey(r.Under, everything))
	}
	return deletes
}

// deleteTEKs makes a Delete for each protocol of the SAs that are to go.
func (k *KeyServer) deleteTEKs(r policy.Rekey) (deletes []isakmp.Payload) {
	all := slices.Equal(r.DeleteTEKs, []uint32{0})
	for _, p := range []policy.Protocol{policy.ProtocolESP, policy.ProtocolAH, policy.ProtocolIEC61850} {
		var spis []uint32
		for i, spi := range r.DeleteTEKs {
			if protocolOf(r, i) == p || all && slices.Contains(r.Protocols, p) {
				spis = append(spis, spi)
			}
		}
		if len(spis) > 0 {
			deletes = append(deletes, k.deleteTEK(p, spis, r.DeleteKEK))
		}
	}
	return deletes
}

// protocolOf is the protocol of one of the SAs to be deleted.
func protocolOf(r policy.Rekey, i int) policy.Protocol {
	if i < len(r.Protocols) {
		return r.Protocols[i]
	}
	return policy.ProtocolESP
}

func (k *KeyServer) deleteTEK(p policy.Protocol, teks []uint32, kek bool) isakmp.Delete {
	d := isakmp.Delete{DOI: k.deleteDOI(), Protocol: gdoimap.ProtocolID(p), SPISize: 4}
	if !guardDeleteTEK.Kept(k.opts.Rules) {
		d.Protocol = 3 // ESP in the IPsec DOI
		if p != policy.ProtocolESP {
			d.Protocol = gdoi.ProtoIPsecESP
		}
	}
	for _, spi := range teks {
		d.SPIs = append(d.SPIs, binary.BigEndian.AppendUint32(nil, spi))
	}
	if kek && !guardDeleteApart.Kept(k.opts.Rules) {
		d.SPIs = append(d.SPIs, make([]byte, 4))
	}
	return d
}

func (k *KeyServer) deleteRekey(spi policy.RekeySPI, all bool) isakmp.Delete {
	d := isakmp.Delete{DOI: k.deleteDOI(), Protocol: deleteRekey, SPISize: uint8(len(spi)), SPIs: [][]byte{spi[:]}}
	if all {
		d.SPIs = [][]byte{make([]byte, len(spi))}
	}
	if !guardDeleteKEK.Kept(k.opts.Rules) {
		d.Protocol = 1 // an ISAKMP SA
	}
	return d
}

func (k *KeyServer) deleteDOI() uint32 {
	if !guardDeleteDOI.Kept(k.opts.Rules) {
		return 0
	}
	return gdoi.DOI
}
