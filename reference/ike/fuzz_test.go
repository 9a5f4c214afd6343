package ike

import (
	"errors"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// allOff are the rules of a node that checks nothing.
func allOff(tb testing.TB) *rule.Switches {
	tb.Helper()
	var s rule.Switches
	for _, g := range rule.All() {
		if !strings.HasPrefix(g.Name, "ike.") || g.Kind != rule.KindCheck && g.Kind != rule.KindBound {
			continue
		}
		if err := s.Set(g.Name, "off"); err != nil {
			tb.Fatal(err)
		}
	}
	return &s
}

// states are pairs before each message; with and without checks, under AES and a MODP group and under 3DES and an ECP group.
func states(tb testing.TB) (pairs []*pair) {
	tb.Helper()
	for _, suite := range []Suite{suiteAES, suite3} {
		for _, rules := range []*rule.Switches{nil, allOff(tb)} {
			for n := 1; n <= 5; n++ {
				p := pairOf("fuzz", suite).at(tb, n)
				for _, x := range []*Exchange{p.i, p.r} {
					x.cfg.Rules = rules
				}
				pairs = append(pairs, p)
			}
		}
	}
	return pairs
}

// A message of any octets is handled, or refused with a reason, in every state; and the right one completes the exchange
// afterwards if it was refused.
func FuzzHandle(f *testing.F) {
	pairs := states(f)
	for n, p := range pairs {
		f.Add(uint8(n), p.queue[0].data)
		for _, d := range p.onWire {
			f.Add(uint8(n), d.Data)
		}
	}
	f.Fuzz(func(t *testing.T, state uint8, data []byte) {
		p := pairs[int(state)%len(pairs)]
		x := *p.i
		from := ksAddr
		if p.queue[0].toKS {
			x, from = *p.r, gmAddr
		}
		_, sa, err := x.Handle(p.now, from, data)
		wantReason(t, err)
		if err != nil && sa != nil {
			t.Error("refused, and yet established")
		}
		if _, _, rightErr := x.Handle(p.now, from, p.queue[0].data); err != nil && rightErr != nil {
			t.Errorf("after a refused message (%v) the right one is refused: %v", err, rightErr)
		}
	})
}

// wantReason wants an error that says which requirement was broken, or none.
func wantReason(t *testing.T, err error) {
	t.Helper()
	var v *rule.Violation
	var n *Notified
	if err != nil && !errors.As(err, &v) && !errors.As(err, &n) && !errors.Is(err, ErrOver) {
		t.Errorf("error without a requirement: %v", err)
	}
}

func FuzzRespond(f *testing.F) {
	off := allOff(f)
	f.Add(main1(f, goodSA()))
	for _, tc := range append(headerCases(main1(f, goodSA())), payloadCases(f)...) {
		f.Add(tc.data)
	}
	for _, tc := range append(severalOffers, offerCases...) {
		sa := goodSA()
		tc.alter(&sa)
		f.Add(main1(f, sa))
	}
	several := config(rule.GM, "fuzz")
	several.Suites = tried()
	f.Add(main1(f, several.offerSA()))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, rules := range []*rule.Switches{nil, off} {
			x, ds, err := respond(data, rules, tried()...)
			wantReason(t, err)
			if (x != nil) != (err == nil) || len(ds) > 1 || x != nil && len(ds) != 1 {
				t.Errorf("exchange %v, %d answers, %v", x, len(ds), err)
			}
		}
	})
}

// Any plaintext under the right key, in messages 5 and 6 and under an SA.
func FuzzPlaintext(f *testing.F) {
	pairs, full := states(f), established(f, "fuzz")
	for _, p := range []*pair{pairs[3], pairs[13]} { // message 5
		plain, _, err := p.sender().chosen.suite.Cipher().DecryptCBC(p.sender().key, p.sender().firstIV, p.queue[0].data[isakmp.HeaderLen:])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(isakmp.PayloadID), plain)
	}
	f.Add(uint8(isakmp.PayloadHASH), append([]byte{12, 0, 0, 36}, make([]byte, 60)...))
	f.Fuzz(func(t *testing.T, first uint8, plain []byte) {
		for _, n := range []int{3, 4, 8, 9, 13, 14, 18, 19} { // messages 5 and 6
			p := pairs[n]
			from, x, iv := ksAddr, *p.i, p.i.iv
			if p.queue[0].toKS {
				from, x, iv = gmAddr, *p.r, p.r.iv
			}
			_, sa, err := x.Handle(p.now, from, sealPlain(t, header(t, p.queue[0].data), p.sender().cipher(), iv, first, plain))
			if wantReason(t, err); err != nil && sa != nil {
				t.Error("refused, and yet established")
			}
		}
		h := isakmp.Header{InitiatorCookie: full.iSA.ci, ResponderCookie: full.iSA.cr, Version: isakmp.Version10,
			Exchange: isakmp.ExchangeInformational, Flags: isakmp.FlagEncryption, MessageID: 5}
		data := sealPlain(t, h, full.iSA.NewStream(isakmp.ExchangeInformational, 5).cipher(), nil, first, plain)
		_, err := full.rSA.OpenInformational(data)
		wantReason(t, err)
	})
}

// sealPlain encrypts a message, under another IV than that of the cipher if there is one.
func sealPlain(t *testing.T, h isakmp.Header, with cipher, iv []byte, first uint8, plain []byte) []byte {
	t.Helper()
	if iv != nil {
		with.iv = iv
	}
	sealed, _, err := with.of.EncryptCBC(with.key, with.iv, plain)
	if err != nil {
		t.Fatal(err)
	}
	h.NextPayload, h.Length = isakmp.PayloadType(first), uint32(isakmp.HeaderLen+len(sealed))
	return append(h.Append(nil), sealed...)
}

// Whatever comes as the first message of Aggressive Mode is answered or refused with a reason, and never ends the node.
func FuzzRespondAggressive(f *testing.F) {
	off := allOff(f)
	p := aggressivePair("fuzz")
	p.run()
	f.Add(p.octets(0))
	f.Add(main1(f, goodSA()))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, rules := range []*rule.Switches{nil, off} {
			c := config(rule.KS, "fuzz")
			c.Rules, c.Mode = rules, policy.AggressiveMode
			x, ds, err := Respond(c, start, gmAddr, data)
			wantReason(t, err)
			if (x != nil) != (err == nil) || len(ds) > 1 {
				t.Errorf("exchange %v, %d answers, %v", x, len(ds), err)
			}
		}
	})
}
