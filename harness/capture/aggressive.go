package capture

import (
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// aggressiveMode decodes a message of Aggressive Mode with pre-shared keys (RFC 2409 §5.4), the last of which may be encrypted or
// not:
//
//	I --> R  1  HDR, SA, KE, Ni, IDii
//	R --> I  2  HDR, SA, KE, Nr, IDir, HASH_R
//	I --> R  3  HDR[*], HASH_I
func (d *decoder) aggressiveMode(m *Message, h isakmp.Header, data []byte) {
	if h.ResponderCookie.IsZero() {
		d.aggressive1(m, h, data)
		return
	}
	p := d.phase1SA(cookies{h.InitiatorCookie, h.ResponderCookie})
	answer := h.NextPayload == isakmp.PayloadSA
	d.fromInitiator(m, p, answer)
	if first := d.offers[p.i]; first != nil && p.gxi == nil {
		p.gxi, p.initiatorID = first.gxi, first.id
	}
	if answer && !m.Encrypted {
		p.aggressive2(m, h, data)
		return
	}
	p.aggressive3(m, h, data)
}

// aggressive1 keeps what the initiator said: nothing of it is repeated.
func (d *decoder) aggressive1(m *Message, h isakmp.Header, data []byte) {
	m.Kind = core.Aggressive1.String()
	o := read(h, data)
	m.show(o)
	m.summarize(o, label{isakmp.PayloadNonce: "Ni", isakmp.PayloadID: "IDii"})
	first := &offer{from: []netip.AddrPort{m.From}}
	if before := d.offers[h.InitiatorCookie]; before != nil { // the same on the other side of a NAT
		first.from = append(slices.Clip(before.from), m.From)
	}
	if _, sa, ok := isakmp.Find[isakmp.SA](o.payloads); ok {
		first.sa = sa.Body()
	}
	if ke, _, ok := isakmp.Find[isakmp.KE](o.payloads); ok {
		first.gxi = ke.Data
	}
	if _, id, ok := isakmp.Find[isakmp.ID](o.payloads); ok {
		first.id = id.Body()
	}
	d.offers[h.InitiatorCookie] = first
}

func (p *phase1) aggressive2(m *Message, h isakmp.Header, data []byte) {
	m.Kind = core.Aggressive2.String()
	o := read(h, data)
	m.show(o)
	names := label{isakmp.PayloadNonce: "Nr", isakmp.PayloadID: "IDir", isakmp.PayloadHASH: "HASH_R", isakmp.PayloadSIG: "SIG_R"}
	m.summarize(o, names)
	if ke, _, ok := isakmp.Find[isakmp.KE](o.payloads); ok {
		p.gxr = ke.Data
	}
	if len(p.keys) == 0 {
		m.unchecked("HASH_R", "no key")
		return
	}
	var err error
	for _, k := range p.keys {
		if err = p.proof(o, k, false); err == nil {
			break
		}
	}
	m.identityChecked(names, o, err)
}

func (p *phase1) aggressive3(m *Message, h isakmp.Header, data []byte) {
	m.Kind = core.Aggressive3.String()
	first := func(k phase1Keys) [][]byte { return [][]byte{k.firstIV} }
	o, k := p.open(m, h, data, first, p.provesInitiator)
	names := label{isakmp.PayloadHASH: "HASH_I", isakmp.PayloadSIG: "SIG_I"}
	m.summarize(o, names)
	if m.Encrypted {
		p.ends = remember(p.ends, data, o != nil && o.err == nil)
	}
	if o == nil {
		m.unchecked("HASH_I", "not decrypted")
		return
	}
	m.show(o)
	if len(p.keys) == 0 {
		m.unchecked("HASH_I", "no key")
		return
	}
	o.claimed = p.initiatorID
	m.identityChecked(names, o, p.proof(o, k, true))
}

// provesInitiator reports whether a message proves the identity of Aggressive Mode 1.
func (p *phase1) provesInitiator(o *opened, k phase1Keys) bool {
	o.claimed = p.initiatorID
	return p.proof(o, k, true) == nil
}
