package capture

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// rekeyKeys are the keys of a Rekey SA as one node logged them.
type rekeyKeys struct {
	scheme          keymat.PushScheme
	iv, key, public []byte
	ack             int // type of acknowledgement that its SAK asks for
}

func (k rekeyKeys) equal(o rekeyKeys) bool {
	return k.scheme == o.scheme && k.ack == o.ack &&
		bytes.Equal(k.iv, o.iv) && bytes.Equal(k.key, o.key) && bytes.Equal(k.public, o.public)
}

func (d *decoder) addRekey(k keylog.Entry) {
	spi := unhex(k.SPI)
	if len(spi) != 16 {
		return
	}
	name := cookies{isakmp.Cookie(spi[:8]), isakmp.Cookie(spi[8:])}
	keys := rekeyKeys{scheme: gdoimap.SchemeOf(suiteOf(k)), iv: unhex(k.IV), key: unhex(k.Key), public: unhex(k.PublicKey), ack: k.Ack}
	if !slices.ContainsFunc(d.rekeys[name], keys.equal) {
		d.rekeys[name] = append(d.rekeys[name], keys)
	}
}

// suiteOf reads the algorithms of an entry that signatures are made with. One that does not tell the hash of signatures means that of the curve, or
// SHA-256.
func suiteOf(k keylog.Entry) policy.RekeySA {
	r := policy.RekeySA{SigHash: policy.SigHash(k.SigHash), SigAlgorithm: policy.SigAlgorithm(k.SigAlgorithm)}
	if r.SigHash == 0 {
		r.SigHash = max(r.SigAlgorithm.Hash(), policy.SigHashSHA256)
	}
	if k.SigForm == policy.SigBareHash.String() {
		r.SigForm = policy.SigBareHash
	}
	return r
}

// push decodes a GROUPKEY-PUSH (RFC 6407 §4):
//
//	KS --> GM  HDR*, SEQ, [D,] [SA, KD,] SIG
func (d *decoder) push(m *Message, h isakmp.Header, data []byte) {
	m.Kind = core.Push.String()
	o, k := d.openPush(m, h, data)
	m.summarize(o, nil)
	if o == nil {
		m.unchecked("SIG", "not decrypted")
		return
	}
	m.show(o)
	m.signature(o, k)
	d.hierarchy(m, o)
}

func (m *Message) signature(o *opened, k rekeyKeys) {
	if len(k.public) == 0 {
		m.unchecked("SIG", "no public key")
		return
	}
	detail, ok := verifyPush(o, k)
	m.check("SIG", ok, detail)
}

// openPush tries each key of the Rekey SA. Of those that give a readable chain of payloads the first is taken, or rather the first
// whose public key verifies SIG: a tester may have told a member of another one.
func (d *decoder) openPush(m *Message, h isakmp.Header, data []byte) (best *opened, with rekeyKeys) {
	keys := d.rekeys[cookies{h.InitiatorCookie, h.ResponderCookie}]
	if !m.Encrypted {
		if len(keys) > 0 {
			with = keys[0]
		}
		return read(h, data), with
	}
	for _, k := range keys {
		o := decrypt(h, k.key, k.iv, data)
		if o == nil || !plausible(o) {
			continue
		}
		if best == nil || o.err == nil && (best.err != nil || !proves(best, with) && proves(o, k)) {
			best, with = o, k
		}
	}
	m.Decrypted = best != nil
	return best, with
}

func proves(o *opened, k rekeyKeys) bool {
	_, ok := verifyPush(o, k)
	return ok
}

// verifyPush checks SIG, which covers "rekey", the header and the payloads before SIG. The header counts with the length
// of the message without its padding, or with it: RFC 6407 §4 leaves that open, and both are met.
func verifyPush(o *opened, k rekeyKeys) (detail string, ok bool) {
	sig, at, found := isakmp.Find[isakmp.SIG](o.payloads)
	if !found {
		return "there is no SIG payload", false
	}
	public, err := keymat.ParsePublicKey(k.public)
	if err != nil {
		return err.Error(), false
	}
	signed := func(header []byte) bool {
		return k.scheme.Verify(public, k.scheme.Digest(header, o.data[isakmp.HeaderLen:at.Offset]), sig.Data) == nil
	}
	header := slices.Clone(o.data[:isakmp.HeaderLen])
	binary.BigEndian.PutUint32(header[24:], uint32(o.end))
	switch {
	case signed(header):
		return "", true
	case o.end != len(o.data) && signed(o.data[:isakmp.HeaderLen]):
		return "with the length after padding", true
	}
	return "it is not a signature of this message by the key of the Rekey SA", false
}
