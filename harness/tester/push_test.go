package tester_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// signed is a PUSH as its taps see it once it is signed.
func signed() *core.Outgoing {
	return &core.Outgoing{Kind: core.Push, Header: isakmp.Header{Version: isakmp.Version10, Exchange: isakmp.ExchangePush},
		Payloads: []isakmp.Payload{gdoi.SEQ{Number: 7}, gdoi.SA{}, gdoi.KD{}, isakmp.SIG{Data: make([]byte, 256)}}}
}

// sealed is a PUSH as its taps see it last, with a body of so many octets.
func sealed(octets int) *core.Outgoing {
	h := isakmp.Header{Version: isakmp.Version10, Length: uint32(isakmp.HeaderLen + octets)}
	return &core.Outgoing{Kind: core.Push, Bytes: append(h.Append(nil), make([]byte, octets)...)}
}

func types(ps []isakmp.Payload) (all []isakmp.PayloadType) {
	for _, p := range ps {
		all = append(all, p.Type())
	}
	return all
}

func TestDeletes(t *testing.T) {
	del := tester.DeleteESP(0, 0x01020304)
	for _, c := range []struct {
		d    tester.Deviation
		want []isakmp.PayloadType
	}{
		{tester.OnlyDeletes("two", del, del), []isakmp.PayloadType{isakmp.PayloadSEQ, isakmp.PayloadD, isakmp.PayloadD}},
		{tester.AlsoDeletes("one", del), []isakmp.PayloadType{isakmp.PayloadSEQ, isakmp.PayloadD, isakmp.PayloadSA, isakmp.PayloadKD}},
	} {
		o := signed()
		o.Payloads = o.Payloads[:3]
		before := slices.Clone(o.Payloads)
		c.d.Tap(core.Built, o)
		if !slices.Equal(types(o.Payloads), c.want) {
			t.Errorf("%s: %v, want %v", c.d.Name, types(o.Payloads), c.want)
		}
		if !slices.Equal(types(before), []isakmp.PayloadType{isakmp.PayloadSEQ, isakmp.PayloadSA, isakmp.PayloadKD}) {
			t.Errorf("%s wrote into the payloads it was given", c.d.Name)
		}
	}
	body, err := del.AppendBody(nil)
	if want := "00000002" + "01" + "04" + "0002" + "00000000" + "01020304"; err != nil || hex.EncodeToString(body) != want {
		t.Errorf("Delete of ESP %x, %v, want %s", body, err, want)
	}
	body, err = tester.DeleteKEK(make([]byte, 16)).AppendBody(nil)
	if want := "00000002" + "00" + "10" + "0001" + hex.EncodeToString(make([]byte, 16)); err != nil || hex.EncodeToString(body) != want {
		t.Errorf("Delete of the KEK %x, %v, want %s", body, err, want)
	}
}

func TestSignedHeader(t *testing.T) {
	d, o := tester.SignedHeader("Message ID 1", func(h *isakmp.Header) { h.MessageID = 1 }), signed()
	right := o.Header
	d.Tap(core.Built, o)
	if o.Header.MessageID != 1 {
		t.Error("SIG will be for the right header")
	}
	d.Tap(core.Authenticated, o)
	if o.Header != right {
		t.Errorf("sent with %+v, want %+v", o.Header, right)
	}
}

func TestResign(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	o := signed()
	d := tester.Resign("differently", key, func(header, payloads []byte) []byte { return slices.Concat([]byte("other"), header, payloads) })
	d.Tap(core.Authenticated, o)
	payloads, err := isakmp.AppendPayloads(nil, o.Payloads)
	if err != nil {
		t.Fatal(err)
	}
	h := o.Header
	h.NextPayload, h.Length = isakmp.PayloadSEQ, uint32(isakmp.HeaderLen+len(payloads))
	digest := sha256.Sum256(slices.Concat([]byte("other"), h.Append(nil), payloads[:len(payloads)-4-256]))
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], o.Payloads[3].(isakmp.SIG).Data); err != nil {
		t.Error(err)
	}
}

func TestPadding(t *testing.T) {
	o := signed()
	plain, _ := isakmp.AppendPayloads(nil, o.Payloads)
	tester.Padding(16).Tap(core.Authenticated, o)
	padded, err := isakmp.AppendPayloads(nil, o.Payloads)
	if err != nil || !bytes.Equal(padded, append(plain, make([]byte, 16)...)) {
		t.Errorf("%x, %v", padded, err)
	}
}

func TestOtherKEK(t *testing.T) {
	entry := keylog.Entry{IV: hex.EncodeToString(make([]byte, 16)), Key: hex.EncodeToString(make([]byte, 16))}
	for name, d := range map[string]tester.Deviation{"another key": tester.OtherKEK(entry), "garbage": tester.Garbage(core.Push)} {
		o, right := sealed(48), sealed(48)
		given := o.Bytes
		d.Tap(core.Sealed, o)
		if !bytes.Equal(o.Bytes[:isakmp.HeaderLen], right.Bytes[:isakmp.HeaderLen]) || len(o.Bytes) != len(right.Bytes) {
			t.Errorf("%s: header or length changed: %x", name, o.Bytes)
		}
		if bytes.Equal(o.Bytes, right.Bytes) || !bytes.Equal(given, right.Bytes) {
			t.Errorf("%s: body not changed, or written into", name)
		}
	}
	for _, entry := range []keylog.Entry{{}, {IV: "00", Key: "zz"}} {
		o := sealed(16)
		tester.OtherKEK(entry).Tap(core.Sealed, o)
		if !bytes.Equal(o.Bytes, sealed(16).Bytes) {
			t.Errorf("%+v: changed without a key", entry)
		}
	}
}

func TestDatagram(t *testing.T) {
	o := sealed(16)
	tester.Datagram(core.Push, "half", "", func(h isakmp.Header, data []byte) []byte { return data[:h.Length/2] }).Tap(core.Sealed, o)
	if len(o.Bytes) != 22 {
		t.Errorf("%d octets", len(o.Bytes))
	}
}
