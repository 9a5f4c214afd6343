package gateway

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestThereAndBack(t *testing.T) {
	for _, c := range []struct {
		name     string
		sa       policy.TrafficSA
		overhead [2]int // least and most, with the outer IP header
	}{
		{"gcm", gcmSA(0x100), [2]int{54, 57}},
		{"cbc", cbcSA(0x100), [2]int{62, 77}},
	} {
		a, b := newGateway(t, gatewayA, nil, c.sa), newGateway(t, gatewayB, nil, c.sa)
		for n := range 100 {
			packet := udp(t, hostA, hostB, n)
			outer, inner := through(t, a, b, packet)
			if !bytes.Equal(inner, packet) {
				t.Errorf("%s, %d octets: came out as\n%x, was\n%x", c.name, n, inner, packet)
			}
			if over := len(outer) - len(packet); over < c.overhead[0] || over > c.overhead[1] {
				t.Errorf("%s, %d octets: overhead %d", c.name, n, over)
			}
			if spi, seq := binary.BigEndian.Uint32(outer[20:]), binary.BigEndian.Uint32(outer[24:]); spi != 0x100 || seq != uint32(n+1) {
				t.Errorf("%s: SPI %x, sequence %d", c.name, spi, seq)
			}
		}
		if got := a.Counters(); got["encrypted"] != 100 || got["bypassed"]+got["dropped"]+got["decrypted"] != 0 {
			t.Errorf("counters of A: %v", got)
		}
		if got := b.Counters(); got["decrypted"] != 100 {
			t.Errorf("counters of B: %v", got)
		}
	}
}

func TestOuterHeader(t *testing.T) {
	options := func(ip *layers.IPv4) {
		ip.Options = []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}}
	}
	for _, c := range []struct {
		name   string
		alter  header
		mutant string
		is     func(*layers.IPv4) bool // of the outer header of a correct gateway; not of the mutant's
	}{
		{"source", nil, "gateway.outer.source", func(o *layers.IPv4) bool { return o.SrcIP.String() == hostA }},
		{"destination", nil, "gateway.outer.destination", func(o *layers.IPv4) bool { return o.DstIP.String() == hostB }},
		{"absent", nil, "gateway.outer.absent", func(o *layers.IPv4) bool { return o.SrcIP.String() == hostA }},
		{"DSCP", func(ip *layers.IPv4) { ip.TOS = 46 << 2 }, "gateway.outer.dscp", func(o *layers.IPv4) bool { return o.TOS>>2 == 46 }},
		{"ECN", func(ip *layers.IPv4) { ip.TOS = 2 }, "gateway.outer.ecn", func(o *layers.IPv4) bool { return o.TOS == 2 }},
		{"DF", func(ip *layers.IPv4) { ip.Flags = layers.IPv4DontFragment }, "gateway.outer.df",
			func(o *layers.IPv4) bool { return o.Flags == layers.IPv4DontFragment }},
		{"no DF", nil, "", func(o *layers.IPv4) bool { return o.Flags == 0 }},
		{"TTL", nil, "gateway.outer.ttl", func(o *layers.IPv4) bool { return o.TTL == 64 }},
		{"options", options, "gateway.outer.options", func(o *layers.IPv4) bool { return len(o.Options) == 0 && o.IHL == 5 }},
		{"protocol", nil, "", func(o *layers.IPv4) bool { return o.Protocol == layers.IPProtocolESP }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var alter []header
			if c.alter != nil {
				alter = append(alter, c.alter)
			}
			packet := udp(t, hostA, hostB, 40, alter...)
			b := newGateway(t, gatewayB, nil, gcmSA(1))
			outer, inner := through(t, newGateway(t, gatewayA, nil, gcmSA(1)), b, packet)
			if !c.is(decode(t, outer)) || int(decode(t, outer).Length) != len(outer) {
				t.Errorf("outer header %+v", decode(t, outer))
			}
			if !bytes.Equal(inner, packet) {
				t.Errorf("the inner packet came out as %x, was %x", inner, packet)
			}
			if c.mutant == "" {
				return
			}
			wrong := one(t, newGateway(t, gatewayA, mutant(t, c.mutant, "broken"), gcmSA(1)), at(1), core.Inside, packet, core.Outside)
			if c.is(decode(t, wrong)) {
				t.Errorf("the outer header of the mutant is right: %+v", decode(t, wrong))
			}
		})
	}
}

func TestAddressPreservation(t *testing.T) {
	for _, c := range []struct {
		preserve policy.Preservation
		source   string // outer; empty: it cannot be sent
	}{
		{policy.PreserveAbsent, hostA}, {policy.PreserveBoth, hostA}, {policy.PreserveDestination, gatewayA},
		{policy.PreserveSource, ""}, {policy.PreserveNone, ""},
	} {
		sa := gcmSA(1)
		sa.Transform.Preservation = c.preserve
		a, b := newGateway(t, gatewayA, nil, sa), newGateway(t, gatewayB, nil, sa)
		packet := udp(t, hostA, hostB, 10)
		if c.source == "" {
			if out, err := handle(a, at(1), core.Inside, packet); err == nil || len(out) != 0 {
				t.Errorf("preservation %d was sent without a tunnel peer", c.preserve)
			}
			continue
		}
		outer, _ := through(t, a, b, packet)
		if ip := decode(t, outer); ip.SrcIP.String() != c.source || ip.DstIP.String() != hostB {
			t.Errorf("preservation %d: %v -> %v", c.preserve, ip.SrcIP, ip.DstIP)
		}
	}
}

// readdress changes an address of the outer header, which ESP does not protect.
func readdress(outer []byte, offset int, address [4]byte) []byte {
	out := bytes.Clone(outer)
	copy(out[offset:], address[:])
	resum(out, headerLen)
	return out
}

func TestReaddressedInTransit(t *testing.T) {
	a := newGateway(t, gatewayA, nil, gcmSA(1))
	outer := one(t, a, at(1), core.Inside, udp(t, hostA, hostB, 10), core.Outside)
	for _, c := range []struct {
		offset  int
		address [4]byte
		guard   string
	}{
		{offSource, [4]byte{10, 1, 0, 9}, "gateway.tunnel.source"},
		{offDestination, [4]byte{10, 2, 0, 9}, "gateway.tunnel.destination"},
	} {
		forged := readdress(outer, c.offset, c.address)
		b := newGateway(t, gatewayB, nil, gcmSA(1))
		want := guardSource
		if c.offset == offDestination {
			want = guardDestination
		}
		refuses(t, b, at(1), core.Outside, forged, want)
		off := newGateway(t, gatewayB, mutant(t, c.guard, "off"), gcmSA(1))
		one(t, off, at(1), core.Outside, forged, core.Inside)

		// What is not preserved may be anything.
		sa := gcmSA(1)
		sa.Transform.Preservation = policy.PreserveNone
		one(t, newGateway(t, gatewayB, nil, sa), at(1), core.Outside, forged, core.Inside)
	}
}

func TestSelectorAfterDecryption(t *testing.T) {
	wide := gcmSA(1)
	wide.Selector = policy.Selector{}
	a := newGateway(t, gatewayA, nil, wide)
	outer := one(t, a, at(1), core.Inside, udp(t, "172.16.0.1", hostB, 10), core.Outside)
	refuses(t, newGateway(t, gatewayB, nil, gcmSA(1)), at(1), core.Outside, outer, guardSelector)
	one(t, newGateway(t, gatewayB, mutant(t, "gateway.tunnel.selector", "off"), gcmSA(1)), at(1), core.Outside, outer, core.Inside)
}

// Later fragments on an SA of certain ports: dropped by the receiver, not sent by the sender, not leaked in clear.
func TestLaterFragmentAndPorts(t *testing.T) {
	later := udp(t, hostA, hostB, 40, func(ip *layers.IPv4) { ip.FragOffset = 10 })
	a := newGateway(t, gatewayA, nil, portSA(1, 2000))
	refuses(t, a, at(1), core.Inside, later, guardClosed)
	outer := one(t, newGateway(t, gatewayA, nil, gcmSA(1)), at(1), core.Inside, later, core.Outside)
	refuses(t, newGateway(t, gatewayB, nil, portSA(1, 2000)), at(1), core.Outside, outer, guardSelector)
	one(t, newGateway(t, gatewayB, nil, gcmSA(1)), at(1), core.Outside, outer, core.Inside)
}

func TestECNAndDSCPOnTheWayOut(t *testing.T) {
	for _, c := range []struct {
		inner, outer, want byte
		mutant             string // that gives another result
	}{
		{0x00, 0x03, 0x00, "gateway.inner.ect"}, // Not-ECT stays
		{0x01, 0x03, 0x03, "gateway.inner.ce"},  // ECT(1)
		{0x02, 0x03, 0x03, "gateway.inner.ce"},  // ECT(0)
		{0x03, 0x01, 0x03, ""},
		{0x02, 0x01, 0x02, ""},
		{0x02, 0x00, 0x02, ""},
		{0xb8, 0x00, 0xb8, "gateway.inner.dscp"},
		{0x28, 0xbb, 0x28, "gateway.inner.dscp"},
		{0x2a, 0xbb, 0x2b, "gateway.inner.dscp"},
	} {
		outer := one(t, newGateway(t, gatewayA, nil, gcmSA(1)), at(1), core.Inside,
			udp(t, hostA, hostB, 10, func(ip *layers.IPv4) { ip.TOS = c.inner }), core.Outside)
		outer[offTOS] = c.outer
		resum(outer, headerLen)
		inner := one(t, newGateway(t, gatewayB, nil, gcmSA(1)), at(1), core.Outside, outer, core.Inside)
		if inner[offTOS] != c.want {
			t.Errorf("inner %02x, outer %02x: %02x", c.inner, c.outer, inner[offTOS])
		}
		if c.mutant == "" {
			continue
		}
		mutation := "broken"
		if c.mutant == "gateway.inner.ect" {
			mutation = "off"
		}
		inner = one(t, newGateway(t, gatewayB, mutant(t, c.mutant, mutation), gcmSA(1)), at(1), core.Outside, outer, core.Inside)
		if inner[offTOS] == c.want {
			t.Errorf("inner %02x, outer %02x: %s does as it should", c.inner, c.outer, c.mutant)
		}
	}
}

func TestTimeToLive(t *testing.T) {
	forwarding := func(c *Config) { c.Forwarding = true }
	mutantOf := func(name, mutation string) func(*Config) {
		return func(c *Config) { forwarding(c); c.Rules = switches(t, name, mutation) }
	}
	ttl := func(n uint8) []byte { return udp(t, hostA, hostB, 10, func(ip *layers.IPv4) { ip.TTL = n }) }
	for _, c := range []struct {
		name string
		a, b func(*Config)
		want uint8 // inner, of 17
	}{
		{"a kernel forwards", nil, nil, 17},
		{"A forwards", forwarding, nil, 16},
		{"both forward", forwarding, forwarding, 15},
		{"mutant A", mutantOf("gateway.ttl.encapsulate", "broken"), forwarding, 16},
		{"mutant B", forwarding, mutantOf("gateway.ttl.decapsulate", "broken"), 16},
	} {
		outer, inner := through(t, newGateway(t, gatewayA, c.a, gcmSA(1)), newGateway(t, gatewayB, c.b, gcmSA(1)), ttl(17))
		if decode(t, inner).TTL != c.want || decode(t, outer).TTL != 64 {
			t.Errorf("%s: inner TTL %d, outer %d", c.name, decode(t, inner).TTL, decode(t, outer).TTL)
		}
	}
	for n := range uint8(2) {
		refuses(t, newGateway(t, gatewayA, forwarding, gcmSA(1)), at(1), core.Inside, ttl(n), guardTTL)
		outer := one(t, newGateway(t, gatewayA, nil, gcmSA(1)), at(1), core.Inside, ttl(n), core.Outside)
		refuses(t, newGateway(t, gatewayB, forwarding, gcmSA(1)), at(1), core.Outside, outer, guardTTL)
		refuses(t, newGateway(t, gatewayB, nil, gcmSA(1)), at(1), core.Outside, outer, guardTTL) // though a kernel would too
		inner := one(t, newGateway(t, gatewayB, mutantOf("gateway.ttl.zero", "off"), gcmSA(1)), at(1), core.Outside, outer, core.Inside)
		if decode(t, inner).TTL != 0 {
			t.Errorf("mutant: TTL %d of %d", decode(t, inner).TTL, n)
		}
	}
	clear := udp(t, "192.0.2.9", "192.0.2.10", 10)
	if out := one(t, newGateway(t, gatewayA, forwarding, gcmSA(1)), at(1), core.Inside, clear, core.Outside); decode(t, out).TTL != 16 {
		t.Errorf("TTL of what is bypassed: %d", decode(t, out).TTL)
	}
}

func TestMulticast(t *testing.T) {
	sa := gcmSA(1)
	sa.Selector.Destination = anyTen.Source
	group := gcmSA(2)
	group.CipherKey = []byte("fedcba9876543210SALT")
	group.Selector = policy.Selector{Source: anyTen.Source}
	group.Selector.Destination = mustPrefix("239.1.1.1/32")
	a, b := newGateway(t, gatewayA, nil, sa, group), newGateway(t, gatewayB, nil, sa, group)
	packet := udp(t, hostA, "239.1.1.1", 10)
	outer, inner := through(t, a, b, packet)
	if binary.BigEndian.Uint32(outer[20:]) != 2 || decode(t, outer).DstIP.String() != "239.1.1.1" || !bytes.Equal(inner, packet) {
		t.Errorf("outer %x, inner %x", outer, inner)
	}
	refuses(t, b, at(1), core.Outside, readdress(outer, offDestination, [4]byte{239, 1, 1, 2}), guardSPI)
}
