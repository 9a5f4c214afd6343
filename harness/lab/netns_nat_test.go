package lab

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// natScene is a network with a NAT, and sockets on its nodes.
type natScene struct {
	*testing.T
	net *kernelNet
}

func newNATScene(t *testing.T, plan Plan) *natScene {
	t.Helper()
	needKernel(t)
	if err := (Namespaces{}).NATUsable(); err != nil {
		t.Skip(err)
	}
	opened, err := Namespaces{}.Open(context.Background(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return &natScene{t, opened.(*kernelNet)}
}

func (s *natScene) socket(node string, port uint16) *net.UDPConn {
	s.Helper()
	conn, err := s.net.Socket(node, port)
	if err != nil {
		s.Fatal(err)
	}
	return conn
}

// send has a datagram leave, and returns where it comes from as its receiver sees it.
func (s *natScene) send(from *net.UDPConn, to netip.AddrPort, at *net.UDPConn) netip.AddrPort {
	s.Helper()
	if _, err := from.WriteToUDPAddrPort([]byte("data"), to); err != nil {
		s.Fatal(err)
	}
	if err := at.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		s.Fatal(err)
	}
	_, seen, err := at.ReadFromUDPAddrPort(make([]byte, 100))
	if err != nil {
		s.Fatal(err)
	}
	return netip.AddrPortFrom(seen.Addr().Unmap(), seen.Port())
}

// crosses waits until a packet between these addresses is on a link, and reports whether it ever was.
func (s *natScene) crosses(link string, from, to netip.Addr) bool {
	return s.net.Wait(context.Background(), Patience, func() bool {
		return slices.ContainsFunc(s.net.Frames(), func(f capture.Frame) bool {
			ip, ok := ParseIPv4(f.Packet)
			return ok && f.Link == link && ip.Source == from && ip.Destination == to
		})
	})
}

func TestKernelNAT(t *testing.T) {
	s := newNATScene(t, Plan{Members: 2, NAT: []int{1}})
	ks, other := netip.AddrPortFrom(KeyServerAddr, natt.Port), netip.AddrPortFrom(KeyServerAddr, Port)
	member, server, elsewhere, outside := s.socket("gm1", natt.Port), s.socket("ks", natt.Port), s.socket("ks", Port), s.socket("gm2", natt.Port)
	first := s.send(member, ks, server)
	if first.Addr() != NATAddr || first.Port() < natFirst || s.send(member, ks, server) != first {
		t.Errorf("seen at %s", first)
	}
	if at := s.send(member, other, elsewhere); at == first {
		t.Errorf("one port, %d, for two peers", at.Port())
	}
	if at := s.send(outside, ks, server); at.Addr() != MemberAddr(2) {
		t.Errorf("who is not behind the NAT is seen at %s", at)
	}
	if back := s.send(server, first, member); back != ks {
		t.Errorf("the answer comes from %s", back)
	}
	if !s.crosses(NATLink, MemberAddr(1), KeyServerAddr) || !s.crosses("wan", NATAddr, KeyServerAddr) ||
		!s.crosses(NATLink, KeyServerAddr, MemberAddr(1)) || !s.crosses("wan", KeyServerAddr, NATAddr) {
		t.Error("the record does not have both sides")
	}
	if err := s.net.NAT().Forget(); err != nil {
		t.Fatal(err)
	}
	if at := s.send(member, ks, server); at == first {
		t.Error("the NAT has forgotten nothing")
	}
	if err := s.net.NAT().Expire(time.Minute); err != nil {
		t.Error(err)
	}
}

// What nobody inside has asked for stays outside: the next datagram that arrives is another one.
func TestKernelNATLetsNobodyIn(t *testing.T) {
	s := newNATScene(t, Plan{Members: 2, NAT: []int{1}})
	member, server, outside := s.socket("gm1", natt.Port), s.socket("ks", natt.Port), s.socket("gm2", natt.Port)
	at := s.send(member, netip.AddrPortFrom(KeyServerAddr, natt.Port), server)
	if _, err := outside.WriteToUDPAddrPort([]byte("data"), at); err != nil {
		t.Fatal(err)
	}
	if !s.crosses("wan", MemberAddr(2), NATAddr) {
		t.Fatal("the datagram does not come as far as the NAT")
	}
	if from := s.send(server, at, member); from.Addr() != KeyServerAddr {
		t.Errorf("%s gets in", from)
	}
}

func TestKernelNATForwards(t *testing.T) {
	s := newNATScene(t, Plan{Members: 2, HideKeyServer: true})
	server, outside := s.socket("ks", natt.Port), netip.AddrPortFrom(NATAddr, natt.Port)
	for i, name := range []string{"gm1", "gm2"} {
		member := s.socket(name, natt.Port)
		at := s.send(member, outside, server)
		if at.Addr() != MemberAddr(i+1) {
			t.Errorf("%s is seen at %s", name, at)
		}
		if back := s.send(server, at, member); back != outside {
			t.Errorf("%s has the answer from %s", name, back)
		}
	}
}
