package ike

import (
	"bytes"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// watchful is an established pair whose initiator asks after a minute of silence.
func watchful(tb testing.TB) *pair {
	p := newPair("watchful")
	p.gm.DPD = time.Minute
	p.run()
	if p.iSA == nil || p.rSA == nil {
		tb.Fatal("not established")
	}
	return p
}

// hear has an SA take an Informational.
func hear(tb testing.TB, sa *SA, now time.Time, d Datagram) ([]Datagram, error) {
	tb.Helper()
	o, err := sa.OpenInformational(d.Data)
	if err != nil {
		tb.Fatal(err)
	}
	o.Commit()
	return sa.Liveness(now, o, keymat.Seeded("answer"))
}

func TestDeadPeerDetection(t *testing.T) {
	p := watchful(t)
	rand := keymat.Seeded("ask")
	for range 3 {
		now := p.iSA.Wake()
		asks, ending := p.iSA.Timer(now, rand)
		if len(asks) != 1 || ending != Alive {
			t.Fatalf("%d questions, ending %d", len(asks), ending)
		}
		answers, err := hear(t, p.rSA, now, asks[0])
		if err != nil || len(answers) != 1 {
			t.Fatalf("%d answers, %v", len(answers), err)
		}
		if _, err := hear(t, p.iSA, now.Add(time.Second), answers[0]); err != nil {
			t.Fatal(err)
		}
		if next := p.iSA.Wake(); next != now.Add(time.Second+time.Minute) {
			t.Errorf("next question at %s", next)
		}
	}
	if got := p.rSA.Wake(); got != p.rSA.Expiry() {
		t.Errorf("the responder, who is not told to ask, wakes at %s", got)
	}
}

// Without an answer the peer is given up after as many repetitions as any message has.
func TestDeadPeer(t *testing.T) {
	p := watchful(t)
	began := p.iSA.Wake()
	var numbers []uint32
	for now := began; ; now = p.iSA.Wake() {
		asks, ending := p.iSA.Timer(now, keymat.Seeded("ask"))
		if ending == Dead {
			if took := now.Sub(began); took != 31*time.Second {
				t.Errorf("given up after %s", took)
			}
			break
		}
		if len(asks) != 1 {
			t.Fatalf("%d questions", len(asks))
		}
		numbers = append(numbers, p.iSA.liveness.number)
	}
	if len(numbers) != 1+DefaultRetries || numbers[0]>>31 != 0 || numbers[4] != numbers[0]+4 {
		t.Errorf("numbers %d", numbers)
	}
}

// A message that the peer has proven puts the question off.
func TestSignOfLife(t *testing.T) {
	p := watchful(t)
	at := p.iSA.Wake().Add(-time.Second)
	p.iSA.Heard(at)
	if got := p.iSA.Wake(); got != at.Add(time.Minute) {
		t.Errorf("asks at %s", got)
	}
}

// Without the peer's Vendor ID nobody is asked.
func TestPeerWithoutDPD(t *testing.T) {
	p := newPair("quiet")
	p.ks.DPD = time.Minute
	p.run()
	p.wantSA(t)
	if p.rSA.Wake() != p.rSA.Expiry() {
		t.Error("the responder asks an initiator that has not said that it answers")
	}
}

func TestLivenessRefusals(t *testing.T) {
	p := watchful(t)
	now := p.iSA.Wake()
	rand := keymat.Seeded("odd")
	odd := func(from *SA, typ isakmp.NotifyType, spi []byte, data ...byte) Datagram {
		d, err := from.SealInformational(rand, isakmp.Notify{DOI: 2, Protocol: 1, SPI: spi, NotifyType: typ, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if _, ending := p.iSA.Timer(now, rand); ending != Alive {
		t.Fatal(ending)
	}
	spi, n := p.iSA.spi(), p.iSA.liveness.number
	for _, tc := range []struct {
		name, guard string
		sa          *SA
		d           Datagram
	}{
		{"ACK above", "ike.dpd.number", p.iSA, odd(p.rSA, isakmp.NotifyRUThereACK, spi, be(n+1)...)},
		{"ACK below", "ike.dpd.number", p.iSA, odd(p.rSA, isakmp.NotifyRUThereACK, spi, be(n-1)...)},
		{"ACK of other cookies", "ike.dpd.cookies", p.iSA, odd(p.rSA, isakmp.NotifyRUThereACK, make([]byte, 16), be(n)...)},
		{"question without cookies", "ike.dpd.cookies", p.rSA, odd(p.iSA, isakmp.NotifyRUThere, nil, be(n)...)},
		{"first question", "", p.rSA, odd(p.iSA, isakmp.NotifyRUThere, spi, be(n)...)},
		{"the same number", "ike.dpd.old", p.rSA, odd(p.iSA, isakmp.NotifyRUThere, spi, be(n)...)},
		{"an older number", "ike.dpd.old", p.rSA, odd(p.iSA, isakmp.NotifyRUThere, spi, be(n-1)...)},
		{"a gap", "", p.rSA, odd(p.iSA, isakmp.NotifyRUThere, spi, be(n+5)...)},
		{"the ACK", "", p.iSA, odd(p.rSA, isakmp.NotifyRUThereACK, spi, be(n)...)},
	} {
		_, err := hear(t, tc.sa, now, tc.d)
		if tc.guard == "" {
			if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s is taken", tc.name)
			continue
		}
		wantGuard(t, err, tc.guard)
	}
}

func be(v uint32) []byte { return []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)} }

// The Vendor ID is known by its number, not by its minor version.
func TestDPDVendorID(t *testing.T) {
	v := bytes.Clone(dpdVendorID.Data)
	v[15] = 7
	for _, tc := range []struct {
		data []byte
		want bool
	}{{dpdVendorID.Data, true}, {v, true}, {v[:15], false}, {nil, false}, {bytes.Repeat([]byte{1}, 16), false}} {
		if got := hasDPD([]isakmp.Decoded{{Payload: isakmp.VID{Data: tc.data}}}); got != tc.want {
			t.Errorf("%x: %v", tc.data, got)
		}
	}
}
