package dataplane

import (
	"bytes"
	"encoding/binary"

	"github.com/gdoilab/gdoilab/reference/internal/inet"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// The most that may be put together: the longest packet that IPv4 has, and of datagrams as many as the kernel takes.
const (
	maxMerged    = maxPacket
	maxDatagrams = 64
)

// merger puts successive packets together that the kernel can move as one: segments of a TCP stream, or datagrams of a flow, of the
// same length. What the kernel makes of them when it takes them apart again are the same packets, to the octet. So only those follow
// each other whose headers differ in nothing else than what it counts up, IPv4's identification too, and whose checksums are
// right: a wrong one would be made good. A packet that follows in nothing sends off what is there, so that all leave in the
// order in which they came.
type merger struct {
	write    func([]byte)
	takesUDP bool // the kernel takes datagrams as one
	// completes has datagrams of ESP in UDP over IPv4 that have no checksum get one where they are put together.
	completes bool

	buffer []byte  // room for the header of the device, and the packets that are put together
	first  segment // of them
	count  int     // 0: none
	full   bool    // nothing follows any more
}

// segment is a packet that has been looked at.
type segment struct {
	packet      []byte
	at, headers int // of the TCP or UDP header; the length of all headers
	udp         bool
	bare        bool // it has no checksum
}

func (s segment) payload() int { return len(s.packet) - s.headers }

func (s segment) head() []byte { return s.packet[s.at:s.headers] }

// add takes a packet, of which it keeps nothing, and may write what came before.
func (m *merger) add(packet []byte) {
	if m.count > 0 && !m.full {
		if s, ok := m.look(packet); ok && m.follows(s) {
			m.append(s)
			return
		}
	}
	m.flush()
	if len(m.buffer) == 0 {
		m.buffer = make([]byte, vnetLen+maxAny)
	}
	n := copy(m.buffer[vnetLen:], packet)
	m.first, m.count, m.full = segment{packet: m.buffer[vnetLen : vnetLen+n]}, 1, true
	if s, ok := m.look(m.first.packet); ok {
		m.first, m.full = s, s.last()
	}
	if m.full {
		m.flush()
	}
}

// look finds out whether a packet is one that others may follow: TCP that is in the midst of its stream, or UDP, in a packet without
// IP options, extension headers and fragments.
func (m *merger) look(packet []byte) (s segment, ok bool) {
	if len(packet) < ipv4Header {
		return s, false
	}
	s = segment{packet: packet, at: ipv4Header}
	protocol, length := packet[off4Protocol], int(binary.BigEndian.Uint16(packet[off4Length:]))
	if packet[0]>>4 == 6 {
		if len(packet) < ipv6Header {
			return s, false
		}
		s.at = ipv6Header
		protocol, length = packet[off6Next], ipv6Header+int(binary.BigEndian.Uint16(packet[off6Length:]))
	} else if packet[0] != 4<<4|ipv4Header/4 || binary.BigEndian.Uint16(packet[off4Fragment:])&^flagDF != 0 {
		return s, false
	}
	if length != len(packet) {
		return s, false
	}
	switch protocol {
	case inet.TCP:
		return s, s.lookTCP()
	case inet.UDP:
		return s, m.takesUDP && s.lookUDP(m.completes)
	}
	return s, false
}

const flagDF = 0x4000

// lookTCP leaves out segments with the checksum 0xffff too. It says the same as 0, and Linux writes the one where it makes a single
// segment and the other where it cuts several out of one: what is inside a packet would not be delivered as it was sent.
func (s *segment) lookTCP() bool {
	if len(s.packet) < s.at+tcpHeader {
		return false
	}
	head := s.packet[s.at:]
	s.headers = s.at + int(head[offTCPLength]>>4)*4
	return s.headers >= s.at+tcpHeader && s.headers < len(s.packet) && get16(head[inet.TCPOffset:]) != 0xffff &&
		head[offFlags]&(flagFIN|flagSYN|flagRST|flagURG|flagCWR|flagACK) == flagACK
}

// lookUDP leaves out datagrams without a checksum, which the kernel would give them, but for those that may be completed.
func (s *segment) lookUDP(completes bool) bool {
	s.udp, s.headers = true, s.at+udpHeader
	if s.headers >= len(s.packet) {
		return false
	}
	head := s.packet[s.at:]
	s.bare = s.at == ipv4Header && binary.BigEndian.Uint16(head[inet.UDPOffset:]) == 0
	ours := binary.BigEndian.Uint16(head) == natt.Port && binary.BigEndian.Uint16(head[2:]) == natt.Port
	return int(binary.BigEndian.Uint16(head[offUDPLength:])) == len(head) && (!s.bare || completes && ours)
}

// last reports whether nothing can follow: what is pushed is the end of what is moved as one.
func (s segment) last() bool { return !s.udp && s.packet[s.at+offFlags]&flagPSH != 0 }

// follows reports whether a packet is the next of those that are there.
func (m *merger) follows(s segment) bool {
	f := m.first
	if s.udp != f.udp || s.bare != f.bare || s.at != f.at || s.headers != f.headers || s.payload() > m.size() || len(f.packet)+s.payload() > maxMerged {
		return false
	}
	return m.sameIP(s) && m.sameHead(s) && s.right() && (m.count > 1 || f.right())
}

// size is what every packet but the last holds.
func (m *merger) size() int {
	if m.count > 1 {
		return int(binary.NativeEndian.Uint16(m.buffer[4:]))
	}
	return m.first.payload()
}

// sameIP compares all but lengths and checksums, which follow from the rest.
func (m *merger) sameIP(s segment) bool {
	a, b := m.first.packet, s.packet
	if a[0]>>4 == 6 {
		return get32(a) == get32(b) && bytes.Equal(a[off6Next:ipv6Header], b[off6Next:ipv6Header])
	}
	id := binary.BigEndian.Uint16(a[off4ID:]) + uint16(m.count)
	return get16(a) == get16(b) && binary.BigEndian.Uint16(b[off4ID:]) == id &&
		get32(a[off4Fragment:]) == get32(b[off4Fragment:]) && get64(a[off4Source:]) == get64(b[off4Source:])
}

func (m *merger) sameHead(s segment) bool {
	a, b := m.first.head(), s.head()
	if s.udp {
		return m.count < maxDatagrams && get32(a) == get32(b)
	}
	sequence := binary.BigEndian.Uint32(a[offSequence:]) + uint32(m.first.payload())
	return get32(a) == get32(b) && binary.BigEndian.Uint32(b[offSequence:]) == sequence &&
		get32(a[offAck:]) == get32(b[offAck:]) && a[offTCPLength] == b[offTCPLength] && a[offFlags] == b[offFlags]&^flagPSH &&
		get16(a[offWindow:]) == get16(b[offWindow:]) && bytes.Equal(a[offUrgent:], b[offUrgent:])
}

// get16, get32 and get64 read so many bits, to be compared only.
func get16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }
func get32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
func get64(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }

// right reports whether the checksums are.
func (s segment) right() bool {
	if s.at == ipv4Header && inet.Checksum(s.packet[:ipv4Header]) != 0 {
		return false
	}
	protocol := uint8(inet.TCP)
	if s.udp {
		protocol = inet.UDP
	}
	return s.bare || inet.Fold(inet.Pseudo(s.packet, protocol, len(s.packet)-s.at)+inet.Sum(s.packet[s.at:])) == 0xffff
}

// append puts what a packet holds behind what is there.
func (m *merger) append(s segment) {
	size := m.size()
	if m.count == 1 {
		m.begin(size)
	}
	payload := s.packet[s.headers:]
	end := vnetLen + len(m.first.packet)
	copy(m.buffer[end:], payload)
	m.first.packet = m.buffer[vnetLen : end+len(payload)]
	if !s.udp {
		m.first.packet[s.at+offFlags] |= s.packet[s.at+offFlags] & flagPSH
	}
	m.count++
	m.full = len(payload) < size || s.last()
	if m.full {
		m.flush()
	}
}

// begin writes the header of the device for several packets, which hold so many octets each.
func (m *merger) begin(size int) {
	f := m.first
	h := vnetHeader{flags: flagChecksum, kind: kindTCP4, headersLen: uint16(f.headers), size: uint16(size), from: uint16(f.at), at: inet.TCPOffset}
	if f.packet[0]>>4 == 6 {
		h.kind = kindTCP6
	}
	if f.udp {
		h.kind, h.at = kindUDP, inet.UDPOffset
	}
	h.put(m.buffer)
}

// flush writes what is there.
func (m *merger) flush() {
	switch m.count {
	case 0:
		return
	case 1:
		vnetHeader{}.put(m.buffer)
	default:
		m.first.join()
	}
	m.write(m.buffer[:vnetLen+len(m.first.packet)])
	m.count = 0
}

// join makes the headers of the first packet those of all together; the checksum is left to whoever takes them apart.
func (s segment) join() {
	setLength(s.packet)
	length := len(s.packet) - s.at
	protocol, place := uint8(inet.TCP), s.at+inet.TCPOffset
	if s.udp {
		protocol, place = inet.UDP, s.at+inet.UDPOffset
		binary.BigEndian.PutUint16(s.packet[s.at+offUDPLength:], uint16(length))
	}
	binary.BigEndian.PutUint16(s.packet[place:], inet.Fold(inet.Pseudo(s.packet, protocol, length)))
}
