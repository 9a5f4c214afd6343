package gateway

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// A gateway that registers into a group with an activation delay sends at once: there is no older SA to go on with. It
// does so again when its SAs have been deleted; a registration that brings the SA it has changes nothing.
func TestNoPauseWithoutRollover(t *testing.T) {
	wait := 5 * time.Second
	act := policy.Activation{ATD: &wait}
	g := newGateway(t, gatewayA, nil)
	sends := func(seconds float64, want byte) {
		t.Helper()
		if spi := one(t, g, at(seconds), core.Inside, udp(t, hostA, hostB, 10), core.Outside)[23]; spi != want {
			t.Errorf("after %v s it sends on SPI %d, want %d", seconds, spi, want)
		}
	}
	install := func(seconds float64, spi uint32) {
		t.Helper()
		sids := &policy.SIDs{Bits: 8, Values: []uint32{5}}
		if err := g.groups[0].Install(at(seconds), []policy.TrafficSA{gcmSA(spi)}, act, sids, true); err != nil {
			t.Fatal(err)
		}
	}
	install(0, 1)
	sends(0, 1)
	install(1, 1)
	sends(1, 1)
	install(2, 2) // a rollover
	sends(6.9, 1)
	sends(7, 2)
	g.groups[0].Delete(at(8), policy.ProtocolESP, 0)
	install(8, 3)
	sends(8, 3)
}

// A gateway whose newer SAs take over some time before the older ones end goes on with the older until then; what takes over from
// both takes over from the last. A copy of what it has changes nothing.
func TestRollover(t *testing.T) {
	g := newGateway(t, gatewayA, func(c *Config) { c.Rollover = 30 * time.Second })
	sends := func(seconds float64, want byte) {
		t.Helper()
		if spi := one(t, g, at(seconds), core.Inside, udp(t, hostA, hostB, 10), core.Outside)[23]; spi != want {
			t.Errorf("after %v s it sends on SPI %d, want %d", seconds, spi, want)
		}
	}
	install := func(seconds float64, spi uint32, lifetime time.Duration, a policy.Activation) {
		t.Helper()
		sa := gcmSA(spi)
		sa.Lifetime = lifetime
		if err := g.groups[0].Install(at(seconds), []policy.TrafficSA{sa}, a, &policy.SIDs{Bits: 8, Values: []uint32{5}}, true); err != nil {
			t.Fatal(err)
		}
	}
	none := policy.Activation{}
	install(0, 1, 300*time.Second, none)
	sends(0, 1)
	install(200, 2, 300*time.Second, none)
	install(210, 2, 290*time.Second, none)
	sends(269.9, 1)
	install(250, 3, 300*time.Second, none)
	sends(270, 2)
	sends(469.9, 2)
	sends(470, 3)
	install(480, 4, 40*time.Second, none) // it ends first
	sends(480, 4)
	wait := 5 * time.Second
	install(485, 5, 300*time.Second, policy.Activation{ATD: &wait})
	sends(489.9, 4)
	sends(490, 5)
}

// What awaits the end of an older SA takes over when that is deleted, the next newer one first; what awaits a delay does not.
func TestRolloverByDelete(t *testing.T) {
	g := newGateway(t, gatewayA, func(c *Config) { c.Rollover = 30 * time.Second })
	install := func(spi uint32, a policy.Activation) {
		t.Helper()
		sa := gcmSA(spi)
		sa.Lifetime = time.Duration(spi) * time.Hour
		if err := g.groups[0].Install(at(0), []policy.TrafficSA{sa}, a, &policy.SIDs{Bits: 8, Values: []uint32{5}}, true); err != nil {
			t.Fatal(err)
		}
	}
	wait := time.Minute
	install(1, policy.Activation{})
	install(2, policy.Activation{})
	install(3, policy.Activation{})
	install(4, policy.Activation{ATD: &wait})
	for _, c := range []struct {
		deleted uint32
		want    byte
	}{{99, 1}, {1, 2}, {2, 3}} {
		g.groups[0].Delete(at(1), policy.ProtocolESP, c.deleted)
		if spi := one(t, g, at(1), core.Inside, udp(t, hostA, hostB, 10), core.Outside)[23]; spi != c.want {
			t.Errorf("without SA %d it sends on SPI %d, want %d", c.deleted, spi, c.want)
		}
	}
	g.groups[0].Delete(at(1), policy.ProtocolESP, 3)
	for seconds, want := range map[float64]bool{59: false, 60: true} {
		emitted := 0
		_ = g.Handle(at(seconds), core.Inside, udp(t, hostA, hostB, 10), func(core.Side, []byte) { emitted++ })
		if sent := emitted > 0; sent != want {
			t.Errorf("after %v s it sends under SA 4: %v", seconds, sent)
		}
	}
}

// Of SAs for flows within each other, which came in one message, each takes over what it is for.
func TestRolloverByDeleteOfSeveral(t *testing.T) {
	g := newGateway(t, gatewayA, func(c *Config) { c.Rollover = 30 * time.Second })
	for spi := uint32(1); spi < 4; spi += 2 {
		narrow, wide := gcmSA(spi), gcmSA(spi+1)
		narrow.Selector.DestinationPort, narrow.Selector.Protocol = 4500, 17
		if err := g.groups[0].Install(at(0), []policy.TrafficSA{narrow, wide}, policy.Activation{}, &policy.SIDs{Bits: 8, Values: []uint32{5}}, true); err != nil {
			t.Fatal(err)
		}
	}
	for _, spi := range []uint32{1, 2} {
		g.groups[0].Delete(at(1), policy.ProtocolESP, spi)
	}
	sends := make(map[byte]bool)
	for _, e := range g.db.Entries() {
		if g.db.Sending(at(1), e) {
			sends[byte(e.Policy.SPI)] = true
		}
	}
	if len(sends) != 2 || !sends[3] || !sends[4] {
		t.Errorf("it sends under %v", sends)
	}
}
