package capture

import (
	"encoding/binary"
	"slices"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// The numbers of the IPsec DOI, in whose layout every analyser reads a Phase 1 SA (RFC 2407 §4.2).
const (
	doiIPsec           = 1
	situationIPsec     = 1
	doiGroup           = 2
	phase1SAOffset     = isakmp.HeaderLen + isakmp.GenericLen
	phase1SituationEnd = phase1SAOffset + 8
)

// Phase1View returns the frames for analysers that decrypt Phase 1 only under the IPsec DOI: copies in which a Phase 1 SA
// with DOI 2 and situation 0 says DOI 1 and situation 1, with the UDP checksum made good. All other frames are as they
// were. The hashes of Phase 1 cover the original octets, so a view is for reading, not for checking.
func Phase1View(frames []Frame) []Frame {
	view := slices.Clone(frames)
	for i := range view {
		f := &view[i]
		udp, at, found := phase1SA(f.Packet)
		if !found {
			continue
		}
		behind := len(f.Ethernet) - len(f.Packet) // of the link header; Packet is the end of Ethernet, or stands alone
		if f.Ethernet != nil && behind >= 0 {
			f.Ethernet = slices.Clone(f.Ethernet)
			f.Packet = f.Ethernet[behind:]
		} else {
			f.Packet = slices.Clone(f.Packet)
		}
		rewriteDOI(f.Packet, udp, at)
	}
	return view
}

// phase1SA finds the SA body of a Phase 1 message in clear, also behind the marker of NAT traversal: the offsets of the UDP header
// and of the body in the packet.
func phase1SA(octets []byte) (udp, at int, found bool) {
	p, err := parseIP(octets)
	if err != nil || p.fragment() {
		return 0, 0, false
	}
	from, to, data, ok := p.udp()
	front := p.header + 8
	if kind, inside, err := natt.Split(data); err == nil && kind == natt.KindISAKMP && (from.Port() == portNATT || to.Port() == portNATT) {
		data, front = inside, front+marker
	}
	h, err := isakmp.ParseHeader(data)
	if !ok || err != nil || len(data) < phase1SituationEnd || h.Flags&isakmp.FlagEncryption != 0 {
		return 0, 0, false
	}
	if h.NextPayload != isakmp.PayloadSA || h.Exchange != isakmp.ExchangeMainMode && h.Exchange != isakmp.ExchangeAggressive {
		return 0, 0, false
	}
	if binary.BigEndian.Uint64(data[phase1SAOffset:]) != doiGroup<<32 {
		return 0, 0, false
	}
	return p.header, front + phase1SAOffset, true
}

// rewriteDOI changes DOI and situation at that offset and the UDP checksum with them (RFC 1624 §3).
func rewriteDOI(packet []byte, header, at int) {
	udp := packet[header:]
	sum := binary.BigEndian.Uint16(udp[6:])
	old := slices.Clone(packet[at : at+8])
	binary.BigEndian.PutUint32(packet[at:], doiIPsec)
	binary.BigEndian.PutUint32(packet[at+4:], situationIPsec)
	if sum == 0 { // none was sent
		return
	}
	binary.BigEndian.PutUint16(udp[6:], adjust(sum, old, packet[at:at+8]))
}

// adjust is a checksum after octets at an even offset have changed.
func adjust(sum uint16, old, new []byte) uint16 {
	total := uint32(^sum)
	for i := 0; i < len(old); i += 2 {
		total += uint32(^binary.BigEndian.Uint16(old[i:])) + uint32(binary.BigEndian.Uint16(new[i:]))
	}
	for total>>16 != 0 {
		total = total&0xffff + total>>16
	}
	if sum = ^uint16(total); sum == 0 {
		return 0xffff // 0 would say that there is none (RFC 768)
	}
	return sum
}
