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
