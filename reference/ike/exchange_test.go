package ike

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func TestMainModeCompletes(t *testing.T) {
	p := established(t, "completes")
	p.wantSA(t)
	kinds := []core.Kind{core.MainMode1, core.MainMode2, core.MainMode3, core.MainMode4, core.MainMode5, core.MainMode6}
	if len(p.onWire) != len(kinds) {
		t.Fatalf("%d messages, want 6", len(p.onWire))
	}
	for n, d := range p.onWire {
		h := header(t, d.Data)
		if d.Kind != kinds[n] || h.Exchange != isakmp.ExchangeMainMode || h.MessageID != 0 || h.Version != isakmp.Version10 {
			t.Errorf("message %d: kind %s, header %+v", n+1, d.Kind, h)
		}
		if want := n >= 4; (h.Flags == isakmp.FlagEncryption) != want || (h.Flags == 0) == want {
			t.Errorf("message %d has flags %s", n+1, h.Flags)
		}
		if want := []netip.AddrPort{ksAddr, gmAddr}[n%2]; d.To != want {
			t.Errorf("message %d goes to %s, want %s", n+1, d.To, want)
		}
	}
}

func TestEstablishedSA(t *testing.T) {
	p := established(t, "sa")
	for _, end := range []struct {
		sa   *SA
		x    *Exchange
		peer netip.AddrPort
		init bool
	}{{p.iSA, p.i, ksAddr, true}, {p.rSA, p.r, gmAddr, false}} {
		i, r := end.sa.Cookies()
		xi, xr := end.x.Cookies()
		if i != xi || r != xr || i.IsZero() || r.IsZero() || i == r {
			t.Errorf("cookies %s %s of the SA, %s %s of the exchange", i, r, xi, xr)
		}
		id := end.sa.PeerID()
		if id.IDType != isakmp.IDIPv4Addr || !bytes.Equal(id.Data, end.peer.Addr().AsSlice()) || id.Protocol != 0 || id.Port != 0 {
			t.Errorf("peer identity %+v", id)
		}
		if end.sa.Peer() != end.peer || end.sa.Initiator() != end.init || end.x.Initiator() != end.init || end.x.Peer() != end.peer {
			t.Errorf("peer %s, initiator %v", end.sa.Peer(), end.sa.Initiator())
		}
		if want := p.now.Add(DefaultLifetime); !end.sa.Expiry().Equal(want) {
			t.Errorf("expires %s, want %s", end.sa.Expiry(), want)
		}
		if end.sa.Suite() != suiteAES || end.sa.Hash() != suiteAES.Hash || len(end.sa.SKEYIDa()) != end.sa.Hash().Size() {
			t.Errorf("suite %+v", end.sa.Suite())
		}
		if _, ok := end.x.Deadline(); ok {
			t.Error("an exchange that is over has a deadline")
		}
	}
}

func TestLifetimeIsTheShorter(t *testing.T) {
	p := newPair("lifetime")
	p.gm.Lifetime, p.ks.Lifetime = 10*time.Hour, 3*time.Hour
	p.run()
	p.wantSA(t)
	if got := p.rSA.Expiry().Sub(p.now); got != 3*time.Hour {
		t.Errorf("responder keeps the SA for %s", got)
	}
	if got := p.iSA.Expiry().Sub(p.now); got != 3*time.Hour { // as the responder notifies
		t.Errorf("initiator keeps the SA for %s", got)
	}
}

func TestSameSeedSameOctets(t *testing.T) {
	a, b, c := established(t, "seed"), established(t, "seed"), established(t, "other seed")
	for n := range a.onWire {
		if !bytes.Equal(a.octets(n), b.octets(n)) {
			t.Errorf("message %d differs between runs from the same seed", n+1)
		}
		if bytes.Equal(a.octets(n), c.octets(n)) {
			t.Errorf("message %d is the same from another seed", n+1)
		}
	}
}

func TestEachMessageLostOnce(t *testing.T) {
	lose := func(which int) fault {
		return func(n int, d Datagram) [][]byte {
			if n == which {
				return nil
			}
			return [][]byte{d.Data}
		}
	}
	for n := range 6 {
		p := newPair("loss")
		if n%2 == 0 {
			p.toKS = lose(n / 2)
		} else {
			p.toGM = lose(n / 2)
		}
		p.run()
		p.wantSA(t)
		if len(p.refused) > 0 {
			t.Errorf("message %d lost: refused %v", n+1, p.refused)
		}
	}
}

func TestEachMessageDoubled(t *testing.T) {
	double := func(_ int, d Datagram) [][]byte { return [][]byte{d.Data, d.Data} }
	p := newPair("double")
	p.toKS, p.toGM = double, double
	p.run()
	p.wantSA(t)
	if len(p.refused) > 0 {
		t.Errorf("repeats were refused: %v", p.refused)
	}
}

// Each message is surrounded by all that come later and all that came before.
func TestLateAndEarlyMessages(t *testing.T) {
	full := established(t, "order")
	p := newPair("order")
	var toKS, toGM [][]byte
	for n := range full.onWire {
		if n%2 == 0 {
			toKS = append(toKS, full.octets(n))
		} else {
			toGM = append(toGM, full.octets(n))
		}
	}
	surround := func(all [][]byte) fault {
		return func(n int, d Datagram) [][]byte {
			if n == 0 {
				return [][]byte{d.Data}
			}
			early := slices.Clone(all[min(n+1, len(all)):])
			return slices.Concat(early, [][]byte{d.Data}, all[:min(n, len(all))])
		}
	}
	p.toKS, p.toGM = surround(toKS), surround(toGM)
	p.run()
	p.wantSA(t)
}

func TestRepeatsGetTheSameReply(t *testing.T) {
	full := established(t, "repeat")
	p := newPair("repeat")
	p.begin()
	for n := range 5 { // each message twice, at the side that answers it
		q := p.queue[0]
		p.queue = nil
		p.take(q)
		first := p.queue[0].data
		p.queue = nil
		p.take(q)
		if len(p.queue) != 1 || !bytes.Equal(p.queue[0].data, first) || !bytes.Equal(first, full.octets(n+1)) {
			t.Fatalf("a repeat of message %d got another reply", n+1)
		}
	}
	p.drain()
	p.wantSA(t)
}

func TestDuplicateOfTheSA(t *testing.T) {
	p := established(t, "duplicate")
	ds, known := p.rSA.Duplicate(p.octets(4))
	if !known || len(ds) != 1 || !bytes.Equal(ds[0].Data, p.octets(5)) || ds[0].To != gmAddr {
		t.Errorf("repeated message 5: %v %v", ds, known)
	}
	for _, n := range []int{0, 2} {
		if ds, known := p.rSA.Duplicate(p.octets(n)); !known || ds != nil {
			t.Errorf("repeated message %d: %v %v", n+1, ds, known)
		}
	}
	if ds, known := p.iSA.Duplicate(p.octets(5)); !known || ds != nil {
		t.Errorf("repeated message 6: %v %v", ds, known)
	}
	if _, known := p.rSA.Duplicate(p.octets(5)); known {
		t.Error("a message that the responder sent counts as received")
	}
	if ds, sa, err := p.r.Handle(p.now, gmAddr, p.octets(4)); len(ds) != 1 || sa != nil || err != nil {
		t.Errorf("the exchange does not answer a repeat: %v %v %v", ds, sa, err)
	}
	other := p.octets(4)
	other[40] ^= 1
	if _, _, err := p.r.Handle(p.now, gmAddr, other); !errors.Is(err, ErrOver) {
		t.Errorf("a new message after the end: %v", err)
	}
}

func TestReplyGoesWhereTheMessageCameFrom(t *testing.T) {
	p := newPair("ports")
	p.begin()
	moved := netip.AddrPortFrom(gmAddr.Addr(), 40848)
	x, ds, err := Respond(p.ks, p.now, moved, p.queue[0].data)
	if err != nil || ds[0].To != moved || x.Peer() != moved {
		t.Fatalf("reply to %v, %v", ds, err)
	}
	if again, _, err := x.Handle(p.now, gmAddr, p.queue[0].data); err != nil || again[0].To != gmAddr {
		t.Errorf("a repeat from another port is answered to %v, %v", again, err)
	}
}

func TestPeersWithoutAKey(t *testing.T) {
	p := newPair("stranger")
	p.ks.PSK = policy.Phase1{}.PSK
	p.run()
	wantGuard(t, p.refused[0], "ike.main.peer")
	if p.r != nil || len(p.onWire) != 1+DefaultRetries {
		t.Errorf("a stranger was answered: %d messages", len(p.onWire))
	}
	p = newPair("strange server")
	p.gm.PSK = nil
	p.run()
	wantGuard(t, p.refused[0], "ike.main.peer")
}

func TestDifferentKeys(t *testing.T) {
	p := newPair("keys")
	p.ks.PSK = keys("another")
	p.run()
	if p.iSA != nil || p.rSA != nil || !errors.Is(p.iErr, ErrTimeout) || !errors.Is(p.rErr, ErrTimeout) {
		t.Errorf("SAs %v %v, errors %v %v", p.iSA, p.rSA, p.iErr, p.rErr)
	}
}

func TestKeyByAddress(t *testing.T) {
	p := newPair("address")
	p.ks.PSK = keys("of others", keyAt(gmAddr.Addr(), "of "+gmAddr.Addr().String()))
	p.gm.PSK = keys("of others", keyAt(ksAddr.Addr(), "of "+gmAddr.Addr().String()))
	p.run()
	p.wantSA(t)
}

// wantGuard fails unless err is a violation of that guard.
func wantGuard(t *testing.T, err error, name string) {
	t.Helper()
	var v *rule.Violation
	if !errors.As(err, &v) {
		t.Errorf("error %v, want a violation of %s", err, name)
	} else if v.Guard.Name != name {
		t.Errorf("%v is a violation of %s, want %s", err, v.Guard.Name, name)
	}
}
