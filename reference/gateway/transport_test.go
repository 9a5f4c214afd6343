package gateway

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// asHost has the gateway take SAs in transport mode.
func asHost(c *Config) { dual(c); c.Transport = true }

func asHostWith(more func(*Config)) func(*Config) { return func(c *Config) { asHost(c); more(c) } }

func transportSA(sa policy.TrafficSA) policy.TrafficSA {
	sa.Transform.Mode, sa.Transform.Preservation = policy.ModeTransport, policy.PreserveAbsent
	return sa
}

func TestTransportThereAndBack(t *testing.T) {
	options := func(ip *layers.IPv4) {
		ip.Options = []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}}
		ip.TOS, ip.Flags = 0xb9, layers.IPv4DontFragment
	}
	for _, sa := range []policy.TrafficSA{gcmSA(1), cbcSA(1), portSA(1, 2000)} {
		a, b := newGateway(t, gatewayA, asHost, transportSA(sa)), newGateway(t, gatewayB, asHost, transportSA(sa))
		for _, packet := range [][]byte{udp(t, hostA, hostB, 40), udp(t, hostA, hostB, 41, options)} {
			outer, inner := through(t, a, b, packet)
			was, is := decode(t, packet), decode(t, outer)
			if is.Protocol != layers.IPProtocolESP || is.TTL != was.TTL || is.Id != was.Id || is.TOS != was.TOS || is.Flags != was.Flags ||
				is.IHL != was.IHL || !is.SrcIP.Equal(was.SrcIP) || !is.DstIP.Equal(was.DstIP) || int(is.Length) != len(outer) {
				t.Errorf("header %+v, was %+v", is, was)
			}
			if !bytes.Equal(inner, packet) {
				t.Errorf("came out as\n%x, was\n%x", inner, packet)
			}
		}
	}
}

func TestTransportThereAndBack6(t *testing.T) {
	plain := udp6(t, host6A, host6B, 40)
	for _, headers := range [][][]byte{
		nil, {hopByHop()}, {hopByHop(), destinationOptions(), routing()}, {destinationOptions()}, {fragmentHeader(0, false, 3)},
		{hopByHop(), routing(), fragmentHeader(0, false, 3), destinationOptions()},
	} {
		packet := with(plain, headers...)
		p, err := parse(packet)
		if err != nil {
			t.Fatal(err)
		}
		a, b := newGateway(t, gatewayA, asHost, transportSA(gcm6(1))), newGateway(t, gatewayB, asHost, transportSA(gcm6(1)))
		outer := one6(t, a, core.Inside, packet, core.Outside)
		o, err := parse(outer)
		if err != nil || o.flow.Protocol != protocolESP || o.headerLen != p.routedLen {
			t.Errorf("%d extension headers: ESP %d at %d, want it at %d, %v", len(headers), o.flow.Protocol, o.headerLen, p.routedLen, err)
		}
		if inner := one6(t, b, core.Outside, outer, core.Inside); !bytes.Equal(inner, packet) {
			t.Errorf("came out as\n%x, was\n%x", inner, packet)
		}
	}
}

func TestTransportIsForHosts(t *testing.T) {
	sa := transportSA(gcmSA(1))
	g := alone(config(gatewayA))
	if err := g.groups[0].Install(t0, []policy.TrafficSA{sa}, policy.Activation{}, nil, false); err == nil || g.Accepts(sa) == nil {
		t.Error("a gateway takes an SA in transport mode")
	}
	refuses(t, g, at(1), core.Inside, udp(t, hostA, hostB, 1), guardClosed)
	g.groups[0].Forget()
	refuses(t, g, at(1), core.Inside, udp(t, hostA, hostB, 1), guardClosed)
	through(t, newGateway(t, gatewayA, mutant(t, "gateway.install.mode", "off"), sa), newGateway(t, gatewayB, asHost, sa), udp(t, hostA, hostB, 1))
}

func TestTransportForwards(t *testing.T) {
	forwarding := asHostWith(func(c *Config) { c.Forwarding = true })
	sa := transportSA(gcmSA(1))
	a, b := newGateway(t, gatewayA, forwarding, sa), newGateway(t, gatewayB, forwarding, sa)
	outer, inner := through(t, a, b, udp(t, hostA, hostB, 10))
	if decode(t, outer).TTL != 16 || decode(t, inner).TTL != 15 {
		t.Errorf("TTL %d, then %d", decode(t, outer).TTL, decode(t, inner).TTL)
	}
	// What was inside is looked at: here a packet of another protocol than the SA is for.
	wide := newGateway(t, gatewayA, forwarding, transportSA(gcmSA(1)))
	outer = one(t, wide, at(1), core.Inside, udp(t, hostA, hostB, 10), core.Outside)
	narrow := transportSA(portSA(1, 2001))
	refuses(t, newGateway(t, gatewayB, forwarding, narrow), at(1), core.Outside, outer, guardSelector)
}

// Transport mode protects whole packets: the gateway puts them together, whatever the SA's selectors see of a fragment.
func TestTransportOfFragments(t *testing.T) {
	packet := udp(t, hostA, hostB, 2500, func(ip *layers.IPv4) { ip.Id = 77 })
	for _, sa := range []policy.TrafficSA{gcmSA(1), portSA(1, 2000)} {
		a, b := newGateway(t, gatewayA, asHost, transportSA(sa)), newGateway(t, gatewayB, asHost, transportSA(sa))
		var pieces, outer [][]byte
		if err := fragment4(packet, 1500, func(p []byte) error { pieces = append(pieces, bytes.Clone(p)); return nil }); err != nil {
			t.Fatal(err)
		}
		for _, p := range [][]byte{pieces[1], pieces[0]} {
			out, err := handle(a, at(1), core.Inside, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range out {
				outer = append(outer, o.bytes)
			}
		}
		if len(outer) != 2 || !bytes.Equal(one(t, b, at(1), core.Outside, defragment(t, outer), core.Inside), packet) {
			t.Errorf("%d pieces of ESP do not make the packet", len(outer))
		}
		if got := a.Counters(); got["encrypted"] != 1 || got["dropped"] != 0 {
			t.Errorf("counters %v", got)
		}
	}
}

func TestTransportOfFragments6(t *testing.T) {
	packet := udp6(t, host6A, host6B, 2500)
	a, b := newGateway(t, gatewayA, asHost, transportSA(gcm6(1))), newGateway(t, gatewayB, asHost, transportSA(gcm6(1)))
	var outer [][]byte
	err := fragment6(packet, 1500, 5, func(p []byte) error {
		out, err := handle(a, at(1), core.Inside, bytes.Clone(p))
		for _, o := range out {
			outer = append(outer, o.bytes)
		}
		return err
	})
	if err != nil || len(outer) != 2 {
		t.Fatalf("%d packets, %v", len(outer), err)
	}
	if out, err := handle(b, at(1), core.Outside, outer[0]); len(out) != 0 || err != nil {
		t.Fatalf("%d packets, %v", len(out), err)
	}
	inner, err := handle(b, at(1), core.Outside, outer[1])
	if err != nil || len(inner) != 3 {
		t.Fatalf("%d fragments for the host, %v", len(inner), err)
	}
	var r reassembler
	var whole []byte
	for _, o := range inner {
		p, err := parse(o.bytes)
		if err != nil || len(o.bytes) > minMTU6 || o.to != core.Inside {
			t.Fatalf("%d octets to the %v, %v", len(o.bytes), o.to, err)
		}
		if whole, _, err = r.add(t0, &p); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(whole, packet) {
		t.Error("another packet comes out")
	}
}

func TestTransportWaitsForFragments(t *testing.T) {
	a := newGateway(t, gatewayA, asHost, transportSA(gcmSA(1)))
	first := udp(t, hostA, hostB, 64, func(ip *layers.IPv4) { ip.Flags = layers.IPv4MoreFragments })
	if out, err := handle(a, at(1), core.Inside, first); len(out) != 0 || err != nil {
		t.Errorf("%d packets, %v", len(out), err)
	}
	if deadline, ok := a.Deadline(); !ok || !deadline.Equal(at(31)) {
		t.Errorf("deadline %v", deadline.Sub(t0))
	}
	a.Expire(at(31))
	if n := a.Counters()["dropped"]; n != 1 {
		t.Errorf("%d dropped", n)
	}
	overlap := udp(t, hostA, hostB, 64, func(ip *layers.IPv4) { ip.FragOffset = 1 })
	if _, err := handle(a, at(40), core.Inside, first); err != nil {
		t.Fatal(err)
	}
	if out, err := handle(a, at(40), core.Inside, overlap); !errors.Is(err, errOverlap) || len(out) != 0 {
		t.Errorf("%d packets, %v", len(out), err)
	}
	// Fragments that no SA in transport mode will carry are not kept.
	tunnel := newGateway(t, gatewayA, asHost, gcmSA(1))
	one(t, tunnel, at(1), core.Inside, first, core.Outside)
	a.Expire(t0.Add(2 * time.Hour))
	refuses(t, a, t0.Add(2*time.Hour), core.Inside, first, guardClosed)
}

func TestTransportTooBig(t *testing.T) {
	a, b := newGateway(t, gatewayA, asHost, transportSA(gcmSA(1))), newGateway(t, gatewayB, asHost, transportSA(gcmSA(1)))
	const most = 1500 - 8 - 8 - 16 - 2 - 2 // for this payload two octets of padding are left over
	fits := udp(t, hostA, hostB, most-28, dontFragment)
	if outer := one(t, a, at(1), core.Inside, fits, core.Outside); len(outer) > 1500 || len(outer) < 1496 {
		t.Errorf("%d octets", len(outer))
	}
	answer := decode(t, one(t, a, at(1), core.Inside, udp(t, hostA, hostB, 1472, dontFragment), core.Inside))
	told := int(answer.Payload[6])<<8 | int(answer.Payload[7])
	one(t, a, at(1), core.Inside, udp(t, hostA, hostB, told-28, dontFragment), core.Outside)
	one(t, a, at(1), core.Inside, udp(t, hostA, hostB, told-27, dontFragment), core.Inside)

	packet := udp(t, hostA, hostB, 1472)
	out, err := handle(a, at(1), core.Inside, packet)
	if err != nil || len(out) != 2 {
		t.Fatalf("%d packets, %v", len(out), err)
	}
	if got := one(t, b, at(1), core.Outside, defragment(t, [][]byte{out[0].bytes, out[1].bytes}), core.Inside); !bytes.Equal(got, packet) {
		t.Error("another packet comes out")
	}

	six := newGateway(t, gatewayA, asHost, transportSA(gcm6(1)))
	answer6 := one6(t, six, core.Inside, udp6(t, host6A, host6B, 1452), core.Inside)
	told = int(answer6[header6Len+6])<<8 | int(answer6[header6Len+7])
	one6(t, six, core.Inside, udp6(t, host6A, host6B, told-48), core.Outside)
	one6(t, six, core.Inside, udp6(t, host6A, host6B, told-47), core.Inside)
	if out, err := handle(newGateway(t, gatewayA, asHostWith(mtu(30)), transportSA(gcmSA(1))), at(1), core.Inside,
		udp(t, hostA, hostB, 10, dontFragment)); len(out) != 0 || err != nil {
		t.Errorf("where nothing fits: %d packets, %v", len(out), err)
	}
}
