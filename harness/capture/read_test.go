package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/gdoilab/gdoilab/harness/capture"
)

var at = time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.UTC)

// ethernet is a frame around an IPv4 packet, with as many VLAN tags as are given.
func ethernet(packet []byte, tags ...uint16) []byte {
	b := bytes.Repeat([]byte{2}, 12)
	for _, tag := range tags {
		b = binary.BigEndian.AppendUint16(b, 0x8100)
		b = binary.BigEndian.AppendUint16(b, tag)
	}
	b = binary.BigEndian.AppendUint16(b, 0x0800)
	return append(b, packet...)
}

func someFrames() []capture.Frame {
	packet := []byte{0x45, 0, 0, 21, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 7}
	onEthernet, tagged := ethernet(packet), ethernet(packet, 5, 6)
	arp := append(bytes.Repeat([]byte{2}, 12), 8, 6, 1)
	return []capture.Frame{
		{At: at, Link: "wan", Packet: packet},
		{At: at.Add(time.Second), Link: "lan1", Packet: packet, Note: "altered: SEQ 2 → 1"},
		{At: at.Add(2 * time.Second), Link: "wan", Ethernet: onEthernet, Packet: onEthernet[14:]},
		{At: at.Add(3 * time.Second), Link: "wan", Ethernet: tagged, Packet: tagged[22:], Note: "tagged"},
		{At: at.Add(4 * time.Second), Link: "wan", Ethernet: arp},
		{At: at.Add(5 * time.Second), Packet: packet[:20]},
	}
}

func write(t testing.TB, frames []capture.Frame) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := capture.Write(&b, frames); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteThenRead(t *testing.T) {
	for name, frames := range map[string][]capture.Frame{"frames": someFrames(), "one": someFrames()[:1], "none": nil} {
		file := write(t, frames)
		got, err := capture.Read(bytes.NewReader(file))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, frames) {
			t.Errorf("%s: read\n%v, written\n%v", name, got, frames)
		}
		if !bytes.Equal(file, write(t, frames)) {
			t.Errorf("%s: written twice, the files differ", name)
		}
	}
}

// What we write is read by somebody else.
func TestGopacketReadsOurs(t *testing.T) {
	frames := someFrames()
	r, err := pcapgo.NewNgReader(bytes.NewReader(write(t, frames)), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		data, ci, err := r.ReadPacketData()
		if err != nil {
			t.Fatalf("frame %d: %v", i+1, err)
		}
		want, kind := f.Packet, layers.LinkTypeRaw
		if f.Ethernet != nil {
			want, kind = f.Ethernet, layers.LinkTypeEthernet
		}
		link, err := r.Interface(ci.InterfaceIndex)
		if err != nil || link.Name != f.Link || link.LinkType != kind || !ci.Timestamp.Equal(f.At) || !bytes.Equal(data, want) {
			t.Errorf("frame %d: %v on %q at %v: %x", i+1, link.LinkType, link.Name, ci.Timestamp, data)
		}
	}
}

// What somebody else writes is read by us.
func TestReadGopackets(t *testing.T) {
	packet := someFrames()[0].Packet
	ci := gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(packet), Length: len(packet)}
	var ng, micro, nano bytes.Buffer
	w, err := pcapgo.NewNgWriter(&ng, layers.LinkTypeRaw)
	if err != nil {
		t.Fatal(err)
	}
	classic, precise := pcapgo.NewWriter(&micro), pcapgo.NewWriterNanos(&nano)
	for _, err := range []error{w.WritePacket(ci, packet), w.Flush(), classic.WriteFileHeader(0, layers.LinkTypeRaw), classic.WritePacket(ci, packet),
		precise.WriteFileHeader(65535, layers.LinkTypeRaw), precise.WritePacket(ci, packet)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		file *bytes.Buffer
		at   time.Time
		link string
	}{"pcapng": {&ng, at, "intf0"}, "pcap": {&micro, at.Truncate(time.Microsecond), ""}, "pcap with nanoseconds": {&nano, at, ""}} {
		frames, err := capture.Read(test.file)
		if err != nil || len(frames) != 1 {
			t.Fatalf("%s: %d frames, %v", name, len(frames), err)
		}
		if f := frames[0]; !f.At.Equal(test.at) || f.Link != test.link || !bytes.Equal(f.Packet, packet) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// classicFile is a pcap file of either byte order with one frame of a link type.
func classicFile(order binary.AppendByteOrder, kind uint32, data []byte) []byte {
	b := order.AppendUint32(nil, 0xa1b2c3d4)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	for _, v := range []uint32{0, 0, 65535, kind, 1700000000, 250000, uint32(len(data)), uint32(len(data))} {
		b = order.AppendUint32(b, v)
	}
	return append(b, data...)
}

func TestReadLinkTypes(t *testing.T) {
	packet := someFrames()[0].Packet
	cooked := append(make([]byte, 14), append([]byte{8, 0}, packet...)...)
	for name, test := range map[string]struct {
		kind uint32
		data []byte
	}{"raw": {101, packet}, "raw of BSD": {12, packet}, "IPv4": {228, packet}, "Ethernet": {1, ethernet(packet)}, "VLAN": {1, ethernet(packet, 9)},
		"cooked": {113, cooked}, "loopback": {0, append([]byte{2, 0, 0, 0}, packet...)}} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			frames, err := capture.Read(bytes.NewReader(classicFile(order, test.kind, test.data)))
			if err != nil || len(frames) != 1 || !bytes.Equal(frames[0].Packet, packet) {
				t.Errorf("%s, %v: %v, %v", name, order, frames, err)
			}
		}
	}
	_, err := capture.Read(bytes.NewReader(classicFile(binary.LittleEndian, 147, packet)))
	if !errors.Is(err, capture.ErrFormat) || !strings.Contains(err.Error(), "frame 1") || !strings.Contains(err.Error(), "link type 147") {
		t.Errorf("a link type that nobody knows: %v", err)
	}
}

// A file that was cut off gives the frames before the cut and says which one it broke.
func TestReadCutFiles(t *testing.T) {
	frames := someFrames()
	classic := classicFile(binary.LittleEndian, 101, frames[0].Packet)
	for name, file := range map[string][]byte{"pcapng": write(t, frames), "pcap": classic} {
		whole := 0
		for n := range file {
			got, err := capture.Read(bytes.NewReader(file[:n]))
			if err == nil {
				whole++ // cut between two blocks
				continue
			}
			if !errors.Is(err, capture.ErrFormat) {
				t.Fatalf("%s cut to %d octets: %v", name, n, err)
			}
			if name == "pcapng" && len(got) > 0 && !strings.Contains(err.Error(), "frame") {
				t.Errorf("%s cut to %d octets: %v", name, n, err)
			}
		}
		if limit := 2*len(frames) + 2; whole > limit {
			t.Errorf("%s: %d cuts went unnoticed, at most %d are between blocks", name, whole, limit)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := write(t, someFrames()[:1])
	altered := func(offset int, octets ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[offset:], octets)
		return b
	}
	interfaceAt := int(binary.LittleEndian.Uint32(good[4:]))
	packetAt := interfaceAt + int(binary.LittleEndian.Uint32(good[interfaceAt+4:]))
	huge := classicFile(binary.LittleEndian, 101, nil)
	binary.LittleEndian.PutUint32(huge[32:], 1<<31)
	for name, file := range map[string][]byte{
		"text":               []byte("no capture at all, just some text"),
		"nothing":            nil,
		"wrong byte order":   altered(8, 1, 2, 3, 4),
		"short block":        altered(interfaceAt+4, 8, 0, 0, 0),
		"odd block":          altered(interfaceAt+4, 21, 0, 0, 0),
		"huge block":         altered(interfaceAt+4, 0, 0, 0, 0x70),
		"missing interface":  altered(packetAt+8, 9),
		"huge capture":       altered(packetAt+20, 0xff, 0xff, 0xff, 0xff),
		"huge frame in pcap": huge,
	} {
		if _, err := capture.Read(bytes.NewReader(file)); !errors.Is(err, capture.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriteRefusesHugeFrame(t *testing.T) {
	err := capture.Write(&bytes.Buffer{}, []capture.Frame{{Packet: make([]byte, 1<<24)}})
	if err == nil || !strings.Contains(err.Error(), "frame 1") {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, someFrames()))
	f.Add(classicFile(binary.BigEndian, 1, ethernet(someFrames()[0].Packet)))
	f.Fuzz(func(t *testing.T, file []byte) {
		frames, err := capture.Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		for i, frame := range frames {
			if frame.Ethernet == nil && len(frame.Packet) == 0 {
				frames[i].Packet = []byte{} // a frame without octets comes back so
			}
		}
		if _, err := capture.Read(bytes.NewReader(write(t, frames))); err != nil {
			t.Errorf("what was read cannot be written and read again: %v", err)
		}
	})
}
