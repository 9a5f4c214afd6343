package member_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// testKS is a key server with just enough of the protocol to talk to a member, and with every field at hand. It is written
// from RFC 6407 alone: HASHes and PUSH messages are made here, not by the reference's key server.
type testKS struct {
	testing.TB
	lab      *lab
	address  netip.AddrPort
	identity netip.AddrPort // whose address it proves in Phase 1
	tap      core.Tap       // may alter what it sends
	deaf     bool           // does not answer at all
	suites   []policy.Proposal

	exchange *ike.Exchange
	sa       *ike.SA
	stream   *ike.Stream
	ni, nr   []byte
	step     int
	gap      *gdoi.GAP // of message 3
	id       gdoi.ID   // of message 1
	heard    []core.Kind

	signer     crypto.Signer
	scheme     keymat.PushScheme
	rekey      *policy.RekeySA
	given      uint32 // SEQ of message 4
	sas        []policy.TrafficSA
	activation policy.Activation
	sids       *policy.SIDs
	hold       bool // keeps back message 4
	held       []byte

	acks []*core.Send

	nat        bool             // takes part in NAT traversal, and there is a NAT
	moved      uint16           // port of a NAT in front of the key server, in place of 4500
	asked      []netip.AddrPort // where messages on port 4500 went, once it has moved
	keepalives int
}

func newTestKS(t testing.TB, address netip.AddrPort) *testKS {
	return &testKS{
		TB: t, address: address, identity: address, signer: signer(), scheme: scheme,
		rekey: kek(1), sas: []policy.TrafficSA{gcm(0x1001)}, sids: &policy.SIDs{Bits: 8, Values: []uint32{5}},
	}
}

var signer = sync.OnceValue(func() *rsa.PrivateKey {
	data, err := os.ReadFile("testdata/signer.pem")
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return key.(*rsa.PrivateKey)
})

// scheme is how it signs.
var scheme = keymat.PushScheme{Hash: crypto.SHA256}

var signerSPKI = sync.OnceValue(func() []byte {
	der, err := keymat.MarshalPublicKey(&signer().PublicKey)
	if err != nil {
		panic(err)
	}
	return der
})

// signsWith has the key server sign with ECDSA over a curve.
func (k *testKS) signsWith(curve elliptic.Curve) {
	k.Helper()
	d := make([]byte, (curve.Params().BitSize+7)/8)
	d[len(d)-1] = 7
	key, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil {
		k.Fatal(err)
	}
	r := k.rekey
	r.SigAlgorithm, r.SigKeyBits, _ = policy.SignatureOf(key.Public())
	r.SigHash = r.SigAlgorithm.Hash()
	if r.PublicKey, err = keymat.MarshalPublicKey(key.Public()); err != nil {
		k.Fatal(err)
	}
	k.signer, k.scheme = key, gdoimap.SchemeOf(*r)
}

// toDER makes a SEQUENCE of r and s.
func toDER(sig []byte) []byte {
	half := len(sig) / 2
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])})
	if err != nil {
		panic(err)
	}
	return der
}

// kek is a Rekey SA whose SPI and keys are made of n.
func kek(n byte) *policy.RekeySA {
	r := &policy.RekeySA{
		Source: ksAddress, Destination: netip.MustParseAddrPort("239.1.1.1:848"),
		Cipher: policy.KEKAES, KeyBits: 128, SigHash: policy.SigHashSHA256, SigAlgorithm: policy.SigRSA, SigKeyBits: 2048,
		Lifetime: 24 * time.Hour, IV: bytes.Repeat([]byte{n}, 16), Key: bytes.Repeat([]byte{n + 0x80}, 16),
		PublicKey: signerSPKI(),
	}
	for i := range r.SPI {
		r.SPI[i] = 0xc0 + byte(i)
	}
	r.SPI[15] = n
	return r
}

// gcm is a Data-Security SA for 10/8 with AES-GCM, cbc one with AES-CBC.
func gcm(spi uint32) policy.TrafficSA {
	ten := netip.MustParsePrefix("10.0.0.0/8")
	return policy.TrafficSA{
		SPI: spi, Selector: policy.Selector{Source: ten, Destination: ten}, Lifetime: time.Hour,
		Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel},
		CipherKey: bytes.Repeat([]byte{byte(spi)}, 20),
	}
}

func cbc(spi uint32) policy.TrafficSA {
	sa := gcm(spi)
	sa.Transform.Cipher, sa.Transform.Integrity = policy.CipherAESCBC, policy.IntegrityHMACSHA256
	sa.CipherKey, sa.IntegrityKey = sa.CipherKey[:16], bytes.Repeat([]byte{byte(spi)}, 32)
	return sa
}

func (k *testKS) ike() ike.Config {
	return ike.Config{
		Role: rule.KS, Rand: keymat.Seeded("member", "ks"), Tap: k.tap, Local: k.identity, DOI: gdoi.DOI,
		PSK: func(netip.Addr, policy.Identity) (policy.PSK, bool) { return policy.PSK{Key: psk}, true }, Suites: ike.Suites(k.suites), NATT: k.nat,
	}
}

// reply puts datagrams on their way to the member.
func (k *testKS) reply(ds ...ike.Datagram) {
	for _, d := range ds {
		if d.Data != nil {
			k.lab.say("GM <-- ", d.Kind.String())
			k.lab.pending = append(k.lab.pending, k.datagram(d.From, d.Data))
		}
	}
}

// receive takes a message of the member.
func (k *testKS) receive(s *core.Send) {
	k.Helper()
	k.heard = append(k.heard, s.Kind)
	if s = k.unmark(s); s == nil {
		return
	}
	h, err := isakmp.ParseHeader(s.Data)
	if err != nil {
		k.Errorf("the member sent %x: %v", s.Data, err)
		return
	}
	switch {
	case k.deaf:
	case h.Exchange == isakmp.ExchangePushACK:
		k.acks = append(k.acks, s)
	case h.Exchange == isakmp.ExchangeMainMode:
		k.receivePhase1(s, h)
	case k.sa == nil:
	case h.Exchange == isakmp.ExchangePull:
		k.receivePull(s, h)
	case h.Exchange == isakmp.ExchangeInformational:
		k.receiveInformational(s)
	}
}

func (k *testKS) receivePhase1(s *core.Send, h isakmp.Header) {
	var ds []ike.Datagram
	var err error
	if h.ResponderCookie.IsZero() {
		k.exchange, ds, err = ike.Respond(k.ike(), k.lab.now, s.From, s.Data)
	} else if k.exchange != nil {
		var sa *ike.SA
		if ds, sa, err = k.exchange.HandleAt(k.lab.now, s.From, s.To, s.Data); sa != nil {
			k.sa, k.stream = sa, nil
		}
	}
	if err != nil {
		k.lab.say("KS: ", err.Error())
	}
	k.reply(ds...)
}

// receivePull takes message 1 or 3. What is wrong with it becomes a line of the talk.
func (k *testKS) receivePull(s *core.Send, h isakmp.Header) {
	if k.stream == nil || k.stream.MessageID() != h.MessageID {
		k.stream, k.step, k.gap = k.sa.NewStream(isakmp.ExchangePull, h.MessageID), 1, nil
	}
	o, err := k.stream.Open(s.Data, gdoi.Pull)
	if err != nil {
		k.lab.say("KS: ", err.Error())
		return
	}
	mid := binary.BigEndian.AppendUint32(nil, h.MessageID)
	want := k.prf(mid, o.After)
	if k.step == 3 {
		want = k.prf(mid, k.ni, k.nr, o.After)
	}
	if !bytes.Equal(want, o.Hash) {
		k.lab.say("KS: ", fmt.Sprintf("HASH(%d) is wrong", k.step))
		return
	}
	o.Commit()
	if k.step == 1 {
		k.message2(o)
	} else {
		k.message4(o)
	}
}

func (k *testKS) message2(o *ike.Opened) {
	n, _, _ := isakmp.Find[isakmp.Nonce](o.Payloads)
	k.ni = slices.Clone(n.Data)
	k.id, _, _ = isakmp.Find[gdoi.ID](o.Payloads)
	k.nr = bytes.Repeat([]byte{0x77}, 16)
	d, err := k.stream.Seal(core.Pull2, func(mid [4]byte, after []byte) []byte {
		if ps, _, err := gdoi.Pull.Parse(isakmp.PayloadNonce, after, 0); err == nil && len(ps) > 0 {
			if n, ok := ps[0].Payload.(isakmp.Nonce); ok {
				k.nr = slices.Clone(n.Data)
			}
		}
		return k.prf(mid[:], k.ni, after)
	}, []isakmp.Payload{isakmp.Nonce{Data: k.nr}, gdoimap.SAOf(k.rekey, k.activation, k.sas, nil)})
	if err != nil {
		k.Fatal(err)
	}
	k.step = 3
	k.reply(d)
}

func (k *testKS) message4(o *ike.Opened) {
	if gap, _, ok := isakmp.Find[gdoi.GAP](o.Payloads); ok {
		k.gap = &gap
	}
	ps := []isakmp.Payload{gdoimap.KDOf(k.rekey, k.sas, k.sids, nil)}
	if k.rekey != nil {
		ps = slices.Insert(ps, 0, isakmp.Payload(gdoi.SEQ{Number: k.given}))
	}
	d, err := k.stream.Seal(core.Pull4, func(mid [4]byte, after []byte) []byte {
		return k.prf(mid[:], k.ni, k.nr, after)
	}, ps)
	if err != nil {
		k.Fatal(err)
	}
	if k.hold {
		k.lab.say("GM <-- ", "PULL4 (held)")
		k.held = d.Data
		return
	}
	k.reply(d)
}

func (k *testKS) prf(parts ...[]byte) []byte { return k.sa.Hash().PRF(k.sa.SKEYIDa(), parts...) }

func (k *testKS) receiveInformational(s *core.Send) {
	o, err := k.sa.OpenInformational(s.Data)
	if err != nil {
		k.lab.say("KS: ", err.Error())
		return
	}
	if deleted, _ := k.sa.Deleted(o); deleted {
		k.lab.say("KS: ", "Phase 1 deleted")
		k.sa = nil
	}
}

// alter makes a tap that changes the payloads of one kind of message before HASH or SIG are made.
func alter(kind core.Kind, change func(o *core.Outgoing)) core.Tap {
	return alterAt(core.Built, kind, change)
}

func alterAt(stage core.Stage, kind core.Kind, change func(o *core.Outgoing)) core.Tap {
	return func(s core.Stage, o *core.Outgoing) {
		if s == stage && o.Kind == kind {
			change(o)
		}
	}
}
