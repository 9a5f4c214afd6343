package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/ip4defrag"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/internal/inet"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func dontFragment(ip *layers.IPv4) { ip.Flags |= layers.IPv4DontFragment }

func mtu(n int) func(*Config) { return func(c *Config) { c.MTU = n } }

// defragment puts IPv4 fragments together with gopacket.
func defragment(t *testing.T, packets [][]byte) []byte {
	t.Helper()
	d := ip4defrag.NewIPv4Defragmenter()
	for _, p := range packets {
		whole, err := d.DefragIPv4(decode(t, p))
		if err != nil {
			t.Fatal(err)
		}
		if whole != nil {
			buf := gopacket.NewSerializeBuffer()
			if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
				whole, gopacket.Payload(whole.Payload)); err != nil {
				t.Fatal(err)
			}
			return buf.Bytes()
		}
	}
	t.Fatalf("%d fragments do not make a packet", len(packets))
	return nil
}

func TestTooBigTellsTheSource(t *testing.T) {
	for _, c := range []struct {
		sa   policy.TrafficSA
		mtu  int
		next uint16 // MTU in the message
	}{{gcmSA(1), 1500, 1446}, {gcmSA(1), 1400, 1346}, {cbcSA(1), 1500, 1438}} {
		a := newGateway(t, gatewayA, mtu(c.mtu), c.sa)
		fits := udp(t, hostA, hostB, int(c.next)-28, dontFragment)
		if outer := one(t, a, at(1), core.Inside, fits, core.Outside); len(outer) > c.mtu {
			t.Errorf("%d octets on a link of %d", len(outer), c.mtu)
		}
		big := udp(t, hostA, hostB, int(c.next)-27, dontFragment)
		answer := one(t, a, at(1), core.Inside, big, core.Inside)
		ip := decode(t, answer)
		var icmp layers.ICMPv4
		if err := icmp.DecodeFromBytes(ip.Payload, gopacket.NilDecodeFeedback); err != nil {
			t.Fatal(err)
		}
		if ip.SrcIP.String() != gatewayA || ip.DstIP.String() != hostA || ip.Protocol != layers.IPProtocolICMPv4 || len(answer) != 576 {
			t.Errorf("header %+v", ip)
		}
		if icmp.TypeCode != layers.CreateICMPv4TypeCode(3, 4) || icmp.Seq != c.next || inet.Checksum(ip.Payload) != 0 ||
			!bytes.HasPrefix(big, icmp.Payload) {
			t.Errorf("MTU %d: %+v", c.mtu, icmp)
		}
		if got := a.Counters(); got["dropped"] != 1 || got["encrypted"] != 1 {
			t.Errorf("counters %v", got)
		}
		refuses(t, newGateway(t, gatewayA, mutant(t, "gateway.pmtu.icmp", "broken"), c.sa), at(1), core.Inside,
			udp(t, hostA, hostB, 1472, dontFragment), nil)
	}
}

func TestNobodyIsTold(t *testing.T) {
	inside := func(c *Config) { c.Inside = append(c.Inside, mustPrefix("10.1.0.0/16")) }
	everything := gcmSA(1)
	everything.Selector = policy.Selector{}
	icmp := func(typ byte) []byte {
		return wrap(t, hostA, hostB, protocolICMP, append([]byte{typ}, make([]byte, 1470)...), dontFragment)
	}
	for name, packet := range map[string][]byte{
		"source outside":     udp(t, "10.3.0.1", hostB, 1472, dontFragment),
		"multicast":          udp(t, hostA, "239.1.1.1", 1472, dontFragment),
		"unspecified source": udp(t, "0.0.0.0", hostB, 1472, dontFragment),
		"ICMP error":         icmp(3),
		"later fragment":     udp(t, hostA, hostB, 1472, dontFragment, func(ip *layers.IPv4) { ip.FragOffset = 1 }),
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, newGateway(t, gatewayA, inside, everything), at(1), core.Inside, packet, nil)
		})
	}
	one(t, newGateway(t, gatewayA, inside, everything), at(1), core.Inside, icmp(8), core.Inside)
}

func TestICMPIsRateLimited(t *testing.T) {
	a := newGateway(t, gatewayA, nil, gcmSA(1))
	told := func(now float64) (n int) {
		for range 100 {
			out, err := handle(a, at(now), core.Inside, udp(t, hostA, hostB, 1472, dontFragment))
			if err != nil {
				t.Fatal(err)
			}
			n += len(out)
		}
		return n
	}
	for _, c := range []struct {
		now  float64
		want int
	}{{1, 10}, {1, 0}, {1.5, 5}, {1.5, 0}, {100, 10}} {
		if got := told(c.now); got != c.want {
			t.Errorf("at %v: %d messages, want %d", c.now, got, c.want)
		}
	}
}

// A packet that may be fragmented is, before encryption: the receiver needs no reassembly, the host does it.
func TestFragmentBeforeEncryption(t *testing.T) {
	for _, n := range []int{1430, 1472, 3000, 20000} {
		packet := udp(t, hostA, hostB, n)
		a, b := newGateway(t, gatewayA, nil, gcmSA(1)), newGateway(t, gatewayB, nil, gcmSA(1))
		outer, err := handle(a, at(1), core.Inside, packet)
		if err != nil {
			t.Fatal(err)
		}
		var inner [][]byte
		for _, o := range outer {
			if ip := decode(t, o.bytes); len(o.bytes) > 1500 || ip.FragOffset != 0 || ip.Flags != 0 {
				t.Errorf("%d octets, %+v", len(o.bytes), ip)
			}
			inner = append(inner, one(t, b, at(1), core.Outside, o.bytes, core.Inside))
		}
		if len(inner) < 2 || !bytes.Equal(defragment(t, inner), packet) {
			t.Errorf("%d octets: %d fragments do not make the packet", n, len(inner))
		}
		if got := a.Counters(); got["encrypted"] != uint64(len(outer)) || got["dropped"] != 0 {
			t.Errorf("counters %v", got)
		}
	}
	whole := one(t, newGateway(t, gatewayA, mutant(t, "gateway.pmtu.fragment", "broken"), gcmSA(1)), at(1), core.Inside,
		udp(t, hostA, hostB, 1472), core.Outside)
	if len(whole) <= 1500 {
		t.Error("the mutant fragments")
	}
}

// An SA of certain ports could not carry later fragments, so the outer packet is fragmented.
func TestFragmentAfterEncryption(t *testing.T) {
	sa := portSA(1, 2000)
	packet := udp(t, hostA, hostB, 2800)
	a, b := newGateway(t, gatewayA, nil, sa), newGateway(t, gatewayB, nil, sa)
	out, err := handle(a, at(1), core.Inside, packet)
	if err != nil || len(out) != 2 {
		t.Fatalf("%d fragments, %v", len(out), err)
	}
	var outer [][]byte
	for _, o := range out {
		if ip := decode(t, o.bytes); len(o.bytes) > 1500 || ip.Protocol != layers.IPProtocolESP {
			t.Errorf("%d octets, %+v", len(o.bytes), ip)
		}
		outer = append(outer, o.bytes)
	}
	if got := one(t, b, at(1), core.Outside, defragment(t, outer), core.Inside); !bytes.Equal(got, packet) {
		t.Error("put together by gopacket, another packet comes out")
	}
	for i := range outer { // put together by the gateway, in either order
		if got, err := handle(b, at(1), core.Outside, outer[i]); len(got) != 0 || err != nil {
			t.Fatalf("the first fragment gave %v, %v", got, err)
		}
		if got := one(t, b, at(1), core.Outside, outer[1-i], core.Inside); !bytes.Equal(got, packet) {
			t.Error("put together by the gateway, another packet comes out")
		}
	}
}

func TestFragmentOfAFragment(t *testing.T) {
	packet := udp(t, hostA, hostB, 4000, func(ip *layers.IPv4) { ip.Id = 99 })
	var once [][]byte
	collect := func(to *[][]byte) func([]byte) error {
		return func(p []byte) error { *to = append(*to, bytes.Clone(p)); return nil }
	}
	if err := fragment4(packet, 1500, collect(&once)); err != nil {
		t.Fatal(err)
	}
	var twice [][]byte
	for _, p := range once {
		if err := fragment4(p, 500, collect(&twice)); err != nil {
			t.Fatal(err)
		}
	}
	if len(once) != 3 || len(twice) < 9 || !bytes.Equal(defragment(t, twice), packet) {
		t.Errorf("%d fragments, then %d, do not make the packet", len(once), len(twice))
	}
}

func TestOptionsOfFragments(t *testing.T) {
	packet := udp(t, hostA, hostB, 100)
	// no-operation, one that is copied (security), one that is not (record route), end
	options := []byte{1, 0x82, 4, 0xaa, 0xbb, 7, 3, 4, 0, 0, 0, 0}
	long := append(append(bytes.Clone(packet[:20]), options...), packet[20:]...)
	long[0] = 4<<4 | 8
	finish(long)
	var headers []string
	var sizes []int
	err := fragment4(long, 80, func(p []byte) error {
		ihl := int(p[0]&15) * 4
		headers, sizes = append(headers, fmt.Sprintf("%x", p[20:ihl])), append(sizes, len(p))
		if inet.Checksum(p[:ihl]) != 0 || len(p) > 80 {
			t.Errorf("fragment %x", p)
		}
		return nil
	})
	if err != nil || fmt.Sprint(headers) != "[018204aabb07030400000000 8204aabb 8204aabb]" {
		t.Errorf("options %v, sizes %v, %v", headers, sizes, err)
	}
	for _, bad := range [][]byte{{0x82, 1, 0, 0}, {0x82, 9, 0, 0}, {1, 1, 1, 0x82}} {
		if got := laterHeader(append(bytes.Clone(packet[:20]), bad...)); len(got) != 20 {
			t.Errorf("options %x: %x", bad, got[20:])
		}
	}
}

func TestNoRoomAtAll(t *testing.T) {
	for _, n := range []int{1, 40, 60, 70, 80} {
		a := newGateway(t, gatewayA, mtu(n), gcmSA(1))
		if out, err := handle(a, at(1), core.Inside, udp(t, hostA, hostB, 100)); !errors.Is(err, ErrMalformed) || len(out) != 0 {
			t.Errorf("MTU %d: %d packets, %v", n, len(out), err)
		}
	}
	huge := udp(t, hostA, hostB, 65000+507)
	if len(huge) != maxPacket {
		t.Fatal(len(huge))
	}
	a := newGateway(t, gatewayA, nil, portSA(1, 2000))
	if out, err := handle(a, at(1), core.Inside, huge); !errors.Is(err, ErrMalformed) || len(out) != 0 {
		t.Errorf("%d packets, %v", len(out), err)
	}
	out, err := handle(newGateway(t, gatewayA, nil, gcmSA(1)), at(1), core.Inside, huge)
	if err != nil || len(out) != 47 {
		t.Errorf("%d packets, %v", len(out), err)
	}
}

func TestMalformed(t *testing.T) {
	good := udp(t, hostA, hostB, 20)
	set := func(at int, v ...byte) []byte {
		p := bytes.Clone(good)
		copy(p[at:], v)
		resum(p, headerLen)
		return p
	}
	long := set(offTotalLength, 255, 255)
	beyond := udp(t, hostA, hostB, 20, func(ip *layers.IPv4) { ip.FragOffset = 8190 })
	for name, p := range map[string][]byte{
		"empty":        {},
		"version 6":    set(0, 0x65),
		"short header": set(0, 0x44),
		"long header":  good[:20:20],
		"total length": long,
		"less than it": set(offTotalLength, 0, 19),
		"offset":       beyond,
		"checksum":     append([]byte{0x45, 1}, good[2:]...),
	} {
		for _, side := range []core.Side{core.Inside, core.Outside} {
			g := newGateway(t, gatewayA, nil, gcmSA(1))
			if out, err := handle(g, at(1), side, p); !errors.Is(err, ErrMalformed) || len(out) != 0 || g.counts.dropped != 1 {
				t.Errorf("%s from %v: %v", name, side, err)
			}
		}
	}
	for n := range good {
		if _, err := parse(good[:n]); err == nil {
			t.Errorf("%d octets of %d were parsed", n, len(good))
		}
	}
	if p, err := parse(append(bytes.Clone(good), 1, 2, 3)); err != nil || len(p.bytes) != len(good) {
		t.Errorf("what follows the packet: %v", err)
	}
}

// The checksum of RFC 1071 §3: the sum of these octets is ddf2.
func TestChecksum(t *testing.T) {
	if got := inet.Checksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}); got != ^uint16(0xddf2) {
		t.Errorf("%04x", got)
	}
	if got := inet.Checksum([]byte{1}); got != ^uint16(0x0100) {
		t.Errorf("%04x", got)
	}
	if got := binary.BigEndian.Uint16(udp(t, hostA, hostB, 1)[offChecksum:]); got == 0 {
		t.Error("the test packets have no checksum")
	}
}
