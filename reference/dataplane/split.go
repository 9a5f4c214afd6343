package dataplane

import (
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/internal/inet"
)

// splitter takes apart what a device gave.
type splitter struct{ headers []byte }

// split calls each with the packets that one of a device stands for, in their order and complete (RFC 9293 §3.1: the sequence number
// goes on; FIN and PSH are of the last segment, CWR of the first: RFC 3168 §6.1.2). It allocates nothing. A segment gets its
// headers where the end of the one before it was, which is why a segment is gone as soon as each returns.
func (s *splitter) split(h vnetHeader, packet []byte, each func([]byte)) error {
	switch {
	case h.kind == kindNone && h.flags&flagChecksum == 0:
		each(packet)
		return nil
	case h.kind == kindNone:
		return complete(h, packet, each)
	}
	t, err := transportOf(h, packet)
	if err != nil {
		return err
	}
	s.headers = append(s.headers[:0], packet[:t.headers]...)
	rest := len(packet) - t.headers
	for done := 0; done < rest; {
		n := min(int(h.size), rest-done)
		segment := packet[done : done+t.headers+n]
		copy(segment, s.headers)
		t.finish(segment, done, int(h.size), done+n == rest)
		each(segment)
		done += n
	}
	return nil
}

// complete makes the checksum that a whole packet still lacks.
func complete(h vnetHeader, packet []byte, each func([]byte)) error {
	from, place := int(h.from), int(h.from)+int(h.at)
	if from > len(packet) || place+2 > len(packet) {
		return errVnet
	}
	made := inet.Checksum(packet[from:])
	if made == 0 {
		made = 0xffff // in UDP 0 stands for none, in TCP it is the same
	}
	binary.BigEndian.PutUint16(packet[place:], made)
	each(packet)
	return nil
}

// transport is where the headers of a packet are that stands for several.
type transport struct {
	at, headers int // of the TCP or UDP header; the length of all headers
	udp         bool
}

// transportOf reads the headers, of which the kernel vouches for no more than the place of the checksum.
func transportOf(h vnetHeader, packet []byte) (t transport, err error) {
	t = transport{at: int(h.from), udp: h.kind == kindUDP}
	if len(packet) == 0 || h.flags&flagChecksum == 0 || h.size == 0 {
		return t, errVnet
	}
	version, ends := packet[0]>>4, t.at >= ipv6Header
	if version == 4 {
		ends = t.at >= ipv4Header && t.at == int(packet[0]&0x0f)*4
	}
	known := t.udp && (version == 4 || version == 6) ||
		h.kind&^kindECN == kindTCP4 && version == 4 || h.kind&^kindECN == kindTCP6 && version == 6
	least := tcpHeader
	if t.udp {
		least = udpHeader
	}
	if !known || !ends || t.at+least > len(packet) {
		return t, errVnet
	}
	t.headers = t.at + least
	if !t.udp {
		t.headers = t.at + int(packet[t.at+offTCPLength]>>4)*4
	}
	if t.headers < t.at+least || t.headers > len(packet) {
		return t, errVnet
	}
	return t, nil
}

// finish makes the headers, which are those of the whole, those of the segment that begins after so many octets of it.
func (t transport) finish(segment []byte, done, size int, last bool) {
	if segment[0]>>4 == 4 {
		id := binary.BigEndian.Uint16(segment[off4ID:])
		binary.BigEndian.PutUint16(segment[off4ID:], id+uint16(done/size))
	}
	setLength(segment)
	head := segment[t.at:]
	if t.udp {
		binary.BigEndian.PutUint16(head[offUDPLength:], uint16(len(head)))
		inet.SetChecksum(segment, t.at, inet.UDP)
		return
	}
	binary.BigEndian.PutUint32(head[offSequence:], binary.BigEndian.Uint32(head[offSequence:])+uint32(done))
	if !last {
		head[offFlags] &^= flagFIN | flagPSH
	}
	if done > 0 {
		head[offFlags] &^= flagCWR
	}
	inet.SetChecksum(segment, t.at, inet.TCP)
}
