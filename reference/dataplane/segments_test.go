package dataplane

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/internal/inet"
)

// stream is TCP segments or datagrams of a flow, which hold so many octets each.
type stream struct {
	v6, udp bool
	sizes   []int
}

func (s stream) String() string { return fmt.Sprintf("v6 %t udp %t %v", s.v6, s.udp, s.sizes) }

// packets makes the stream's packets.
func (s stream) packets() (all [][]byte) {
	sequence := uint32(0xfffffa00) // it rolls over in the midst
	for i, size := range s.sizes {
		p := make([]byte, ipv4Header)
		p[0], p[1], p[off4TTL], p[off4Protocol] = 0x45, 0x02, 64, inet.TCP
		binary.BigEndian.PutUint16(p[off4ID:], uint16(0xfffe+i))
		copy(p[off4Source:], []byte{10, 1, 1, 2, 10, 1, 2, 2})
		if s.udp {
			p[off4Protocol] = inet.UDP
		}
		if s.v6 {
			protocol := p[off4Protocol]
			p = make([]byte, ipv6Header)
			p[0], p[1], p[3], p[off6Next], p[7], p[23], p[39] = 0x60, 0x20, 9, protocol, 64, 1, 2
		}
		at := len(p)
		if s.udp {
			p = append(p, 0x11, 0x94, 0x11, 0x94, 0, 0, 0, 0)
		} else {
			p = append(p, 0x13, 0x89, 0x13, 0x8a, 0, 0, 0, 0, 0, 0, 0, 7, 8<<4, flagACK, 1, 0, 0, 0, 0, 0,
				1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 6) // time stamps
			binary.BigEndian.PutUint32(p[at+offSequence:], sequence)
		}
		for j := range size {
			p = append(p, byte(i*31+j))
		}
		sequence += uint32(size)
		all = append(all, finished(p))
	}
	return all
}

// finished makes lengths and checksums of a packet right.
func finished(p []byte) []byte {
	setLength(p)
	at := ipv4Header
	protocol := p[off4Protocol]
	if p[0]>>4 == 6 {
		at, protocol = ipv6Header, p[off6Next]
	}
	if protocol == inet.UDP {
		binary.BigEndian.PutUint16(p[at+offUDPLength:], uint16(len(p)-at))
		inet.SetChecksum(p, at, inet.UDP)
	} else {
		inet.SetChecksum(p, at, inet.TCP)
	}
	return p
}

// zeroSum changes the end of a TCP segment over IPv4 so that its checksum is zero, in one of the two forms that this has.
func zeroSum(p []byte, form uint16) {
	end, sum := p[len(p)-2:], p[ipv4Header+inet.TCPOffset:]
	end[0], end[1] = 0, 0
	copy(end, finished(p)[ipv4Header+inet.TCPOffset:][:2])
	finished(p)
	binary.BigEndian.PutUint16(sum, form)
}

// merged is what a merger writes for packets.
func merged(packets [][]byte) (written [][]byte) {
	m := merger{takesUDP: true, write: func(b []byte) { written = append(written, bytes.Clone(b)) }}
	for _, p := range packets {
		m.add(p)
	}
	m.flush()
	return written
}

// apart is what a splitter makes of what was written.
func apart(t *testing.T, written [][]byte) (packets [][]byte) {
	t.Helper()
	var s splitter
	for _, b := range written {
		h, p, err := parseVnet(b)
		if err == nil {
			err = s.split(h, p, func(segment []byte) { packets = append(packets, bytes.Clone(segment)) })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return packets
}

func same(t *testing.T, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d packets instead of %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("packet %d of %d is\n%x instead of\n%x", i, len(want), got[i], want[i])
		}
	}
}

// TestPutTogetherAndTakenApart has each stream be written as it should be, and come back to the octet.
func TestPutTogetherAndTakenApart(t *testing.T) {
	for _, c := range []struct {
		sizes  []int
		writes int
	}{
		{[]int{1400}, 1},
		{[]int{1400, 1400, 1400, 700}, 1},
		{[]int{1400, 700, 1400}, 2},                  // what is shorter is the last
		{[]int{700, 1400, 1400}, 2},                  // what is longer begins anew
		{slices.Repeat([]int{1}, 60), 1},             // segments that are shorter than their headers
		{slices.Repeat([]int{1400}, 60), 2},          // more than a packet has room for
		{[]int{9000, 9000, 8999}, 1},                 // jumbo frames
		{append(slices.Repeat([]int{65}, 3), 64), 1}, // odd lengths, whose checksums are shifted
	} {
		for _, s := range []stream{{false, false, c.sizes}, {true, false, c.sizes}, {false, true, c.sizes}, {true, true, c.sizes}} {
			t.Run(s.String(), func(t *testing.T) {
				packets := s.packets()
				written := merged(packets)
				if len(written) != c.writes {
					t.Errorf("%d writes instead of %d", len(written), c.writes)
				}
				same(t, apart(t, written), packets)
			})
		}
	}
}

// TestWhatDoesNotFollow changes the second of three packets, so that it is none that the kernel would make of the first.
func TestWhatDoesNotFollow(t *testing.T) {
	const at4, at6 = ipv4Header, ipv6Header
	for _, c := range []struct {
		name    string
		v6, udp bool
		change  func(p []byte)
		raw     bool // lengths and checksums stay as they are
		writes  int  // 3: it is written alone; 2: it is the first or last of those that are together
	}{
		{"DSCP", false, false, func(p []byte) { p[1] |= 0x20 }, false, 3},
		{"congestion experienced", false, false, func(p []byte) { p[1] |= 3 }, false, 3},
		{"congestion experienced, IPv6", true, false, func(p []byte) { p[1] |= 0x30 }, false, 3},
		{"flow label", true, false, func(p []byte) { p[3]++ }, false, 3},
		{"TTL", false, false, func(p []byte) { p[off4TTL]-- }, false, 3},
		{"hop limit", true, false, func(p []byte) { p[7]-- }, false, 3},
		{"DF", false, false, func(p []byte) { p[off4Fragment] = 0x40 }, false, 3},
		{"MF", false, false, func(p []byte) { p[off4Fragment] = 0x20 }, false, 3},
		{"identification", false, false, func(p []byte) { p[off4ID]++ }, false, 3},
		{"source", false, false, func(p []byte) { p[15]++ }, false, 3},
		{"destination, IPv6", true, false, func(p []byte) { p[39]++ }, false, 3},
		{"port", false, false, func(p []byte) { p[at4]++ }, false, 3},
		{"port of UDP", false, true, func(p []byte) { p[at4+2]++ }, false, 3},
		{"sequence number", false, false, func(p []byte) { p[at4+offSequence]++ }, false, 3},
		{"acknowledgement", false, false, func(p []byte) { p[at4+offAck]++ }, false, 3},
		{"window", true, false, func(p []byte) { p[at6+offWindow]++ }, false, 3},
		{"urgent pointer", false, false, func(p []byte) { p[at4+offUrgent]++ }, false, 3},
		{"option", false, false, func(p []byte) { p[at4+tcpHeader+7]++ }, false, 3},
		{"SYN", false, false, func(p []byte) { p[at4+offFlags] |= flagSYN }, false, 3},
		{"FIN", false, false, func(p []byte) { p[at4+offFlags] |= flagFIN }, false, 3},
		{"RST", false, false, func(p []byte) { p[at4+offFlags] |= flagRST }, false, 3},
		{"URG", false, false, func(p []byte) { p[at4+offFlags] |= flagURG }, false, 3},
		{"CWR", false, false, func(p []byte) { p[at4+offFlags] |= flagCWR }, false, 3},
		{"ECE", false, false, func(p []byte) { p[at4+offFlags] |= 0x40 }, false, 3},
		{"no ACK", false, false, func(p []byte) { p[at4+offFlags] = 0 }, false, 3},
		{"PSH", false, false, func(p []byte) { p[at4+offFlags] |= flagPSH }, false, 2},
		{"wrong checksum", false, false, func(p []byte) { p[len(p)-1]++ }, true, 3},
		{"wrong checksum of UDP", true, true, func(p []byte) { p[len(p)-1]++ }, true, 3},
		{"no checksum", false, true, func(p []byte) { p[at4+6], p[at4+7] = 0, 0 }, true, 3},
		{"wrong length of UDP", false, true, func(p []byte) { p[at4+offUDPLength+1]-- }, true, 3},
		{"wrong length", false, false, func(p []byte) { p[off4Length+1]-- }, true, 3},
		{"another protocol", false, false, func(p []byte) { p[off4Protocol] = 50 }, true, 3},
		{"an IP option", false, false, func(p []byte) { p[0] = 0x46 }, true, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			packets := stream{c.v6, c.udp, []int{100, 100, 100}}.packets()
			c.change(packets[1])
			if !c.raw {
				finished(packets[1])
			}
			written := merged(packets)
			if len(written) != c.writes {
				t.Errorf("%d writes instead of %d", len(written), c.writes)
			}
			same(t, apart(t, written), packets)
		})
	}
	t.Run("wrong checksum of the first", func(t *testing.T) {
		packets := stream{sizes: []int{100, 100, 100}}.packets()
		packets[0][60]++
		if written := merged(packets); len(written) != 2 {
			t.Errorf("%d writes", len(written))
		}
	})
	for form, writes := range map[uint16]int{0: 1, 0xffff: 3} {
		t.Run(fmt.Sprintf("a checksum of %#x", form), func(t *testing.T) {
			packets := stream{sizes: []int{100, 100, 100}}.packets()
			zeroSum(packets[1], form)
			written := merged(packets)
			if len(written) != writes {
				t.Errorf("%d writes instead of %d", len(written), writes)
			}
			same(t, apart(t, written), packets)
		})
	}
	t.Run("a kernel that takes no datagrams as one", func(t *testing.T) {
		writes := 0
		m := merger{write: func([]byte) { writes++ }}
		for _, p := range (stream{udp: true, sizes: []int{9, 9, 9}}).packets() {
			m.add(p)
		}
		if writes != 3 {
			t.Errorf("%d writes", writes)
		}
	})
}

// TestESPInUDPWithoutChecksum puts datagrams of port 4500 together where that is asked for, and gives them checksums.
func TestESPInUDPWithoutChecksum(t *testing.T) {
	packets := stream{udp: true, sizes: []int{50, 50, 20}}.packets()
	want := slices.Clone(packets)
	for i, p := range packets {
		packets[i] = bytes.Clone(p)
		packets[i][ipv4Header+inet.UDPOffset], packets[i][ipv4Header+inet.UDPOffset+1] = 0, 0
	}
	for _, completes := range []bool{true, false} {
		var written [][]byte
		m := merger{takesUDP: true, completes: completes, write: func(b []byte) { written = append(written, bytes.Clone(b)) }}
		for _, p := range packets {
			m.add(p)
		}
		m.flush()
		if completes {
			same(t, apart(t, written), want)
		} else {
			same(t, apart(t, written), packets)
		}
		if completes != (len(written) == 1) {
			t.Errorf("completes %t: %d writes", completes, len(written))
		}
	}
	t.Run("another port", func(t *testing.T) {
		writes := 0
		m := merger{takesUDP: true, completes: true, write: func([]byte) { writes++ }}
		for _, p := range packets {
			p[ipv4Header]++
			m.add(p)
		}
		if writes != len(packets) {
			t.Errorf("%d writes", writes)
		}
	})
	t.Run("between others", func(t *testing.T) {
		packets := stream{udp: true, sizes: []int{50, 50, 50}}.packets()
		packets[1][ipv4Header+inet.UDPOffset], packets[1][ipv4Header+inet.UDPOffset+1] = 0, 0
		writes := 0
		m := merger{takesUDP: true, completes: true, write: func([]byte) { writes++ }}
		for _, p := range packets {
			m.add(p)
		}
		m.flush()
		if writes != len(packets) {
			t.Errorf("%d writes", writes)
		}
	})
}

// TestFlagsOfTheWhole splits what the kernel makes of a stream with CWR at its beginning, and FIN and PSH at its end.
func TestFlagsOfTheWhole(t *testing.T) {
	whole := stream{sizes: []int{300}}.packets()[0]
	whole[ipv4Header+offFlags] |= flagFIN | flagPSH | flagCWR
	h := vnetHeader{flags: flagChecksum, kind: kindTCP4 | kindECN, size: 100, from: ipv4Header, at: inet.TCPOffset}
	var flags []byte
	var s splitter
	err := s.split(h, whole, func(p []byte) {
		flags = append(flags, p[ipv4Header+offFlags])
		if !right(p) {
			t.Errorf("a wrong checksum in %x", p)
		}
	})
	if want := []byte{flagACK | flagCWR, flagACK, flagACK | flagFIN | flagPSH}; err != nil || !bytes.Equal(flags, want) {
		t.Errorf("flags %x instead of %x, %v", flags, want, err)
	}
}

// right reports whether all checksums of a packet are.
func right(p []byte) bool {
	m := merger{takesUDP: true}
	s, _ := m.look(p)
	return s.right() && (p[0]>>4 == 6 || inet.Checksum(p[:ipv4Header]) == 0)
}

// TestChecksumOfOnePacket completes what a host has left to its interface.
func TestChecksumOfOnePacket(t *testing.T) {
	for _, s := range []stream{{sizes: []int{33}}, {v6: true, sizes: []int{33}}, {udp: true, sizes: []int{33}}, {v6: true, udp: true, sizes: []int{33}}} {
		want := s.packets()[0]
		got := bytes.Clone(want)
		h := vnetHeader{flags: flagChecksum, from: ipv4Header, at: inet.TCPOffset}
		protocol := uint8(inet.TCP)
		if s.v6 {
			h.from = ipv6Header
		}
		if s.udp {
			h.at, protocol = inet.UDPOffset, inet.UDP
		}
		length := len(got) - int(h.from)
		binary.BigEndian.PutUint16(got[h.from+h.at:], inet.Fold(inet.Pseudo(got, protocol, length)))
		var split splitter
		if err := split.split(h, got, func([]byte) {}); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v: %x instead of %x, %v", s, got, want, err)
		}
	}
}

// TestTruncated cuts what stands for several packets, and the header before it, at every length.
func TestTruncated(t *testing.T) {
	for _, s := range []stream{{sizes: []int{20, 20}}, {v6: true, sizes: []int{20, 20}}, {udp: true, sizes: []int{20, 20}}} {
		whole := merged(s.packets())[0]
		for n := range len(whole) {
			h, p, err := parseVnet(bytes.Clone(whole[:n]))
			if err != nil {
				if n >= vnetLen {
					t.Errorf("%d octets: %v", n, err)
				}
				continue
			}
			octets := 0
			var split splitter
			err = split.split(h, p, func(segment []byte) { octets += len(segment) - int(h.headersLen) })
			if headers := vnetLen + int(h.headersLen); err == nil && n < headers || octets > max(0, n-headers) {
				t.Errorf("%d octets give %d, %v", n, octets, err)
			}
		}
	}
}

// FuzzSplit has no header of a device make more of a packet than is there.
func FuzzSplit(f *testing.F) {
	for _, s := range []stream{{sizes: []int{20, 20}}, {v6: true, sizes: []int{20, 20}}, {udp: true, sizes: []int{20, 20}}} {
		f.Add(merged(s.packets())[0])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, p, err := parseVnet(b)
		if err != nil {
			return
		}
		before := len(p)
		var s splitter
		err = s.split(h, p, func(segment []byte) {
			if len(segment) > before {
				t.Errorf("a segment of %d octets out of %d", len(segment), before)
			}
		})
		if err != nil && h.kind == kindNone && h.flags&flagChecksum == 0 {
			t.Error(err)
		}
	})
}

// FuzzMerge puts packets together and takes them apart again: whatever they are, they come back.
func FuzzMerge(f *testing.F) {
	for _, s := range []stream{{sizes: []int{20, 20, 5}}, {v6: true, sizes: []int{20, 20}}, {udp: true, sizes: []int{20, 20, 20}}} {
		f.Add(byte(len(s.packets()[0])), bytes.Join(s.packets(), nil))
	}
	f.Fuzz(func(t *testing.T, size byte, all []byte) {
		var packets [][]byte
		for p := range slices.Chunk(all, max(1, int(size))) {
			packets = append(packets, p)
		}
		same(t, apart(t, merged(packets)), packets)
	})
}

// BenchmarkSegments puts a stream together and takes it apart again.
func BenchmarkSegments(b *testing.B) {
	packets := stream{sizes: slices.Repeat([]int{1400}, 45)}.packets()
	var s splitter
	m := merger{write: func(written []byte) {
		h, p, _ := parseVnet(written)
		_ = s.split(h, p, func([]byte) {})
	}}
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range packets {
			m.add(p)
		}
		m.flush()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(packets)), "ns/segment")
}
