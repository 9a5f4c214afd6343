package capture_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"net/netip"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// hashed is an HMAC over the parts.
func hashed(h func() hash.Hash, key []byte, parts ...[]byte) []byte {
	w := hmac.New(h, key)
	for _, p := range parts {
		w.Write(p)
	}
	return w.Sum(nil)
}

// sendAck adds an acknowledgement of PUSH 1 whose HASH is made from base with that hash and that L (RFC 8263 §3.2).
func sendAck(t *testing.T, talk *capturetest.Talk, h func() hash.Hash, bits uint16, base []byte, order ...int) {
	t.Helper()
	spi := talk.Rekey.SPI
	rest := []isakmp.Payload{gdoi.SEQ{Number: 1}, isakmp.ID{IDType: isakmp.IDIPv4Addr, Data: capturetest.GM1.AsSlice()}}
	after, err := isakmp.AppendPayloads(nil, rest)
	if err != nil {
		t.Fatal(err)
	}
	key := hashed(h, base, []byte("GROUPKEY-PUSH ACK\x00"), spi[:], binary.BigEndian.AppendUint16(nil, bits))
	ps := append([]isakmp.Payload{isakmp.Hash{Data: hashed(h, key, after)}}, rest...)
	if order != nil {
		ps = []isakmp.Payload{ps[order[0]], ps[order[1]], ps[order[2]]}
	}
	data, err := isakmp.Assemble(isakmp.Header{InitiatorCookie: isakmp.Cookie(spi[:8]), ResponderCookie: isakmp.Cookie(spi[8:]),
		Version: isakmp.Version10, Exchange: isakmp.ExchangePushACK}, ps)
	if err != nil {
		t.Fatal(err)
	}
	talk.UDP(netip.AddrPortFrom(capturetest.GM1, 848), netip.AddrPortFrom(capturetest.KS, 848), data)
}

// array is an LKH download array with two AES keys (RFC 6407 §5.6.3.1).
func array(leaf []byte) []byte {
	b := []byte{1, 0, 2, 0}
	for i, data := range [][]byte{append(make([]byte, 16), leaf...), make([]byte, 16+len(leaf))} {
		b = append(b, 0, byte(i+1), 3, 0)
		b = append(append(b, make([]byte, 12)...), data...)
	}
	return b
}

// register adds a registration whose Key Download has that LKH array.
func register(talk *capturetest.Talk, member netip.Addr, download []byte) {
	s := talk.MainMode(member).Stream(isakmp.ExchangePull)
	s.Send(true, nil, isakmp.Nonce{Data: ni}, id)
	s.Send(false, [][]byte{ni}, isakmp.Nonce{Data: nr}, gdoi.SA{DOI: gdoi.DOI})
	s.Send(true, [][]byte{ni, nr})
	s.Send(false, [][]byte{ni, nr}, gdoi.KD{Packets: []gdoi.KeyPacket{{Type: gdoi.KDTypeLKH, SPI: talk.Rekey.SPI[:],
		Attributes: []wire.Attribute{wire.TLV(gdoi.LKHDownloadArray, download)}}}})
}

func TestAckTypes(t *testing.T) {
	leaf, other := slices.Repeat([]byte{0x77}, 16), slices.Repeat([]byte{0x99}, 16)
	const (
		right  = "ACK HASH: ok"
		wrong  = "ACK HASH: " + badHash
		closed = "ACK HASH: unchecked (the member's LKH keys were not seen)"
	)
	for name, test := range map[string]struct {
		asked    int
		download []byte // to the member that acknowledges
		hash     func() hash.Hash
		bits     uint16
		base     []byte // nil: the KEK
		want     string
	}{
		"1, KEK and SHA-256":                {1, nil, sha256.New, 512, nil, right},
		"3, KEK and SHA-512":                {3, nil, sha512.New, 1024, nil, right},
		"3, made as if it were 1":           {3, nil, sha256.New, 512, nil, wrong},
		"3, L is that of SHA-256":           {3, nil, sha512.New, 512, nil, wrong},
		"2, LKH and SHA-256":                {2, array(leaf), sha256.New, 512, leaf, right},
		"4, LKH and SHA-512":                {4, array(leaf), sha512.New, 1024, leaf, right},
		"4, another LKH key":                {4, array(other), sha512.New, 1024, leaf, wrong},
		"2, made from the KEK":              {2, array(leaf), sha256.New, 512, nil, wrong},
		"2, LKH keys not seen":              {2, nil, sha256.New, 512, leaf, closed},
		"2, an array of no keys":            {2, []byte{1, 0, 0, 0}, sha256.New, 512, leaf, closed},
		"2, an array that is cut":           {2, array(leaf)[:50], sha256.New, 512, leaf, closed},
		"2, an array without a head":        {2, []byte{1}, sha256.New, 512, leaf, closed},
		"2, keys shorter than their heads":  {2, append([]byte{1, 0, 1, 0}, make([]byte, 20)...), sha256.New, 512, leaf, closed},
		"unknown, made as 1":                {0, nil, sha256.New, 512, nil, right},
		"unknown, made as 4":                {77, array(leaf), sha512.New, 1024, leaf, right},
		"unknown, made from something else": {0, nil, sha512.New, 1024, leaf, wrong},
	} {
		t.Run(name, func(t *testing.T) {
			talk := capturetest.New("ack", policy.CipherAESGCM16)
			register(talk, capturetest.GM2, array(slices.Repeat([]byte{0x33}, 16)))
			if test.download != nil {
				register(talk, capturetest.GM1, test.download)
			}
			if test.base == nil {
				test.base = talk.Rekey.Key
			}
			sendAck(t, talk, test.hash, test.bits, test.base)
			for i := range talk.Keys {
				if talk.Keys[i].Kind == keylog.KindRekey {
					talk.Keys[i].Ack = test.asked
				}
			}
			expect(t, decodeLast(talk, 1), "PUSH-ACK | HDR, HASH, SEQ 1, ID | "+test.want)
		})
	}
}

// An acknowledgement has its payloads in the order of RFC 8263 §3.
func TestAckOrder(t *testing.T) {
	talk := capturetest.New("ack", policy.CipherAESGCM16)
	sendAck(t, talk, sha256.New, 512, talk.Rekey.Key, 1, 0, 2)
	expect(t, capture.Decode(talk.Frames, talk.Keys),
		"PUSH-ACK | HDR, SEQ 1, HASH, ID | ACK HASH: bad (the payloads are not HASH, SEQ and ID)")
}
