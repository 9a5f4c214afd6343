package gateway

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// FuzzHandle gives gateways any octets from either side: correct ones, and mutants whose checks are all off. Whatever
// comes out must be IPv4 packets again.
func FuzzHandle(f *testing.F) {
	sa, ports := gcmSA(1), portSA(2, 2000)
	sender := newGateway(f, gatewayA, nil, sa)
	clear := udp(f, hostA, hostB, 30)
	f.Add(uint8(0), clear)
	f.Add(uint8(1), clear)
	f.Add(uint8(0), udp(f, hostA, hostB, 3000))
	f.Add(uint8(0), udp(f, hostA, hostB, 1472, dontFragment))
	f.Add(uint8(1), one(f, sender, at(1), core.Inside, clear, core.Outside))
	out, err := handle(newGateway(f, gatewayA, nil, ports), at(1), core.Inside, udp(f, hostA, hostB, 2800))
	if err != nil {
		f.Fatal(err)
	}
	for _, o := range out {
		f.Add(uint8(1), o.bytes)
	}
	f.Fuzz(func(t *testing.T, choice uint8, packet []byte) {
		if len(packet) >= headerLen && choice&4 != 0 { // most random headers have a wrong checksum
			if ihl := int(packet[0]&15) * 4; ihl >= headerLen && ihl <= len(packet) {
				resum(packet, ihl)
			}
		}
		g := newGateway(t, gatewayB, func(c *Config) {
			c.Forwarding, c.ForwardESP, c.FailOpen = choice&8 != 0, choice&16 != 0, choice&32 != 0
			if choice&2 != 0 {
				c.Rules = everythingOff(t)
			}
		}, sa, ports)
		for now := range 2 {
			_ = g.Handle(at(float64(now)), core.Side(choice&1), packet, func(_ core.Side, p []byte) {
				if _, err := parse(p); err != nil && choice&2 == 0 {
					t.Errorf("%x comes out: %v", p, err)
				}
			})
		}
		g.Expire(at(100))
	})
}

// everythingOff are switches with every check off and every duty neglected.
func everythingOff(t testing.TB) *rule.Switches {
	t.Helper()
	s := new(rule.Switches)
	for _, g := range rule.All() {
		for _, m := range g.Kind.Mutations() {
			if m == rule.Off || m == rule.Broken {
				if err := s.Set(g.Name, m.String()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return s
}

// With one guard off at a time nothing panics either, whatever the traffic.
func TestNoMutantPanics(t *testing.T) {
	for _, guard := range rule.All() {
		for _, mutation := range guard.Kind.Mutations() {
			alter := mutant(t, guard.Name, mutation.String())
			for _, sa := range []policy.TrafficSA{gcmSA(1), cbcSA(1), portSA(1, 2000)} {
				a, b := newGateway(t, gatewayA, alter, sa), newGateway(t, gatewayB, alter, sa)
				for _, n := range []int{0, 10, 1472, 3000} {
					out, _ := handle(a, at(1), core.Inside, udp(t, hostA, hostB, n))
					for _, o := range out {
						for cut := 0; cut < len(o.bytes); cut += 1 + cut/4 {
							_, _ = handle(b, at(1), core.Outside, o.bytes[:cut])
						}
						_, _ = handle(b, at(1), core.Outside, o.bytes)
					}
				}
			}
		}
	}
}
