package lab

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

func example6(octets int, extensions ...Extension) IPv6 {
	p := IPv6{Source: HostAddr6(1), Destination: HostAddr6(2), Protocol: protocolUDP, HopLimit: 9, TrafficClass: 0xb9, FlowLabel: 0x12345,
		Extensions: extensions, Payload: make([]byte, octets)}
	for i := range p.Payload {
		p.Payload[i] = byte(i * 7)
	}
	return p
}

// Extension headers: options that are but padding.
var (
	hopByHop    = Extension{extHopByHop, []byte{1, 4, 0, 0, 0, 0}}
	destination = Extension{extDestination, []byte{1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}
)

func TestIPv6BothWays(t *testing.T) {
	fragment := example6(16, hopByHop)
	fragment.Fragment, fragment.MoreFragments, fragment.Offset, fragment.ID = true, true, 65528, 0xcafe0001
	for _, p := range []IPv6{example6(0), example6(1460), example6(8, hopByHop), example6(8, hopByHop, destination), fragment} {
		b := p.Bytes()
		got, ok := ParseIPv6(b)
		if !ok || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v became %+v (%v)", p, got, ok)
		}
		for n := range b {
			if _, ok := ParseIPv6(b[:n]); ok {
				t.Errorf("%d of %d octets were read", n, len(b))
			}
		}
	}
	if got := example6(0).Bytes(); len(got) != ipv6Header {
		t.Errorf("%d octets", len(got))
	}
	if _, ok := ParseIPv6(IPv6{Source: HostAddr6(1), Destination: HostAddr6(2), Protocol: extRouting, Payload: []byte{17, 1, 0, 0, 0, 0, 0, 0}}.Bytes()); ok {
		t.Error("an extension header that is cut was read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example6(8, hopByHop, destination).Bytes())
	f.Add(example(8).Bytes())
	f.Add(Report{MulticastGroup6, true}.packet(MemberAddr(1)))
	f.Add(Report{MulticastGroup, false}.packet(MemberAddr(1)))
	f.Fuzz(func(t *testing.T, packet []byte) {
		p, ok := Parse(packet)
		if !ok {
			return
		}
		p.Reports()
		p.UDP()
		p.SPI()
		if icmp, ok := p.icmp(); ok {
			kindOf(p.Protocol, icmp)
			quotedID(icmp)
		}
		if six, ok := ParseIPv6(packet); ok {
			again, ok := ParseIPv6(six.Bytes())
			six.HopLimit = again.HopLimit // 0 becomes 64
			if !ok || !reflect.DeepEqual(six, again) {
				t.Errorf("%+v became %+v", six, again)
			}
		}
	})
}

// The checksum over the pseudo-header is what gopacket computes too.
func TestChecksumsOfIPv6(t *testing.T) {
	from, to := netip.AddrPortFrom(HostAddr6(1), 7), netip.AddrPortFrom(HostAddr6(2), 9)
	packet, err := UDPPacket(from, to, 64, []byte("odd"))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := Parse(packet)
	gotFrom, gotTo, data, isUDP := p.UDP()
	if !ok || !isUDP || gotFrom != from || gotTo != to || string(data) != "odd" || !p.intact() {
		t.Errorf("%s -> %s %q, intact %v", gotFrom, gotTo, data, p.intact())
	}
	for _, sum := range []uint16{0, binary.BigEndian.Uint16(p.Payload[6:]) + 1} {
		binary.BigEndian.PutUint16(p.Payload[6:], sum)
		if p.intact() {
			t.Errorf("a checksum of %04x is taken", sum)
		}
	}
	echo, err := EchoPacket(HostAddr6(1), HostAddr6(2), false, 7, 1, false, []byte{1})
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := Parse(echo)
	if icmp, ok := whole.icmp(); !ok || kindOf(whole.Protocol, icmp) != echoRequest {
		t.Errorf("% x", echo)
	}
	whole.Payload[8]++
	if _, ok := whole.icmp(); ok {
		t.Error("a wrong checksum is taken")
	}
}

// UDP over IPv4 may go without a checksum.
func TestIPv4WithoutChecksum(t *testing.T) {
	packet, err := UDPPacket(netip.AddrPortFrom(HostAddr(1), 7), netip.AddrPortFrom(HostAddr(2), 9), 64, []byte("odd"))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := Parse(packet)
	if !p.intact() {
		t.Error("a right checksum is not taken")
	}
	p.Payload[6]++
	if p.intact() {
		t.Error("a wrong checksum is taken")
	}
	p.Payload[6], p.Payload[7] = 0, 0
	if !p.intact() {
		t.Error("none is not taken")
	}
}

func TestFragmentsOfIPv6ComeTogether(t *testing.T) {
	for _, octets := range []int{0, 1, 1444, 1445, 1460, 3000, 60000} {
		p := example6(octets, hopByHop, destination)
		p.ID = 0 // a whole packet has none
		pieces := Fragment(p.Bytes(), MTU)
		if fits := octets+ipv6Header+24 <= MTU; fits != (len(pieces) == 1) {
			t.Errorf("%d octets in %d pieces", octets, len(pieces))
		}
		for _, order := range []func([][]byte){func([][]byte) {}, slices.Reverse[[][]byte]} {
			order(pieces)
			var r Reassembler
			var got IPv6
			done := 0
			for _, piece := range pieces {
				part, ok := ParseIPv6(piece)
				if !ok || len(piece) > MTU {
					t.Fatalf("a piece of %d octets", len(piece))
				}
				if whole, ok := r.Add6(part); ok {
					got = whole
					done++
				}
			}
			if done != 1 || !bytes.Equal(got.Bytes(), p.Bytes()) {
				t.Errorf("%d octets came together %d times as %d", octets, done, len(got.Payload))
			}
		}
	}
}

// Extension headers may be in what was fragmented.
func TestExtensionsInsideFragments(t *testing.T) {
	whole := example6(3000, destination)
	inside := whole.Bytes()[ipv6Header:]
	var r Reassembler
	for i, cut := range [][2]int{{0, 1400}, {1400, len(inside)}} {
		p := IPv6{Source: whole.Source, Destination: whole.Destination, Protocol: extDestination, HopLimit: 9, Fragment: true, ID: 7,
			MoreFragments: i == 0, Offset: cut[0], Payload: inside[cut[0]:cut[1]]}
		got, ok := r.Complete(p.Bytes())
		if ok != (i == 1) || ok && (got.Protocol != protocolUDP || !bytes.Equal(got.Payload, whole.Payload)) {
			t.Errorf("fragment %d: %v, protocol %d, %d octets", i+1, ok, got.Protocol, len(got.Payload))
		}
	}
}

func TestReports(t *testing.T) {
	other4, other6 := netip.MustParseAddr("239.1.2.3"), netip.MustParseAddr("ff05::7")
	igmp := func(b ...byte) []byte {
		binary.BigEndian.PutUint16(b[2:], Checksum(b))
		return IPv4{Source: MemberAddr(1), Destination: igmpRouters, Protocol: protocolIGMP, Payload: b}.Bytes()
	}
	mld := func(b ...byte) []byte {
		p := IPv6{Source: MemberAddr6(1), Destination: mldRouters, Protocol: protocolICMPv6, Extensions: []Extension{hopByHop}, Payload: b}
		binary.BigEndian.PutUint16(b[2:], p.Packet().checksum())
		return p.Bytes()
	}
	record := func(typ byte, group netip.Addr, sources ...netip.Addr) []byte {
		b := append([]byte{typ, 0, 0, byte(len(sources))}, group.AsSlice()...)
		for _, s := range sources {
			b = append(b, s.AsSlice()...)
		}
		return b
	}
	head := func(typ, count byte) []byte { return []byte{typ, 0, 0, 0, 0, 0, 0, count} }
	for name, c := range map[string]struct {
		packet []byte
		want   []Report
	}{
		"own join, IPv4":  {Report{MulticastGroup, true}.packet(MemberAddr(1)), []Report{{MulticastGroup, true}}},
		"own leave, IPv4": {Report{MulticastGroup, false}.packet(MemberAddr(1)), []Report{{MulticastGroup, false}}},
		"own join, IPv6":  {Report{MulticastGroup6, true}.packet(MemberAddr(1)), []Report{{MulticastGroup6, true}}},
		"own leave, IPv6": {Report{MulticastGroup6, false}.packet(MemberAddr(1)), []Report{{MulticastGroup6, false}}},
		"IGMPv2 report":   {igmp(append([]byte{0x16, 0, 0, 0}, other4.AsSlice()...)...), []Report{{other4, true}}},
		"IGMPv2 leave":    {igmp(append([]byte{0x17, 0, 0, 0}, other4.AsSlice()...)...), []Report{{other4, false}}},
		"IGMP query":      {igmp(append([]byte{0x11, 0, 0, 0}, other4.AsSlice()...)...), nil},
		"IGMPv3, several": {igmp(slices.Concat(head(0x22, 3), record(5, MulticastGroup, other4), record(2, other4), record(3, MulticastGroup))...),
			[]Report{{MulticastGroup, true}, {other4, true}, {MulticastGroup, false}}},
		"IGMPv3, cut":    {igmp(slices.Concat(head(0x22, 2), record(4, other4), record(4, other4)[:7])...), []Report{{other4, true}}},
		"IGMPv3, blocks": {igmp(slices.Concat(head(0x22, 1), record(6, other4, MemberAddr(2)))...), nil},
		"MLDv1 report":   {mld(slices.Concat(head(131, 0), other6.AsSlice())...), []Report{{other6, true}}},
		"MLDv1 done":     {mld(slices.Concat(head(132, 0), other6.AsSlice())...), []Report{{other6, false}}},
		"MLDv1, cut":     {mld(slices.Concat(head(131, 0), other6.AsSlice()[:8])...), nil},
		"MLDv2, with sources": {mld(slices.Concat(head(143, 2), record(1, other6, MemberAddr6(2)), record(4, MulticastGroup6))...),
			[]Report{{other6, true}, {MulticastGroup6, true}}},
	} {
		p, ok := Parse(c.packet)
		if !ok {
			t.Fatalf("%s: % x is no packet", name, c.packet)
		}
		if got := p.Reports(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		p.Payload[0]++ // the checksum is wrong now
		if got := p.Reports(); got != nil {
			t.Errorf("%s with a wrong checksum: %v", name, got)
		}
	}
}

// pinging sends two pings over IPv6 between the hosts of a lab with such a group.
func pinging(t *testing.T, f Fabric, group func(*policy.Group), o Ping) PingResult {
	t.Helper()
	ctx := context.Background()
	l, err := New(ctx, Env{Fabric: f, Seed: "1"}, Setup{Members: 2, Hosts: true, IPv6: true, Group: group})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := l.Up(ctx); err != nil {
		t.Fatal(err)
	}
	o.Count = 2
	probe, err := l.Hosts[0].Ping(ctx, HostAddr6(2), o)
	if err != nil {
		t.Fatal(err)
	}
	l.Wait(ctx, Patience, probe.Done)
	return probe.Stop()
}

func TestHostsSpeakIPv6(t *testing.T) {
	for _, f := range []Fabric{Memory{}, Namespaces{}} {
		t.Run(f.Name(), func(t *testing.T) {
			if f.Name() != "memory" {
				needKernel(t)
			}
			if r := pinging(t, f, nil, Ping{Size: 3000}); r.Received != 2 || r.TooBig != 0 {
				t.Errorf("in clear, in fragments: %+v", r)
			}
			if r := pinging(t, f, Protect6, Ping{Size: 1000}); r.Received != 2 || r.TooBig != 0 {
				t.Errorf("under ESP: %+v", r)
			}
			if r := pinging(t, f, nil, Ping{Size: 3000, DontFragment: true}); r.Received != 0 || r.TooBig != 2 {
				t.Errorf("longer than the link: %+v", r)
			}
			if r := pinging(t, f, Protect6, Ping{Size: 1450, DontFragment: true}); r.Received != 0 || r.TooBig == 0 {
				t.Errorf("longer than what is left beside ESP: %+v", r)
			}
		})
	}
}

func TestNoIPv6UnlessAskedFor(t *testing.T) {
	ctx := context.Background()
	for _, f := range []Fabric{Memory{}, Namespaces{}} {
		t.Run(f.Name(), func(t *testing.T) {
			if f.Name() != "memory" {
				needKernel(t)
			}
			l, err := New(ctx, Env{Fabric: f, Seed: "1"}, Setup{Hosts: true})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if err := l.Up(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Hosts[0].Ping(ctx, HostAddr6(2), Ping{}); err == nil {
				t.Error("a host pings over IPv6")
			}
			if l.Hosts[0].Addr6().IsValid() || len(l.GM[0].Addrs()) != 1 {
				t.Errorf("addresses %s, %s", l.Hosts[0].Addr6(), l.GM[0].Addrs())
			}
			for _, frame := range l.Frames() {
				if _, ok := ParseIPv6(frame.Packet); ok {
					t.Errorf("a packet of IPv6: % x", frame.Packet)
				}
			}
		})
	}
}

// The addresses of a thousand members are all different.
func TestAddressesOfManyMembers(t *testing.T) {
	seen := make(map[netip.Addr]bool)
	for i := 1; i <= 1000; i++ {
		for _, a := range []netip.Addr{MemberAddr(i), MemberAddr6(i), HostAddr(i), HostAddr6(i), LANGateway(i), LANGateway6(i)} {
			if seen[a] {
				t.Fatalf("%s of member %d is taken", a, i)
			}
			seen[a] = true
		}
		if lanOf(HostAddr(i)) != MemberLAN(i) || lanOf(HostAddr6(i)) != MemberLAN6(i) {
			t.Fatalf("the LAN of %s and %s", HostAddr(i), HostAddr6(i))
		}
		if !Protected6.Contains(HostAddr6(i)) || Protected6.Contains(MemberAddr6(i)) || !WAN6.Contains(MemberAddr6(i)) {
			t.Fatalf("member %d", i)
		}
	}
}
