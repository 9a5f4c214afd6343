package ikev2_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/ikev2"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	wire "github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	atI   = netip.MustParseAddrPort("10.0.0.1:500")
	atR   = netip.MustParseAddrPort("10.0.0.2:500")
	start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

	cbc = ikev2.Suite{IKEv2Suite: keymat.IKEv2Suite{PRF: keymat.SHA256, Cipher: keymat.AES, KeyLen: 16, Integrity: keymat.SHA256}, Group: 19}
	gcm = ikev2.Suite{IKEv2Suite: keymat.IKEv2Suite{PRF: keymat.SHA384, KeyLen: 32, GCM: true}, Group: 20}
)

// node is a configuration of one side, with a key that both know.
func node(at netip.AddrPort, suites ...ikev2.Suite) ikev2.Config {
	if len(suites) == 0 {
		suites = []ikev2.Suite{cbc}
	}
	return ikev2.Config{Rand: keymat.Seeded("ikev2", at.String()), Local: at, Suites: suites, NATT: true,
		PSK: func(netip.Addr, policy.Identity) (policy.PSK, bool) {
			return policy.PSK{Key: []byte("secret of both")}, true
		}}
}

// certified has a node sign.
func certified(c ikev2.Config, key crypto.Signer, name string) ikev2.Config {
	c.Signed = true
	ca := pki.Root("ikev2")
	c.Credentials = &policy.Credentials{Key: key, Chain: []*x509.Certificate{read(ca.Issue(key, pki.Subject{CN: name, Addresses: []netip.Addr{c.Local.Addr()}}))},
		Anchors: []*x509.Certificate{read(ca.Certificate)}}
	return c
}

func read(der []byte) *x509.Certificate {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

// pair is two ends and what passes between them. Messages are delivered at once; alter may change one, or lose it by returning nil.
type pair struct {
	t      testing.TB
	i, r   ikev2.Config
	a, b   *ikev2.SA
	now    time.Time
	alter  func(fromInitiator bool, data []byte) []byte
	nat    func(netip.AddrPort) netip.AddrPort // what a message of the initiator seems to come from
	failed []error
	sent   int
}

func newPair(t testing.TB, i, r ikev2.Config) *pair { return &pair{t: t, i: i, r: r, now: start} }

func (p *pair) begin() {
	p.t.Helper()
	sa, out, err := ikev2.Initiate(p.i, p.now, atR)
	if err != nil {
		p.t.Fatal(err)
	}
	p.a = sa
	p.toResponder(out)
}

// note keeps what was refused. A repeat is nothing of the kind.
func (p *pair) note(err error) {
	if err != nil && !errors.Is(err, ikev2.ErrRepeated) {
		p.failed = append(p.failed, err)
	}
}

func (p *pair) toResponder(out []ikev2.Datagram) {
	for _, d := range out {
		if d.Data = p.pass(true, d.Data); d.Data == nil {
			continue
		}
		from := d.From
		if p.nat != nil {
			from = p.nat(from)
		}
		if p.b == nil {
			sa, reply, err := ikev2.Respond(p.r, p.now, from, d.To, d.Data)
			p.note(err)
			p.b = sa
			p.toInitiator(reply)
			continue
		}
		reply, err := p.b.Handle(p.now, from, d.To, d.Data)
		p.note(err)
		p.toInitiator(reply)
	}
}

func (p *pair) toInitiator(out []ikev2.Datagram) {
	for _, d := range out {
		if d.Data = p.pass(false, d.Data); d.Data == nil {
			continue
		}
		reply, err := p.a.Handle(p.now, d.From, p.a.Local(), d.Data)
		p.note(err)
		p.toResponder(reply)
	}
}

func (p *pair) pass(fromInitiator bool, data []byte) []byte {
	p.sent++
	if p.alter == nil {
		return data
	}
	return p.alter(fromInitiator, bytes.Clone(data))
}

func (p *pair) established() bool {
	return p.a.State() == ikev2.Established && p.b != nil && p.b.State() == ikev2.Established
}

func (p *pair) wantEstablished() {
	p.t.Helper()
	if !p.established() {
		p.t.Fatalf("they have not come to an end: %v", p.failed)
	}
	if !bytes.Equal(p.a.Keys().D, p.b.Keys().D) || p.a.Keys().D == nil || p.a.PeerName().Identity.Value != p.r.Local.Addr().String() {
		p.t.Fatalf("they do not agree: %+v", p.a.PeerName())
	}
}

func TestEstablishes(t *testing.T) {
	rsa, ec := pki.RSA("phase1-gm"), pki.ECDSA(elliptic.P384(), "r")
	for name, tt := range map[string]struct{ i, r ikev2.Config }{
		"AES-CBC and P-256":            {node(atI), node(atR)},
		"AES-GCM and P-384":            {node(atI, gcm), node(atR, gcm)},
		"the second of two proposals":  {node(atI, gcm, cbc), node(atR, cbc)},
		"3DES, SHA-1 and MODP 1024":    {node(atI, ikev2.SuiteOf(tripleDES)), node(atR, ikev2.SuiteOf(tripleDES))},
		"signatures of RSA and ECDSA":  {certified(node(atI), rsa, "i"), certified(node(atR), ec, "r")},
		"signatures of ECDSA and RSA":  {certified(node(atI), ec, "i"), certified(node(atR), rsa, "r")},
		"signatures over P-521, twice": {certified(node(atI), pki.ECDSA(elliptic.P521(), "a"), "i"), certified(node(atR), pki.ECDSA(elliptic.P521(), "b"), "r")},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, tt.i, tt.r)
			p.begin()
			p.wantEstablished()
			if len(p.failed) > 0 && name != "the second of two proposals" {
				t.Errorf("%v", p.failed)
			}
		})
	}
}

var tripleDES = policy.Proposal{Encryption: policy.Phase13DES, Hash: policy.Phase1SHA1, Group: policy.MODP1024}

// TestBeginsAgain has the responder want another group, and a cookie, in either order.
func TestBeginsAgain(t *testing.T) {
	i, r := node(atI, gcm, cbc), node(atR, cbc)
	r.CookieKey = []byte("key of cookies")
	p := newPair(t, i, r)
	p.begin()
	p.wantEstablished()
	if p.sent != 8 || !errors.Is(p.failed[0], ikev2.ErrCookie) {
		t.Errorf("%d messages, %v", p.sent, p.failed)
	}
	if s := p.a.Suite(); s != cbc {
		t.Errorf("%+v", s)
	}
	p = newPair(t, i, r)
	p.alter = func(fromInitiator bool, data []byte) []byte {
		if !fromInitiator && p.b == nil { // whoever asks without end
			return alterNotify(t, data, wire.NotifyCookie, []byte{byte(p.sent)})
		}
		return data
	}
	p.begin()
	if p.a.State() != ikev2.Beginning || p.sent > 20 {
		t.Errorf("after %d messages: %v", p.sent, p.failed)
	}
}

// alterNotify makes an answer in clear that notifies of something else.
func alterNotify(t testing.TB, data []byte, typ wire.NotifyType, about []byte) []byte {
	h, err := isakmp.ParseHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	out, err := wire.Assemble(h, []isakmp.Payload{wire.Notify{NotifyType: typ, Data: about}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFloats(t *testing.T) {
	p := newPair(t, node(atI), node(atR))
	p.nat = func(a netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), a.Port()+10000)
	}
	p.begin()
	if p.established(); p.a.Local().Port() != 4500 || p.b.Peer().Port() != 14500 || p.b.Local().Port() != 4500 {
		t.Errorf("%v %v %v %v", p.a.Local(), p.b.Peer(), p.b.Local(), p.failed)
	}
	p = newPair(t, node(atI), node(atR))
	p.begin()
	if p.wantEstablished(); p.a.Local().Port() != 500 || p.b.Peer() != atI {
		t.Error("they have left port 500 without a NAT")
	}
}

// TestEveryLoss loses each message once; the other side repeats itself, and what is repeated is answered with the same octets.
func TestEveryLoss(t *testing.T) {
	for lost := 1; lost <= 8; lost++ {
		p := newPair(t, node(atI), node(atR))
		seen := make(map[string]int)
		p.alter = func(_ bool, data []byte) []byte {
			if seen[string(data)]++; p.sent == lost {
				return nil
			}
			return data
		}
		p.begin()
		p.late()
		p.wantEstablished()
		out, err := p.a.Probe(p.now)
		if err != nil {
			t.Fatal(err)
		}
		p.toResponder(out)
		p.late()
		out, err = p.b.Probe(p.now)
		if err != nil {
			t.Fatal(err)
		}
		p.toInitiator(out)
		p.late()
		if !p.a.Idle() || !p.b.Idle() || p.a.Probes() != 1 || p.b.Probes() != 1 {
			t.Errorf("message %d lost: %v, %d and %d", lost, p.failed, p.a.Probes(), p.b.Probes())
		}
		if len(seen) != 8 {
			t.Errorf("message %d lost: %d different ones", lost, len(seen))
		}
	}
}

// late lets each side's time for an answer run out.
func (p *pair) late() {
	for range 3 {
		for _, side := range []*ikev2.SA{p.a, p.b} {
			if side == nil || side.Idle() {
				continue
			}
			if due, ok := side.Deadline(); ok {
				p.now = due
				out, err := side.Timeout(p.now)
				p.note(err)
				if side == p.a {
					p.toResponder(out)
				} else {
					p.toInitiator(out)
				}
			}
		}
	}
}

func TestGivesUp(t *testing.T) {
	p := newPair(t, node(atI), node(atR))
	p.alter = func(bool, []byte) []byte { return nil }
	p.begin()
	for range 10 {
		p.late()
	}
	if p.a.State() != ikev2.Closed || p.sent != 1+ikev2.DefaultRetries || !slices.ContainsFunc(p.failed, func(err error) bool { return errors.Is(err, ikev2.ErrTimeout) }) {
		t.Errorf("%d copies, %v", p.sent, p.failed)
	}
	p = newPair(t, node(atI), node(atR))
	p.alter = func(fromInitiator bool, data []byte) []byte {
		if p.sent > 2 {
			return nil
		}
		return data
	}
	p.begin()
	due, ok := p.b.Deadline()
	if _, err := p.b.Timeout(due); !ok || !errors.Is(err, ikev2.ErrTimeout) || p.b.State() != ikev2.Closed {
		t.Errorf("a responder that nobody goes on with: %v", err)
	}
}

func TestDeletes(t *testing.T) {
	for _, first := range []bool{true, false} {
		p := newPair(t, node(atI), node(atR))
		p.begin()
		p.wantEstablished()
		one, send := p.b, p.toInitiator
		if first {
			one, send = p.a, p.toResponder
		}
		out, err := one.Delete(p.now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := one.Probe(p.now); !errors.Is(err, ikev2.ErrBusy) {
			t.Errorf("a second request: %v", err)
		}
		send(out)
		if p.a.State() != ikev2.Closed || p.b.State() != ikev2.Closed {
			t.Errorf("%d, %d: %v", p.a.State(), p.b.State(), p.failed)
		}
		if _, err := p.a.Delete(p.now); !errors.Is(err, ikev2.ErrClosed) {
			t.Error(err)
		}
	}
}

func TestRekeys(t *testing.T) {
	for _, suite := range []ikev2.Suite{cbc, gcm} {
		for _, first := range []bool{true, false} {
			p := newPair(t, node(atI, suite), node(atR, suite))
			p.begin()
			p.wantEstablished()
			old := p.a.Keys().D
			one, send := p.b, p.toInitiator
			if first {
				one, send = p.a, p.toResponder
			}
			out, err := one.Rekey(p.now)
			if err != nil {
				t.Fatal(err)
			}
			send(out)
			a, b := p.a.Successor(), p.b.Successor()
			if a == nil || b == nil || !bytes.Equal(a.Keys().EI, b.Keys().EI) || bytes.Equal(a.Keys().D, old) {
				t.Fatalf("%v, %v: %v", a, b, p.failed)
			}
			p.a, p.b = a, b
			if out, err = a.Probe(p.now); err != nil {
				t.Fatal(err)
			}
			p.toResponder(out)
			if out, err = b.Probe(p.now); err != nil {
				t.Fatal(err)
			}
			p.toInitiator(out)
			if !a.Idle() || !b.Idle() || len(p.failed) > 0 {
				t.Errorf("%v", p.failed)
			}
		}
	}
}
