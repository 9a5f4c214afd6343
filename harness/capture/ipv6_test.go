package capture_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// mapped is the IPv6 address that stands for one of IPv4 in these tests.
func mapped(v4 []byte) []byte {
	return append(netip.MustParseAddr("2001:db8::").AsSlice()[:12], v4...)
}

// ip6 is a packet with that chain of headers and data.
func ip6(from, to []byte, next byte, rest ...byte) []byte {
	b := []byte{0x6b, 0x91, 0x23, 0x45, 0, 0, next, 9}
	binary.BigEndian.PutUint16(b[4:], uint16(len(rest)))
	return slices.Concat(b, from, to, rest)
}

// overIPv6 is a frame's packet over IPv6, with its data as they are.
func overIPv6(f capture.Frame) capture.Frame {
	p := f.Packet
	next := p[9]
	if next == 1 {
		next = 58
	}
	f.Packet = ip6(mapped(p[12:16]), mapped(p[16:20]), next, p[20:]...)
	return f
}

// split cuts a packet in three fragments, behind a Destination Options header.
func split(f capture.Frame) []capture.Frame {
	p := f.Packet
	data := p[40:]
	cut := []int{0, len(data) / 3 &^ 7, 2 * len(data) / 3 &^ 7, len(data)}
	var frames []capture.Frame
	for i := range 3 {
		more := byte(1)
		if i == 2 {
			more = 0
		}
		options := []byte{44, 0, 1, 4, 0, 0, 0, 0}
		fragment := []byte{p[6], 0, byte(cut[i] >> 8), byte(cut[i]) | more, 0xca, 0xfe, 0, 1}
		piece := f
		piece.Packet = ip6(p[8:24], p[24:40], 60, slices.Concat(options, fragment, data[cut[i]:cut[i+1]])...)
		frames = append(frames, piece)
	}
	return frames
}

// conversation6 is the conversation over IPv6; its frame of that number is in fragments, in the wrong order.
func conversation6(fragmented int) (frames []capture.Frame, lines []string) {
	talk := known()
	for i, f := range talk.Frames {
		f = overIPv6(f)
		if i+1 != fragmented {
			frames = append(frames, f)
			continue
		}
		pieces := split(f)
		slices.Reverse(pieces)
		frames = append(frames, pieces...)
	}
	for _, m := range capture.Decode(talk.Frames, talk.Keys) {
		lines = append(lines, line(m))
	}
	return frames, lines
}

func TestDecodeConversationOverIPv6(t *testing.T) {
	frames, want := conversation6(8)
	last := len(want) - 1
	want[last] = strings.ReplaceAll(want[last], "ICMP echo request id 7 seq 8", "ICMPv6 type 8 code 0") // of another protocol's numbers
	want = slices.Insert(want, 7, "fragment | UDP fragment at 352", "fragment | UDP fragment at 176")
	got := capture.Decode(frames, known().Keys)
	for i := range want {
		if strings.HasPrefix(want[i], "fragment") && strings.HasPrefix(line(got[i]), "fragment | UDP fragment at ") {
			want[i] = line(got[i])
		}
	}
	expect(t, got, want...)
	if from := got[0].From; from.String() != "[2001:db8::a00:2]:848" && !from.Addr().Is6() {
		t.Errorf("message 1 comes from %s", from)
	}
}

// The packet inside ESP may be of either version, and has to be the one that Next Header says.
func TestIPv6InsideESP(t *testing.T) {
	from, to := netip.MustParseAddr("2001:db8:1::2"), netip.MustParseAddr("2001:db8:2::2")
	echo := []byte{128, 0, 0, 0, 0, 7, 0, 1}
	inner := ip6(from.AsSlice(), to.AsSlice(), 58, echo...)
	for next, want := range map[uint8]string{
		41: "2001:db8:1::2 -> 2001:db8:2::2 ICMPv6 echo request id 7 seq 1 | ICV: ok",
		4:  "ESP | SPI %08x seq 1 | ICV: ok | error inside: an IPv6 packet, called IPv4",
	} {
		talk := conversation(policy.CipherAESGCM16)
		talk.Frames = nil
		talk.Sender(1).SendInner(inner, next)
		got := line(capture.Decode(talk.Frames, talk.Keys)[0])
		if next == 4 {
			want = fmt.Sprintf(want, talk.SAs[0].SPI)
		}
		if !strings.HasSuffix(got, want) {
			t.Errorf("Next Header %d: %s", next, got)
		}
	}
}

func TestFieldsOfIPv6(t *testing.T) {
	frames := split(overIPv6(known().Frames[0]))
	m := capture.Decode(frames[1:2], nil)[0]
	if m.Kind != capture.KindFragment || len(m.Payloads) != 1 || m.Payloads[0].Name != "IPv6" {
		t.Fatalf("%+v", m)
	}
	for name, want := range map[string]string{"Traffic Class": "0xb9", "Flow Label": "0x12345", "Hop Limit": "9",
		"Destination Options": "8 octets", "Fragment": "MF, identification 0xcafe0001"} {
		i := slices.IndexFunc(m.Payloads[0].Children, func(f capture.Field) bool { return f.Name == name })
		if i < 0 || !strings.HasSuffix(m.Payloads[0].Children[i].Value, want) {
			t.Errorf("%s: %+v, want %s", name, m.Payloads[0].Children, want)
		}
	}
}

// Nothing that ends too early is taken for a packet.
func TestEveryTruncationOfIPv6(t *testing.T) {
	for _, f := range split(overIPv6(known().Frames[0])) {
		for n := range f.Packet {
			m := capture.Decode([]capture.Frame{{Packet: f.Packet[:n:n]}}, nil)[0]
			if m.Kind != capture.KindOther || m.Err == "" {
				t.Fatalf("%d of %d octets: %+v", n, len(f.Packet), m)
			}
		}
	}
	chain := ip6(make([]byte, 16), make([]byte, 16), 0, 60, 0, 5, 2, 0, 0, 1, 0, 17, 1, 1, 4, 0, 0, 0, 0) // the second header is cut
	if m := capture.Decode([]capture.Frame{{Packet: chain}}, nil)[0]; !strings.Contains(m.Err, "Destination Options of 16 octets where 8 are left") {
		t.Errorf("%+v", m)
	}
}

// Both versions are in one file, raw and on Ethernet.
func TestBothVersionsInOneFile(t *testing.T) {
	v4 := known().Frames[0]
	v6 := overIPv6(v4)
	ethernet := append(bytes.Repeat([]byte{2}, 12), 0x86, 0xdd)
	onEthernet := v6
	onEthernet.Ethernet = append(ethernet, v6.Packet...)
	onEthernet.Packet = onEthernet.Ethernet[14:]
	got, err := capture.Read(bytes.NewReader(write(t, []capture.Frame{v4, v6, onEthernet})))
	if err != nil || len(got) != 3 {
		t.Fatal(len(got), err)
	}
	for i, f := range []capture.Frame{v4, v6, onEthernet} {
		if !bytes.Equal(got[i].Packet, f.Packet) || !bytes.Equal(got[i].Ethernet, f.Ethernet) {
			t.Errorf("frame %d: % x", i+1, got[i].Packet)
		}
	}
}

// A view for analysers changes the SA of Phase 1 over IPv6 as well, and the checksum with it.
func TestPhase1ViewOverIPv6(t *testing.T) {
	f := overIPv6(known().Frames[0])
	before := pseudoSum(f.Packet)
	view := capture.Phase1View([]capture.Frame{f})[0]
	if bytes.Equal(view.Packet, f.Packet) || pseudoSum(view.Packet) != before {
		t.Errorf("% x\n% x", f.Packet, view.Packet)
	}
}

// pseudoSum is the sum over a UDP packet without extension headers, which a change that is made good leaves as it is.
func pseudoSum(packet []byte) uint16 {
	var sum uint32
	for i, octet := range packet[8:] {
		sum += uint32(octet) << (8 * (1 - i&1))
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
