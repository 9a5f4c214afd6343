package ike

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"io"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SealInformational makes a protected Informational exchange of Notify and Delete payloads, with HASH(1) and a Message ID
// of its own. It is sent once and never repeated (RFC 2409 §5.7, RFC 2408 §5.14).
//
//	--> HDR*, HASH(1), N or D
func (sa *SA) SealInformational(rand io.Reader, ps ...isakmp.Payload) (Datagram, error) {
	id := sa.NewMessageID(rand)
	if !dutyInfoMessageID.Kept(sa.cfg.Rules) {
		id = sa.latest
	}
	hash := sa.informationalHash
	if !dutyInfoHash.Kept(sa.cfg.Rules) {
		hash = func(_ [4]byte, after []byte) []byte { return sa.informationalHash([4]byte{}, after) }
	}
	return sa.NewStream(isakmp.ExchangeInformational, id).Seal(core.Informational, hash, ps)
}

// informationalHash is HASH(1) of an Informational.
func (sa *SA) informationalHash(mid [4]byte, after []byte) []byte {
	return sa.suite.Hash.PRF(sa.keys.A, mid[:], after)
}

// OpenInformational decrypts a protected Informational and checks HASH(1). The error is a *rule.Violation.
func (sa *SA) OpenInformational(data []byte) (*Opened, error) {
	h, err := sa.cfg.header(data)
	if err != nil {
		return nil, err
	}
	o, err := sa.NewStream(isakmp.ExchangeInformational, h.MessageID).Open(data, isakmp.Phase1)
	if err != nil {
		return nil, err
	}
	var mid [4]byte
	binary.BigEndian.PutUint32(mid[:], h.MessageID)
	if !checkInfoHash.Holds(sa.cfg.Rules, hmac.Equal(o.Hash, sa.informationalHash(mid, o.After))) {
		return nil, checkInfoHash.Violated("HASH(1) of an Informational does not verify")
	}
	return o, nil
}

// SealDelete tells the peer that this SA is gone (RFC 2408 §3.15).
func (sa *SA) SealDelete(rand io.Reader) (Datagram, error) {
	spi := sa.spi()
	if !dutyDeleteSPI.Kept(sa.cfg.Rules) {
		spi = spi[:len(spi)/2]
	}
	return sa.SealInformational(rand, isakmp.Delete{
		DOI:      sa.cfg.DOI,
		Protocol: isakmp.ProtoISAKMP,
		SPISize:  uint8(len(spi)),
		SPIs:     [][]byte{spi},
	})
}

// Deleted reports whether a proven Informational deletes this SA. The error is a *rule.Violation if it deletes another one.
func (sa *SA) Deleted(o *Opened) (deleted bool, err error) {
	for _, d := range o.Payloads {
		del, ok := d.Payload.(isakmp.Delete)
		if !ok || del.Protocol != isakmp.ProtoISAKMP {
			continue
		}
		named := slices.ContainsFunc(del.SPIs, func(spi []byte) bool { return bytes.Equal(spi, sa.spi()) })
		if checkDeleteSPI.Holds(sa.cfg.Rules, named) {
			return true, nil
		}
		err = checkDeleteSPI.Violated("Delete of cookies %x, which are not those of this SA", del.SPIs)
	}
	return false, err
}

// spi is the cookie pair, by which Notify and Delete payloads name the SA.
func (sa *SA) spi() []byte { return cookiePair(sa.ci, sa.cr) }

func cookiePair(i, r isakmp.Cookie) []byte { return slices.Concat(i[:], r[:]) }

// Notify makes a Notification about Phase 1 or an exchange under this SA, for SealInformational (RFC 2408 §3.14).
func (sa *SA) Notify(t isakmp.NotifyType, data []byte) isakmp.Payload { return sa.cfg.notify(t, data) }

func (c *Config) notify(t isakmp.NotifyType, data []byte) isakmp.Payload {
	n := isakmp.Notify{DOI: c.DOI, Protocol: isakmp.ProtoISAKMP, NotifyType: t, Data: data}
	if dutyNotifyForm.Kept(c.Rules) {
		return n
	}
	const protocol = 4
	body, _ := n.AppendBody(nil) // fails only with a long SPI
	return isakmp.Raw{PayloadType: n.Type(), Body: slices.Delete(body, protocol, protocol+1)}
}

// notifyInClear answers message 1 before there are keys. No cookie of this side exists, since nothing is kept.
//
//	R --> I  HDR, N
func (c *Config) notifyInClear(m *message, t isakmp.NotifyType) []Datagram {
	ps := []isakmp.Payload{c.notify(t, nil)}
	if !dutyInfoClear.Kept(c.Rules) {
		ps = slices.Insert(ps, 0, isakmp.Payload(isakmp.Hash{Data: make([]byte, 32)}))
	}
	h := c.newHeader(m.header.InitiatorCookie, isakmp.Cookie{}, isakmp.ExchangeInformational, 0)
	answer, _, err := c.build(&core.Outgoing{Kind: core.Informational, Header: h, Payloads: ps}, nil, cipher{})
	if err != nil {
		return nil
	}
	return c.transmit(answer, m.from)
}

// notified is the error for an Informational during Phase 1. Nobody has proven it, so it has no other effect.
func (x *Exchange) notified(h isakmp.Header, body []byte) error {
	if h.Flags&isakmp.FlagEncryption != 0 {
		return checkSameExchange.Violated("encrypted Informational before the SA is established")
	}
	ps, _, err := x.cfg.chain(isakmp.Phase1, h.NextPayload, body, 0)
	if err != nil {
		return err
	}
	n, _, ok := isakmp.Find[isakmp.Notify](ps)
	if !ok {
		return checkSameExchange.Violated("Informational without a notification during Phase 1")
	}
	return &Notified{Type: n.NotifyType, Data: n.Data}
}
