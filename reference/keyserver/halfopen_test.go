package keyserver_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// wide is a key server of a whole network, whose addresses may join.
func wide(cfg *policy.KeyServer) {
	all := netip.MustParsePrefix("10.0.0.0/8")
	cfg.Phase1.PSKs, cfg.Groups[0].Members = []policy.PSK{{Peer: all, Key: psk}}, []netip.Prefix{all}
}

// narrow has a key server keep few exchanges that are not finished.
func narrow(cfg *policy.KeyServer) { cfg.Phase1.HalfOpen = policy.HalfOpen{Total: 10, PerAddress: 4} }

// station is the n-th address of the network.
func station(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 848)
}

// first makes of one Main Mode 1 as many others as there are cookies.
func first(template []byte, n int) []byte {
	return append([]byte{0xff, byte(n >> 16), byte(n >> 8), byte(n)}, template[4:]...)
}

// TestHalfOpenLimits: as many exchanges as the limits say are kept, not one more or less, and a mutant is another number off.
func TestHalfOpenLimits(t *testing.T) {
	for _, c := range []struct {
		altered   []string
		addresses int
		want      int
	}{
		{nil, 20, 10},
		{nil, 1, 4},
		{nil, 2, 8},
		{[]string{"keyserver.half-open.total", "up"}, 20, 11},
		{[]string{"keyserver.half-open.total", "down"}, 20, 9},
		{[]string{"keyserver.half-open.total", "off"}, 20, 60},
		{[]string{"keyserver.half-open.address", "up"}, 1, 5},
		{[]string{"keyserver.half-open.address", "down"}, 1, 3},
		{[]string{"keyserver.half-open.address", "off"}, 1, 10},
	} {
		l := newLab(t, configuration(wide, narrow), nil, c.altered...)
		template := l.member(1).opening()
		for n := range 60 {
			from := station(1 + n%c.addresses)
			if sent := l.deliver(netip.AddrPortFrom(from.Addr(), uint16(1000+n)), first(template, n)); len(sent) != 1 {
				t.Fatalf("%v: %d answers", c.altered, len(sent))
			}
		}
		if got := l.status().HalfOpen; got != c.want {
			t.Errorf("%v, %d addresses: %d half open, want %d", c.altered, c.addresses, got, c.want)
		}
	}
}

// TestFlood: a hundred thousand first messages from ten thousand addresses that may join leave no more than the limit, and a
// member registers in their midst.
func TestFlood(t *testing.T) {
	const messages, addresses, meanwhile = 100_000, 10_000, 50
	l := newLab(t, configuration(wide), nil)
	template := l.member(1).opening()
	sent := 0
	flood := func(count int) {
		for range count {
			l.deliver(station(1+sent%addresses), first(template, sent))
			sent++
			l.now = l.now.Add(10 * time.Microsecond)
		}
	}
	flood(messages / 2)
	m := l.member(7)
	m.addr = netip.MustParseAddrPort("10.200.0.1:848")
	x, out := ike.Initiate(m.config(), m.now, ksAddress)
	for len(out) > 0 { // each answer takes as long as so many messages of the flood
		flood(meanwhile)
		answer := m.only(m.deliver(m.addr, out[0].Data))
		flood(meanwhile)
		var err error
		if out, m.sa, err = x.Handle(m.now, ksAddress, answer); err != nil {
			t.Fatal(err)
		}
	}
	m.register()
	flood(messages - sent)
	if s := l.status(); s.HalfOpen != 1000 || s.Phase1 != 1 || len(s.Groups[0].Members) != 1 {
		t.Errorf("%d half open, %d established, members %+v", s.HalfOpen, s.Phase1, s.Groups[0].Members)
	}
	if got := l.ks.Kept(); got.Sessions != 1001 || got.Openings != 1001 || got.Timers != 1001 || got.Addresses > 1000 {
		t.Errorf("kept %+v", got)
	}
	l.pass(10 * time.Minute)
	if got := l.ks.Kept(); got.Sessions != 1 || got.Openings != 1 || got.Timers != 1 || got.Addresses != 0 {
		t.Errorf("ten minutes later it keeps %+v", got)
	}
}

// TestGoesOn: an exchange that has got further stays when those that have not give way.
func TestGoesOn(t *testing.T) {
	l := newLab(t, configuration(wide, func(c *policy.KeyServer) { c.Phase1.HalfOpen.Total = 10 }), nil)
	m := l.member(1)
	m.addr = netip.MustParseAddrPort("10.200.0.1:848")
	x, out := ike.Initiate(m.config(), m.now, ksAddress)
	template := out[0].Data
	answer := m.only(m.deliver(m.addr, out[0].Data))
	for n := range 9 {
		l.deliver(station(n), first(template, n))
	}
	l.now = l.now.Add(time.Millisecond)
	third, _, err := x.Handle(m.now, ksAddress, answer)
	if err != nil {
		t.Fatal(err)
	}
	answer = m.only(m.deliver(m.addr, third[0].Data))
	for n := range 9 { // as the oldest it would be the first to go
		l.deliver(station(100+n), first(template, 100+n))
	}
	fifth, _, err := x.Handle(m.now, ksAddress, answer)
	if err != nil {
		t.Fatal(err)
	}
	m.only(m.deliver(m.addr, fifth[0].Data))
	if s := l.status(); s.Phase1 != 1 {
		t.Errorf("%d established", s.Phase1)
	}
}

// TestFloodUnderSA: of messages 1 of PULLs, and of Informationals, that one member sends without end, a bounded number is kept,
// and the others are served.
func TestFloodUnderSA(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1).phase1()
	for range 2000 {
		m.only(m.deliver(m.addr, m.begin().message1()))
	}
	before := l.ks.Kept()
	if before.Pulls != 256 {
		t.Errorf("%d PULLs are kept", before.Pulls)
	}
	for range 1000 {
		d, err := m.sa.SealInformational(m.rand, m.sa.Notify(isakmp.NotifyInitialContact, nil))
		if err != nil {
			t.Fatal(err)
		}
		if sent := m.deliver(m.addr, d.Data); len(sent) != 0 {
			t.Fatalf("an Informational is answered with %v", sent[0].Kind)
		}
	}
	if after := l.ks.Kept(); after != before {
		t.Errorf("before the Informationals %+v, after %+v", before, after)
	}
	l.joined(2)
	m.register()
}
