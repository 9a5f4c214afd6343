package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

const router = "203.0.113.1"

// needed is what a router outside says about a packet that does not fit its next link.
func needed(t *testing.T, about []byte, mtu uint16) []byte {
	t.Helper()
	icmp := append([]byte{icmpUnreachable, icmpTooBig, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)}, about[:min(len(about), headerLen+8)]...)
	return wrap(t, router, netip.AddrFrom4([4]byte(about[offSource:])).String(), protocolICMP, icmp)
}

// told returns the MTU that a host is told about a packet of 1500 octets with DF; 0 if the packet leaves.
func told(t *testing.T, g *Gateway, now float64) int {
	t.Helper()
	out, err := handle(g, at(now), core.Inside, udp(t, hostA, hostB, 1410, dontFragment))
	if err != nil || len(out) != 1 {
		t.Fatalf("%d packets, %v", len(out), err)
	}
	if out[0].to == core.Outside {
		return 0
	}
	return int(binary.BigEndian.Uint16(decode(t, out[0].bytes).Payload[6:]))
}

// hears gives a gateway a packet from outside that must come to nothing.
func hears(t *testing.T, g *Gateway, now float64, packet []byte) {
	t.Helper()
	if out, err := handle(g, at(now), core.Outside, packet); len(out) != 0 || err != nil {
		t.Errorf("%d packets, %v", len(out), err)
	}
}

func TestPathMTUIsLearntAndAged(t *testing.T) {
	for _, c := range []struct {
		preserve policy.Preservation
		mode     policy.Mode
	}{
		{policy.PreserveBoth, policy.ModeTunnel}, {policy.PreserveAbsent, policy.ModeTunnel}, {policy.PreserveDestination, policy.ModeTunnel},
		{policy.PreserveSource, policy.ModeTunnel}, {policy.PreserveNone, policy.ModeTunnel}, {policy.PreserveAbsent, policy.ModeTransport},
	} {
		sa := gcmSA(1)
		sa.Transform.Preservation, sa.Transform.Mode = c.preserve, c.mode
		g := newGateway(t, gatewayA, func(c *Config) {
			c.Transport, c.Inside = true, []netip.Prefix{mustPrefix("10.1.0.0/16")}
			c.Peers = []policy.TunnelPeer{{Network: mustPrefix("10.2.0.0/16"), Gateway: netip.MustParseAddr(gatewayB)}}
		}, sa)
		if got := told(t, g, 1); got != 0 {
			t.Errorf("told %d", got)
		}
		sent := one(t, g, at(1), core.Inside, udp(t, hostA, hostB, 1000), core.Outside)
		hears(t, g, 10, needed(t, sent, 1000))
		got := told(t, g, 11)
		if got < 1000-80 || got >= 1000 {
			t.Errorf("told %d", got)
		}
		if fits := one(t, g, at(11), core.Inside, udp(t, hostA, hostB, got-28, dontFragment), core.Outside); len(fits) > 1000 {
			t.Errorf("%d octets", len(fits))
		}
		if out, err := handle(g, at(11), core.Inside, udp(t, hostA, hostB, 1472)); err != nil || len(out) != 2 || len(out[0].bytes) > 1000 {
			t.Errorf("without DF: %d packets, %v", len(out), err)
		}
		out, err := handle(g, at(11), core.Inside, udp(t, hostA, "10.2.0.9", 1410, dontFragment))
		if err != nil || len(out) != 1 || (out[0].to == core.Outside) != c.preserve.Destination() {
			t.Errorf("to another host: %d packets, %v; it has a path of its own if its address is preserved", len(out), err)
		}
		if deadline, ok := g.Deadline(); !ok || !deadline.Equal(at(610)) {
			t.Errorf("deadline %v", deadline.Sub(t0))
		}
		if told(t, g, 609.9) == 0 || told(t, g, 610) != 0 {
			t.Error("forgotten too early or too late")
		}
		g.Expire(at(610))
		if len(g.paths) != 0 {
			t.Errorf("paths %v", g.paths)
		}
	}
}

func TestPathMTUIsOnlyLowered(t *testing.T) {
	g := newGateway(t, gatewayA, nil, gcmSA(1))
	sent := one(t, g, at(1), core.Inside, udp(t, hostA, hostB, 1000), core.Outside)
	for _, c := range []struct {
		now       float64
		says      uint16
		told, end int
	}{{10, 1600, 0, 0}, {10, 1400, 1346, 610}, {20, 1450, 1346, 610}, {20, 1400, 1346, 610}, {30, 0, 522, 630}} {
		hears(t, g, c.now, needed(t, sent, c.says))
		if got := told(t, g, c.now); got != c.told {
			t.Errorf("after %d: told %d, want %d", c.says, got, c.told)
		}
		if deadline, _ := g.Deadline(); c.end > 0 && !deadline.Equal(at(float64(c.end))) {
			t.Errorf("after %d: deadline %v", c.says, deadline.Sub(t0))
		}
	}
}

func TestNewsOfPathsIsChecked(t *testing.T) {
	inside := func(c *Config) { c.Inside = []netip.Prefix{mustPrefix("10.1.0.0/16")} }
	fresh := func(more ...func(*Config)) (*Gateway, []byte) {
		g := newGateway(t, gatewayA, func(c *Config) {
			inside(c)
			for _, f := range more {
				f(c)
			}
		}, gcmSA(1))
		return g, one(t, g, at(1), core.Inside, udp(t, hostA, hostB, 1000), core.Outside)
	}
	spi := func(b []byte) { b[headerLen] ^= 1 }
	for _, c := range []struct {
		name  string
		now   float64
		alter func(sent []byte)
		whole func(news []byte)
	}{
		{"another SPI", 2, spi, nil},
		{"too late", 70, nil, nil},
		{"a destination that the SA does not cover", 2, func(b []byte) { b[offDestination] = 11 }, nil},
		{"a source that is not behind the gateway", 2, func(b []byte) { b[offSource+1] = 3 }, nil},
		{"no ESP", 2, func(b []byte) { b[offProtocol] = protocolUDP }, nil},
		{"host unreachable", 2, nil, func(b []byte) { b[headerLen+1] = 1 }},
		{"time exceeded", 2, nil, func(b []byte) { b[headerLen] = 11 }},
	} {
		g, sent := fresh()
		if c.alter != nil {
			c.alter(sent)
		}
		news := needed(t, sent, 1000)
		if c.whole != nil {
			c.whole(news)
		}
		out, err := handle(g, at(c.now), core.Outside, news)
		if told(t, g, c.now) != 0 {
			t.Errorf("%s: believed", c.name)
		}
		if len(out) != 1 || out[0].to != core.Inside || err != nil {
			t.Errorf("%s: %d packets, %v; it is for somebody else", c.name, len(out), err)
		}
	}
	for n := range headerLen + 8 { // a quotation that is cut short
		g, sent := fresh()
		news := needed(t, sent, 1000)
		_, _ = handle(g, at(2), core.Outside, wrap(t, router, hostA, protocolICMP, news[headerLen:headerLen+icmpLen+n]))
		if told(t, g, 2) != 0 {
			t.Errorf("%d octets quoted: believed", n)
		}
	}

	g, sent := fresh(mutant(t, "gateway.pmtu.spi", "off"))
	spi(sent)
	hears(t, g, 2, needed(t, sent, 1000))
	if told(t, g, 2) == 0 {
		t.Error("mutant: not believed")
	}
	g, sent = fresh(mutant(t, "gateway.pmtu.learn", "broken"))
	hears(t, g, 2, needed(t, sent, 1000))
	if told(t, g, 2) != 0 {
		t.Error("mutant: believed")
	}
	for mutation, end := range map[string]float64{"up": 603, "down": 601} {
		g, sent = fresh(mutant(t, "gateway.pmtu.age", mutation))
		hears(t, g, 2, needed(t, sent, 1000))
		if told(t, g, end-0.1) == 0 || told(t, g, end) != 0 {
			t.Errorf("mutant %s: forgotten too early or too late", mutation)
		}
	}
}

func TestPathsAreBounded(t *testing.T) {
	g := newGateway(t, gatewayA, nil, gcmSA(1))
	for i := range maxPaths + 10 {
		dst := netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)}).String()
		sent := one(t, g, at(1), core.Inside, udp(t, hostA, dst, 10), core.Outside)
		hears(t, g, 1, needed(t, sent, 1000))
	}
	if len(g.paths) != maxPaths {
		t.Errorf("%d paths", len(g.paths))
	}
}

func TestPathMTU6(t *testing.T) {
	g := newGateway(t, gatewayA, dual, gcm6(1))
	sent := one6(t, g, core.Inside, udp6(t, host6A, host6B, 1300), core.Outside)
	for _, c := range []struct{ says, told uint32 }{{1400, 1326}, {600, 1280}} {
		icmp := append(binary.BigEndian.AppendUint32([]byte{icmp6TooBig, 0, 0, 0}, c.says), sent[:100]...)
		hears(t, g, 2, wrap6(t, "2001:db8:ffff::1", host6A, protocolICMPv6, icmp))
		out, err := handle(g, at(2), core.Inside, udp6(t, host6A, host6B, 1400))
		if err != nil || len(out) != 1 || binary.BigEndian.Uint32(out[0].bytes[header6Len+4:]) != c.told {
			t.Errorf("%+v: %d packets, %v", c, len(out), err)
		}
	}
	out, err := handle(g, at(2), core.Inside, udp6(t, host6A, host6B, 1280-48))
	if err != nil || len(out) != 2 || len(out[0].bytes) > 1280 {
		t.Errorf("the least that a link must carry: %d packets, %v", len(out), err)
	}
}

// News of ESP that is nobody's here, or of the group's traffic in clear, gets no special treatment.
func TestOtherNewsIsClearTraffic(t *testing.T) {
	everything := gcmSA(1)
	everything.Selector = policy.Selector{}
	g := newGateway(t, gatewayA, nil, everything)
	news := needed(t, wrap(t, hostA, hostB, protocolESP, bytes.Repeat([]byte{9}, 40)), 1000)
	refuses(t, g, at(1), core.Outside, news, guardClear)
	if _, err := handle(g, at(1), core.Outside, needed(t, udp(t, hostA, hostB, 100), 1000)); errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}
