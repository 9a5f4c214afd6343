package gateway

import (
	"encoding/binary"
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// protocolOf is the IP protocol of packets under an entry.
func protocolOf(e *sadb.Entry) uint8 {
	switch {
	case e.Policy.Transform.Protocol == policy.ProtocolAH:
		return protocolAH
	case inUDP(e):
		return protocolUDP
	}
	return protocolESP
}

// speaksAH reports whether there is an SA of AH. Where there is none, AH is traffic like any other: what hosts say to each other
// is their own affair.
func (g *Gateway) speaksAH() bool {
	return slices.ContainsFunc(g.db.Entries(), func(e *sadb.Entry) bool { return protocolOf(e) == protocolAH })
}

// espFixed is the length of what ESP begins with: SPI and sequence number.
const espFixed = 8

// protection reads SPI and sequence number of a packet of ESP or AH (RFC 4303 §2, RFC 4302 §2), be the ESP in UDP or not.
func (p *packet) protection() (spi, sequence uint32, ok bool) {
	body := p.body()
	switch {
	case p.flow.Protocol == protocolAH && len(body) >= 4:
		body = body[4:] // Next Header, Payload Len and RESERVED
	case p.flow.Protocol == protocolUDP && p.flow.DestinationPort == portNATT && len(body) >= udpLen:
		body = body[udpLen:]
	case p.flow.Protocol != protocolESP:
		return 0, 0, false
	}
	if len(body) < espFixed {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:]), true
}
