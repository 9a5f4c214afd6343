package ikev2_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/reference/ikev2"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	wire "github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// inClear alters a message of IKE_SA_INIT as a structure.
func inClear(t testing.TB, data []byte, alter func(*isakmp.Header, []isakmp.Payload) []isakmp.Payload) []byte {
	t.Helper()
	h, err := isakmp.ParseHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := wire.Parse(h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		t.Fatal(err)
	}
	out, err := wire.Assemble(h, alter(&h, wire.Payloads(ps)))
	if err != nil {
		t.Fatal(err)
	}
	h.NextPayload, h.Length = isakmp.PayloadType(out[16]), uint32(len(out))
	return append(h.Append(nil), out[isakmp.HeaderLen:]...)
}

// each replaces the payloads of one Go type.
func each[T isakmp.Payload](alter func(T) isakmp.Payload) func(*isakmp.Header, []isakmp.Payload) []isakmp.Payload {
	return func(_ *isakmp.Header, ps []isakmp.Payload) (out []isakmp.Payload) {
		for _, p := range ps {
			if one, ok := p.(T); ok {
				if p = alter(one); p == nil {
					continue
				}
			}
			out = append(out, p)
		}
		return out
	}
}

// TestRefusesTheFirstMessage alters message 1; the responder refuses it, and takes it as it was.
func TestRefusesTheFirstMessage(t *testing.T) {
	drop := func(*isakmp.Header, []isakmp.Payload) []isakmp.Payload { return nil }
	for name, tt := range map[string]struct {
		alter func(*isakmp.Header, []isakmp.Payload) []isakmp.Payload
		says  string
		tells wire.NotifyType // 0: nothing
	}{
		"nothing in it":      {drop, "without SA, KE", wire.NotifyInvalidSyntax},
		"no nonce":           {each(func(wire.Nonce) isakmp.Payload { return nil }), "without SA, KE", wire.NotifyInvalidSyntax},
		"a nonce of 15":      {each(func(n wire.Nonce) isakmp.Payload { return wire.Nonce{Data: n.Data[:15]} }), "a nonce of 16 to 256", wire.NotifyInvalidSyntax},
		"another group's KE": {each(func(k wire.KE) isakmp.Payload { k.Group = 14; return k }), "group 14, not 19", wire.NotifyInvalidKEPayload},
		"no point of the curve": {each(func(k wire.KE) isakmp.Payload { return wire.KE{Group: k.Group, Data: make([]byte, 64)} }),
			"unusable Diffie-Hellman public value", 0},
		"a critical payload": {func(_ *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload {
			return append(ps, isakmp.Framed{Payload: isakmp.Raw{PayloadType: 200}, Reserved: wire.Critical})
		}, "payload 200 is critical", wire.NotifyUnsupportedCriticalPayload},
		"a transform of a type that is not known": {each(func(sa wire.SA) isakmp.Payload {
			sa.Proposals[0].Transforms = append(sa.Proposals[0].Transforms, wire.Transform{Type: 13, ID: 3})
			return sa
		}), "no proposal is acceptable", wire.NotifyNoProposalChosen},
		"another cipher": {each(func(sa wire.SA) isakmp.Payload { sa.Proposals[0].Transforms[0].ID = 23; return sa }), "no proposal is acceptable",
			wire.NotifyNoProposalChosen},
		"another version": {func(h *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload { h.Version = 0x30; return ps }, "version 3.0", 0},
		"a response":      {func(h *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload { h.Flags |= wire.FlagResponse; return ps }, "begins nothing", 0},
		"message 1":       {func(h *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload { h.MessageID = 1; return ps }, "begins nothing", 0},
		"no SPI": {func(h *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload {
			h.InitiatorCookie = isakmp.Cookie{}
			return ps
		}, "begins nothing", 0},
		"the responder's SPI": {func(h *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload { h.ResponderCookie[0] = 1; return ps },
			"begins nothing", 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, out, err := ikev2.Initiate(node(atI), start, atR)
			if err != nil {
				t.Fatal(err)
			}
			first := out[0].Data
			sa, answer, err := ikev2.Respond(node(atR), start, atI, atR, inClear(t, first, tt.alter))
			if sa != nil || err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, %v", sa, err)
			}
			if got := told(t, answer); got != tt.tells {
				t.Errorf("tells %s", got)
			}
			same := func(_ *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload { return ps }
			if sa, _, err := ikev2.Respond(node(atR), start, atI, atR, inClear(t, first, same)); sa == nil || err != nil {
				t.Errorf("as it was: %v", err)
			}
		})
	}
}

// told is what an answer notifies of.
func told(t testing.TB, answer []ikev2.Datagram) wire.NotifyType {
	t.Helper()
	if len(answer) == 0 {
		return 0
	}
	h, err := isakmp.ParseHeader(answer[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := wire.Parse(h.NextPayload, answer[0].Data[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		t.Fatal(err)
	}
	n, _, _ := isakmp.Find[wire.Notify](ps)
	return n.NotifyType
}

// TestRefusesTheAnswer alters message 2; the initiator waits on, and goes on with it as it was.
func TestRefusesTheAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		alter func(*isakmp.Header, []isakmp.Payload) []isakmp.Payload
		says  string
	}{
		"an error that nobody has proven": {func(*isakmp.Header, []isakmp.Payload) []isakmp.Payload {
			return []isakmp.Payload{wire.Notify{NotifyType: wire.NotifyNoProposalChosen}}
		}, "peer notifies NO_PROPOSAL_CHOSEN"},
		"a group that was not offered": {func(*isakmp.Header, []isakmp.Payload) []isakmp.Payload {
			return []isakmp.Payload{wire.Notify{NotifyType: wire.NotifyInvalidKEPayload, Data: []byte{0, 2}}}
		}, "group 2, which was not offered"},
		"a cookie of nothing": {func(*isakmp.Header, []isakmp.Payload) []isakmp.Payload {
			return []isakmp.Payload{wire.Notify{NotifyType: wire.NotifyCookie}}
		}, "a cookie of 0 octets"},
		"two proposals":                   {each(func(sa wire.SA) isakmp.Payload { return wire.SA{Proposals: append(sa.Proposals, sa.Proposals...)} }), "2 proposals are chosen"},
		"a proposal that was not offered": {each(func(sa wire.SA) isakmp.Payload { sa.Proposals[0].Number = 2; return sa }), "was not offered"},
		"a transform too many": {each(func(sa wire.SA) isakmp.Payload {
			sa.Proposals[0].Transforms = append(sa.Proposals[0].Transforms, sa.Proposals[0].Transforms[0])
			return sa
		}), "was not offered"},
		"a public value of another group": {each(func(k wire.KE) isakmp.Payload { k.Group = 20; return k }), "a public value of 20"},
		"no point of the curve":           {each(func(k wire.KE) isakmp.Payload { return wire.KE{Group: 19, Data: make([]byte, 64)} }), "unusable"},
		"no nonce":                        {each(func(wire.Nonce) isakmp.Payload { return nil }), "without SA, KE"},
		"the initiator's flag":            {func(h *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload { h.Flags |= wire.FlagInitiator; return ps }, "calls itself"},
		"another SPI":                     {func(h *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload { h.InitiatorCookie[0] ^= 1; return ps }, "are of another SA"},
		"no SPI of its own": {func(h *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload {
			h.ResponderCookie = isakmp.Cookie{}
			return ps
		}, "an SPI"},
		"a critical payload": {func(_ *isakmp.Header, ps []isakmp.Payload) []isakmp.Payload {
			return append(ps, isakmp.Framed{Payload: isakmp.Raw{PayloadType: 200}, Reserved: wire.Critical})
		}, "payload 200 is critical"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, node(atI), node(atR))
			p.alter = func(_ bool, data []byte) []byte {
				if p.sent == 2 {
					return inClear(t, data, tt.alter)
				}
				return data
			}
			p.begin()
			if p.a.State() != ikev2.Beginning || len(p.failed) != 1 || !strings.Contains(p.failed[0].Error(), tt.says) {
				t.Errorf("%v", p.failed)
			}
			p.late()
			p.wantEstablished()
		})
	}
}

// TestRefusesProofs has one side prove what the other does not take; with the right one both are content.
func TestRefusesProofs(t *testing.T) {
	rsa, ec := pki.RSA("phase1-gm"), pki.ECDSA(elliptic.P256(), "r")
	other := func(c ikev2.Config) ikev2.Config {
		c.PSK = func(netip.Addr, policy.Identity) (policy.PSK, bool) { return policy.PSK{Key: []byte("another")}, true }
		return c
	}
	none := func(c ikev2.Config) ikev2.Config { c.PSK = nil; return c }
	stranger := func(c ikev2.Config) ikev2.Config {
		c.Expect = func(id policy.Identity) bool { return id.Value == "192.0.2.9" }
		return c
	}
	named := func(c ikev2.Config) ikev2.Config {
		c.Identity = policy.Identity{Kind: policy.IdentityFQDN, Value: "somebody.else.example"}
		return c
	}
	impostor := func(c ikev2.Config) ikev2.Config {
		c = certified(c, ec, "r")
		c.Credentials.Chain = nil
		c.Credentials.Chain = append(c.Credentials.Chain, read(pki.Impostor("ikev2").Issue(ec, pki.Subject{CN: "r", Addresses: []netip.Addr{c.Local.Addr()}})))
		return c
	}
	withoutKey := func(c ikev2.Config) ikev2.Config {
		c = certified(c, ec, "r")
		c.Credentials.Key = pki.ECDSA(elliptic.P256(), "not of the certificate")
		return c
	}
	for name, tt := range map[string]struct {
		i, r ikev2.Config
		says string
	}{
		"another key at the initiator":        {other(node(atI)), node(atR), "does not verify with a shared key"},
		"no key at the responder":             {node(atI), none(node(atR)), "does not verify with a shared key"},
		"an initiator that is not expected":   {node(atI), stranger(node(atR)), "is not expected"},
		"a responder that is not expected":    {stranger(node(atI)), node(atR), "is not expected"},
		"a key where a signature is expected": {node(atI), certified(node(atR), ec, "r"), "no certificate"},
		"a certificate of another name":       {named(certified(node(atI), rsa, "i")), certified(node(atR), ec, "r"), "does not name"},
		"a certificate of a stranger":         {certified(node(atI), rsa, "i"), impostor(node(atR)), "unknown authority"},
		"a signature of another key":          {certified(node(atI), rsa, "i"), withoutKey(node(atR)), "signature does not verify"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, tt.i, tt.r)
			p.begin()
			found := false
			for _, err := range p.failed {
				found = found || strings.Contains(err.Error(), tt.says)
			}
			if p.established() || !found || p.a.State() != ikev2.Closed {
				t.Errorf("%v", p.failed)
			}
		})
	}
	for _, r := range []ikev2.Config{node(atR), certified(node(atR), ec, "r")} {
		i := node(atI)
		if r.Signed {
			i = certified(i, rsa, "i")
		}
		p := newPair(t, i, r)
		p.begin()
		p.wantEstablished()
	}
}

// TestRevoked has the responder's certificate revoked.
func TestRevoked(t *testing.T) {
	ca, ec := pki.Root("ikev2"), pki.ECDSA(elliptic.P256(), "r")
	i, r := certified(node(atI), pki.RSA("phase1-gm"), "i"), certified(node(atR), ec, "r")
	list, err := x509.ParseRevocationList(ca.Revoke(r.Credentials.Chain[0].Raw))
	if err != nil {
		t.Fatal(err)
	}
	i.Credentials.CRLs = append(i.Credentials.CRLs, list)
	p := newPair(t, i, r)
	p.begin()
	if p.established() || len(p.failed) == 0 || !strings.Contains(p.failed[0].Error(), "is revoked") {
		t.Errorf("%v", p.failed)
	}
}

// TestAlteredBits changes each octet of the protected messages. None is taken, and all go on when they are repeated.
func TestAlteredBits(t *testing.T) {
	for which := 3; which <= 4; which++ {
		for at := 0; at < 200; at += 3 {
			p := newPair(t, node(atI), node(atR))
			p.alter = func(_ bool, data []byte) []byte {
				if p.sent == which && at < len(data) {
					data[at] ^= 0x40
				}
				return data
			}
			p.begin()
			p.late()
			p.wantEstablished()
		}
	}
}

// TestUnderTheSA has what must not be asked under an SA, and what is not known there.
func TestUnderTheSA(t *testing.T) {
	keys := func(sa *ikev2.SA) (e, a []byte) { return sa.Keys().EI, sa.Keys().AI }
	for name, tt := range map[string]struct {
		exchange isakmp.ExchangeType
		ps       []isakmp.Payload
		says     string
		closes   bool
	}{
		"a Child SA": {wire.ExchangeCreateChildSA, []isakmp.Payload{wire.SA{Proposals: []wire.Proposal{{Protocol: wire.ProtocolESP}}}}, "a Child SA is asked for", false},
		"a rekey without a nonce": {wire.ExchangeCreateChildSA, []isakmp.Payload{wire.SA{Proposals: []wire.Proposal{{Protocol: wire.ProtocolIKE}}}},
			"no proposal of the rekey", false},
		"IKE_AUTH again":      {wire.ExchangeIKEAuth, nil, "under an SA", true},
		"a critical payload":  {wire.ExchangeInformational, []isakmp.Payload{isakmp.Framed{Payload: isakmp.Raw{PayloadType: 99}, Reserved: wire.Critical}}, "is critical", false},
		"what cannot be read": {wire.ExchangeInformational, []isakmp.Payload{isakmp.Raw{PayloadType: wire.PayloadN, Body: []byte{1}}}, "inside SK", true},
		"nothing wrong":       {wire.ExchangeInformational, []isakmp.Payload{isakmp.Raw{PayloadType: 99}}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, node(atI), node(atR))
			p.begin()
			p.wantEstablished()
			spiI, spiR := p.a.SPIs()
			inner, err := wire.Append(nil, tt.ps)
			if err != nil {
				t.Fatal(err)
			}
			s := cbc.IKEv2Suite
			n := s.SealedLen(len(inner))
			h := isakmp.Header{InitiatorCookie: spiI, ResponderCookie: spiR, NextPayload: wire.PayloadSK, Version: wire.Version20, Exchange: tt.exchange,
				Flags: wire.FlagInitiator, MessageID: 2, Length: uint32(32 + n)}
			head := append(h.Append(nil), byte(isakmp.FirstType(tt.ps)), 0, byte((n+4)>>8), byte(n+4))
			e, a := keys(p.a)
			message, err := s.Seal(head, e, a, make([]byte, 16), inner)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := p.b.Handle(p.now, atI, atR, message)
			if (tt.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.says) || len(answer) != 1 {
				t.Errorf("%v, %v", answer, err)
			}
			if (p.b.State() == ikev2.Closed) != tt.closes {
				t.Errorf("state %d", p.b.State())
			}
			again, err := p.b.Handle(p.now, atI, atR, message)
			if !errors.Is(err, ikev2.ErrRepeated) || !bytes.Equal(again[0].Data, answer[0].Data) {
				t.Errorf("repeated: %v", err)
			}
		})
	}
}

// TestInvalidSyntaxEnds has the peer say that it could not read a request, which ends the SA on both sides (RFC 7296 §2.21.3).
func TestInvalidSyntaxEnds(t *testing.T) {
	p := newPair(t, node(atI), node(atR))
	p.begin()
	p.wantEstablished()
	if _, err := p.a.Probe(p.now); err != nil {
		t.Fatal(err)
	}
	spiI, spiR := p.a.SPIs()
	ps := []isakmp.Payload{wire.Notify{NotifyType: wire.NotifyInvalidSyntax}}
	inner, err := wire.Append(nil, ps)
	if err != nil {
		t.Fatal(err)
	}
	n := cbc.SealedLen(len(inner))
	h := isakmp.Header{InitiatorCookie: spiI, ResponderCookie: spiR, NextPayload: wire.PayloadSK, Version: wire.Version20,
		Exchange: wire.ExchangeInformational, Flags: wire.FlagResponse, MessageID: 2, Length: uint32(32 + n)}
	message, err := cbc.Seal(append(h.Append(nil), byte(wire.PayloadN), 0, byte((n+4)>>8), byte(n+4)), p.a.Keys().ER, p.a.Keys().AR, make([]byte, 16), inner)
	if err != nil {
		t.Fatal(err)
	}
	var told *ikev2.Notified
	if _, err := p.a.Handle(p.now, atR, atI, message); !errors.As(err, &told) || p.a.State() != ikev2.Closed {
		t.Errorf("state %d, %v", p.a.State(), err)
	}
}

// FuzzConversation alters messages of a conversation in any way; nothing panics, and the ends agree or do not say that they are established.
func FuzzConversation(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 1, 90, 7, 2, 11, 3, 1, 3, 4, 200, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		steps := wiretest.Steps(script, 4)
		p := newPair(t, node(atI), node(atR))
		p.alter = func(_ bool, data []byte) []byte {
			for _, s := range steps {
				if int(s.Which)%8 == p.sent {
					data = s.Alter(data)
				}
			}
			return data
		}
		p.begin()
		p.late()
		if p.established() && !bytes.Equal(p.a.Keys().EI, p.b.Keys().EI) {
			t.Error("they have other keys")
		}
	})
}

// TestSuiteOf makes the suites that both versions of IKE have.
func TestSuiteOf(t *testing.T) {
	got := ikev2.SuiteOf(policy.DefaultProposal)
	if got.Cipher != keymat.AES || got.KeyLen*8 != int(policy.DefaultProposal.KeyBits) || got.Group != uint16(policy.DefaultProposal.Group) {
		t.Errorf("%+v", got)
	}
}
