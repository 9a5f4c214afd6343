package gateway

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// BenchmarkStamped measures what the pseudotime costs: a packet of 1400 octets through a gateway, with it and without in turn.
func BenchmarkStamped(b *testing.B) {
	packet := udp(b, hostA, hostB, 1372)
	var seals, opens [2]func()
	for i, sa := range []policy.TrafficSA{gcmSA(256), stampedSA(256)} {
		from, to := newGateway(b, gatewayA, nil, sa), newGateway(b, gatewayB, nil, sa)
		from.groups[0].Synchronise(t0, 50000)
		to.groups[0].Synchronise(t0, 50000)
		var outer []byte
		if err := from.Handle(t0, core.Inside, packet, func(_ core.Side, p []byte) { outer = bytes.Clone(p) }); err != nil {
			b.Fatal(err)
		}
		seals[i] = func() { _ = from.Handle(t0, core.Inside, packet, discard) }
		opens[i] = func() { _ = to.Handle(t0, core.Outside, outer, discard) }
	}
	b.Run("seal", func(b *testing.B) { inTurn(b, seals) })
	b.Run("open", func(b *testing.B) { inTurn(b, opens) })
}
