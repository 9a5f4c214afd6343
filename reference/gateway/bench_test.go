package gateway

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func discard(core.Side, []byte) {}

var benchmarks = []struct {
	name string
	cbc  bool
	n    int // octets of UDP payload
}{{"gcm-64", false, 36}, {"gcm-1400", false, 1372}, {"cbc-1400", true, 1372}}

func BenchmarkEncrypt(b *testing.B) {
	for _, c := range benchmarks {
		b.Run(c.name, func(b *testing.B) {
			g, packet := benchGateway(b, gatewayA, c.cbc), udp(b, hostA, hostB, c.n)
			b.SetBytes(int64(len(packet)))
			b.ReportAllocs()
			for b.Loop() {
				if err := g.Handle(t0, core.Inside, packet, discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecrypt(b *testing.B) {
	for _, c := range benchmarks {
		b.Run(c.name, func(b *testing.B) {
			packet := udp(b, hostA, hostB, c.n)
			outer := one(b, benchGateway(b, gatewayA, c.cbc), t0, core.Inside, packet, core.Outside)
			g := benchGateway(b, gatewayB, c.cbc)
			b.SetBytes(int64(len(packet)))
			b.ReportAllocs()
			for b.Loop() {
				if err := g.Handle(t0, core.Outside, outer, discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchGateway(t testing.TB, address string, cbc bool) *Gateway {
	if cbc {
		return newGateway(t, address, nil, cbcSA(1))
	}
	return newGateway(t, address, nil, gcmSA(1))
}

func BenchmarkEncrypt6(b *testing.B) {
	g, packet := newGateway(b, gatewayA, dual, gcm6(1)), udp6(b, host6A, host6B, 1352)
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		if err := g.Handle(t0, core.Inside, packet, discard); err != nil {
			b.Fatal(err)
		}
	}
}

// A packet in order is handled without allocation: encrypted, decrypted, bypassed, with and without forwarding.
func TestNoAllocations(t *testing.T) {
	packet, other := udp(t, hostA, hostB, 1372), udp(t, "192.0.2.9", "192.0.2.10", 100)
	for _, cbc := range []bool{false, true} {
		for _, forwarding := range []bool{false, true} {
			a, b := benchGateway(t, gatewayA, cbc), benchGateway(t, gatewayB, cbc)
			a.cfg.Forwarding, b.cfg.Forwarding = forwarding, forwarding
			toB := func(_ core.Side, p []byte) {
				if err := b.Handle(t0, core.Outside, p, discard); err != nil {
					t.Error(err)
				}
			}
			n := testing.AllocsPerRun(100, func() {
				if err := a.Handle(t0, core.Inside, packet, toB); err != nil {
					t.Error(err)
				}
				if err := a.Handle(t0, core.Inside, other, discard); err != nil {
					t.Error(err)
				}
			})
			if n != 0 {
				t.Errorf("CBC %v, forwarding %v: %v allocations", cbc, forwarding, n)
			}
			for _, sa := range []policy.TrafficSA{gcm6(1), transportSA(gcmSA(1)), transportSA(gcm6(1)), inUDPSA(gcmSA(1)), inUDPSA(gcm6(1))} {
				a, b := newGateway(t, gatewayA, withUDP, sa), newGateway(t, gatewayB, withUDP, sa)
				a.cfg.Forwarding, b.cfg.Forwarding = forwarding, forwarding
				toB := func(_ core.Side, p []byte) {
					if err := b.Handle(t0, core.Outside, p, discard); err != nil {
						t.Error(err)
					}
				}
				packets := [][]byte{packet, udp6(t, host6A, host6B, 1352)}
				if n := testing.AllocsPerRun(100, func() { _ = a.Handle(t0, core.Inside, packets[version(sa.Selector == anySix)], toB) }); n != 0 {
					t.Errorf("%+v: %v allocations", sa.Transform, n)
				}
			}
			if b.Counters()["decrypted"] != 101 || a.Counters()["bypassed"] != 101 {
				t.Error("the packets did not get through")
			}
		}
	}
}
