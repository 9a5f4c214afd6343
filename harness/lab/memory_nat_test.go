package lab

import (
	"net/netip"
	"testing"
	"time"
)

func natPacket(t *testing.T, from, to netip.AddrPort) []byte {
	t.Helper()
	packet, err := UDPPacket(from, to, 64, []byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// ends are the addresses of a UDP packet whose checksum is right.
func ends(t *testing.T, packet []byte) (from, to netip.AddrPort) {
	t.Helper()
	ip, ok := ParseIPv4(packet)
	from, to, data, isUDP := ip.UDP()
	if !ok || !isUDP || !ip.Packet().intact() || string(data) != "data" {
		t.Fatalf("%x", packet)
	}
	return from, to
}

func TestNAT(t *testing.T) {
	now := memoryEpoch
	n := newMemoryNAT(Plan{NAT: []int{1}})
	inner, ks := netip.AddrPortFrom(MemberAddr(1), 4500), netip.AddrPortFrom(KeyServerAddr, 4500)
	send := func(to netip.AddrPort) netip.AddrPort {
		t.Helper()
		packet, ok := n.out(now, natPacket(t, inner, to))
		if !ok {
			t.Fatal("a packet does not get out")
		}
		from, at := ends(t, packet)
		if at != to || from.Addr() != NATAddr {
			t.Fatalf("%s to %s", from, at)
		}
		return from
	}
	gets := func(from, to netip.AddrPort) bool {
		t.Helper()
		packet, ok := n.in(now, natPacket(t, from, to))
		if !ok {
			return false
		}
		at, got := ends(t, packet)
		return at == from && got == inner
	}
	first := send(ks)
	if !n.Hides(inner.Addr()) || n.Hides(MemberAddr(2)) || first.Port() == inner.Port() || send(ks) != first {
		t.Errorf("at %s", first)
	}
	other := netip.AddrPortFrom(KeyServerAddr, 848)
	if send(other) == first || !gets(ks, first) || gets(other, first) {
		t.Error("one port for two peers")
	}
	_ = n.Expire(time.Minute)
	if now = now.Add(59 * time.Second); !gets(ks, first) {
		t.Error("the mapping has ended too early")
	}
	if now = now.Add(time.Second); gets(ks, first) {
		t.Error("packets from outside keep the mapping")
	}
	second := send(ks)
	if _ = n.Forget(); second == first || gets(ks, second) || send(ks) == second {
		t.Error("the NAT has forgotten nothing")
	}
}

// A UDP packet without a checksum stays without, and what is no UDP does not pass.
func TestNATChecksum(t *testing.T) {
	n := newMemoryNAT(Plan{NAT: []int{1}})
	packet := natPacket(t, netip.AddrPortFrom(MemberAddr(1), 4500), netip.AddrPortFrom(KeyServerAddr, 4500))
	packet[26], packet[27] = 0, 0
	out, ok := n.out(memoryEpoch, packet)
	if !ok || out[26] != 0 || out[27] != 0 {
		t.Errorf("%x", out)
	}
	esp, err := ESPPacket(MemberAddr(1), KeyServerAddr, make([]byte, 40))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range [][]byte{esp, nil, packet[:19]} {
		if _, ok := n.out(memoryEpoch, p); ok {
			t.Errorf("out: %x", p)
		}
		if _, ok := n.in(memoryEpoch, p); ok {
			t.Errorf("in: %x", p)
		}
	}
}

// A key server behind the NAT is found on its own ports, by everybody, and answers from there.
func TestNATForwards(t *testing.T) {
	n := newMemoryNAT(Plan{HideKeyServer: true})
	ks, outside := netip.AddrPortFrom(KeyServerAddr, 4500), netip.AddrPortFrom(NATAddr, 4500)
	for _, peer := range []netip.AddrPort{netip.AddrPortFrom(MemberAddr(1), 4500), netip.AddrPortFrom(MemberAddr(2), 50000)} {
		in, ok := n.in(memoryEpoch, natPacket(t, peer, outside))
		if !ok {
			t.Fatalf("%s does not get in", peer)
		}
		if from, to := ends(t, in); from != peer || to != ks {
			t.Errorf("%s to %s", from, to)
		}
		out, _ := n.out(memoryEpoch, natPacket(t, ks, peer))
		if from, to := ends(t, out); from != outside || to != peer {
			t.Errorf("the answer from %s to %s", from, to)
		}
	}
	if _, ok := n.in(memoryEpoch, natPacket(t, netip.AddrPortFrom(MemberAddr(1), 4500), netip.AddrPortFrom(NATAddr, 501))); ok {
		t.Error("another port is handed on")
	}
}
