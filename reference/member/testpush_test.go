package member_test

import (
	"encoding/binary"
	"slices"

	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// pushSpec is a GROUPKEY-PUSH to be made. Zero fields are as they should be.
type pushSpec struct {
	under    *policy.RekeySA // nil: the one of the registration
	seq      uint32
	deletes  []isakmp.Delete
	rekey    *policy.RekeySA
	sas      []policy.TrafficSA
	sids     *policy.SIDs
	act      policy.Activation
	payloads func(ps []isakmp.Payload) []isakmp.Payload // changes them before SIG is made and appended
	noSIG    bool
	after    []isakmp.Payload // behind SIG

	signPadded bool                   // SIG covers the padded Length
	header     func(h *isakmp.Header) // changes it before SIG is made
	sig        func(sig []byte)       // changes it after it is made
	sent       func(b []byte)         // changes the finished datagram
	padding    int                    // more blocks of padding
	der        int                    // SIG is in DER, of about so many octets, and covers the padded Length
}

func deleteOf(protocol uint8, spis ...[]byte) isakmp.Delete {
	return isakmp.Delete{DOI: gdoi.DOI, Protocol: protocol, SPISize: uint8(len(spis[0])), SPIs: spis}
}

func spi4(spi uint32) []byte { return binary.BigEndian.AppendUint32(nil, spi) }

// makePush builds a PUSH by the digest of RFC 6407 §4: payloads, signature over header and payloads, encryption.
func (k *testKS) makePush(s pushSpec) []byte {
	k.Helper()
	under := s.under
	if under == nil {
		under = k.rekey
	}
	ps := []isakmp.Payload{gdoi.SEQ{Number: s.seq}}
	for _, d := range s.deletes {
		ps = append(ps, d)
	}
	if s.rekey != nil || len(s.sas) > 0 {
		ps = append(ps, gdoimap.SAOf(s.rekey, s.act, s.sas, nil), gdoimap.KDOf(s.rekey, s.sas, s.sids, nil))
	}
	if s.payloads != nil {
		ps = s.payloads(ps)
	}
	sigLen := keymat.SignatureLen(k.signer.Public())
	if s.der > 0 {
		sigLen, s.signPadded = s.der, true
	}
	whole := slices.Concat(ps, []isakmp.Payload{isakmp.SIG{Data: make([]byte, sigLen)}}, s.after)
	plain, err := isakmp.AppendPayloads(nil, whole)
	if err != nil {
		k.Fatal(err)
	}
	tail, _ := isakmp.AppendPayloads(nil, s.after)
	sigAt := len(plain) - len(tail) - sigLen

	h := isakmp.Header{
		NextPayload: isakmp.FirstType(ps), Version: isakmp.Version10, Exchange: isakmp.ExchangePush,
		Flags: isakmp.FlagEncryption, Length: uint32(isakmp.HeaderLen + len(plain)),
	}
	copy(h.InitiatorCookie[:], under.SPI[:8])
	copy(h.ResponderCookie[:], under.SPI[8:])
	block := gdoimap.CipherOf(*under).BlockSize()
	padded := uint32(isakmp.HeaderLen + (len(plain)+block-1)/block*block)
	if s.signPadded {
		h.Length = padded
	}
	if s.header != nil {
		s.header(&h)
	}
	sig, err := k.scheme.Sign(k.signer, k.scheme.Digest(h.Append(nil), plain[:sigAt-isakmp.GenericLen]))
	if err != nil {
		k.Fatal(err)
	}
	if s.sig != nil {
		s.sig(sig)
	}
	if s.der > 0 {
		sig = toDER(sig)
	}
	plain, _ = isakmp.AppendPayloads(nil, slices.Concat(ps, []isakmp.Payload{isakmp.SIG{Data: sig}}, s.after))
	if s.noSIG {
		plain, _ = isakmp.AppendPayloads(nil, ps)
	}
	plain = append(plain, make([]byte, block*s.padding)...)
	cipher, _, err := gdoimap.CipherOf(*under).EncryptCBC(under.Key, under.IV, plain)
	if err != nil {
		k.Fatal(err)
	}
	if s.header == nil || h.Length == uint32(isakmp.HeaderLen+len(plain)) || h.Length == padded {
		h.Length = uint32(isakmp.HeaderLen + len(cipher))
	}
	b := append(h.Append(nil), cipher...)
	if s.sent != nil {
		s.sent(b)
	}
	return b
}
