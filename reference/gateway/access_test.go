package gateway

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// between is an entry about the packets of one host or network to another.
func between(deny bool, source, destination string) policy.ACE {
	return policy.ACE{Deny: deny, Selector: policy.Selector{Source: netip.MustParsePrefix(source), Destination: netip.MustParsePrefix(destination)}}
}

// listing is a gateway A of a group with that access list, whose permit entries are all of one SA.
func listing(t *testing.T, alter func(*Config), list ...policy.ACE) *Gateway {
	t.Helper()
	cfg := config(gatewayA)
	if alter != nil {
		alter(&cfg)
	}
	g := alone(cfg)
	order(t, g, t0, list, gcmSA(1))
	return g
}

// order gives the only group of a gateway a list whose permit entries are of these SAs.
func order(t *testing.T, g *Gateway, now time.Time, list []policy.ACE, sas ...policy.TrafficSA) {
	t.Helper()
	g.groups[0].Order(list)
	var all []policy.TrafficSA
	for _, flow := range policy.Permitted(list) {
		for _, sa := range sas {
			sa.Selector = flow
			all = append(all, sa)
		}
	}
	if err := g.groups[0].Install(now, all, policy.Activation{}, &policy.SIDs{Bits: 8, Values: []uint32{1}}, true); err != nil {
		t.Fatal(err)
	}
}

// leaves says under which SPI a packet leaves, 0 in clear, or that it does not.
func leaves(t *testing.T, g *Gateway, now time.Time, packet []byte) (spi uint32, ok bool) {
	t.Helper()
	out, err := handle(g, now, core.Inside, packet)
	if err != nil || len(out) == 0 {
		return 0, false
	}
	if bytes.Equal(out[0].bytes, packet) {
		return 0, true
	}
	p, err := parse(out[0].bytes)
	if err != nil {
		t.Fatal(err)
	}
	spi, _, ok = p.protection()
	return spi, ok
}

const all10 = "10.0.0.0/8"

func TestFirstEntryDecides(t *testing.T) {
	deny, permit := between(true, "10.1.0.1/32", "10.2.0.1/32"), between(false, all10, all10)
	packet := udp(t, hostA, hostB, 10)
	for _, c := range []struct {
		alter func(*Config)
		list  []policy.ACE
		spi   uint32
		ok    bool
	}{
		{nil, []policy.ACE{deny, permit}, 0, true},
		{nil, []policy.ACE{permit, deny}, 1, true},
		{nil, []policy.ACE{between(false, "10.3.0.0/16", all10)}, 0, true},
		{mutant(t, "gateway.access.first", "broken"), []policy.ACE{deny, permit}, 1, true},
		{mutant(t, "gateway.access.deny", "broken"), []policy.ACE{deny, permit}, 0, false},
	} {
		if spi, ok := leaves(t, listing(t, c.alter, c.list...), at(1), packet); spi != c.spi || ok != c.ok {
			t.Errorf("%v: SPI %d, %v", c.list, spi, ok)
		}
	}
}

func TestDeniedComesBackInClear(t *testing.T) {
	back := udp(t, hostB, hostA, 10)
	list := []policy.ACE{between(true, "10.1.0.1/32", "10.2.0.1/32"), between(false, all10, all10)}
	one(t, listing(t, nil, list...), at(1), core.Outside, back, core.Inside)
	refuses(t, listing(t, mutant(t, "gateway.access.mirror", "broken"), list...), at(1), core.Outside, back, guardClear)
	refuses(t, listing(t, nil, list...), at(1), core.Outside, udp(t, "10.2.0.2", hostA, 10), guardClear)
	one(t, listing(t, nil, between(false, "10.3.0.0/16", all10)), at(1), core.Outside, back, core.Inside)
}

// Another list decides at once; what came under an SA of the one before is still opened.
func TestAnotherListDecidesAtOnce(t *testing.T) {
	ab, cd := between(false, "10.1.0.1/32", "10.2.0.1/32"), between(false, "10.1.0.2/32", "10.2.0.2/32")
	type fate struct {
		spi uint32
		ok  bool
	}
	for name, want := range map[string][2]fate{"": {{0, true}, {1, true}}, "gateway.access.another": {{0, false}, {0, true}}} {
		var alter func(*Config)
		if name != "" {
			alter = mutant(t, name, "broken")
		}
		g := listing(t, alter, ab)
		if spi, _ := leaves(t, g, at(1), udp(t, hostA, hostB, 10)); spi != 1 {
			t.Errorf("SPI %d before", spi)
		}
		order(t, g, at(2), []policy.ACE{cd}, gcmSA(1))
		for i, packet := range [][]byte{udp(t, hostA, hostB, 10), udp(t, "10.1.0.2", "10.2.0.2", 10)} {
			if spi, ok := leaves(t, g, at(3), packet); (fate{spi, ok}) != want[i] {
				t.Errorf("%q: packet %d leaves under %d, %v", name, i, spi, ok)
			}
		}
		sender := newGateway(t, gatewayB, nil, gcmSA(1))
		one(t, g, at(3), core.Outside, one(t, sender, at(3), core.Inside, udp(t, hostA, hostB, 10), core.Outside), core.Inside)
	}
}

// With a list and a transform that are another, what the new list permits leaves under the SA from before until shortly before its end.
func TestRolloverUnderAnotherList(t *testing.T) {
	g := listing(t, func(c *Config) { c.Rollover = 30 * time.Second }, between(false, "10.1.0.1/32", "10.2.0.1/32"))
	old, young := gcmSA(1), cbcSA(2)
	old.Lifetime = 1000 * time.Second
	order(t, g, at(100), []policy.ACE{between(false, "10.1.0.2/32", "10.2.0.2/32")}, old, young)
	packet := udp(t, "10.1.0.2", "10.2.0.2", 10)
	for _, c := range []struct {
		at   float64
		want uint32
	}{{101, 1}, {1069, 1}, {1070, 2}, {1101, 2}, {3699, 2}} {
		if spi, ok := leaves(t, g, at(c.at), packet); spi != c.want || !ok {
			t.Errorf("after %v s under %d, %v", c.at, spi, ok)
		}
	}
	if _, ok := leaves(t, g, at(3701), packet); ok {
		t.Error("without an SA it leaves all the same")
	}
}

// A later fragment belongs to what it may belong to, and is so never let out by an entry that names ports.
func TestFragmentsOfAList(t *testing.T) {
	telnet := between(true, all10, all10)
	telnet.Selector.Protocol, telnet.Selector.DestinationPort = protocolTCP, 23
	g := listing(t, nil, telnet, between(false, all10, all10))
	piece := wrap(t, hostA, hostB, protocolTCP, make([]byte, 16), func(ip *layers.IPv4) { ip.FragOffset = 8 })
	if spi, ok := leaves(t, g, at(1), piece); spi != 1 || !ok {
		t.Errorf("SPI %d, %v", spi, ok)
	}
	ports := between(false, all10, all10)
	ports.Selector.Protocol, ports.Selector.DestinationPort = protocolTCP, 80
	refuses(t, listing(t, nil, ports), at(1), core.Inside, piece, guardClosed)
}

// What a list does to the hot path: entries are few, and the last of them decides.
func BenchmarkAccessList(b *testing.B) {
	packet := udp(b, hostA, hostB, 1400)
	measure := func(b *testing.B, entries int) {
		g := alone(config(gatewayA))
		list := []policy.ACE{}
		for i := range entries - 1 {
			host := netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i), 1}), 32)
			list = append(list, policy.ACE{Deny: true, Selector: policy.Selector{Source: host, Destination: host}})
		}
		sa := gcmSA(1)
		if entries > 0 {
			g.groups[0].Order(append(list, policy.ACE{Selector: sa.Selector}))
		}
		if err := g.groups[0].Install(t0, []policy.TrafficSA{sa}, policy.Activation{}, &policy.SIDs{Bits: 8, Values: []uint32{1}}, true); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := g.Handle(t0, core.Inside, packet, func(core.Side, []byte) {}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("none", func(b *testing.B) { measure(b, 0) })
	b.Run("100 entries", func(b *testing.B) { measure(b, 100) })
}
