package member_test

import (
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/member"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// clearPacket is a UDP packet from a host behind the member to one behind another, without checksums of UDP.
func clearPacket() []byte {
	p := []byte{
		0x45, 0, 0, 32, 0, 1, 0, 0, 63, 17, 0, 0, 10, 1, 0, 5, 10, 2, 0, 7, // IPv4
		0x13, 0x88, 0x13, 0x89, 0, 12, 0, 0, // UDP
		'p', 'i', 'n', 'g',
	}
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(p[i])<<8 | uint32(p[i+1])
	}
	sum = sum&0xffff + sum>>16
	sum = ^(sum + sum>>16)
	p[10], p[11] = byte(sum>>8), byte(sum)
	return p
}

// Two members of the group: what one protects, the other opens.
func TestPacketsBetweenMembers(t *testing.T) {
	a := registered(t)
	cfg := config()
	cfg.Name, cfg.Address = "gm2", addrPort("192.0.2.2:848")
	cfg.Inside = []netip.Prefix{prefix("10.2.0.0/16")}
	b := newLabWith(t, cfg, nil).start()

	sent := forwarded(t, a, core.Inside, clearPacket())
	if sent.To != core.Outside || sent.Data[9] != 50 {
		t.Fatalf("the packet leaves to the %s with protocol %d", sent.To, sent.Data[9])
	}
	got := forwarded(t, b, core.Outside, sent.Data)
	if got.To != core.Inside || string(got.Data[28:]) != "ping" {
		t.Errorf("to the %s comes %x", got.To, got.Data)
	}
}

// forwarded is the one packet that becomes of another.
func forwarded(t *testing.T, l *lab, from core.Side, data []byte) core.Forward {
	t.Helper()
	return becomes(t, l, &core.Packet{From: from, Data: data})
}

// becomes is the one packet that becomes of an event.
func becomes(t *testing.T, l *lab, ev core.Event) (out core.Forward) {
	t.Helper()
	n := 0
	for _, e := range l.gm.Handle(l.now, ev) {
		if f, ok := e.(*core.Forward); ok {
			out = *f
			n++
		}
	}
	if n != 1 {
		t.Fatalf("%d packets leave\n%s", n, l.story())
	}
	return out
}

// A packet that the gateway refuses is counted and logged, whoever drives the gateway.
func TestRefusedPacket(t *testing.T) {
	l := registered(t)
	sent := forwarded(t, l, core.Inside, clearPacket())
	sent.Data[len(sent.Data)-1] ^= 1
	l.event(&core.Packet{From: core.Outside, Data: sent.Data})
	refused := l.refusals()
	if refused == "" || l.tags() != "REFUSED" {
		t.Fatalf("refusals %q, log %s", refused, l.story())
	}

	var v *rule.Violation
	direct := registered(t)
	err := direct.gm.Gateway().Handle(direct.now, core.Outside, sent.Data, func(core.Side, []byte) { t.Error("it passes") })
	if v = violation(err); v == nil {
		t.Fatalf("the gateway says %v", err)
	}
	direct.effects(direct.gm.Refused(direct.now, v))
	direct.want("refusals", direct.refusals(), refused)
}

// A sender whose IVs are used up registers again, once.
func TestExhaustedSender(t *testing.T) {
	l := registered(t)
	l.ks.deaf = true
	space, _ := rule.Find("esp.seal.space")
	for range 3 {
		l.effects(l.gm.Refused(l.now, space.Violated("all IVs are used up")))
	}
	l.conversation("GM --> PULL1")
	l.run(31e9)
	l.want("state", l.status().State, "phase1")
}

// The SAs are gone, their flows stay protected: nothing leaves in clear.
func TestClearedFlowsStayProtected(t *testing.T) {
	l := registered(t)
	l.ks.deaf = true
	l.command("clear")
	l.event(&core.Packet{From: core.Inside, Data: clearPacket()})
	if len(l.passed) != 0 {
		t.Errorf("%v left", l.passed)
	}
}

func BenchmarkUnknownCookies(b *testing.B) {
	l := registered(b)
	push := l.ks.makePush(pushSpec{seq: 1, sas: nil})
	push[3] ^= 1
	ev := &core.Datagram{From: ksAddress, To: gmAddress, Data: push}
	for range 100 {
		l.gm.Handle(l.now, ev) // the log lines that are allowed
	}
	b.ReportAllocs()
	for b.Loop() {
		l.gm.Handle(l.now, ev)
	}
}

func TestUnknownCookiesAllocateNothing(t *testing.T) {
	l := registered(t)
	push := l.ks.makePush(pushSpec{seq: 1})
	push[3] ^= 1
	ev := &core.Datagram{From: ksAddress, To: gmAddress, Data: push}
	for range 100 {
		l.gm.Handle(l.now, ev)
	}
	if n := testing.AllocsPerRun(1000, func() { l.gm.Handle(l.now, ev) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPush(b *testing.B) {
	l := registered(b)
	push := l.ks.makePush(pushSpec{seq: 1, sig: func(sig []byte) { sig[0] ^= 1 }})
	ev := &core.Datagram{From: ksAddress, To: gmAddress, Data: push}
	for range 100 {
		l.gm.Handle(l.now, ev)
	}
	b.ReportAllocs()
	for b.Loop() {
		l.gm.Handle(l.now, ev)
	}
}

var _ core.Core = (*member.Member)(nil)
