package lab

import (
	"encoding/binary"
	"net/netip"
)

// Report is what a node says on its link about a multicast group: that it wants its packets, or no more.
type Report struct {
	Group  netip.Addr
	Member bool
}

// The messages by which a node reports (RFC 2236 §2.1, RFC 3376 §4.2, RFC 2710 §3.1, RFC 3810 §5.2).
const (
	igmpReport2 = 0x16
	igmpLeave2  = 0x17
	igmpReport3 = 0x22

	mldReport1 = 131
	mldDone1   = 132
	mldReport2 = 143
)

// The types of a group record (RFC 3376 §4.2.12, RFC 3810 §5.2.12). To include no source is to leave.
const (
	modeIsInclude    = 1
	modeIsExclude    = 2
	changeToInclude  = 3
	changeToExclude  = 4
	allowNewSources  = 5
	reportHeader     = 8
	recordHeader     = 4
	routerAlertHops  = 1
	precedenceOfIGMP = 0xc0
)

// The groups of those who listen to reports (RFC 3376 §4.2.14, RFC 3810 §5.2.14).
var (
	igmpRouters = netip.MustParseAddr("224.0.0.22")
	mldRouters  = netip.MustParseAddr("ff02::16")
)

// Reports returns what an IGMP or MLD packet reports; nothing if it is none, or its checksum is wrong.
func (p Packet) Reports() []Report {
	b := p.Payload
	switch {
	case p.Fragment || len(b) < reportHeader:
		return nil
	case p.Protocol == protocolIGMP && Checksum(b) == 0:
		return igmpReports(b)
	case p.Protocol == protocolICMPv6 && p.checksum() == 0:
		return mldReports(b)
	}
	return nil
}

func igmpReports(b []byte) []Report {
	switch b[0] {
	case igmpReport2, igmpLeave2:
		return []Report{{netip.AddrFrom4([4]byte(b[4:8])), b[0] == igmpReport2}}
	case igmpReport3:
		return records(b, 4)
	}
	return nil
}

func mldReports(b []byte) []Report {
	switch {
	case (b[0] == mldReport1 || b[0] == mldDone1) && len(b) >= 24:
		return []Report{{netip.AddrFrom16([16]byte(b[8:24])), b[0] == mldReport1}}
	case b[0] == mldReport2:
		return records(b, 16)
	}
	return nil
}

// records reads group records with addresses of that many octets, as far as they are whole.
func records(b []byte, octets int) (reports []Report) {
	count := int(binary.BigEndian.Uint16(b[6:]))
	b = b[reportHeader:]
	for ; count > 0 && len(b) >= recordHeader+octets; count-- {
		sources := int(binary.BigEndian.Uint16(b[2:]))
		group, _ := netip.AddrFromSlice(b[recordHeader : recordHeader+octets])
		switch b[0] {
		case modeIsExclude, changeToExclude:
			reports = append(reports, Report{group, true})
		case modeIsInclude, changeToInclude, allowNewSources:
			reports = append(reports, Report{group, sources > 0})
		}
		b = b[min(len(b), recordHeader+octets*(1+sources)+4*int(b[1])):]
	}
	return reports
}

// packet builds the report as a node of that IPv4 address sends it: with IGMPv3, or MLDv2.
func (r Report) packet(from netip.Addr) []byte {
	b := make([]byte, reportHeader, reportHeader+recordHeader+16)
	b[7] = 1 // record
	record := byte(changeToInclude)
	if r.Member {
		record = changeToExclude
	}
	b = append(append(b, record, 0, 0, 0), r.Group.AsSlice()...)
	if r.Group.Is6() {
		return mldPacket(b)
	}
	b[0] = igmpReport3
	binary.BigEndian.PutUint16(b[2:], Checksum(b))
	return IPv4{Source: from, Destination: igmpRouters, Protocol: protocolIGMP, TTL: routerAlertHops, TOS: precedenceOfIGMP,
		DontFragment: true, Options: []byte{0x94, 4, 0, 0}, Payload: b}.Bytes()
}

// mldPacket sends from the unspecified address, since nodes of the memory fabric have none of their link (RFC 3810 §5.2.13).
func mldPacket(b []byte) []byte {
	b[0] = mldReport2
	p := IPv6{Source: netip.IPv6Unspecified(), Destination: mldRouters, Protocol: protocolICMPv6, HopLimit: routerAlertHops,
		Extensions: []Extension{{Type: extHopByHop, Data: []byte{5, 2, 0, 0, 1, 0}}}, Payload: b}
	binary.BigEndian.PutUint16(b[2:], p.Packet().checksum())
	return p.Bytes()
}
