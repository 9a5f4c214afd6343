package phase1

import (
	"crypto/elliptic"
	"crypto/rsa"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// signedBy is the usual suite with a method that signs, in a group that takes little time.
func signedBy(a policy.Phase1Auth) policy.Proposal {
	p := usual
	p.Authentication, p.Group = a, policy.ECP256
	return p
}

var signatures = []policy.Phase1Auth{policy.AuthRSA, policy.AuthECDSA256, policy.AuthECDSA384, policy.AuthECDSA521}

// counterpart is who plays against a device: its name, its address in the certificate, and its messages.
type counterpart struct {
	side                           // the device
	tester.Holder                  // of ECDSA on P-256
	asks, proves         core.Kind // of the tester
	own                  *rsa.PrivateKey
	signsRSA, signsECDSA lab.Setup
}

func against(s side) counterpart {
	name, address := lab.MemberName(1), lab.MemberAddr(1)
	c := counterpart{side: s, asks: core.MainMode3, proves: core.MainMode5}
	if s == memberSide {
		name, address = lab.KeyServerName, lab.KeyServerAddr
		c.asks, c.proves = core.MainMode4, core.MainMode6
	}
	c.Holder = tester.Holder{Key: lab.PrivateKey(policy.AuthECDSA256, name), By: lab.Issuer(), Subject: lab.Holder(name, address)}
	c.own = lab.PrivateKey(policy.AuthRSA, name).(*rsa.PrivateKey)
	c.signsRSA = lab.Signing(signedBy(policy.AuthRSA), lab.Setup{})
	c.signsECDSA = lab.Signing(signedBy(policy.AuthECDSA256), lab.Setup{})
	return c
}

// brokenSignatures are the wrongs of messages 5 and 6 under ECDSA, in the certificates and in the signature.
func (c counterpart) brokenSignatures() []row {
	k := c.proves
	return []row{
		{"RFC2408-5.9-02", c.Expired(k)},
		{"RFC2408-5.9-02", c.NotYetValid(k)},
		{"RFC2408-5.9-02", c.NotForSignatures(k)},
		{"RFC2408-5.9-02", c.Named(k, lab.RevokedName)},
		{"RFC2408-5.8-01", c.Nameless(k)},
		{"RFC2408-5.8-01", c.Elsewhere(k)},
		{"RFC2408-5.9-02", c.OtherAuthority(k)},
		{"RFC2408-5.9-02", c.Impostor(k, "lab root")},
		{"RFC2408-5.9-02", c.Pretender(k)},
		{"RFC2408-5.9-02", c.CutChain(k)},
		{"RFC2408-5.12-01", c.OtherCurve(k, elliptic.P384())},
		{"RFC2408-5.12-01", c.OtherKey(k, pki.ECDSA(elliptic.P256(), "another"))},
		{"RFC2408-5.9-01", tester.CertificateEncoding(k, isakmp.CertX509KeyExchange)},
		{"RFC2408-5.9-01", tester.CertificateEncoding(k, 200)},
		{"RFC2408-5.9-02", tester.CutCertificate(k, 1)},
		{"RFC2408-5.9-02", tester.ChangedCertificate(k)},
		{"RFC2408-5.12-01", tester.Omit(k, isakmp.PayloadCERT, "RFC 2408 §3.9")},
		{"RFC2408-5.12-01", tester.WrongSignature(k)},
		{"RFC2408-5.12-01", tester.SignatureLength(k, 0)},
		{"RFC2408-5.12-01", tester.SignatureLength(k, 63)},
		{"RFC2408-5.12-01", tester.SignatureLength(k, 65)},
		{"RFC2408-5.12-01", tester.SignatureDER(k)},
		{"RFC2408-5.12-01", tester.SignatureSwapped(k)},
		{"RFC2408-5.12-01", tester.OmitSignature(k)},
		{"RFC2408-5.2-02", tester.HashForSignature(k, 32)},
		{"RFC2409-5-07", tester.Repeat(k, isakmp.PayloadID, "RFC 2409 §5.1")},
		{"RFC2408-5.8-01", tester.IdentityOf(k, isakmp.IDFQDN, []byte("other.example"))},
		{"RFC2408-5.8-01", tester.IdentityOf(k, isakmp.IDUserFQDN, []byte("other@example"))},
		{"RFC2408-5.8-01", tester.IdentityOf(k, isakmp.IDKeyID, []byte("other"))},
		{"RFC2408-5.8-01", tester.IdentityOf(k, isakmp.IDDERASN1DN, distinguished("CN=other,OU=Members,O=gdoilab"))},
	}
}

// brokenRSA are those that only RSA has.
func (c counterpart) brokenRSA() []row {
	return []row{
		{"RFC2409-5.1-01", tester.SignatureDigestInfo(c.proves, c.own)},
		{"RFC2408-5.12-01", c.OtherMethod(c.proves, c.own)},
		{"RFC2408-5.12-01", tester.SignedBy(c.proves, c.own, pki.RSA("ks1"))},
		{"RFC2408-5.12-01", tester.WrongSignature(c.proves)},
		{"RFC2408-5.12-01", tester.SignatureLength(c.proves, 255)},
	}
}

func distinguished(name string) []byte {
	der, err := policy.EncodeName(name)
	if err != nil {
		panic(err)
	}
	return der
}

// dropsSignatures makes a spec of each wrong.
func dropsSignatures(s side) {
	c := against(s)
	dropsUnder(c.signsECDSA, " under ECDSA signatures", c.proves, c.brokenSignatures())
	dropsUnder(c.signsRSA, " under RSA signatures", c.proves, c.brokenRSA())
}

// signs makes a spec of each method with each hash: the device's signature verifies under the certificate that it shows.
func signs(s side) {
	for _, method := range signatures {
		for _, hash := range []policy.Phase1Hash{policy.Phase1SHA1, policy.Phase1SHA256, policy.Phase1SHA384, policy.Phase1SHA512} {
			var labels []Labels
			if hash != policy.Phase1SHA256 {
				labels = append(labels, kit.Exhaustive)
			}
			p := signedBy(method)
			p.Hash = hash
			ids := []string{"RFC2409-5-01", "RFC2409-5-11", "RFC2409-5-12", "RFC2409-5.1-03"}
			if method == policy.AuthRSA {
				ids = append(ids, "RFC2409-5.1-01")
			} else {
				ids = append(ids, "RFC4754-4-01", "RFC4754-7-01")
			}
			It(s.name+" signs its HASH with "+method.String()+" where the hash is "+hash.String(), kit.Requirement(ids...), labels,
				func(ctx SpecContext) {
					t := begin(ctx, lab.Signing(p, lab.Setup{}))
					complete := t.reaches(ctx, settled(s))
					signed(t, s)
					Expect(complete).To(BeTrue(), "the exchange goes on to the PULL")
				})
		}
	}
}

// signed checks the SIG of message 5 or 6 with the certificate beside it and the keys that the other side logged.
func signed(t *talk, s side) {
	GinkgoHelper()
	m := proof(t, s)
	Expect(names(m.Payloads)).To(ContainElements(isakmp.PayloadCERT.String(), isakmp.PayloadSIG.String()))
	Expect(m.Checks).To(ConsistOf(And(HaveField("Name", HavePrefix("SIG_")), HaveField("Result", capture.OK))), "%s", m.Summary)
}

// requests makes the specs of certificate requests.
func requests(s side) {
	c := against(s)
	x509 := func(authority []byte) isakmp.CR {
		return isakmp.CR{Encoding: isakmp.CertX509Signature, Authority: authority}
	}
	for _, r := range []struct {
		what, passesOver string // "", or what asks the device to pass over a request
		requests         []isakmp.CR
	}{
		{"a request for a certificate of any authority", "", []isakmp.CR{x509(nil)}},
		{"a request for one of its authority behind another", "RFC2408-5.10-03", []isakmp.CR{x509(distinguished("CN=other")), x509(issuerName())}},
		{"a request for a PGP certificate before the right one", "RFC2408-5.10-01", []isakmp.CR{{Encoding: isakmp.CertPGP}, x509(nil)}},
		{"a request of an encoding that nobody knows before the right one", "RFC2408-5.10-01", []isakmp.CR{{Encoding: 200}, x509(nil)}},
		{"a request of an authority that is no name before the right one", "RFC2408-5.10-02", []isakmp.CR{x509([]byte{0x30, 0x7f, 1}), x509(issuerName())}},
	} {
		d, ids := tester.Requests(c.asks, r.what, r.requests...), []string{"RFC2409-5.1-03", "RFC2409-5-14"}
		if r.passesOver != "" {
			ids = append(ids, r.passesOver)
		}
		It(s.name+" shows its certificate after "+d.Name, kit.Requirement(ids...), func(ctx SpecContext) {
			t := begin(ctx, c.signsECDSA, d)
			complete := t.reaches(ctx, settled(s))
			signed(t, s)
			Expect(mainMode(t.messages(t.device))).To(HaveLen(3), "a request adds no messages")
			Expect(complete).To(BeTrue(), "the exchange goes on to the PULL")
		})
	}
}

// knows makes the specs of certificates that the device has without being sent them.
func knows(s side) {
	c := against(s)
	known := phase1Of(c.signsECDSA, c.learns(memberSide), c.learns(keyServerSide))
	It(s.name+" takes a signature without a certificate whose key it knows", kit.Requirement("RFC2409-5.1-03"), func(ctx SpecContext) {
		t := begin(ctx, known, tester.Omit(c.proves, isakmp.PayloadCERT, "RFC 2409 §5.1"))
		Expect(t.reaches(ctx, settled(s))).To(BeTrue(), "the exchange goes on to the PULL")
	})
	dropsUnder(known, " though the device knows a certificate", c.proves, []row{
		{"RFC2408-5.12-01", tester.Together(tester.Omit(c.proves, isakmp.PayloadCERT, "RFC 2409 §5.1"), tester.WrongSignature(c.proves))},
	})
}

// learns has an end know the certificate of its counterpart, if that is the tester.
func (c counterpart) learns(counterpart side) func(*policy.Phase1) {
	return func(p *policy.Phase1) {
		if counterpart != c.side {
			p.Certificates.Known = [][]byte{c.By.Issue(c.Key, c.Subject), c.By.Certificate}
		}
	}
}

func issuerName() []byte { return distinguished("CN=lab root,O=gdoilab") }

// identified are identities that a certificate of the lab names.
func identified(h pki.Subject) []policy.Identity {
	return []policy.Identity{
		{Kind: policy.IdentityFQDN, Value: h.Hosts[0]}, {Kind: policy.IdentityUserFQDN, Value: h.Users[0]},
		{Kind: policy.IdentityDN, Value: "CN=" + h.CN + ",OU=" + h.OU + ",O=" + h.O}, {Kind: policy.IdentityAddress, Value: h.Addresses[0].String()},
	}
}

// phase1Of lets a spec alter Phase 1 of both ends of a setup.
func phase1Of(setup lab.Setup, keyServer, member func(*policy.Phase1)) lab.Setup {
	ks, gm := setup.KeyServer, setup.Member
	setup.KeyServer = func(c *policy.KeyServer) {
		if ks != nil {
			ks(c)
		}
		keyServer(&c.Phase1)
	}
	setup.Member = func(i int, c *policy.Member) {
		if gm != nil {
			gm(i, c)
		}
		if i == 1 {
			member(&c.Phase1)
		}
	}
	return setup
}

// registers is a spec in which everything is right.
func registers(setup lab.Setup) func(SpecContext) {
	return func(ctx SpecContext) {
		t := prepare(ctx, setup)
		t.start(ctx, t.KS, t.GM[0])
		Expect(t.GM[0].AwaitRegistered(ctx)).To(Succeed())
	}
}
