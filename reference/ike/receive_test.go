package ike

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func TestAnotherAddressIsRefused(t *testing.T) {
	p := at(t, "address", 2)
	elsewhere := netip.MustParseAddrPort("192.0.2.99:848")
	_, _, err := p.r.Handle(p.now, elsewhere, p.queue[0].data)
	wantGuard(t, err, "ike.main.party")
	p.drain()
	p.wantSA(t)
}

func TestMappedAddressIsTheSame(t *testing.T) {
	p := at(t, "mapped", 2)
	mapped := netip.AddrPortFrom(netip.AddrFrom16(gmAddr.Addr().As16()), gmAddr.Port())
	if _, _, err := p.r.Handle(p.now, mapped, p.queue[0].data); err != nil {
		t.Error(err)
	}
}

func TestNotificationInClear(t *testing.T) {
	p := newPair("notify")
	p.begin()
	sa := goodSA()
	sa.Proposals[0].Transforms = nil
	i, _ := p.i.Cookies()
	h := isakmp.Header{InitiatorCookie: i, Version: isakmp.Version10, Exchange: isakmp.ExchangeMainMode}
	_, ds, _ := Respond(p.ks, start, gmAddr, assemble(t, h, sa))
	_, _, err := p.i.Handle(p.now, ksAddr, ds[0].Data)
	var n *Notified
	if !errors.As(err, &n) || n.Type != isakmp.NotifyNoProposalChosen || n.Error() == "" {
		t.Fatalf("error %v", err)
	}
	h.Exchange = isakmp.ExchangeInformational
	for _, tc := range []struct {
		data  []byte
		guard string
	}{
		{assemble(t, h, isakmp.Delete{}), "ike.main.exchange"},
		{set(ds[0].Data, atFlags, 1), "ike.main.exchange"},
		{longer(ds[0].Data, 0), "ike.chain.end"},
		{set(ds[0].Data, 0, 0xee), "ike.header.cookies"},
	} {
		_, _, err := p.i.Handle(p.now, ksAddr, tc.data)
		wantGuard(t, err, tc.guard)
	}
	p.drain()
	p.wantSA(t)
}

// Nothing that a network can do to one octet brings a side down, or an SA up that the other does not share.
func TestEveryOctetAltered(t *testing.T) {
	for n := range 6 {
		p := at(t, "octets", n)
		good := bytes.Clone(p.queue[0].data)
		masks := []byte{0x01, 0x80, 0xff}
		for i := range good {
			if n == 2 || n == 3 {
				masks = []byte{1 << (i % 8)} // nearly all of them pass, and cost a key exchange
			}
			for _, mask := range masks {
				probeOctet(t, p, n, set(good, i, good[i]^mask), i)
			}
		}
		p.drain()
		p.wantSA(t)
	}
}

// probeOctet hands the altered message to a copy of the exchange, and to the exchange itself if it is refused.
func probeOctet(t *testing.T, p *pair, n int, data []byte, octet int) {
	t.Helper()
	if n == 0 {
		if x, ds, err := Respond(p.ks, p.now, gmAddr, data); err != nil && (x != nil || len(ds) > 1) {
			t.Errorf("message 1, octet %d: refused, but kept", octet)
		}
		return
	}
	x, from := p.i, ksAddr
	if p.queue[0].toKS {
		x, from = p.r, gmAddr
	}
	probe := *x
	_, sa, err := probe.Handle(p.now, from, data)
	if err != nil {
		if _, _, again := x.Handle(p.now, from, data); again == nil {
			t.Errorf("message %d, octet %d: refused once only", n+1, octet)
		}
		return
	}
	if sa != nil && octet != atFlags {
		t.Errorf("message %d, octet %d: established all the same", n+1, octet)
	}
}

func TestTruncatedMessages(t *testing.T) {
	for n := range 6 {
		p := at(t, "truncated", n)
		good := p.queue[0].data
		for size := range good {
			if n == 0 {
				_, _, err := respond(good[:size], nil)
				wantGuard(t, err, "ike.header.length")
				continue
			}
			wantGuard(t, p.hand(good[:size]), "ike.header.length")
			if size >= isakmp.HeaderLen { // Length mended
				if err := p.hand(longer(good[:size])); err == nil {
					t.Errorf("message %d cut to %d octets passes", n+1, size)
				}
			}
		}
		p.drain()
		p.wantSA(t)
	}
}

func TestRulesAreThoseOfTheNode(t *testing.T) {
	var off rule.Switches
	if err := off.Set("ike.header.version.above", "off"); err != nil {
		t.Fatal(err)
	}
	data := set(main1(t, goodSA()), atVersion, 0x20)
	if _, _, err := respond(data, &off); err != nil {
		t.Errorf("the check is off, and yet: %v", err)
	}
	if _, _, err := respond(data, nil); err == nil {
		t.Error("the check is off for another node too")
	}
}
