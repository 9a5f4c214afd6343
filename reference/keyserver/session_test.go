package keyserver_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// opening is Main Mode 1 of a peer.
func (m *gm) opening() []byte {
	_, out := ike.Initiate(m.config(), m.now, ksAddress)
	return out[0].Data
}

func TestPhase1(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1).phase1()
	up := l.tagged("PHASE1_UP")
	if len(up) != 1 || value(up[0], "identity") != "192.0.2.1" || value(up[0], "peer") != m.addr.String() {
		t.Errorf("log %+v", up)
	}
	if len(l.secrets) == 0 || l.secrets[len(l.secrets)-1].Phase1 == nil {
		t.Error("no secret")
	}
	if s := l.status(); s.Phase1 != 1 || s.HalfOpen != 0 {
		t.Errorf("status %+v", s)
	}
	if l.pass(24 * time.Hour); l.status().Phase1 != 0 {
		t.Error("the SA outlives its lifetime")
	}
}

// TestOpeningRepeated: the same first message begins one Phase 1, not two, and gets the same answer.
func TestOpeningRepeated(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1)
	first := m.opening()
	one, two := m.only(m.deliver(m.addr, first)), m.only(m.deliver(m.addr, first))
	if string(one) != string(two) || l.status().HalfOpen != 1 {
		t.Errorf("%d half open", l.status().HalfOpen)
	}
}

// TestHalfOpenTotal: first messages without end push out the oldest, not the newest.
func TestHalfOpenTotal(t *testing.T) {
	l := newLab(t, configuration(func(c *policy.KeyServer) { c.Phase1.HalfOpen.Total = 10 }), nil)
	for n := range 100 {
		m := l.member(n + 1)
		m.only(m.deliver(m.addr, m.opening()))
	}
	if s := l.status(); s.HalfOpen != 10 {
		t.Errorf("%d half open", s.HalfOpen)
	}
	l.member(101).phase1()
	if s := l.status(); s.Phase1 != 1 || s.HalfOpen != 9 {
		t.Errorf("status %+v", s)
	}
}

// TestHalfOpenEnds: a Phase 1 that does not go on is given up.
func TestHalfOpenEnds(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1)
	m.deliver(m.addr, m.opening())
	l.pass(30 * time.Minute)
	if s := l.status(); s.HalfOpen != 0 || len(l.tagged("PHASE1_FAILED")) != 1 {
		t.Errorf("status %+v", s)
	}
	if _, ok := l.ks.Deadline(); !ok {
		t.Error("the group has no deadline")
	}
}

// TestStrangers: datagrams that belong to nobody are counted and not answered.
func TestStrangers(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1).phase1()
	i, _ := m.sa.Cookies()
	tests := []struct {
		name  string
		data  []byte
		guard string
	}{
		{"nothing", nil, "keyserver.datagram.header"},
		{"27 octets", make([]byte, 27), "keyserver.datagram.header"},
		{"other cookies", append(make([]byte, 15), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28), "keyserver.datagram.cookies"},
		{"half of the cookies", append(append(i[:], 1, 2, 3, 4, 5, 6, 7, 8), make([]byte, 12)...), "keyserver.datagram.cookies"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l.logs = nil
			if sent := m.deliver(netip.MustParseAddrPort("198.51.100.1:848"), test.data); len(sent) != 0 {
				t.Errorf("answered with %v", sent[0].Kind)
			}
			if refused := l.tagged("REFUSED"); len(refused) != 1 || value(refused[0], "guard") != test.guard {
				t.Errorf("refusals %+v", refused)
			}
		})
	}
}

// TestPullBeforePhase1: there is no PULL without an established Phase 1 (RFC 6407 §2).
func TestPullBeforePhase1(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1)
	second := m.only(m.deliver(m.addr, m.opening()))
	data := append(append([]byte{}, second[:16]...), 8, 0x10, byte(isakmp.ExchangePull), 1, 0, 0, 0, 9, 0, 0, 0, 28)
	if sent := m.deliver(m.addr, data); len(sent) != 0 {
		t.Errorf("answered with %v", sent[0].Kind)
	}
	if refused := l.tagged("REFUSED"); len(refused) != 1 || value(refused[0], "guard") != "keyserver.pull.phase1" {
		t.Errorf("refusals %+v", refused)
	}
}

// TestOtherExchanges: what is not spoken here is refused, and the SA lives on.
func TestOtherExchanges(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1).phase1()
	i, r := m.sa.Cookies()
	for _, x := range []isakmp.ExchangeType{0, 1, 2, 3, 4, 6, 31, 33, 34, 35, 36, 255} {
		h := isakmp.Header{InitiatorCookie: i, ResponderCookie: r, Version: 0x10, Exchange: x, MessageID: 1, Length: 28}
		l.logs = nil
		if sent := m.deliver(m.addr, h.Append(nil)); len(sent) != 0 {
			t.Errorf("%v: answered with %v", x, sent[0].Kind)
		}
		if refused := l.tagged("REFUSED"); len(refused) != 1 || value(refused[0], "guard") != "keyserver.datagram.exchange" {
			t.Errorf("%v: refusals %+v", x, refused)
		}
	}
	m.register()
}

// TestDeletePhase1: a protected Delete ends the Phase 1 SA, one in clear does not; the member stays in the group.
func TestDeletePhase1(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.joined(1)
	i, r := m.sa.Cookies()
	clear, err := isakmp.Assemble(isakmp.Header{
		InitiatorCookie: i, ResponderCookie: r, Version: 0x10, Exchange: isakmp.ExchangeInformational, MessageID: 5,
	}, []isakmp.Payload{isakmp.Delete{DOI: 2, Protocol: 1, SPISize: 16, SPIs: [][]byte{append(i[:], r[:]...)}}})
	if err != nil {
		t.Fatal(err)
	}
	if m.deliver(m.addr, clear); l.status().Phase1 != 1 || len(l.tagged("REFUSED")) != 1 {
		t.Fatal("a Delete in clear was honoured")
	}
	d, err := m.sa.SealDelete(m.rand)
	if err != nil {
		t.Fatal(err)
	}
	if sent := m.deliver(m.addr, d.Data); len(sent) != 0 || l.status().Phase1 != 0 {
		t.Error("a protected Delete was not honoured")
	}
	if len(l.status().Groups[0].Members) != 1 {
		t.Error("the group's keys ended with Phase 1")
	}
	if sent := m.deliver(m.addr, m.begin().message1()); len(sent) != 0 {
		t.Errorf("a PULL under the deleted SA is answered with %v", sent[0].Kind)
	}
}

// TestMainModeRepeated: a late repeat of the last message of Main Mode gets the last answer again.
func TestMainModeRepeated(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1)
	x, out := ike.Initiate(m.config(), m.now, ksAddress)
	var messages, answers [][]byte
	for len(out) > 0 {
		messages = append(messages, out[0].Data)
		answers = append(answers, m.only(m.deliver(m.addr, out[0].Data)))
		out, m.sa, _ = x.Handle(m.now, ksAddress, answers[len(answers)-1])
	}
	if again := m.only(m.deliver(m.addr, messages[2])); string(again) != string(answers[2]) {
		t.Error("Main Mode 6 differs")
	}
	if sent := m.deliver(m.addr, messages[0]); len(sent) != 0 || l.status().HalfOpen != 0 {
		t.Error("a late Main Mode 1 begins another Phase 1")
	}
}

// TestNoPSK: a peer without a pre-shared key gets no Phase 1; with two, the longer prefix decides.
func TestPSK(t *testing.T) {
	l := newLab(t, configuration(), nil)
	stranger := l.member(1)
	stranger.addr = netip.MustParseAddrPort("198.51.100.1:848")
	if sent := l.deliver(stranger.addr, stranger.opening()); len(sent) != 0 || len(l.tagged("REFUSED")) != 1 {
		t.Error("a stranger was answered")
	}
	l = newLab(t, configuration(func(c *policy.KeyServer) {
		c.Phase1.PSKs = []policy.PSK{
			{Peer: netip.MustParsePrefix("0.0.0.0/0"), Key: []byte("not this one")},
			{Peer: netip.MustParsePrefix("192.0.2.1/32"), Key: psk},
			{Peer: netip.MustParsePrefix("192.0.2.0/24"), Key: []byte("nor this")},
		}
	}), nil)
	l.member(1).phase1()
	if _, ok := any(l.ks).(core.Core); !ok {
		t.Error("a key server is no core")
	}
}
