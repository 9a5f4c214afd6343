package keyserver_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

func withNATT(cfg *policy.KeyServer) { cfg.Phase1.NATTraversal = true }

// natted is a member behind a NAT, which has it at another address and, for each of its ports, another port.
type natted struct {
	*gm
	ports map[uint16]uint16 // of the NAT, by those of the member
	out   []byte            // the last message of Main Mode, as it was sent
	via   uint16            // the member's port

	outside netip.Addr // of a NAT in front of the key server; not valid: there is none
}

func (l *lab) natted(n int) *natted {
	return &natted{gm: l.member(n), ports: map[uint16]uint16{848: 40000, natt.Port: 40001}, via: 848}
}

func (m *natted) seen() netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.100"), m.ports[m.via])
}

// pass gives the key server a message through the NAT, and returns the answer.
func (m *natted) pass(data []byte) *core.Send {
	if m.via == natt.Port {
		data = append(natt.AppendMarker(nil), data...)
	}
	sent := m.handle(&core.Datagram{From: m.seen(), To: netip.AddrPortFrom(ksAddress.Addr(), m.via), Data: data})
	if len(sent) == 0 {
		return &core.Send{}
	}
	return sent[0]
}

// message is what is inside a datagram of the key server.
func message(s *core.Send) []byte {
	if _, inside, err := natt.Split(s.Data); err == nil && s.From.Port() == natt.Port {
		return inside
	}
	return s.Data
}

// through does Main Mode through the NAT, with the key server's port that it begins on.
func (m *natted) through(port uint16) *natted {
	m.t.Helper()
	cfg := m.config()
	cfg.NATT, cfg.DPD = true, time.Hour
	m.via = port
	server := ksAddress.Addr()
	if m.outside.IsValid() {
		server = m.outside
	}
	x, out := ike.Initiate(cfg, m.now, netip.AddrPortFrom(server, port))
	for len(out) > 0 {
		m.via, m.out = out[0].From.Port(), out[0].Data
		reply := m.pass(m.out)
		if len(reply.Data) == 0 {
			break
		}
		var err error
		to := netip.AddrPortFrom(m.addr.Addr(), m.via)
		from := netip.AddrPortFrom(server, reply.From.Port())
		if out, m.sa, err = x.HandleAt(m.now, from, to, message(reply)); err != nil {
			m.t.Fatal(err)
		}
	}
	if m.sa == nil {
		m.t.Fatal("Phase 1 was not established")
	}
	return m
}

func (m *natted) join() *natted {
	p := m.begin()
	p.read2(message(m.pass(p.message1())))
	p.read4(message(m.pass(p.message3())))
	return m
}

// rekeyed says where a PUSH goes.
func (m *natted) rekeyed() string {
	sent := m.lab.rekey(control.RekeyArgs{})
	if len(sent) == 0 {
		return "nowhere"
	}
	return fmt.Sprintf("%s to %s", sent[0].From, sent[0].To)
}

func TestThroughNAT(t *testing.T) {
	l := newLab(t, configuration(withNATT), nil)
	m := l.natted(1).through(848)
	if m.via != natt.Port {
		t.Fatalf("the member is on port %d", m.via)
	}
	m.join()
	if got := m.rekeyed(); got != "192.0.2.250:4500 to 192.0.2.100:40001" {
		t.Errorf("PUSH from %s", got)
	}
	other := l.natted(2)
	other.ports = map[uint16]uint16{848: 50000, natt.Port: 50001}
	other.through(848).join()
	if sent := l.rekey(control.RekeyArgs{}); len(sent) != 2 || sent[0].To == sent[1].To {
		t.Errorf("PUSH to %v", sent)
	}
}

// TestMovedByNAT: what is proven moves a member, a repeat does not, and neither does what is wrong.
func TestMovedByNAT(t *testing.T) {
	l := newLab(t, configuration(withNATT), nil)
	m := l.natted(1).through(848).join()
	p := m.begin()
	first := p.message1()
	wrong := bytes.Clone(first)
	wrong[len(wrong)-1] ^= 1
	m.ports[natt.Port] = 6666
	m.pass(wrong)
	if got := m.rekeyed(); got != "192.0.2.250:4500 to 192.0.2.100:40001" {
		t.Errorf("after a wrong message: PUSH from %s", got)
	}
	m.ports[natt.Port] = 40002
	m.pass(first)
	if got := m.rekeyed(); got != "192.0.2.250:4500 to 192.0.2.100:40002" {
		t.Errorf("after a right message: PUSH from %s", got)
	}
	m.ports[natt.Port] = 6666
	if again := m.pass(first); again.To != m.seen() {
		t.Errorf("a repeat is answered to %s", again.To)
	}
	if got := m.rekeyed(); got != "192.0.2.250:4500 to 192.0.2.100:40002" {
		t.Errorf("after a repeat: PUSH from %s", got)
	}
}

func TestAckBehindNAT(t *testing.T) {
	l := newLab(t, configuration(withNATT, acknowledged), nil)
	m := l.natted(1).through(848).join()
	m.lab.rekey(control.RekeyArgs{})
	m.pass(ackOf(m.rekey, 1, m.addr.Addr()))
	if got := l.status().Groups[0].Members[0].Acked; got != 1 {
		t.Errorf("acknowledged %d", got)
	}
}

func TestFormerPort(t *testing.T) {
	l := newLab(t, configuration(withNATT), nil)
	m := l.natted(1).through(848).join()
	if again := m.pass(m.out); len(again.Data) == 0 {
		t.Error("message 5 again is not answered")
	}
	m.via = 848
	if again := m.pass(m.out); len(again.Data) != 0 || l.rejected("RFC3947-4-06") != 1 {
		t.Errorf("on the former port: %x", again.Data)
	}
}

// beyond is a member on the other side of a NAT in front of the key server.
func (l *lab) beyond(n int) *natted {
	m := l.natted(n)
	m.outside = netip.MustParseAddr("192.0.2.240")
	return m
}

// kept are the keepalives among what is sent.
func kept(sent []*core.Send) (to []netip.AddrPort) {
	for _, s := range sent {
		if s.Kind == core.Keepalive {
			to = append(to, s.To)
		}
	}
	return to
}

func TestKeepalivesOfAKeyServer(t *testing.T) {
	l := newLab(t, configuration(withNATT, acknowledged), nil)
	m := l.beyond(1).through(848).join()
	if early := kept(l.pass(19 * time.Second)); len(early) != 0 {
		t.Errorf("before their time: %v", early)
	}
	if got := kept(l.pass(42 * time.Second)); !slices.Equal(got, []netip.AddrPort{m.seen(), m.seen(), m.seen()}) {
		t.Errorf("in a minute: %v", got)
	}
	l.pass(15 * time.Second)
	m.rekeyed()
	m.pass(ackOf(m.rekey, 1, m.addr.Addr()))
	if got := kept(l.pass(15 * time.Second)); len(got) != 0 {
		t.Errorf("so soon after a PUSH: %v", got)
	}
	m.ports[natt.Port] = 40002
	m.pass(m.begin().message1())
	if got := kept(l.pass(21 * time.Second)); !slices.Equal(got, []netip.AddrPort{m.seen()}) {
		t.Errorf("after the member has moved: %v", got)
	}
	l.pass(49 * time.Hour) // in which the member acknowledges nothing more, and its Phase 1 ends
	if got := kept(l.pass(time.Hour)); len(got) != 0 {
		t.Errorf("%d long after the last SA with the member", len(got))
	}
}

func TestNoKeepalivesOfAKeyServerWithoutNAT(t *testing.T) {
	l := newLab(t, configuration(withNATT), nil)
	l.natted(1).through(848).join()
	if got := kept(l.pass(time.Hour)); len(got) != 0 {
		t.Errorf("to %v", got)
	}
}

// behindNAT is all that the guards of NAT traversal can be told by.
func (w *witness) behindNAT(l *lab) {
	m := l.natted(1).through(848).join()
	w.see("PUSH %s", m.rekeyed())
	m.ports[natt.Port] = 6666
	m.pass(append(bytes.Clone(m.begin().message1()), 0))
	w.see("after a wrong message %s", m.rekeyed())
	m.ports[natt.Port] = 40002
	m.pass(m.begin().message1())
	w.see("after a right one %s", m.rekeyed())
	answer := m.pass(m.begin().message1())
	w.see("message 2 from %s to %s", answer.From, answer.To)
	l.pass(time.Second)
	w.see("begins there %t", l.natted(2).through(natt.Port).sa != nil)
}

// hidden is all that the guards of a key server behind a NAT can be told by.
func (w *witness) hidden(l *lab) {
	l.beyond(1).through(848).join()
	for range 30 {
		w.see("%v", kept(l.pass(time.Second)))
	}
}

// watching has the key server ask peers that are silent whether they are there.
func watching(cfg *policy.KeyServer) { cfg.Phase1.DPD = 2 * time.Second }

// keptAlive counts how often a key server asks a member that sends nothing but keepalives whether it is there.
func (w *witness) keptAlive(l *lab) {
	m, asked := l.natted(1).through(848).join(), 0
	for range 60 {
		m.via = natt.Port
		m.handle(&core.Datagram{From: m.seen(), To: netip.AddrPortFrom(ksAddress.Addr(), natt.Port), Data: natt.AppendKeepalive(nil)})
		for _, s := range l.pass(time.Second) {
			if s.Kind == core.Informational {
				asked++
			}
		}
	}
	w.see("%d questions", asked)
}
