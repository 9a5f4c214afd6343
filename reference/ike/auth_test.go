package ike

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// The authorities of these tests: one that everybody trusts, one below it, and one that nobody knows.
var (
	root   = pki.Root("root")
	middle = root.Below("middle")
	other  = pki.Root("other")
)

// signedSuites are the usual suite with each method that signs.
var signedSuites = map[policy.Phase1Auth]func(name string) crypto.Signer{
	policy.AuthRSA:      func(name string) crypto.Signer { return pki.RSA("phase1-" + name) },
	policy.AuthECDSA256: func(name string) crypto.Signer { return pki.ECDSA(elliptic.P256(), name) },
	policy.AuthECDSA384: func(name string) crypto.Signer { return pki.ECDSA(elliptic.P384(), name) },
	policy.AuthECDSA521: func(name string) crypto.Signer { return pki.ECDSA(elliptic.P521(), name) },
}

func signedSuite(a policy.Phase1Auth) Suite {
	return Suites([]policy.Proposal{{Authentication: a, Encryption: policy.Phase1AES, KeyBits: 128, Hash: policy.Phase1SHA1, Group: policy.ECP256}})[0]
}

// party is a side of a signedPair: its name in certificates, and its address.
func party(c *Config) (name string, address netip.Addr) {
	if c.Role == rule.KS {
		return "ks", ksAddr.Addr()
	}
	return "gm", gmAddr.Addr()
}

// holder is what the right certificate of a side says.
func holder(c *Config) pki.Subject {
	name, address := party(c)
	return pki.Subject{CN: name, OU: "Nodes", O: "gdoilab", Addresses: []netip.Addr{address}, Hosts: []string{name + ".example"},
		Users: []string{name + "@example", "stranger@example"}}
}

// certify gives a side a certificate of an authority, behind which stand those of the authorities between it and the root.
func certify(c *Config, key crypto.Signer, by *pki.Authority, s pki.Subject, between ...*pki.Authority) {
	chain := [][]byte{by.Issue(key, s)}
	for _, a := range between {
		chain = append(chain, a.Certificate)
	}
	all, err := policy.Certificates{Chain: chain, Anchors: [][]byte{root.Certificate}}.Credentials()
	if err != nil {
		panic(err)
	}
	all.Key = key
	c.Credentials = all
}

// signedPair is a pair whose sides prove themselves by signatures.
func signedPair(seed string, a policy.Phase1Auth) *pair {
	p := pairOf(seed, signedSuite(a))
	for _, c := range []*Config{&p.gm, &p.ks} {
		name, _ := party(c)
		certify(c, signedSuites[a](name), root, holder(c))
		c.PSK = nil
	}
	return p
}

func TestEveryMethod(t *testing.T) {
	for method := range signedSuites {
		t.Run(method.String(), func(t *testing.T) {
			p := signedPair("methods", method)
			p.run()
			p.wantSA(t)
			if len(p.refused) > 0 || len(p.onWire) != 6 {
				t.Errorf("%d messages, refused %v", len(p.onWire), p.refused)
			}
			who := p.rSA.PeerName()
			want := policy.Identity{Kind: policy.IdentityAddress, Value: gmAddr.Addr().String()}
			if who.Identity != want || !slices.Contains(who.Subject, "OU=Nodes") {
				t.Errorf("the responder knows %v", who)
			}
		})
	}
}

// The same seed gives the same octets: no signature takes anything from chance.
func TestSignedOctetsRepeat(t *testing.T) {
	for method := range signedSuites {
		a, b := signedPair("again", method), signedPair("again", method)
		a.run()
		b.run()
		if !slices.EqualFunc(a.onWire, b.onWire, func(x, y Datagram) bool { return slices.Equal(x.Data, y.Data) }) {
			t.Errorf("%s: two exchanges of one seed differ", method)
		}
	}
}

// authCase is something that one side does in message 5 or 6, and the guard that stops it; none if it is right.
type authCase struct {
	name  string
	alter func(c *Config)
	guard string
}

// as certifies the side anew, with its own key.
func as(by *pki.Authority, change func(*pki.Subject), between ...*pki.Authority) func(*Config) {
	return func(c *Config) {
		s := holder(c)
		change(&s)
		certify(c, c.Credentials.Key, by, s, between...)
	}
}

func same(*pki.Subject) {}

func claims(text string) func(*Config) {
	return func(c *Config) {
		name, _ := party(c)
		i, err := policy.ParseIdentity(text + name + "@example")
		if text != "user-fqdn:" {
			i, err = policy.ParseIdentity(text)
		}
		if err != nil {
			panic(err)
		}
		c.Identity = i
	}
}

// taps changes the payloads of message 5 or 6 at a stage.
func taps(stage core.Stage, change func([]isakmp.Payload) []isakmp.Payload) func(*Config) {
	return func(c *Config) {
		c.Tap = func(s core.Stage, o *core.Outgoing) {
			if s == stage && (o.Kind == core.MainMode5 || o.Kind == core.MainMode6) {
				o.Payloads = change(slices.Clone(o.Payloads))
			}
		}
	}
}

// each changes the payloads of one type.
func each[P isakmp.Payload](change func(P) isakmp.Payload) func([]isakmp.Payload) []isakmp.Payload {
	return func(ps []isakmp.Payload) []isakmp.Payload {
		for i, p := range ps {
			if typed, ok := p.(P); ok {
				ps[i] = change(typed)
			}
		}
		return ps
	}
}

func without6(typ isakmp.PayloadType) func([]isakmp.Payload) []isakmp.Payload {
	return func(ps []isakmp.Payload) []isakmp.Payload {
		return slices.DeleteFunc(ps, func(p isakmp.Payload) bool { return p.Type() == typ })
	}
}

var authentications = []authCase{
	{"a certificate of an authority below the root", as(middle, same, middle), ""},
	{"an ID_FQDN that the certificate has", func(c *Config) { name, _ := party(c); claims("fqdn:" + name + ".EXAMPLE")(c) }, ""},
	{"an ID_USER_FQDN that the certificate has", claims("user-fqdn:"), ""},
	{"the subject as its ID_DER_ASN1_DN", func(c *Config) { name, _ := party(c); claims("dn:CN=" + name + ",OU=Nodes,O=gdoilab")(c) }, ""},
	{"a CRL among its certificates", taps(core.Built, func(ps []isakmp.Payload) []isakmp.Payload {
		return append(ps, isakmp.CERT{Encoding: isakmp.CertCRL, Data: root.Revoke()})
	}), ""},
	{"no certificate where the other side knows it", func(c *Config) {
		s := holder(c)
		s.Hosts = append(s.Hosts, "known.example")
		certify(c, c.Credentials.Key, root, s)
		claims("fqdn:known.example")(c)
		taps(core.Built, without6(isakmp.PayloadCERT))(c)
	}, ""},
	{"a certificate that cannot be read behind its own", taps(core.Built, func(ps []isakmp.Payload) []isakmp.Payload {
		return append(ps, isakmp.CERT{Encoding: isakmp.CertX509Signature, Data: []byte{0x30, 3, 1, 2}})
	}), ""},

	{"a certificate that has expired", as(root, func(s *pki.Subject) { s.Until = start.Add(-time.Hour) }), "ike.cert.notafter"},
	{"a certificate that is not valid yet", as(root, func(s *pki.Subject) { s.From = start.Add(time.Hour) }), "ike.cert.notbefore"},
	{"a certificate of an unknown authority", as(other, same), "ike.cert.anchor"},
	{"a chain that lacks a link", as(middle, same), "ike.cert.anchor"},
	{"a certificate of an unknown authority of the same name", as(pki.Impostor("root"), same), "ike.cert.anchor"},
	{"a key that is not for signatures", as(root, func(s *pki.Subject) { s.Usage = x509.KeyUsageKeyEncipherment }), "ike.cert.usage"},
	{"a certificate that was revoked", as(root, func(s *pki.Subject) { s.CN = "revoked" }), "ike.cert.revoked"},
	{"an address that the certificate lacks", as(root, func(s *pki.Subject) { s.Addresses = nil }), "ike.cert.identity"},
	{"an ID_FQDN that the certificate lacks", claims("fqdn:other.example"), "ike.cert.identity"},
	{"an ID_DER_ASN1_DN that is not the subject", claims("dn:CN=other,O=gdoilab"), "ike.cert.identity"},
	{"an ID_KEY_ID that is not that of its key", claims("key-id:somebody"), "ike.cert.identity"},
	{"an identity that is not expected", claims("user-fqdn:stranger@example"), "ike.main.id.expected"},
	{"a certificate of another encoding", taps(core.Built, each(func(p isakmp.CERT) isakmp.Payload {
		p.Encoding = isakmp.CertX509KeyExchange
		return p
	})), "ike.cert.encoding"},
	{"no certificate", taps(core.Built, without6(isakmp.PayloadCERT)), "ike.sig.verify"},
	{"a certificate that cannot be read", taps(core.Built, each(func(p isakmp.CERT) isakmp.Payload {
		p.Data = p.Data[:len(p.Data)-1]
		return p
	})), "ike.cert.anchor"},
	{"the certificate of another key", func(c *Config) { c.Credentials.Key = pki.ECDSA(elliptic.P256(), "another") }, "ike.sig.verify"},
	{"a wrong signature", taps(core.Authenticated, each(func(p isakmp.SIG) isakmp.Payload {
		p.Data = slices.Clone(p.Data)
		p.Data[20] ^= 1
		return p
	})), "ike.sig.verify"},
	{"no signature", taps(core.Authenticated, without6(isakmp.PayloadSIG)), "ike.sig.verify"},
	{"an identity that the signature does not cover", func(c *Config) {
		name, _ := party(c)
		taps(core.Authenticated, each(func(isakmp.ID) isakmp.Payload {
			return isakmp.ID{IDType: isakmp.IDFQDN, Data: []byte(name + ".example")}
		}))(c)
	}, "ike.sig.verify"},
	{"a key of another method", func(c *Config) {
		certify(c, pki.ECDSA(elliptic.P384(), "gm"), root, holder(c))
	}, "ike.sig.method"},
}

func switched(guard, mutation string) *rule.Switches {
	var s rule.Switches
	if err := s.Set(guard, mutation); err != nil {
		panic(err)
	}
	return &s
}

// asksForAny has a side ask for a certificate of any authority.
func asksForAny(s core.Stage, o *core.Outgoing) {
	if s == core.Built && (o.Kind == core.MainMode3 || o.Kind == core.MainMode4) {
		o.Payloads = append(slices.Clone(o.Payloads), isakmp.CR{Encoding: isakmp.CertX509Signature})
	}
}

// authenticate has one side do what a case says, in an exchange whose sides know of a revocation and do not expect strangers.
func authenticate(tc authCase, method policy.Phase1Auth, by rule.Role, prepare func(*pair)) *pair {
	p := signedPair("auth", method)
	sender, receiver := &p.gm, &p.ks
	if by == rule.KS {
		sender, receiver = receiver, sender
	}
	revoked := holder(sender)
	revoked.CN = "revoked"
	list, err := x509.ParseRevocationList(root.Revoke(root.Issue(sender.Credentials.Key, revoked)))
	if err != nil {
		panic(err)
	}
	receiver.Credentials.CRLs = append(receiver.Credentials.CRLs, list)
	receiver.Expect = func(id policy.Identity) bool { return id.Value != "stranger@example" }
	known := holder(sender)
	known.Hosts, known.Addresses = []string{"known.example"}, nil
	knows, err := x509.ParseCertificate(root.Issue(sender.Credentials.Key, known))
	if err != nil {
		panic(err)
	}
	receiver.Credentials.Known = []*x509.Certificate{knows}
	receiver.Tap = asksForAny
	tc.alter(sender)
	prepare(p)
	p.gm.Retries, p.ks.Retries = 1, 1
	p.run()
	return p
}

func TestAuthentications(t *testing.T) {
	for _, by := range []rule.Role{rule.GM, rule.KS} {
		for _, tc := range authentications {
			t.Run(by.String()+" with "+tc.name, func(t *testing.T) {
				p := authenticate(tc, policy.AuthECDSA256, by, func(*pair) {})
				switch {
				case tc.guard == "":
					p.wantSA(t)
				case len(p.refused) == 0:
					t.Error("it is taken")
				default:
					wantGuard(t, p.refused[0], tc.guard)
				}
			})
		}
	}
}

// A certificate is sent if it is asked for, and only then.
func TestCertificatesAreAskedFor(t *testing.T) {
	for _, tc := range []struct {
		name  string
		asks  []isakmp.CR
		shows bool
	}{
		{"the authority", []isakmp.CR{{Encoding: isakmp.CertX509Signature, Authority: rootName(t)}}, true},
		{"any authority", []isakmp.CR{{Encoding: isakmp.CertX509Signature}}, true},
		{"another authority, then the right one", []isakmp.CR{{Encoding: isakmp.CertX509Signature, Authority: []byte{0x30, 0}},
			{Encoding: isakmp.CertX509Signature, Authority: rootName(t)}}, true},
		{"another authority", []isakmp.CR{{Encoding: isakmp.CertX509Signature, Authority: []byte{0x30, 0}}}, false},
		{"another encoding", []isakmp.CR{{Encoding: isakmp.CertPGP}}, false},
		{"nothing", nil, false},
	} {
		p := signedPair("asked", policy.AuthRSA)
		p.gm.Tap = func(s core.Stage, o *core.Outgoing) {
			if s != core.Built || o.Kind != core.MainMode3 {
				return
			}
			o.Payloads = without6(isakmp.PayloadCR)(slices.Clone(o.Payloads))
			for _, r := range tc.asks {
				o.Payloads = append(o.Payloads, r)
			}
		}
		shown := false
		p.ks.Tap = func(s core.Stage, o *core.Outgoing) {
			shown = shown || s == core.Built && o.Kind == core.MainMode6 && slices.ContainsFunc(o.Payloads, func(p isakmp.Payload) bool { return p.Type() == isakmp.PayloadCERT })
		}
		p.run()
		if shown != tc.shows || len(p.onWire) < 6 {
			t.Errorf("asked for %s: a certificate %t, %d messages", tc.name, shown, len(p.onWire))
		}
	}
}

func rootName(t *testing.T) []byte {
	t.Helper()
	c, err := x509.ParseCertificate(root.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return c.RawSubject
}

// withDigestInfo is a case for RSA alone.
var withDigestInfo = authCase{"a signature with a DigestInfo", func(c *Config) { c.Rules = switched("ike.sig.form", "broken") }, "ike.sig.bare"}

func TestDigestInfoIsRefused(t *testing.T) {
	for _, by := range []rule.Role{rule.GM, rule.KS} {
		p := authenticate(withDigestInfo, policy.AuthRSA, by, func(*pair) {})
		if len(p.refused) == 0 {
			t.Fatal("it is taken")
		}
		wantGuard(t, p.refused[0], withDigestInfo.guard)
	}
}

// ofSignatures reports whether a guard has to do with signatures, so that pre-shared keys do not show it.
func ofSignatures(g *rule.Guard) bool {
	return strings.HasPrefix(g.Name, "ike.sig.") || strings.HasPrefix(g.Name, "ike.cert.") || g == checkExpected
}

func TestEveryMutantOfSignaturesIsSeen(t *testing.T) {
	for _, role := range []rule.Role{rule.KS, rule.GM} {
		right := signed(role, nil)
		for _, g := range rule.All() {
			if !ofSignatures(g) {
				continue
			}
			for _, m := range g.Kind.Mutations() {
				if slices.Equal(signed(role, switched(g.Name, m.String())), right) {
					t.Errorf("%s as %s, %s: behaves like the right one", g, role, m)
				}
			}
		}
	}
}

// signed notes what becomes of all that the other side may do, and what the observed side does itself.
func signed(role rule.Role, rules *rule.Switches) (notes []string) {
	other := rule.KS
	if role == rule.KS {
		other = rule.GM
	}
	note := func(tc authCase, method policy.Phase1Auth) {
		p := authenticate(tc, method, other, func(p *pair) {
			if role == rule.KS {
				p.ks.Rules = rules
			} else {
				p.gm.Rules = rules
			}
		})
		notes = append(notes, fmt.Sprintf("%s: %v %v, %d messages", tc.name, p.iSA != nil, p.rSA != nil, len(p.onWire)))
	}
	for _, tc := range authentications {
		note(tc, policy.AuthECDSA256)
	}
	note(withDigestInfo, policy.AuthRSA)
	note(authCase{name: "nothing", alter: func(*Config) {}}, policy.AuthRSA)
	return notes
}

// Any plaintext under the right key in messages 5 and 6 of an exchange with signatures is refused with a reason, and the right
// message completes the exchange afterwards.
func FuzzSignedPlaintext(f *testing.F) {
	var pairs []*pair
	for n := 4; n <= 5; n++ {
		p := signedPair("fuzz", policy.AuthECDSA256)
		p.begin()
		for range n {
			q := p.queue[0]
			p.queue = p.queue[1:]
			p.take(q)
		}
		with := p.sender().cipher()
		with.iv = p.receiver().iv
		plain, _, err := with.of.DecryptCBC(with.key, with.iv, p.queue[0].data[isakmp.HeaderLen:])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(isakmp.PayloadID), plain)
		pairs = append(pairs, p)
	}
	f.Fuzz(func(t *testing.T, first uint8, plain []byte) {
		for _, p := range pairs {
			from, x := ksAddr, *p.receiver()
			if p.queue[0].toKS {
				from = gmAddr
			}
			_, sa, err := x.Handle(p.now, from, sealPlain(t, header(t, p.queue[0].data), p.sender().cipher(), p.receiver().iv, first, plain))
			if wantReason(t, err); err != nil && sa != nil {
				t.Error("refused, and yet established")
			}
			if _, _, rightErr := x.Handle(p.now, from, p.queue[0].data); err != nil && rightErr != nil {
				t.Errorf("after a refused message (%v) the right one is refused: %v", err, rightErr)
			}
		}
	})
}

// receiver is the side that the first datagram on the wire goes to.
func (p *pair) receiver() *Exchange {
	if p.queue[0].toKS {
		return p.r
	}
	return p.i
}

// Methods are chosen as suites are: the first of the offer that the responder has.
func TestMethodsInOneOffer(t *testing.T) {
	key := config(rule.KS, "").PSK
	for _, tc := range []struct {
		known []Suite
		want  uint16
	}{
		{[]Suite{suiteAES, signedSuite(policy.AuthECDSA256)}, isakmp.AuthECDSA256},
		{[]Suite{suiteAES}, isakmp.AuthPreSharedKey},
	} {
		p := signedPair("methods", policy.AuthECDSA256)
		p.gm.Suites, p.ks.Suites = []Suite{signedSuite(policy.AuthRSA), signedSuite(policy.AuthECDSA256), suiteAES}, tc.known
		p.gm.PSK, p.ks.PSK = key, key
		p.run()
		p.wantSA(t)
		if got := p.iSA.Suite().Authentication; got != tc.want {
			t.Errorf("method %d is chosen, want %d", got, tc.want)
		}
	}
}
