package tester

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"net/netip"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var issuer = pki.Root("issuer")

func testHolder() Holder {
	return Holder{Key: pki.ECDSA(elliptic.P256(), "tester"), By: issuer, Subject: pki.Subject{CN: "tester", O: "gdoilab",
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}}
}

// proofMessage is a message 5 as a core makes it, up to the stage at which it has its SIG.
func proofMessage(t *testing.T, d Deviation, sign func(hash []byte) []byte) []isakmp.Payload {
	t.Helper()
	h := testHolder()
	o := &core.Outgoing{Kind: core.MainMode5, Payloads: []isakmp.Payload{
		isakmp.ID{IDType: isakmp.IDIPv4Addr, Data: []byte{192, 0, 2, 1}},
		isakmp.CERT{Encoding: isakmp.CertX509Signature, Data: issuer.Issue(h.Key, h.Subject)},
	}}
	d.Tap.See(core.Built, o)
	o.Payloads = append(o.Payloads, isakmp.SIG{Data: sign(testHash)})
	d.Tap.See(core.Authenticated, o)
	return o.Payloads
}

var testHash = bytes.Repeat([]byte{0x5c}, 32)

func withRSA(t *testing.T) (*rsa.PrivateKey, func([]byte) []byte) {
	t.Helper()
	key := pki.RSA("phase1-gm").(*rsa.PrivateKey)
	return key, func(hash []byte) []byte {
		sig, err := keymat.SignHash(key, hash)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
}

func someSIG([]byte) []byte { return slices.Repeat([]byte{1, 2, 3, 4}, 16) }

// Each deviation changes its own payload, and leaves the others as they are.
func TestAuthDeviations(t *testing.T) {
	h, k := testHolder(), core.MainMode5
	own, signRSA := withRSA(t)
	right := proofMessage(t, Deviation{}, someSIG)
	for _, c := range []struct {
		d    Deviation
		typ  isakmp.PayloadType
		sign func([]byte) []byte
	}{
		{h.Expired(k), isakmp.PayloadCERT, nil}, {h.NotYetValid(k), isakmp.PayloadCERT, nil}, {h.NotForSignatures(k), isakmp.PayloadCERT, nil},
		{h.Named(k, "other"), isakmp.PayloadCERT, nil}, {h.Nameless(k), isakmp.PayloadCERT, nil}, {h.Elsewhere(k), isakmp.PayloadCERT, nil},
		{h.OtherAuthority(k), isakmp.PayloadCERT, nil}, {h.Impostor(k, "issuer"), isakmp.PayloadCERT, nil}, {h.Pretender(k), isakmp.PayloadCERT, nil},
		{h.OtherCurve(k, elliptic.P384()), isakmp.PayloadCERT, nil}, {h.OtherKey(k, pki.ECDSA(elliptic.P256(), "x")), isakmp.PayloadCERT, nil},
		{CertificateEncoding(k, 9), isakmp.PayloadCERT, nil}, {CutCertificate(k, 3), isakmp.PayloadCERT, nil}, {ChangedCertificate(k), isakmp.PayloadCERT, nil},
		{Omit(k, isakmp.PayloadCERT, ""), isakmp.PayloadCERT, nil},
		{SignatureLength(k, 7), isakmp.PayloadSIG, nil}, {SignatureDER(k), isakmp.PayloadSIG, nil},
		{OmitSignature(k), isakmp.PayloadSIG, nil}, {SignatureDigestInfo(k, own), isakmp.PayloadSIG, signRSA},
		{SignedBy(k, own, pki.RSA("ks1")), isakmp.PayloadSIG, signRSA},
		{IdentityOf(k, isakmp.IDFQDN, []byte("x.example")), isakmp.PayloadID, nil},
	} {
		was := right
		if c.sign != nil {
			was = proofMessage(t, Deviation{}, c.sign)
		} else {
			c.sign = someSIG
		}
		got := proofMessage(t, c.d, c.sign)
		for _, typ := range []isakmp.PayloadType{isakmp.PayloadID, isakmp.PayloadCERT, isakmp.PayloadSIG} {
			if same := bytes.Equal(octets(t, got, typ), octets(t, was, typ)); same == (typ == c.typ) {
				t.Errorf("%s: %s is the same: %t", c.d.Name, typ, same)
			}
		}
		if c.d.Section == "" && c.d.Name != Omit(k, isakmp.PayloadCERT, "").Name {
			t.Errorf("%s names no section", c.d.Name)
		}
	}
}

// octets are the bodies of all payloads of a type.
func octets(t *testing.T, ps []isakmp.Payload, typ isakmp.PayloadType) (all []byte) {
	t.Helper()
	for _, p := range ps {
		if p.Type() == typ {
			body, err := p.AppendBody(nil)
			if err != nil {
				t.Fatal(err)
			}
			all = append(append(all, body...), 0)
		}
	}
	return all
}

// Signatures are made again over the HASH that the right one was made over.
func TestSignedAgain(t *testing.T) {
	own, sign := withRSA(t)
	sig := func(d Deviation) []byte {
		s, _ := proofMessage(t, d, sign)[len(proofMessage(t, d, sign))-1].(isakmp.SIG)
		return s.Data
	}
	if err := keymat.VerifyDigestInfo(&own.PublicKey, testHash, sig(SignatureDigestInfo(core.MainMode5, own))); err != nil {
		t.Error(err)
	}
	other := pki.RSA("ks1")
	if err := keymat.VerifyHash(other.Public(), testHash, sig(SignedBy(core.MainMode5, own, other))); err != nil {
		t.Error(err)
	}
	h := testHolder()
	if err := keymat.VerifyHash(h.Key.Public(), testHash, sig(h.OtherMethod(core.MainMode5, own))); err != nil {
		t.Error(err)
	}
	halves := sig(SignatureSwapped(core.MainMode5))
	if want := sig(Deviation{}); !bytes.Equal(halves, append(slices.Clone(want[len(want)/2:]), want[:len(want)/2]...)) {
		t.Error("the halves of a signature are not swapped")
	}
	if _, ok := proofMessage(t, HashForSignature(core.MainMode5, 32), sign)[2].(isakmp.Hash); !ok {
		t.Error("there is no HASH instead of the SIG")
	}
}

// A chain is shown in its order behind the identity, and a link of it can be missing.
func TestCertificatesInOrder(t *testing.T) {
	d := Certificates(core.MainMode5, "three", "", []byte{1}, []byte{2}, []byte{3})
	got := proofMessage(t, d, someSIG)
	for i, want := range []byte{1, 2, 3} {
		if c, ok := got[1+i].(isakmp.CERT); !ok || !bytes.Equal(c.Data, []byte{want}) {
			t.Errorf("payload %d is %v", 1+i, got[1+i])
		}
	}
	cut := proofMessage(t, testHolder().CutChain(core.MainMode5), someSIG)
	c, _ := cut[1].(isakmp.CERT)
	if parsed, err := x509.ParseCertificate(c.Data); err != nil || parsed.Subject.CommonName != "tester" || len(cut) != 3 {
		t.Errorf("%d payloads, %v", len(cut), err)
	}
}

func TestRequests(t *testing.T) {
	o := &core.Outgoing{Kind: core.MainMode3, Payloads: []isakmp.Payload{isakmp.KE{}, isakmp.CR{Encoding: 4}}}
	Requests(core.MainMode3, "another", isakmp.CR{Encoding: 2}, isakmp.CR{Encoding: 3}).Tap.See(core.Built, o)
	var asked []isakmp.CertEncoding
	for _, p := range o.Payloads {
		if r, ok := p.(isakmp.CR); ok {
			asked = append(asked, r.Encoding)
		}
	}
	if !slices.Equal(asked, []isakmp.CertEncoding{2, 3}) {
		t.Errorf("asked for %v", asked)
	}
}
