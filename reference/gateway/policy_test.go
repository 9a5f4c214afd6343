package gateway

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

func mustPrefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestClearTraffic(t *testing.T) {
	open := func(c *Config) { c.FailOpen = true }
	inTen, other := udp(t, hostA, hostB, 10), udp(t, "192.0.2.9", "192.0.2.10", 10)
	back := udp(t, hostB, hostA, 10)

	g := newGateway(t, gatewayA, nil, gcmSA(1))
	one(t, g, at(1), core.Inside, other, core.Outside)
	one(t, g, at(1), core.Outside, other, core.Inside)
	refuses(t, g, at(1), core.Outside, back, guardClear)
	if got := g.Counters(); got["bypassed"] != 2 || got["dropped"] != 1 {
		t.Errorf("counters %v", got)
	}
	one(t, newGateway(t, gatewayA, mutant(t, "gateway.clear.inbound", "off"), gcmSA(1)), at(1), core.Outside, back, core.Inside)

	// The SA has ended: the policy stays until it is forgotten.
	g.Expire(at(3600))
	refuses(t, g, at(3600), core.Inside, inTen, guardClosed)
	refuses(t, g, at(3600), core.Outside, back, guardClear)
	f := sadb.Flow{Source: netip.MustParseAddr(hostA), Destination: netip.MustParseAddr(hostB)}
	if !g.Protects(f) {
		t.Error("the flow is no longer protected")
	}
	g.groups[0].Forget()
	if g.Protects(f) {
		t.Error("the flow is still protected")
	}
	one(t, g, at(3600), core.Inside, inTen, core.Outside)

	closed := newGateway(t, gatewayA, mutant(t, "gateway.clear.outbound", "off"), gcmSA(1))
	one(t, closed, at(3600), core.Inside, inTen, core.Outside)

	g = newGateway(t, gatewayA, open, gcmSA(1))
	refuses(t, g, at(1), core.Outside, back, guardClear) // there is an SA for it
	g.groups[0].Delete(at(2), policy.ProtocolESP, 0)
	one(t, g, at(2), core.Inside, inTen, core.Outside)
	one(t, g, at(2), core.Outside, back, core.Inside)
}

func TestForgetKeepsWhatHasAnSA(t *testing.T) {
	g := newGateway(t, gatewayA, nil, gcmSA(1), portSA(2, 2000))
	g.groups[0].Delete(at(1), policy.ProtocolESP, 2)
	g.groups[0].Forget()
	refuses(t, g, at(1), core.Outside, udp(t, hostB, hostA, 1), guardClear)
	g.groups[0].Delete(at(1), policy.ProtocolESP, 1)
	g.groups[0].Forget()
	one(t, g, at(1), core.Outside, udp(t, hostB, hostA, 1), core.Inside)
}

func TestKeyManagementPasses(t *testing.T) {
	everything := gcmSA(1)
	everything.Selector = policy.Selector{}
	g := newGateway(t, gatewayA, nil, everything)
	for _, port := range []uint16{848, 4500} {
		one(t, g, at(1), core.Inside, udpPorts(t, gatewayA, "192.0.2.100", port, port, 10), core.Outside)
		one(t, g, at(1), core.Outside, udpPorts(t, "192.0.2.100", gatewayA, port, port, 10), core.Inside)
	}
	one(t, g, at(1), core.Outside, udpPorts(t, "192.0.2.100", "239.0.0.1", 848, 848, 10), core.Inside)
	if n := g.Counters()["bypassed"]; n != 5 {
		t.Errorf("%d packets bypassed", n)
	}
	// Only that of the gateway itself.
	outer := one(t, g, at(1), core.Inside, udpPorts(t, hostA, "192.0.2.100", 848, 848, 10), core.Outside)
	if decode(t, outer).Protocol != protocolESP {
		t.Error("key management of a host left in clear")
	}
	refuses(t, g, at(1), core.Outside, udpPorts(t, "192.0.2.100", gatewayA, 53, 53, 10), guardClear)

	// Nor that of somebody who claims to be it, from the wrong side.
	outer = one(t, g, at(1), core.Inside, udpPorts(t, hostA, gatewayA, 848, 848, 10), core.Outside)
	if decode(t, outer).Protocol != protocolESP {
		t.Error("what is for the gateway left in clear")
	}
	refuses(t, g, at(1), core.Outside, udpPorts(t, gatewayA, hostA, 848, 848, 10), guardClear)
	own, ks := netip.MustParseAddrPort(gatewayA+":848"), netip.MustParseAddrPort("192.0.2.100:848")
	if !g.Hears(ks, own) {
		t.Error("the node does not hear its key server")
	}

	neglects := newGateway(t, gatewayA, mutant(t, "gateway.bypass.key-management", "broken"), everything)
	outer = one(t, neglects, at(1), core.Inside, udpPorts(t, gatewayA, "192.0.2.100", 848, 848, 10), core.Outside)
	if decode(t, outer).Protocol != protocolESP {
		t.Error("the mutant lets key management pass")
	}
	if neglects.Hears(ks, own) {
		t.Error("the mutant hears its key server")
	}
}

// Until the policy of the group is known, whatever it may become is protected.
func TestClosedBeforeThePolicyIsKnown(t *testing.T) {
	inTen, other := udp(t, hostA, hostB, 10), udp(t, hostA, "198.51.100.1", 10)
	failsOpen := config(gatewayA)
	failsOpen.FailOpen = true

	g := alone(config(gatewayA))
	refuses(t, g, at(0), core.Inside, other, guardClosed)
	refuses(t, g, at(0), core.Outside, udp(t, "198.51.100.1", hostA, 10), guardClear)
	if err := g.groups[0].Install(at(1), []policy.TrafficSA{gcmSA(1)}, policy.Activation{}, nil, false); err != nil {
		t.Fatal(err)
	}
	one(t, g, at(1), core.Inside, other, core.Outside)

	g = alone(config(gatewayA), anyTen)
	one(t, g, at(0), core.Inside, other, core.Outside)
	refuses(t, g, at(0), core.Inside, inTen, guardClosed)
	one(t, alone(failsOpen, anyTen), at(0), core.Inside, inTen, core.Outside)
}

// A rekey at 100 s with an activation delay of 5 s and a deactivation delay of 10 s, as two gateways see it.
func TestRolloverWithoutLoss(t *testing.T) {
	delay := func(d time.Duration) *time.Duration { return &d }
	act := policy.Activation{ATD: delay(5 * time.Second), DTD: delay(10 * time.Second)}
	old, new := gcmSA(1), gcmSA(2)
	new.CipherKey = []byte("fedcba9876543210SALT")
	a, b := newGateway(t, gatewayA, nil, old), newGateway(t, gatewayB, nil, old)
	captured := one(t, a, at(1), core.Inside, udp(t, hostA, hostB, 10), core.Outside)
	for _, g := range []*Gateway{a, b} {
		if err := g.groups[0].Install(at(100), []policy.TrafficSA{new}, act, nil, true); err != nil {
			t.Fatal(err)
		}
	}
	var spis []byte
	for tenths := range 200 {
		now := at(100 + float64(tenths)/10)
		outer := one(t, a, now, core.Inside, udp(t, hostA, hostB, 10), core.Outside)
		one(t, b, now, core.Outside, outer, core.Inside)
		spis = append(spis, outer[23])
		if outer[28] != 1 {
			t.Fatalf("SID %d: a rekey does not change it", outer[28])
		}
	}
	if at := slices.Index(spis, 2); at != 50 || slices.Contains(spis[at:], 1) {
		t.Errorf("the sender switched after %d tenths, or went back: %v", at, spis)
	}
	one(t, b, at(109.9), core.Outside, captured, core.Inside)
	refuses(t, b, at(110), core.Outside, captured, guardSPI)
	if deadline, ok := b.Deadline(); !ok || !deadline.Equal(at(110)) {
		t.Errorf("deadline %v", deadline.Sub(t0))
	}

	for mutation, want := range map[string]int{"up": 60, "down": 40} {
		m := newGateway(t, gatewayA, mutant(t, "gateway.install.atd", mutation), old)
		if err := m.groups[0].Install(at(100), []policy.TrafficSA{new}, act, nil, true); err != nil {
			t.Fatal(err)
		}
		tenths := 0
		for one(t, m, at(100+float64(tenths)/10), core.Inside, udp(t, hostA, hostB, 10), core.Outside)[23] == 1 {
			tenths++
		}
		if tenths != want {
			t.Errorf("mutant %s: switched after %d tenths", mutation, tenths)
		}
		m = newGateway(t, gatewayB, mutant(t, "gateway.install.dtd", mutation), old)
		if err := m.groups[0].Install(at(100), []policy.TrafficSA{new}, act, nil, true); err != nil {
			t.Fatal(err)
		}
		end := at(105 + float64(want)/10)
		one(t, m, end.Add(-time.Millisecond), core.Outside, captured, core.Inside)
		refuses(t, m, end, core.Outside, captured, guardSPI)
	}
}

func TestInstallWithoutDelays(t *testing.T) {
	b := newGateway(t, gatewayB, nil, gcmSA(1))
	if err := b.groups[0].Install(at(10), []policy.TrafficSA{gcmSA(2)}, policy.Activation{}, nil, true); err != nil {
		t.Fatal(err)
	}
	list := b.groups[0].SAs(at(10))
	if len(list) != 2 || list[0].SPI != "00000002" || !list[0].Sending || list[1].Sending || list[0].Cipher != "aes-gcm-16-128" ||
		list[0].Selector != "10.0.0.0/8 -> 10.0.0.0/8" || !list[1].Expiry.Equal(at(3600)) {
		t.Errorf("SAs %+v", list)
	}
	if list := b.groups[0].SAs(at(3600)); len(list) != 1 {
		t.Errorf("after the end of the first: %+v", list)
	}
	if list := alone(config(gatewayA)).groups[0].SAs(t0); list == nil || len(list) != 0 {
		t.Errorf("an empty gateway lists %#v", list)
	}
	if got := newGateway(t, gatewayA, nil, cbcSA(1)).groups[0].SAs(t0)[0].Cipher; got != "aes-cbc-128 hmac-sha-256-128" {
		t.Error(got)
	}
}

func TestInstallRefuses(t *testing.T) {
	g := alone(config(gatewayA))
	transport, short := gcmSA(1), gcmSA(2)
	transport.Transform.Mode = policy.ModeTransport
	short.CipherKey = short.CipherKey[:3]
	err := g.groups[0].Install(t0, []policy.TrafficSA{transport, short}, policy.Activation{}, &policy.SIDs{Bits: 8, Values: []uint32{1}}, true)
	var v *rule.Violation
	if !errors.As(err, &v) || v.Guard != guardMode || !errors.Is(err, esp.ErrTransform) {
		t.Errorf("error %v", err)
	}
	refuses(t, g, at(1), core.Inside, udp(t, hostA, hostB, 1), guardClosed) // protected all the same
	if err := g.groups[0].Install(t0, nil, policy.Activation{}, &policy.SIDs{}, true); err != nil {
		t.Errorf("nothing at all: %v", err)
	}
}

func TestSIDs(t *testing.T) {
	noSID := esp.ErrNoSID
	g := alone(config(gatewayA))
	if err := g.groups[0].Install(t0, []policy.TrafficSA{gcmSA(1)}, policy.Activation{}, nil, false); err != nil {
		t.Fatal(err)
	}
	_, err := handle(g, at(1), core.Inside, udp(t, hostA, hostB, 1))
	if !errors.Is(err, noSID) {
		t.Errorf("without a SID: %v, want %v", err, noSID)
	}
	if !strings.Contains(err.Error(), hostA+" -> "+hostB) {
		t.Errorf("%q does not name the addresses", err)
	}
	for i, sid := range []uint32{0xabc, 0xabc, 0xdef, 0xabc} {
		if err := g.groups[0].Install(t0, []policy.TrafficSA{gcmSA(1)}, policy.Activation{}, &policy.SIDs{Bits: 12, Values: []uint32{sid, 1}}, false); err != nil {
			t.Fatal(err)
		}
		outer := one(t, g, at(1), core.Inside, udp(t, hostA, hostB, 1), core.Outside)
		if got := uint32(outer[28])<<4 | uint32(outer[29])>>4; got != sid || outer[35] != []byte{0, 1, 0, 2}[i] {
			t.Errorf("IV %x, want SID %x", outer[28:36], sid)
		}
	}
	if err := g.groups[0].Install(t0, nil, policy.Activation{}, &policy.SIDs{Bits: 2, Values: []uint32{9}}, false); !errors.Is(err, esp.ErrSID) {
		t.Errorf("SID 9 of 2 bits: %v", err)
	}
}

func TestESPRefused(t *testing.T) {
	a := newGateway(t, gatewayA, nil, gcmSA(1))
	replay := func(c *Config) { c.ReplayWindow = 64 }
	outer := one(t, a, at(1), core.Inside, udp(t, hostA, hostB, 10), core.Outside)

	b := newGateway(t, gatewayB, replay, gcmSA(1))
	one(t, b, at(1), core.Outside, outer, core.Inside)
	_, err := handle(b, at(1), core.Outside, outer)
	var v *rule.Violation
	if !errors.As(err, &v) || v.Guard.Name != "esp.open.replay" || !strings.Contains(v.Detail, "SPI 00000001: sequence 1") ||
		!strings.Contains(v.Detail, hostA+" -> "+hostB) {
		t.Errorf("replay: %v", err)
	}
	one(t, newGateway(t, gatewayB, nil, gcmSA(1)), at(1), core.Outside, outer, core.Inside)

	forged := slices.Clone(outer)
	forged[60] ^= 1
	if _, err := handle(b, at(1), core.Outside, forged); err == nil {
		t.Error("a forged packet was accepted")
	}

	refuses(t, newGateway(t, gatewayB, nil, gcmSA(2)), at(1), core.Outside, outer, guardSPI)
	for _, alter := range []func(*Config){mutant(t, "gateway.esp.spi", "off"), func(c *Config) { c.ForwardESP = true }} {
		got := one(t, newGateway(t, gatewayB, alter, gcmSA(2)), at(1), core.Outside, outer, core.Inside)
		if !slices.Equal(got, outer) {
			t.Errorf("forwarded as %x", got)
		}
	}
	for _, short := range [][]byte{{}, {0, 0, 0, 1, 0, 0, 0}} {
		refuses(t, b, at(1), core.Outside, wrap(t, hostA, hostB, protocolESP, short), guardSPI)
	}
}

// sealed makes an ESP packet from host A to host B around any payload.
func sealed(t *testing.T, payload []byte, next uint8) []byte {
	t.Helper()
	s, err := esp.New(gcmSA(1), esp.Options{HasSID: true, SID: 7, SIDBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	body, err := s.Seal(nil, payload, next)
	if err != nil {
		t.Fatal(err)
	}
	return wrap(t, hostA, hostB, protocolESP, body)
}

func TestWhatIsInsideESP(t *testing.T) {
	packet := udp(t, hostA, hostB, 10)
	broken := slices.Clone(packet)
	broken[offTTL]++
	b := newGateway(t, gatewayB, nil, gcmSA(1))

	padded := append(slices.Clone(packet), make([]byte, 100)...)
	if got := one(t, b, at(1), core.Outside, sealed(t, padded, esp.NextIPv4), core.Inside); !slices.Equal(got, packet) {
		t.Errorf("with padding against traffic analysis: %x", got)
	}
	for name, p := range map[string][]byte{
		"checksum":  sealed(t, broken, esp.NextIPv4),
		"truncated": sealed(t, packet[:len(packet)-1], esp.NextIPv4),
		"empty":     sealed(t, nil, esp.NextIPv4),
		"transport": sealed(t, packet[20:], protocolUDP),
	} {
		if out, err := handle(b, at(1), core.Outside, p); !errors.Is(err, ErrMalformed) || len(out) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	refuses(t, b, at(1), core.Outside, sealed(t, packet, 41), guardNext)
	dummy := sealed(t, packet, esp.NextNone)
	refuses(t, b, at(1), core.Outside, dummy, nil)
	one(t, newGateway(t, gatewayB, mutant(t, "gateway.esp.dummy", "off"), gcmSA(1)), at(1), core.Outside, dummy, core.Inside)
}

// An ICMP error about a protected packet is as secret as the packet.
func TestQuotedPacketsStayInside(t *testing.T) {
	unreachable := func(quoted []byte) []byte {
		return wrap(t, gatewayA, hostB, protocolICMP, append([]byte{3, 1, 0, 0, 0, 0, 0, 0}, quoted[:min(len(quoted), 60)]...))
	}
	secret, other := udp(t, hostB, hostA, 100), udp(t, hostB, "198.51.100.1", 100)
	g := newGateway(t, gatewayA, nil, gcmSA(1))
	refuses(t, g, at(1), core.Inside, unreachable(secret), guardClosed)
	one(t, g, at(1), core.Inside, unreachable(other), core.Outside)
	one(t, g, at(1), core.Inside, unreachable(secret[:10]), core.Outside)
	one(t, g, at(1), core.Inside, unreachable(make([]byte, 60)), core.Outside)
	echo := unreachable(secret)
	echo[headerLen] = 8
	one(t, g, at(1), core.Inside, echo, core.Outside)

	ports := newGateway(t, gatewayA, nil, portSA(2, 2000))
	refuses(t, ports, at(1), core.Inside, unreachable(udpPorts(t, hostB, hostA, 1000, 2000, 10)), guardClosed)
	one(t, ports, at(1), core.Inside, unreachable(udpPorts(t, hostB, hostA, 1000, 3000, 10)), core.Outside)

	open := newGateway(t, gatewayA, func(c *Config) { c.FailOpen = true }, gcmSA(1))
	refuses(t, open, at(1), core.Inside, unreachable(secret), guardClosed)
	open.groups[0].Delete(at(2), policy.ProtocolESP, 0)
	one(t, open, at(2), core.Inside, unreachable(secret), core.Outside)
}
