package member_test

import (
	"cmp"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// withNATT has the member take part in NAT traversal.
func withNATT(cfg *policy.Member) { cfg.Phase1.NATTraversal = true }

// behindNAT has the key server find a NAT in front of the member.
func behindNAT(l *lab) { l.ks.nat = true }

// translated is where the NAT has the member.
func translated(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.77"), a.Port()+1)
}

// unmark takes a message of the member as the key server beyond the NAT gets it; nil for a keepalive.
func (k *testKS) unmark(s *core.Send) *core.Send {
	if !k.nat {
		return s
	}
	seen := &core.Send{From: translated(s.From), To: s.To, Data: s.Data, Kind: s.Kind}
	if s.From.Port() != natt.Port {
		return seen
	}
	if k.moved != 0 {
		k.asked = append(k.asked, s.To)
	}
	kind, message, err := natt.Split(s.Data)
	switch {
	case err != nil || kind == natt.KindESP:
		k.Errorf("on port 4500: %x", s.Data)
	case kind == natt.KindKeepalive:
		k.keepalives++
		return nil
	}
	seen.Data = message
	return seen
}

// datagram is a message from one of the key server's ports, as it comes out of the NAT.
func (k *testKS) datagram(from netip.AddrPort, data []byte) *core.Datagram {
	if from.Port() != natt.Port {
		return &core.Datagram{From: k.address, To: gmAddress, Data: data}
	}
	return &core.Datagram{From: netip.AddrPortFrom(k.address.Addr(), cmp.Or(k.moved, natt.Port)), To: netip.AddrPortFrom(gmAddress.Addr(), natt.Port),
		Data: append(natt.AppendMarker(nil), data...)}
}

// keepalive is one from the key server.
func keepalive() *core.Datagram {
	return &core.Datagram{From: netip.AddrPortFrom(ksAddress.Addr(), natt.Port), To: netip.AddrPortFrom(gmAddress.Addr(), natt.Port),
		Data: natt.AppendKeepalive(nil)}
}

func registeredBehindNAT(t *testing.T, change ...func(*policy.Member)) *lab {
	t.Helper()
	cfg := config()
	withNATT(&cfg)
	for _, c := range change {
		c(&cfg)
	}
	l := newLabWith(t, cfg, nil)
	behindNAT(l)
	l.start()
	l.want("state", l.status().State, "registered")
	return l
}

func TestKeepalives(t *testing.T) {
	l := registeredBehindNAT(t)
	l.run(19 * time.Second)
	if l.ks.keepalives != 0 {
		t.Error("a keepalive before its time")
	}
	l.run(41 * time.Second)
	if l.ks.keepalives != 3 {
		t.Errorf("%d keepalives in a minute", l.ks.keepalives)
	}
	l.command("clear")
	if l.run(30 * time.Second); !slices.Contains(l.ks.heard, core.Keepalive) {
		t.Error("none after a new registration")
	}
}

func TestNoKeepalivesWithoutNAT(t *testing.T) {
	cfg := config()
	withNATT(&cfg)
	l := newLabWith(t, cfg, nil).start()
	l.run(time.Minute)
	l.want("state", l.status().State, "registered")
	if slices.Contains(l.ks.heard, core.Keepalive) {
		t.Error("a keepalive without a NAT")
	}
}

// TestPushThroughNAT: an acknowledgement leaves from where the PUSH came to, marker and all.
func TestPushThroughNAT(t *testing.T) {
	l := registeredBehindNAT(t)
	l.ks.rekey.Ack = policy.AckKEKSHA256
	l.command("register")
	l.event(l.ks.datagram(netip.AddrPortFrom(ksAddress.Addr(), natt.Port), l.ks.makePush(pushSpec{seq: 1})))
	if len(l.ks.acks) != 1 || l.ks.acks[0].From != translated(netip.AddrPortFrom(gmAddress.Addr(), natt.Port)) {
		t.Fatalf("%v\n%s", l.ks.acks, l.story())
	}
}

// TestReusesPhase1BehindNAT: the key server's other port does not make it another key server.
func TestReusesPhase1BehindNAT(t *testing.T) {
	l := registeredBehindNAT(t)
	l.forget()
	l.command("register")
	if slices.Contains(l.talk, "GM --> MM1") {
		t.Errorf("%s", l.story())
	}
}

// moves has a NAT give the key server another port before the next PULL.
func moves(l *lab) {
	l.ks.moved = 40002
	l.command("register")
}

// TestKeyServerMoves: a proven message from another port has the member go on there.
func TestKeyServerMoves(t *testing.T) {
	l := registeredBehindNAT(t)
	moves(l)
	moved := netip.AddrPortFrom(ksAddress.Addr(), 40002)
	if want := []netip.AddrPort{netip.AddrPortFrom(ksAddress.Addr(), natt.Port), moved}; !slices.Equal(l.ks.asked, want) {
		t.Errorf("PULL messages to %v", l.ks.asked)
	}
	l.ks.asked = nil
	if l.run(21 * time.Second); !slices.Equal(l.ks.asked, []netip.AddrPort{moved}) {
		t.Errorf("keepalives to %v", l.ks.asked)
	}
}

func TestUnmarkedIsRefused(t *testing.T) {
	l := registeredBehindNAT(t)
	from, to := netip.AddrPortFrom(ksAddress.Addr(), natt.Port), netip.AddrPortFrom(gmAddress.Addr(), natt.Port)
	l.event(&core.Datagram{From: from, To: to, Data: l.ks.makePush(pushSpec{seq: 1})})
	l.event(&core.Datagram{From: from, To: to, Data: []byte{0xff}})
	l.want("refusals", l.refusals(), "RFC3947-4-03:1")
}
