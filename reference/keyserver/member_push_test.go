package keyserver_test

import (
	"fmt"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// push is a PUSH as a member reads it.
type push struct {
	header   isakmp.Header
	payloads []isakmp.Decoded
	seq      uint32
	policy   gdoimap.Policy
	kd       gdoi.KD
	deletes  []isakmp.Delete
}

// openPush decrypts and verifies a PUSH under a Rekey SA. It does not look at the header.
func openPush(r policy.RekeySA, data []byte) (push, error) {
	var p push
	var err error
	if p.header, err = isakmp.ParseHeader(data); err != nil {
		return p, err
	}
	plain, _, err := gdoimap.CipherOf(r).DecryptCBC(r.Key, r.IV, data[isakmp.HeaderLen:])
	if err != nil {
		return p, err
	}
	if p.payloads, _, err = gdoi.Push.Parse(p.header.NextPayload, plain, isakmp.HeaderLen); err != nil {
		return p, err
	}
	if err := p.verify(r, plain); err != nil {
		return p, err
	}
	seq, _, _ := isakmp.Find[gdoi.SEQ](p.payloads)
	p.seq = seq.Number
	for _, d := range p.payloads {
		if del, ok := d.Payload.(isakmp.Delete); ok {
			p.deletes = append(p.deletes, del)
		}
	}
	p.kd, _, _ = isakmp.Find[gdoi.KD](p.payloads)
	if sa, _, ok := isakmp.Find[gdoi.SA](p.payloads); ok {
		if p.policy, err = gdoimap.ReadVendorSA(sa, gdoimap.Vendor{}, nil); err != nil {
			return p, err
		}
		_, err = p.policy.AddKeys(p.kd, nil)
	}
	return p, err
}

// verify checks SIG, with the Length that the message has without padding.
func (p *push) verify(r policy.RekeySA, plain []byte) error {
	sig, at, ok := isakmp.Find[isakmp.SIG](p.payloads)
	if !ok {
		return fmt.Errorf("no SIG in %s", chain(p.payloads))
	}
	h := p.header
	h.Length = uint32(at.Offset + len(at.Raw))
	public, err := keymat.ParsePublicKey(r.PublicKey)
	if err != nil {
		return err
	}
	scheme := gdoimap.SchemeOf(r)
	return scheme.Verify(public, scheme.Digest(h.Append(nil), plain[:at.Offset-isakmp.HeaderLen]), sig.Data)
}

// receive takes a PUSH as a member does: it moves on to a new Rekey SA.
func (m *gm) receive(data []byte) push {
	m.t.Helper()
	p, err := openPush(m.rekey, data)
	if err != nil {
		m.t.Fatal(err)
	}
	if p.policy.Rekey != nil {
		m.rekey, _ = m.opened(*p.policy.Rekey)
	}
	return p
}

// ackOf is an acknowledgement; change may forge it before HASH is made.
func ackOf(r policy.RekeySA, seq uint32, from netip.Addr, change ...func(*isakmp.Header, *[]isakmp.Payload)) []byte {
	h := isakmp.Header{
		InitiatorCookie: isakmp.Cookie(r.SPI[:8]), ResponderCookie: isakmp.Cookie(r.SPI[8:]),
		Version: isakmp.Version10, Exchange: isakmp.ExchangePushACK,
	}
	ps := []isakmp.Payload{gdoi.SEQ{Number: seq}, gdoi.ID{IDType: isakmp.IDIPv4Addr, Data: from.AsSlice()}}
	for _, c := range change {
		c(&h, &ps)
	}
	covered, err := isakmp.AppendPayloads(nil, ps)
	if err != nil {
		panic(err)
	}
	if len(ps) > 2 {
		covered = covered[:8+12] // SEQ and ID, whatever follows
	}
	by := gdoimap.AckOf(r.Ack)
	hash := by.Hash(by.Key(gdoimap.AckBase(&r, r.Ack), r.SPI), covered, nil)
	data, err := isakmp.Assemble(h, append([]isakmp.Payload{isakmp.Hash{Data: hash}}, ps...))
	if err != nil {
		panic(err)
	}
	return data
}
