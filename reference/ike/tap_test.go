package ike

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// on is a tap that acts on one kind of message at one stage.
func on(kind core.Kind, stage core.Stage, act func(*core.Outgoing)) core.Tap {
	return func(s core.Stage, o *core.Outgoing) {
		if s == stage && o.Kind == kind {
			act(o)
		}
	}
}

func TestTapSeesEveryStage(t *testing.T) {
	type seen struct {
		kind  core.Kind
		stage core.Stage
		types int
	}
	var got []seen
	p := newPair("stages")
	tap := func(s core.Stage, o *core.Outgoing) {
		n := len(o.Payloads)
		if s == core.Sealed {
			n = len(o.Bytes)
			if o.Header.Length != uint32(n) {
				t.Errorf("%s: header says %d of %d octets", o.Kind, o.Header.Length, n)
			}
		}
		got = append(got, seen{o.Kind, s, n})
	}
	p.gm.Tap, p.ks.Tap = tap, tap
	p.run()
	p.wantSA(t)
	var want []seen
	for n, payloads := range [][2]int{{1, 1}, {1, 1}, {2, 2}, {2, 2}, {1, 2}, {1, 2}} {
		kind := core.MainMode1 + core.Kind(n)
		want = append(want, seen{kind, core.Built, payloads[0]}, seen{kind, core.Authenticated, payloads[1]},
			seen{kind, core.Sealed, len(p.onWire[n].Data)})
	}
	for n := range want {
		if n >= len(got) || got[n] != want[n] {
			t.Fatalf("stage %d: %v, want %v", n, got, want[n])
		}
	}
}

// What a tap changes at Built counts as sent: Phase 1 completes with it.
func TestBuiltIsAuthenticated(t *testing.T) {
	offerMore := func(o *core.Outgoing) {
		sa := o.Payloads[0].(isakmp.SA)
		weak := sa.Proposals[0].Transforms[0]
		weak.Attributes = replace(weak.Attributes, wire.TV(isakmp.AttrHashAlgorithm, 1))
		good := sa.Proposals[0].Transforms[0]
		good.Number = 2
		sa.Proposals = []isakmp.Proposal{{Number: 1, Protocol: 1, SPI: make([]byte, 8), Transforms: []isakmp.Transform{weak, good}}}
		o.Payloads = []isakmp.Payload{sa, isakmp.VID{Data: []byte("vendor")}}
	}
	nonce := func(n int) func(*core.Outgoing) {
		return func(o *core.Outgoing) { o.Payloads[1] = isakmp.Nonce{Data: bytes.Repeat([]byte{7}, n)} }
	}
	name := func(o *core.Outgoing) { o.Payloads[0] = isakmp.ID{IDType: 2, Data: []byte("gm.example")} }
	for _, tc := range []struct {
		name string
		kind core.Kind
		act  func(*core.Outgoing)
	}{
		{"several transforms and an SPI", core.MainMode1, offerMore},
		{"shortest nonce", core.MainMode3, nonce(8)},
		{"longest nonce", core.MainMode3, nonce(256)},
		{"shortest nonce of the responder", core.MainMode4, nonce(8)},
		{"longest nonce of the responder", core.MainMode4, nonce(256)},
		{"identity", core.MainMode5, name},
		{"identity of the responder", core.MainMode6, name},
		{"notification behind", core.MainMode5, func(o *core.Outgoing) {
			o.Payloads = append(o.Payloads, isakmp.Notify{DOI: 2, Protocol: 1, NotifyType: isakmp.NotifyInitialContact})
		}},
		{"payload wrapped", core.MainMode3, func(o *core.Outgoing) { o.Payloads[0] = isakmp.Framed{Payload: o.Payloads[0]} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPair("built")
			p.gm.Tap, p.ks.Tap = on(tc.kind, core.Built, tc.act), on(tc.kind, core.Built, tc.act)
			p.run()
			p.wantSA(t)
		})
	}
}

// What a tap changes later is refused, and the state of the sender is that of the unaltered message: once the tap lets go,
// a repetition completes the exchange if the octets were altered at Sealed.
func TestSealedReachesOnlyTheWire(t *testing.T) {
	for kind := core.MainMode1; kind <= core.MainMode6; kind++ {
		p := newPair("sealed")
		altered := 0
		tap := on(kind, core.Sealed, func(o *core.Outgoing) {
			if altered++; altered == 1 {
				o.Bytes[atFlags] ^= 0x80
			}
		})
		p.gm.Tap, p.ks.Tap = tap, tap
		p.run()
		p.wantSA(t)
		if altered < 2 || len(p.refused) != 1 {
			t.Errorf("%s: altered once, seen %d times, refused %v", kind, altered, p.refused)
		}
	}
}

func TestAuthenticatedIsNotInTheHash(t *testing.T) {
	for _, kind := range []core.Kind{core.MainMode5, core.MainMode6} {
		p := newPair("authenticated")
		tap := on(kind, core.Authenticated, func(o *core.Outgoing) {
			id := o.Payloads[0].(isakmp.ID)
			id.Data = []byte{9, 9, 9, 9}
			o.Payloads[0] = id
		})
		p.gm.Tap, p.ks.Tap = tap, tap
		p.run()
		if len(p.refused) == 0 {
			t.Fatalf("%s: nothing refused", kind)
		}
		wantGuard(t, p.refused[0], "ike.main.hash")
	}
}

func TestWithheldOnce(t *testing.T) {
	for kind := core.MainMode1; kind <= core.MainMode6; kind++ {
		p := newPair("withheld")
		seen := 0
		tap := on(kind, core.Sealed, func(o *core.Outgoing) { seen++; o.Withhold = seen == 1 })
		p.gm.Tap, p.ks.Tap = tap, tap
		p.run()
		p.wantSA(t)
	}
}

func TestWithheldFromTheBeginning(t *testing.T) {
	p := newPair("never")
	p.gm.Tap = on(core.MainMode5, core.Built, func(o *core.Outgoing) { o.Withhold = true })
	p.run()
	if p.iSA != nil || p.rSA != nil || len(p.onWire) != 4 {
		t.Errorf("%d messages on the wire", len(p.onWire))
	}
}

// A tap that clears the E flag sends the message in clear; one that sets header fields has them sent.
func TestTapOnTheHeader(t *testing.T) {
	p := newPair("header")
	p.gm.Tap = on(core.MainMode5, core.Authenticated, func(o *core.Outgoing) { o.Header.Flags = 0 })
	p.run()
	wantGuard(t, p.refused[0], "ike.main.encrypted")
	if _, ps := parse(t, p.octets(4)); len(ps) != 2 {
		t.Errorf("%d payloads in clear", len(ps))
	}
	p = newPair("header")
	p.gm.Tap = on(core.MainMode1, core.Built, func(o *core.Outgoing) { o.Header.NextPayload, o.Header.Length = 99, 27 })
	p.run()
	if h := header(t, p.octets(0)); h.NextPayload != 99 || h.Length != 27 {
		t.Errorf("header %+v", h)
	}
}

func TestTapThatMakesNonsense(t *testing.T) {
	for _, ps := range [][]isakmp.Payload{nil, {nil}, {isakmp.VID{Data: make([]byte, 1<<16)}}} {
		for kind := core.MainMode1; kind <= core.MainMode6; kind++ {
			p := newPair("nonsense")
			tap := on(kind, core.Built, func(o *core.Outgoing) { o.Payloads = ps })
			p.gm.Tap, p.ks.Tap = tap, tap
			p.run()
			if p.iSA != nil && p.rSA != nil {
				t.Errorf("%s: established with %v", kind, ps)
			}
		}
	}
}

func TestTapOnAStream(t *testing.T) {
	p := newPair("stream tap")
	var act func(core.Stage, *core.Outgoing)
	p.gm.Tap = func(s core.Stage, o *core.Outgoing) {
		if act != nil {
			act(s, o)
		}
	}
	p.run()
	p.wantSA(t)
	gm, ks := p.iSA.NewStream(isakmp.ExchangePull, 7), p.rSA.NewStream(isakmp.ExchangePull, 7)

	act = func(s core.Stage, o *core.Outgoing) {
		switch s {
		case core.Built:
			if len(o.Payloads) != 1 {
				t.Errorf("%d payloads at Built", len(o.Payloads))
			}
			o.Payloads = nonceOf("altered")
		case core.Authenticated:
			if len(o.Payloads) != 2 || o.Payloads[0].Type() != isakmp.PayloadHASH {
				t.Errorf("payloads at Authenticated: %v", o.Payloads)
			}
		}
	}
	d, _ := gm.Seal(core.Pull1, pullHash(p.iSA), nonceOf("meant"))
	o, err := ks.Open(d.Data, isakmp.Phase1)
	if err != nil || !bytes.Equal(o.Hash, pullHash(p.rSA)([4]byte{0, 0, 0, 7}, o.After)) {
		t.Fatalf("altered at Built: %v", err)
	}
	o.Commit()

	act = func(s core.Stage, o *core.Outgoing) { o.Withhold = s == core.Sealed }
	if d, err := gm.Seal(core.Pull1, pullHash(p.iSA), nonceOf("lost")); err != nil || d.Data != nil || d.Kind != core.Pull1 {
		t.Errorf("withheld: %v, %v", d, err)
	}
	act = nil
	d, _ = gm.Seal(core.Pull1, pullHash(p.iSA), nonceOf("after a lost one"))
	if _, err := ks.Open(d.Data, isakmp.Phase1); err == nil {
		t.Error("the sender's chain did not move with the message that it believes sent")
	}
}
