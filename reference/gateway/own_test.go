package gateway

import (
	"testing"

	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// owning gives a gateway entries of its own policy.
func owning(entries ...policy.OwnEntry) func(*Config) {
	return func(c *Config) { c.Own = entries }
}

// ownEntry is one for all that the group protects.
func ownEntry(a policy.OwnAction, d policy.Direction) policy.OwnEntry {
	return policy.OwnEntry{Selector: anyTen, Action: a, Direction: d}
}

// nothing gives a gateway a packet of which nothing becomes, and that without a word.
func nothing(t *testing.T, g *Gateway, packet []byte) {
	t.Helper()
	before := g.Counters()["dropped"]
	if out, err := handle(g, at(1), core.Inside, packet); err != nil || len(out) != 0 || g.Counters()["dropped"] != before+1 {
		t.Errorf("%d packets, %v", len(out), err)
	}
}

func TestOwnBypass(t *testing.T) {
	out, in := udp(t, hostA, hostB, 10), udp(t, hostB, hostA, 10)
	for _, c := range []struct {
		direction     policy.Direction
		leaves, comes bool // in clear
	}{
		{policy.DirectionSenderOnly, true, false}, {policy.DirectionReceiverOnly, false, true},
		{policy.DirectionSymmetric, true, true}, {policy.DirectionAbsent, true, true},
	} {
		g := newGateway(t, gatewayA, owning(ownEntry(policy.OwnBypass, c.direction)), gcmSA(1))
		got := one(t, g, at(1), core.Inside, out, core.Outside)
		if clear := string(got) == string(out); clear != c.leaves {
			t.Errorf("direction %d: leaves in clear: %v", c.direction, clear)
		}
		if c.comes {
			one(t, g, at(1), core.Outside, in, core.Inside)
		} else {
			refuses(t, g, at(1), core.Outside, in, guardClear)
		}
		protected := one(t, newGateway(t, gatewayB, nil, gcmSA(1)), at(1), core.Inside, in, core.Outside)
		one(t, g, at(1), core.Outside, protected, core.Inside)
	}
}

func TestOwnDiscard(t *testing.T) {
	out, in := udp(t, hostA, hostB, 10), udp(t, hostB, hostA, 10)
	for _, c := range []struct {
		direction     policy.Direction
		leaves, comes bool
	}{
		{policy.DirectionSenderOnly, false, true}, {policy.DirectionReceiverOnly, true, false}, {policy.DirectionSymmetric, false, false},
	} {
		g := alone(config(gatewayA), portSA(1, 1).Selector) // the group protects next to nothing
		g.cfg.Own = []policy.OwnEntry{ownEntry(policy.OwnDiscard, c.direction)}
		for from, want := range map[core.Side]bool{core.Inside: c.leaves, core.Outside: c.comes} {
			packet := map[core.Side][]byte{core.Inside: out, core.Outside: in}[from]
			passed := false
			if err := g.Handle(at(1), from, packet, func(core.Side, []byte) { passed = true }); err != nil || passed != want {
				t.Errorf("direction %d: from %v: passed %v, %v", c.direction, from, passed, err)
			}
		}
	}
}

// Of several entries the first that takes a packet decides, before what the group protects.
func TestOwnOrder(t *testing.T) {
	port := func(n uint16, a policy.OwnAction) policy.OwnEntry {
		return policy.OwnEntry{Selector: portSA(1, n).Selector, Action: a}
	}
	g := newGateway(t, gatewayA, owning(port(2000, policy.OwnBypass), port(0, policy.OwnDiscard)), gcmSA(1))
	packet := udp(t, hostA, hostB, 10) // to port 2000
	if got := one(t, g, at(1), core.Inside, packet, core.Outside); string(got) != string(packet) {
		t.Error("it did not leave in clear")
	}
	g.cfg.Own = []policy.OwnEntry{port(0, policy.OwnDiscard), port(2000, policy.OwnBypass)}
	nothing(t, g, packet)
	g.cfg.Own = []policy.OwnEntry{port(2001, policy.OwnDiscard), port(2001, policy.OwnBypass)}
	if got := one(t, g, at(1), core.Inside, packet, core.Outside); string(got) == string(packet) {
		t.Error("it left in clear")
	}
}

// A fragment that hides its ports is discarded with what it may belong to, and passes with nothing.
func TestOwnPolicyOfFragments(t *testing.T) {
	later := udp(t, hostA, hostB, 1000, func(ip *layers.IPv4) { ip.FragOffset = 64 })
	entry := policy.OwnEntry{Selector: portSA(1, 7).Selector}
	for action, leaves := range map[policy.OwnAction]bool{policy.OwnBypass: true, policy.OwnDiscard: false} {
		entry.Action = action
		g := newGateway(t, gatewayA, owning(entry), gcmSA(1))
		if !leaves {
			nothing(t, g, later)
			continue
		}
		if got := one(t, g, at(1), core.Inside, later, core.Outside); string(got) == string(later) {
			t.Error("a fragment that hides its ports left in clear")
		}
	}
}

// ESP that no SA opens belongs to a gateway further inside if the own policy lets it pass (RFC 5374 §5.2).
func TestOwnPolicyOfESP(t *testing.T) {
	packet := one(t, newGateway(t, gatewayB, nil, gcmSA(9)), at(1), core.Inside, udp(t, hostB, hostA, 10), core.Outside)
	entry := policy.OwnEntry{Selector: anyTen, Action: policy.OwnBypass}
	entry.Selector.Protocol = protocolESP
	g := newGateway(t, gatewayA, owning(entry), gcmSA(1))
	one(t, g, at(1), core.Outside, packet, core.Inside)
	g.cfg.Own = nil
	refuses(t, g, at(1), core.Outside, packet, guardSPI)
}

func TestOwnPolicyMutants(t *testing.T) {
	out, in := udp(t, hostA, hostB, 10), udp(t, hostB, hostA, 10)
	with := func(guard, mutation string, e policy.OwnEntry) *Gateway {
		return newGateway(t, gatewayA, func(c *Config) {
			mutant(t, guard, mutation)(c)
			c.Own = []policy.OwnEntry{e}
		}, gcmSA(1))
	}
	if got := one(t, with("gateway.own.bypass", "broken", ownEntry(policy.OwnBypass, 0)), at(1), core.Inside, out, core.Outside); string(got) == string(out) {
		t.Error("bypass: it left in clear")
	}
	one(t, with("gateway.own.discard", "broken", ownEntry(policy.OwnDiscard, 0)), at(1), core.Inside, out, core.Outside)
	one(t, with("gateway.own.sender", "off", ownEntry(policy.OwnBypass, policy.DirectionSenderOnly)), at(1), core.Outside, in, core.Inside)
	nothing(t, with("gateway.own.receiver", "off", ownEntry(policy.OwnDiscard, policy.DirectionReceiverOnly)), out)
}
