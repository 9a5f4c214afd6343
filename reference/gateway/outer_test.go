package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestOuterDF(t *testing.T) {
	for _, c := range []struct {
		policy    policy.DFPolicy
		inner, df bool
	}{
		{policy.DFCopy, false, false}, {policy.DFCopy, true, true}, {policy.DFSet, false, true}, {policy.DFSet, true, true},
		{policy.DFClear, false, false}, {policy.DFClear, true, false},
	} {
		t.Run(fmt.Sprintf("policy %d, DF %v", c.policy, c.inner), func(t *testing.T) {
			set := func(g *Config) { g.DF = c.policy }
			var alter []header
			if c.inner {
				alter = append(alter, dontFragment)
			}
			packet := udp(t, hostA, hostB, 10, alter...)
			outer, inner := through(t, newGateway(t, gatewayA, set, gcmSA(1)), newGateway(t, gatewayB, nil, gcmSA(1)), packet)
			if got := decode(t, outer).Flags&layers.IPv4DontFragment != 0; got != c.df || !bytes.Equal(inner, packet) {
				t.Errorf("outer DF %v", got)
			}
			// What is too big is treated as its source wants, whatever the outer header says (RFC 4301 §8.2.1).
			out, err := handle(newGateway(t, gatewayA, set, gcmSA(1)), at(1), core.Inside, udp(t, hostA, hostB, 1472, alter...))
			if err != nil || c.inner != (len(out) == 1 && out[0].to == core.Inside) || !c.inner && len(out) != 2 {
				t.Errorf("too big: %d packets, %v", len(out), err)
			}
			neglects := func(g *Config) { set(g); g.Rules = switches(t, "gateway.outer.dfpolicy", "broken") }
			wrong := decode(t, one(t, newGateway(t, gatewayA, neglects, gcmSA(1)), at(1), core.Inside, packet, core.Outside))
			if got := wrong.Flags&layers.IPv4DontFragment != 0; got != c.inner {
				t.Errorf("mutant: outer DF %v", got)
			}
		})
	}
}

func TestFixedDSCPAndTTL(t *testing.T) {
	ten := uint8(10)
	set := func(c *Config) { c.DSCP, c.TTL = &ten, 255 }
	for _, tos := range []uint8{0, 46<<2 | 2, 3} {
		packet := udp(t, hostA, hostB, 10, func(ip *layers.IPv4) { ip.TOS = tos })
		outer, inner := through(t, newGateway(t, gatewayA, set, gcmSA(1)), newGateway(t, gatewayB, nil, gcmSA(1)), packet)
		if ip := decode(t, outer); ip.TOS != 10<<2|tos&3 || ip.TTL != 255 || !bytes.Equal(inner, packet) {
			t.Errorf("TOS %02x, TTL %d", ip.TOS, ip.TTL)
		}
		neglects := func(c *Config) { set(c); c.Rules = switches(t, "gateway.outer.dscpfixed", "broken") }
		if ip := decode(t, one(t, newGateway(t, gatewayA, neglects, gcmSA(1)), at(1), core.Inside, packet, core.Outside)); ip.TOS != tos {
			t.Errorf("mutant: TOS %02x", ip.TOS)
		}
	}
}

func TestFragmentAfterByConfiguration(t *testing.T) {
	after := func(c *Config) { c.Fragment = policy.FragmentAfter }
	packet := udp(t, hostA, hostB, 2800)
	out, err := handle(newGateway(t, gatewayA, after, gcmSA(1)), at(1), core.Inside, packet)
	if err != nil || len(out) != 2 || out[0].bytes[offFragment] != flagMF>>8 {
		t.Fatalf("%d packets, %v", len(out), err)
	}
	whole := defragment(t, [][]byte{out[0].bytes, out[1].bytes})
	if got := one(t, newGateway(t, gatewayB, nil, gcmSA(1)), at(1), core.Outside, whole, core.Inside); !bytes.Equal(got, packet) {
		t.Error("another packet comes out")
	}
}

func TestTunnelPeers(t *testing.T) {
	peers := func(c *Config) {
		c.Peers = []policy.TunnelPeer{
			{Network: mustPrefix("10.0.0.0/8"), Gateway: netip.MustParseAddr("192.0.2.9")},
			{Network: mustPrefix("10.2.0.0/16"), Gateway: netip.MustParseAddr(gatewayB)},
			{Network: mustPrefix("10.0.0.0/9"), Gateway: netip.MustParseAddr("192.0.2.8")},
		}
	}
	for _, c := range []struct {
		preserve            policy.Preservation
		source, destination string // outer
	}{
		{policy.PreserveNone, gatewayA, gatewayB}, {policy.PreserveSource, hostA, gatewayB},
		{policy.PreserveDestination, gatewayA, hostB}, {policy.PreserveBoth, hostA, hostB}, {policy.PreserveAbsent, hostA, hostB},
	} {
		sa := gcmSA(1)
		sa.Transform.Preservation = c.preserve
		packet := udp(t, hostA, hostB, 10)
		outer, inner := through(t, newGateway(t, gatewayA, peers, sa), newGateway(t, gatewayB, nil, sa), packet)
		if ip := decode(t, outer); ip.SrcIP.String() != c.source || ip.DstIP.String() != c.destination || !bytes.Equal(inner, packet) {
			t.Errorf("preservation %d: %v -> %v", c.preserve, ip.SrcIP, ip.DstIP)
		}
		for name, field := range map[string]int{"gateway.outer.own": offSource, "gateway.outer.peer": offDestination} {
			neglects := func(g *Config) { peers(g); g.Rules = switches(t, name, "broken") }
			wrong := one(t, newGateway(t, gatewayA, neglects, sa), at(1), core.Inside, packet, core.Outside)
			if !bytes.Equal(wrong[field:field+4], packet[field:field+4]) {
				t.Errorf("preservation %d, mutant %s: %+v", c.preserve, name, decode(t, wrong))
			}
		}
	}
	sa := gcmSA(1)
	sa.Transform.Preservation = policy.PreserveNone
	g := newGateway(t, gatewayA, peers, sa)
	for _, c := range []struct{ to, peer string }{{"10.200.0.1", "192.0.2.9"}, {"10.3.0.1", "192.0.2.8"}} {
		if ip := decode(t, one(t, g, at(1), core.Inside, udp(t, hostA, c.to, 1), core.Outside)); ip.DstIP.String() != c.peer {
			t.Errorf("to %s by %s", c.to, ip.DstIP)
		}
	}
	g.cfg.Peers = g.cfg.Peers[1:2]
	if out, err := handle(g, at(1), core.Inside, udp(t, hostA, "10.3.0.1", 1)); !errors.Is(err, ErrNoPeer) || len(out) != 0 {
		t.Errorf("%d packets, %v", len(out), err)
	}
}

// Selectors of a multicast group are compared as the packet travels.
func TestUnswapped(t *testing.T) {
	group := gcmSA(1)
	group.Selector.Destination = mustPrefix("239.1.1.0/24")
	packet := udp(t, hostA, "239.1.1.7", 10)
	outer, inner := through(t, newGateway(t, gatewayA, nil, group), newGateway(t, gatewayB, nil, group), packet)
	if !bytes.Equal(inner, packet) {
		t.Errorf("%x", inner)
	}
	refuses(t, newGateway(t, gatewayB, mutant(t, "gateway.tunnel.unswapped", "broken"), group), at(1), core.Outside, outer, guardSelector)
}
