package gateway

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/internal/inet"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

// The example network: hosts A and B behind gateways A and B, all of 10/8 protected.
const (
	hostA, hostB       = "10.1.0.1", "10.2.0.1"
	gatewayA, gatewayB = "192.0.2.1", "192.0.2.2"
)

var anyTen = policy.Selector{Source: netip.MustParsePrefix("10.0.0.0/8"), Destination: netip.MustParsePrefix("10.0.0.0/8")}

func gcmSA(spi uint32) policy.TrafficSA {
	return policy.TrafficSA{
		SPI: spi, Selector: anyTen, Lifetime: time.Hour,
		Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel},
		CipherKey: []byte("0123456789abcdefSALT"),
	}
}

func cbcSA(spi uint32) policy.TrafficSA {
	s := gcmSA(spi)
	s.Transform.Cipher, s.Transform.Integrity = policy.CipherAESCBC, policy.IntegrityHMACSHA256
	s.CipherKey, s.IntegrityKey = []byte("0123456789abcdef"), []byte("0123456789abcdef0123456789abcdef")
	return s
}

func portSA(spi uint32, port uint16) policy.TrafficSA {
	s := gcmSA(spi)
	s.Selector.Protocol, s.Selector.DestinationPort = protocolUDP, port
	return s
}

func config(address string) Config {
	return Config{Address: netip.MustParseAddr(address), Rand: keymat.Seeded("test", address)}
}

// newGateway makes gateway A or B, altered, with the SAs installed at t0. SID: the last octet of the address.
func newGateway(t testing.TB, address string, alter func(*Config), sas ...policy.TrafficSA) *Gateway {
	t.Helper()
	cfg := config(address)
	if alter != nil {
		alter(&cfg)
	}
	g := alone(cfg)
	a4 := cfg.Address.As4()
	if err := g.groups[0].Install(t0, sas, policy.Activation{}, &policy.SIDs{Bits: 8, Values: []uint32{uint32(a4[3])}}, false); err != nil {
		t.Fatal(err)
	}
	return g
}

// alone makes a gateway of one group.
func alone(cfg Config, expected ...policy.Selector) *Gateway {
	g := New(cfg)
	g.Join(expected)
	return g
}

// mutant alters a configuration by one guard.
func mutant(t testing.TB, name, mutation string) func(*Config) {
	return func(c *Config) { c.Rules = switches(t, name, mutation) }
}

func switches(t testing.TB, name, mutation string) *rule.Switches {
	t.Helper()
	s := new(rule.Switches)
	if err := s.Set(name, mutation); err != nil {
		t.Fatal(err)
	}
	return s
}

// header alters the header of a test packet before its checksum is made.
type header func(*layers.IPv4)

// udp builds a UDP packet with gopacket, from port 1000 to 2000, of n octets of payload.
func udp(t testing.TB, src, dst string, n int, alter ...header) []byte {
	t.Helper()
	return udpPorts(t, src, dst, 1000, 2000, n, alter...)
}

func udpPorts(t testing.TB, src, dst string, sport, dport uint16, n int, alter ...header) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 17, Id: 0x1234, Protocol: layers.IPProtocolUDP,
		SrcIP: netip.MustParseAddr(src).AsSlice(), DstIP: netip.MustParseAddr(dst).AsSlice()}
	for _, f := range alter {
		f(ip)
	}
	u := &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}
	if err := u.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, n)
	for i := range payload {
		payload[i] = byte(i)
	}
	return serialize(t, ip, u, gopacket.Payload(payload))
}

// wrap builds an IP packet of any protocol around a body.
func wrap(t testing.TB, src, dst string, protocol uint8, body []byte, alter ...header) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocol(protocol),
		SrcIP: netip.MustParseAddr(src).AsSlice(), DstIP: netip.MustParseAddr(dst).AsSlice()}
	for _, f := range alter {
		f(ip)
	}
	return serialize(t, ip, gopacket.Payload(body))
}

func serialize(t testing.TB, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(buf.Bytes())
}

// emitted is one packet that a gateway sent.
type emitted struct {
	to    core.Side
	bytes []byte
}

// handle gives a gateway a packet and returns what it did.
func handle(g *Gateway, now time.Time, from core.Side, packet []byte) (out []emitted, err error) {
	before := bytes.Clone(packet)
	err = g.Handle(now, from, packet, func(to core.Side, p []byte) { out = append(out, emitted{to, bytes.Clone(p)}) })
	if !bytes.Equal(before, packet) {
		panic("the packet that was handed in has been changed")
	}
	return out, err
}

// one expects exactly one packet, to that side.
func one(t testing.TB, g *Gateway, now time.Time, from core.Side, packet []byte, to core.Side) []byte {
	t.Helper()
	out, err := handle(g, now, from, packet)
	if err != nil || len(out) != 1 || out[0].to != to {
		t.Fatalf("%d packets %+v, error %v; want one to the %v", len(out), out, err, to)
	}
	if got := inet.Checksum(out[0].bytes[:int(out[0].bytes[0]&15)*4]); got != 0 {
		t.Fatalf("wrong header checksum in %x", out[0].bytes)
	}
	return out[0].bytes
}

// through sends a packet of a host behind a to one behind b and returns the outer packet and what arrived.
func through(t testing.TB, a, b *Gateway, packet []byte) (outer, inner []byte) {
	t.Helper()
	outer = one(t, a, at(1), core.Inside, packet, core.Outside)
	return outer, one(t, b, at(1), core.Outside, outer, core.Inside)
}

// refuses expects that a packet is dropped because of the guard; nil: dropped without error.
func refuses(t testing.TB, g *Gateway, now time.Time, from core.Side, packet []byte, guard *rule.Guard) {
	t.Helper()
	dropped := g.counts.dropped
	out, err := handle(g, now, from, packet)
	if len(out) != 0 || g.counts.dropped != dropped+1 {
		t.Errorf("%d packets came out, %d counted as dropped", len(out), g.counts.dropped-dropped)
	}
	switch by := refusedBy(err); {
	case guard == nil && err != nil, guard != nil && by == nil:
		t.Errorf("error %v, want %v", err, guard)
	case guard != nil && by != guard:
		t.Errorf("%v, want a violation of %v", err, guard)
	}
}

// refusedBy is the guard that an error names, or nil.
func refusedBy(err error) *rule.Guard {
	var v *rule.Violation
	if !errors.As(err, &v) {
		return nil
	}
	return v.Guard
}

// decode reads an IPv4 header with gopacket.
func decode(t testing.TB, packet []byte) *layers.IPv4 {
	t.Helper()
	ip := new(layers.IPv4)
	if err := ip.DecodeFromBytes(packet, gopacket.NilDecodeFeedback); err != nil {
		t.Fatalf("%x: %v", packet, err)
	}
	return ip
}

// parse reads a packet.
func parse(b []byte) (packet, error) {
	var p packet
	err := p.parse(b)
	return p, err
}
