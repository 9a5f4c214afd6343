package gateway

import (
	"bytes"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// BenchmarkInUDP measures what the UDP header costs: a packet of 1400 octets through a gateway, with it and without in turn. The
// fastest turn of each counts. Over IPv6 there is a checksum to make.
func BenchmarkInUDP(b *testing.B) {
	for name, sa := range map[string]policy.TrafficSA{"ipv4": gcmSA(256), "ipv6": gcm6(256)} {
		packet := udp(b, hostA, hostB, 1372)
		if sa.Selector == anySix {
			packet = udp6(b, host6A, host6B, 1352)
		}
		var seals, opens [2]func()
		for i, sa := range []policy.TrafficSA{sa, inUDPSA(sa)} {
			from, to := newGateway(b, gatewayA, withUDP, sa), newGateway(b, gatewayB, withUDP, sa)
			var outer []byte
			if err := from.Handle(t0, core.Inside, packet, func(_ core.Side, p []byte) { outer = bytes.Clone(p) }); err != nil {
				b.Fatal(err)
			}
			seals[i] = func() { _ = from.Handle(t0, core.Inside, packet, discard) }
			opens[i] = func() { _ = to.Handle(t0, core.Outside, outer, discard) }
		}
		b.Run(name+"/seal", func(b *testing.B) { inTurn(b, seals) })
		b.Run(name+"/open", func(b *testing.B) { inTurn(b, opens) })
	}
}

// inTurn reports how long the second of two things takes against the first.
func inTurn(b *testing.B, do [2]func()) {
	const turn = 1000
	var fastest [2]time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for i, f := range do {
			began := time.Now()
			for range turn {
				f()
			}
			if took := time.Since(began); fastest[i] == 0 || took < fastest[i] {
				fastest[i] = took
			}
		}
	}
	b.ReportMetric(float64(fastest[1])/float64(fastest[0]), "x-plain")
	b.ReportMetric(float64(fastest[1].Nanoseconds())/turn, "ns/packet")
}
