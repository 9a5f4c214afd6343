package gateway

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func concealing(t policy.TFC) func(*Config) { return func(c *Config) { c.TFC = t } }

func TestPadding(t *testing.T) {
	for _, c := range []struct{ payload, unit, want int }{
		{100, 256, 256}, {228, 256, 256}, {229, 256, 512}, {1400, 1000, 1446}, {1418, 1000, 1446}, {100, 1, 128}, {100, 65535, 1446},
	} {
		a, b := newGateway(t, gatewayA, concealing(policy.TFC{PadTo: c.unit}), gcmSA(1)), newGateway(t, gatewayB, nil, gcmSA(1))
		packet := udp(t, hostA, hostB, c.payload)
		outer, inner := through(t, a, b, packet)
		if sealed := len(outer) - headerLen - 8 - 8 - 2 - 16; sealed < c.want || sealed > c.want+3 || len(outer) > defaultMTU {
			t.Errorf("%d octets padded to %d: %d are sealed, in a packet of %d", len(packet), c.unit, sealed, len(outer))
		}
		if !bytes.Equal(inner, packet) {
			t.Errorf("%d octets padded to %d came as %d", len(packet), c.unit, len(inner))
		}
	}
}

// Transport mode and AH have nothing to hide padding in.
func TestNotPadded(t *testing.T) {
	for name, alter := range map[string]func(*policy.TrafficSA){
		"transport mode": func(s *policy.TrafficSA) { s.Transform.Mode = policy.ModeTransport },
		"AH": func(s *policy.TrafficSA) {
			s.Transform.Protocol, s.Transform.Cipher, s.Transform.KeyBits, s.Transform.Integrity = policy.ProtocolAH, 0, 0, policy.IntegrityHMACSHA1
			s.CipherKey, s.IntegrityKey = nil, make([]byte, 20)
		},
	} {
		sa := gcmSA(1)
		alter(&sa)
		var lengths []int
		for _, tfc := range []policy.TFC{{}, {PadTo: 1000}} {
			g := newGateway(t, gatewayA, func(c *Config) { c.TFC, c.Transport = tfc, true }, sa)
			lengths = append(lengths, len(one(t, g, at(1), core.Inside, udp(t, hostA, hostB, 100), core.Outside)))
		}
		if lengths[0] != lengths[1] {
			t.Errorf("%s: %v octets", name, lengths)
		}
	}
}

func TestDummies(t *testing.T) {
	for name, alter := range map[string]func(*policy.TrafficSA){
		"tunnel":    func(*policy.TrafficSA) {},
		"transport": func(s *policy.TrafficSA) { s.Transform.Mode = policy.ModeTransport },
		"tunnel in UDP": func(s *policy.TrafficSA) {
			s.Transform.Mode, s.Transform.Preservation = policy.ModeUDPTunnel, policy.PreserveNone
		},
		"transport in UDP": func(s *policy.TrafficSA) { s.Transform.Mode = policy.ModeUDPTransport },
	} {
		sa := gcmSA(1)
		alter(&sa)
		setup := func(c *Config) {
			c.TFC.DummyAfter, c.Transport, c.UDP = 2, true, true
			c.Peers = []policy.TunnelPeer{{Network: mustPrefix("10.1.0.0/16"), Gateway: netip.MustParseAddr(gatewayA)},
				{Network: mustPrefix("10.2.0.0/16"), Gateway: netip.MustParseAddr(gatewayB)}}
		}
		a, b := newGateway(t, gatewayA, setup, sa), newGateway(t, gatewayB, setup, sa)
		var all []emitted
		for range 4 {
			out, err := handle(a, at(1), core.Inside, udp(t, hostA, hostB, 100))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, out...)
		}
		if len(all) != 6 || len(all[2].bytes) != len(all[1].bytes) || a.Counters()["encrypted"] != 4 {
			t.Fatalf("%s: %d packets, counters %v", name, len(all), a.Counters())
		}
		for i, p := range all {
			out, err := handle(b, at(1), core.Outside, p.bytes)
			if dummy := i == 2 || i == 5; err != nil || len(out) == 0 != dummy {
				t.Errorf("%s: of packet %d came %d, %v", name, i, len(out), err)
			}
		}
	}
}

func TestConcealmentMutants(t *testing.T) {
	with := func(guard string, tfc policy.TFC) *Gateway {
		return newGateway(t, gatewayA, func(c *Config) {
			mutant(t, guard, "broken")(c)
			c.TFC = tfc
		}, gcmSA(1))
	}
	one(t, with("gateway.tfc.dummy", policy.TFC{DummyAfter: 1}), at(1), core.Inside, udp(t, hostA, hostB, 10), core.Outside)
	packet := udp(t, hostA, hostB, 10)
	_, inner := through(t, with("gateway.tfc.length", policy.TFC{PadTo: 256}), newGateway(t, gatewayB, nil, gcmSA(1)), packet)
	if len(inner) != 256 {
		t.Errorf("the mutant's packet has %d octets", len(inner))
	}
}
