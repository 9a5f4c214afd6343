package gateway

import (
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// twoGroups is gateway A in two groups, the first of which protects what goes to 10.2/16 and the second all of 10/8.
func twoGroups(t *testing.T, alter ...func(*Config)) *Gateway {
	t.Helper()
	cfg := config(gatewayA)
	for _, change := range alter {
		change(&cfg)
	}
	g := New(cfg)
	first := gcmSA(1)
	first.Selector.Destination = netip.MustParsePrefix("10.2.0.0/16")
	for i, sa := range []policy.TrafficSA{first, gcmSA(2)} {
		m := g.Join(nil)
		if err := m.Install(t0, []policy.TrafficSA{sa}, policy.Activation{}, &policy.SIDs{Bits: 8, Values: []uint32{uint32(i + 5)}}, true); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// spiOf is the SPI of the packet that leaves.
func spiOf(t *testing.T, g *Gateway, to string) byte {
	t.Helper()
	return one(t, g, at(1), core.Inside, udp(t, hostA, to, 10), core.Outside)[23]
}

// What several groups protect leaves under the SA of the first, or not at all, while the others go on.
func TestFirstGroup(t *testing.T) {
	g := twoGroups(t)
	if a, b := spiOf(t, g, hostB), spiOf(t, g, "10.3.0.1"); a != 1 || b != 2 {
		t.Errorf("SPIs %d and %d", a, b)
	}
	g.groups[0].Delete(at(1), policy.ProtocolESP, 0)
	refuses(t, g, at(1), core.Inside, udp(t, hostA, hostB, 10), guardClosed)
	if b := spiOf(t, g, "10.3.0.1"); b != 2 {
		t.Errorf("SPI %d", b)
	}
	g.groups[0].Forget()
	if a := spiOf(t, g, hostB); a != 2 {
		t.Errorf("SPI %d of a flow that is the first group's no more", a)
	}
	mutated := twoGroups(t, mutant(t, guardFirst.Name, "broken"))
	mutated.groups[0].Delete(at(1), policy.ProtocolESP, 0)
	if a := spiOf(t, mutated, hostB); a != 2 {
		t.Errorf("the mutant sends under SPI %d", a)
	}
}

// Before a group's policy is known it keeps from the others what it was named, but not what it was not.
func TestExpectedFlowsOfGroups(t *testing.T) {
	for _, c := range []struct {
		expected []policy.Selector
		closed   bool
	}{{nil, false}, {[]policy.Selector{anyTen}, true}} {
		g := New(config(gatewayA))
		g.Join(c.expected)
		if err := g.Join(nil).Install(t0, []policy.TrafficSA{gcmSA(2)}, policy.Activation{}, &policy.SIDs{Bits: 8, Values: []uint32{1}}, true); err != nil {
			t.Fatal(err)
		}
		out, err := handle(g, at(1), core.Inside, udp(t, hostA, hostB, 10))
		if (err != nil) != c.closed || (len(out) == 0) != c.closed {
			t.Errorf("expected %v: %d packets, error %v", c.expected, len(out), err)
		}
	}
}

// The group that has run out of IVs says so, once.
func TestSpentGroup(t *testing.T) {
	g := twoGroups(t)
	wide := &policy.SIDs{Bits: 63, Values: []uint32{1}} // two packets
	if err := g.groups[1].Install(t0, []policy.TrafficSA{gcmSA(3)}, policy.Activation{}, wide, true); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		_, _ = handle(g, at(1), core.Inside, udp(t, hostA, "10.3.0.1", 10))
	}
	if g.groups[0].Spent() || !g.groups[1].Spent() || g.groups[1].Spent() {
		t.Error("it is the second group that has run out, and it says so once")
	}
	if len(g.groups[0].SAs(at(1))) != 1 || len(g.groups[1].SAs(at(1))) != 2 {
		t.Errorf("SAs %v and %v", g.groups[0].SAs(at(1)), g.groups[1].SAs(at(1)))
	}
}
