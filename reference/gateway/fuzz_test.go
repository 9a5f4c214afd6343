package gateway

import (
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// FuzzHandle gives gateways any octets from either side: correct ones, and mutants whose checks are all off. Whatever
// comes out must be IP packets again.
func FuzzHandle(f *testing.F) {
	sa, ports, six, host := gcmSA(1), portSA(2, 2000), gcm6(3), transportSA(gcm6(4))
	host.Selector.Protocol = protocolICMPv6
	inUDP := inUDPSA(gcmSA(256))
	inUDP.Selector = policy.Selector{Source: mustPrefix("10.4.0.0/16"), Destination: mustPrefix("10.4.0.0/16")}
	sender := newGateway(f, gatewayA, withUDP, sa, six, host, inUDP)
	clear := udp(f, hostA, hostB, 30)
	for _, packet := range [][]byte{
		udp6(f, host6A, host6B, 30), udp6(f, host6A, host6B, 1452), udp6(f, host6A, host6B, 1200),
		with(udp6(f, host6A, host6B, 30), hopByHop(), destinationOptions(), routing(), destinationOptions()),
		with(udp6(f, host6A, host6B, 30), fragmentHeader(0, true, 1)), with(udp6(f, host6A, host6B, 30), fragmentHeader(32, false, 1)),
		with(wrap6(f, host6A, host6B, protocolICMPv6, someBody(30)), routing()),
		wrap6(f, host6A, host6B, protocolICMPv6, append([]byte{2, 0, 0, 0, 0, 0, 5, 0}, udp6(f, host6B, host6A, 9)...)),
	} {
		f.Add(uint8(0), packet)
		f.Add(uint8(1), packet)
		out, err := handle(sender, at(1), core.Inside, packet)
		if err != nil {
			f.Fatal(err)
		}
		for _, o := range out {
			f.Add(uint8(1), o.bytes)
		}
	}
	f.Add(uint8(0), clear)
	f.Add(uint8(1), clear)
	encapsulated := one(f, sender, at(1), core.Inside, udp(f, "10.4.0.1", "10.4.0.2", 1300), core.Outside)
	f.Add(uint8(1), encapsulated)
	f.Add(uint8(1), withUDPHeader(encapsulated, func(b []byte) { copy(b[udpLen:], natt.AppendMarker(nil)) }))
	for _, piece := range cut4(f, encapsulated, 600) {
		f.Add(uint8(1), piece)
	}
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
		if len(packet) >= headerLen && packet[0]>>4 == 4 && choice&4 != 0 { // most random headers have a wrong checksum
			if ihl := int(packet[0]&15) * 4; ihl >= headerLen && ihl <= len(packet) {
				resum(packet, ihl)
			}
		}
		g := newGateway(t, gatewayB, func(c *Config) {
			dual(c)
			c.Forwarding, c.ForwardESP, c.FailOpen, c.Transport, c.UDP = choice&8 != 0, choice&16 != 0, choice&32 != 0, true, true
			c.Peers = []policy.TunnelPeer{{Network: mustPrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr(gateway6A)}}
			if choice&64 != 0 {
				c.MTU, c.Fragment = 1300, policy.FragmentAfter
			}
			if choice&2 != 0 {
				c.Rules = everythingOff(t)
			}
		}, sa, ports, six, host, inUDP)
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
	packets := [][]byte{with(udp6(t, host6A, host6B, 20), hopByHop(), routing()), with(udp6(t, host6A, host6B, 1472), fragmentHeader(0, false, 1)),
		with(udp6(t, host6A, host6B, 20), fragmentHeader(0, true, 1)), with(udp6(t, host6A, host6B, 20), fragmentHeader(80, false, 1))}
	for _, n := range []int{0, 10, 1200, 1472, 3000} {
		packets = append(packets, udp(t, hostA, hostB, n), udp6(t, host6A, host6B, n))
	}
	for _, guard := range rule.All() {
		for _, mutation := range guard.Kind.Mutations() {
			alter := withUDPAnd(mutant(t, guard.Name, mutation.String()))
			for _, sa := range []policy.TrafficSA{gcmSA(1), cbcSA(1), portSA(1, 2000), gcm6(1), transportSA(gcmSA(1)), transportSA(gcm6(1)),
				inUDPSA(gcmSA(1)), inUDPSA(gcm6(1)), inUDPSA(transportSA(gcmSA(1)))} {
				a, b := newGateway(t, gatewayA, alter, sa), newGateway(t, gatewayB, alter, sa)
				for _, packet := range packets {
					out, _ := handle(a, at(1), core.Inside, packet)
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
