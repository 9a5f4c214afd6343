package tester_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
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

// ecdsaKey is a key over a curve.
func ecdsaKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	d := make([]byte, (curve.Params().BitSize+7)/8)
	d[len(d)-1] = 5
	key, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// resigned has the deviation replace the SIG of a PUSH, and returns it with the digest of what it has to cover: the message as
// it is sent, or with the Length that its padding makes.
func resigned(t *testing.T, d tester.Deviation, scheme keymat.PushScheme) (sig []byte, digests [2][]byte) {
	t.Helper()
	o := signed()
	o.Payloads[3] = isakmp.SIG{Data: make([]byte, 64)}
	d.Tap(core.Authenticated, o)
	sig = o.Payloads[3].(isakmp.SIG).Data
	payloads, err := isakmp.AppendPayloads(nil, o.Payloads)
	if err != nil {
		t.Fatal(err)
	}
	h := o.Header
	for i, octets := range []int{len(payloads), (len(payloads) + 15) / 16 * 16} {
		h.NextPayload, h.Length = isakmp.PayloadSEQ, uint32(isakmp.HeaderLen+octets)
		digests[i] = scheme.Digest(h.Append(nil), payloads[:len(payloads)-4-len(sig)])
	}
	return sig, digests
}

func TestSignAs(t *testing.T) {
	for name, key := range map[string]*ecdsa.PrivateKey{"P-256": ecdsaKey(t, elliptic.P256()), "P-521": ecdsaKey(t, elliptic.P521())} {
		scheme := keymat.PushScheme{Hash: crypto.SHA512}
		sig, digests := resigned(t, tester.SignAs("differently", key, scheme), scheme)
		if err := scheme.Verify(key.Public(), digests[0], sig); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A signature in DER or with long numbers is a right one but for that.
func TestSignOtherwise(t *testing.T) {
	for curve, hash := range map[elliptic.Curve]crypto.Hash{elliptic.P256(): crypto.SHA256, elliptic.P384(): crypto.SHA384, elliptic.P521(): crypto.SHA512} {
		key, scheme, name := ecdsaKey(t, curve), keymat.PushScheme{Hash: hash}, curve.Params().Name
		sig, digests := resigned(t, tester.SignDER(key, hash), scheme)
		if !ecdsa.VerifyASN1(&key.PublicKey, digests[0], sig) && !ecdsa.VerifyASN1(&key.PublicKey, digests[1], sig) {
			t.Errorf("%s in DER: %x", name, sig)
		}
		sig, digests = resigned(t, tester.SignWide(key, hash), scheme)
		half := len(sig) / 2
		narrow := slices.Concat(sig[1:half], sig[half+1:])
		if sig[0] != 0 || sig[half] != 0 || scheme.Verify(key.Public(), digests[0], narrow) != nil {
			t.Errorf("%s with long numbers: %x", name, sig)
		}
	}
}

func TestEditSIG(t *testing.T) {
	o := signed()
	before := slices.Clone(o.Payloads)
	tester.EditSIG("short", func(b []byte) []byte { return b[:5] }).Tap(core.Authenticated, o)
	if got := o.Payloads[3].(isakmp.SIG).Data; len(got) != 5 || !slices.Equal(types(o.Payloads), types(before)) || len(before[3].(isakmp.SIG).Data) != 256 {
		t.Errorf("%x in %v", got, types(o.Payloads))
	}
}

// With another key of 3DES the message is another one, too.
func TestOtherKEKOf3DES(t *testing.T) {
	iv, key := make([]byte, 8), bytes.Repeat([]byte{2, 4, 8}, 8)
	o := sealed(48)
	tester.OtherKEK(keylog.Entry{Cipher: 2, IV: hex.EncodeToString(iv), Key: hex.EncodeToString(key)}).Tap(core.Sealed, o)
	right, _, err := keymat.TripleDES.DecryptCBC(key, iv, sealed(48).Bytes[isakmp.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := keymat.TripleDES.DecryptCBC(key, iv, o.Bytes[isakmp.HeaderLen:])
	if err != nil || bytes.Equal(got, right) || len(o.Bytes) != len(sealed(48).Bytes) {
		t.Errorf("%x, %v", o.Bytes, err)
	}
}
