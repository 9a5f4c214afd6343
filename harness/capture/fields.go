package capture

import (
	"encoding/hex"
	"fmt"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// payloadFields shows the payloads of a message.
func payloadFields(ps []isakmp.Decoded) []Field {
	fields := make([]Field, 0, len(ps))
	for i := range ps {
		fields = append(fields, payloadField(&ps[i]))
	}
	return fields
}

// payloadField shows one payload. Its Children begin behind the generic header.
func payloadField(d *isakmp.Decoded) Field {
	f := Field{Offset: d.Offset, Length: len(d.Raw)}
	c := cursor{at: d.Offset + 1}
	c.reserved(uint64(d.Reserved), 1)
	c.at = d.Offset + isakmp.GenericLen
	switch p := isakmp.Unwrap(d.Payload).(type) {
	case isakmp.SA:
		c.phase1SA(p)
	case gdoi.SA:
		c.groupSA(p, d)
	case gdoi.SAK:
		f.Value = hex.EncodeToString(p.SPI[:])
		c.sak(p)
	case gdoi.SAT:
		c.sat(p)
	case gdoi.GAP:
		c.attributes(p.Attributes, gapAttributes)
	case gdoi.KD:
		c.kd(p)
	case gdoi.SEQ:
		f.Value = fmt.Sprint(p.Number)
	case isakmp.ID:
		f.Value = identity(p.IDType, p.Data)
		c.identification(p)
	case isakmp.Notify:
		f.Value = p.NotifyType.String()
		c.notify(p)
	case isakmp.Delete:
		c.delete(p)
	case isakmp.Raw: // unknown, so it may hold anything
		f.Value, f.Secret = hex.EncodeToString(p.Body), true
	default:
		f.Value = hex.EncodeToString(d.Body())
	}
	if d.Payload != nil {
		f.Name = d.Payload.Type().String()
	}
	f.Children = c.fields
	return f
}

func (c *cursor) phase1SA(p isakmp.SA) {
	c.number("DOI", uint64(p.DOI), 4)
	c.number("Situation", uint64(p.Situation), 4)
	for _, proposal := range p.Proposals {
		c.proposal(proposal)
	}
}

func (c *cursor) proposal(p isakmp.Proposal) {
	in := cursor{at: c.at + isakmp.GenericLen}
	in.number("Number", uint64(p.Number), 1)
	in.number("Protocol", uint64(p.Protocol), 1)
	in.number("SPI Size", uint64(len(p.SPI)), 1)
	count := uint64(len(p.Transforms))
	if p.Count != nil {
		count = uint64(*p.Count)
	}
	in.number("Transforms", count, 1)
	in.octets("SPI", p.SPI)
	for _, t := range p.Transforms {
		in.transform(t)
	}
	c.nest("P", in)
}

func (c *cursor) transform(t isakmp.Transform) {
	in := cursor{at: c.at + isakmp.GenericLen}
	in.number("Number", uint64(t.Number), 1)
	in.number("Transform ID", uint64(t.ID), 1)
	in.reserved(uint64(t.Reserved2), 2)
	in.attributes(t.Attributes, phase1Attributes)
	c.nest("T", in)
}

// nest appends a payload whose inside has been shown.
func (c *cursor) nest(name string, in cursor) {
	f := c.add(name, "", in.at-c.at)
	f.Children = in.fields
}

func (c *cursor) groupSA(p gdoi.SA, d *isakmp.Decoded) {
	c.number("DOI", uint64(p.DOI), 4)
	c.number("Situation", uint64(p.Situation), 4)
	c.add("SA Attribute Next Payload", numbered(isakmp.PayloadType(p.AttributeNext).String(), uint64(p.AttributeNext)), 2)
	c.reserved(uint64(p.Reserved2), 2)
	chain, _ := gdoi.AttributeChain(d) // what it can read; d was read whole before
	c.fields = append(c.fields, payloadFields(chain)...)
}

func (c *cursor) sak(p gdoi.SAK) {
	c.add("Protocol", numbered(protocolNames[p.Protocol], uint64(p.Protocol)), 1)
	c.id16("Source", p.Source)
	c.id16("Destination", p.Destination)
	c.octets("SPI", p.SPI[:])
	c.reserved(uint64(p.Reserved2), 4)
	c.attributes(p.Attributes, kekAttributes)
}

func (c *cursor) sat(p gdoi.SAT) {
	c.add("Protocol-ID", numbered(satProtocols[uint64(p.ProtocolID)], uint64(p.ProtocolID)), 1)
	if p.ESP == nil {
		c.octets("Body", p.Raw)
		return
	}
	c.add("Protocol", numbered(protocolNames[p.ESP.Protocol], uint64(p.ESP.Protocol)), 1)
	c.id16("Source", p.ESP.Source)
	c.id16("Destination", p.ESP.Destination)
	c.add("Transform ID", numbered(espTransforms[uint64(p.ESP.TransformID)], uint64(p.ESP.TransformID)), 1)
	c.add("SPI", fmt.Sprintf("%08x", p.ESP.SPI), 4)
	c.attributes(p.ESP.Attributes, saAttributes)
}

// id16 shows an identity of a SAK or SAT on one line.
func (c *cursor) id16(name string, id gdoi.ID16) {
	value := isakmp.IDType(id.Type).String()
	if len(id.Data) > 0 {
		value += " " + identity(id.Type, id.Data)
	}
	if id.Port != 0 {
		value += fmt.Sprintf(" port %d", id.Port)
	}
	c.add(name, value, 4+len(id.Data))
}

func (c *cursor) kd(p gdoi.KD) {
	count := uint64(len(p.Packets))
	if p.Count != nil {
		count = uint64(*p.Count)
	}
	c.number("Key Packets", count, 2)
	c.reserved(uint64(p.Reserved2), 2)
	for _, packet := range p.Packets {
		in := cursor{at: c.at + 1}
		in.reserved(uint64(packet.Reserved), 1)
		in.skip(3) // length and SPI size
		in.octets("SPI", packet.SPI)
		in.attributes(packet.Attributes, keyAttributes(packet.Type))
		c.nest("Key Packet "+packet.Type.String(), in)
	}
}

func (c *cursor) identification(p isakmp.ID) {
	c.add("ID Type", numbered(isakmp.IDType(p.IDType).String(), uint64(p.IDType)), 1)
	c.number("Protocol", uint64(p.Protocol), 1)
	c.number("Port", uint64(p.Port), 2)
	c.octets("Data", p.Data)
}

func (c *cursor) notify(p isakmp.Notify) {
	c.number("DOI", uint64(p.DOI), 4)
	c.number("Protocol", uint64(p.Protocol), 1)
	c.number("SPI Size", uint64(len(p.SPI)), 1)
	c.add("Notify Type", numbered(p.NotifyType.String(), uint64(p.NotifyType)), 2)
	c.octets("SPI", p.SPI)
	c.octets("Data", p.Data)
}

func (c *cursor) delete(p isakmp.Delete) {
	c.number("DOI", uint64(p.DOI), 4)
	c.add("Protocol", numbered(deleteProtocols[uint64(p.Protocol)], uint64(p.Protocol)), 1)
	c.number("SPI Size", uint64(p.SPISize), 1)
	count := uint64(len(p.SPIs))
	if p.Count != nil {
		count = uint64(*p.Count)
	}
	c.number("SPIs", count, 2)
	for _, spi := range p.SPIs {
		c.octets("SPI", spi)
	}
}

// identity is the data of an identity as its type is written: an address, a subnet, text, else octets.
func identity(kind uint8, data []byte) string {
	switch {
	case kind == isakmp.IDIPv4Addr && len(data) == 4, kind == isakmp.IDIPv6Addr && len(data) == 16:
		a, _ := netip.AddrFromSlice(data)
		return a.String()
	case kind == isakmp.IDIPv4AddrSubnet && len(data) == 8, kind == isakmp.IDIPv6AddrSubnet && len(data) == 32:
		return addresses(data, "/")
	case kind == isakmp.IDIPv4AddrRange && len(data) == 8, kind == isakmp.IDIPv6AddrRange && len(data) == 32:
		return addresses(data, "-")
	case kind == isakmp.IDFQDN, kind == isakmp.IDUserFQDN:
		return fmt.Sprintf("%q", data)
	case kind == isakmp.IDKeyID && len(data) == 4:
		return fmt.Sprint(uint32(data[0])<<24 | uint32(data[1])<<16 | uint32(data[2])<<8 | uint32(data[3]))
	}
	return hex.EncodeToString(data)
}

// addresses are the two addresses of a subnet or a range, of either family.
func addresses(data []byte, between string) string {
	first, _ := netip.AddrFromSlice(data[:len(data)/2])
	second, _ := netip.AddrFromSlice(data[len(data)/2:])
	return first.String() + between + second.String()
}
