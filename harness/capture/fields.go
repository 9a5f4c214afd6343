package capture

import (
	"encoding/hex"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/policy"
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
		f.Value = traffic(p)
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
	case isakmp.CERT:
		f.Value = p.Encoding.String()
		c.certificate(p.Encoding, p.Data)
	case isakmp.CR:
		f.Value = p.Encoding.String()
		c.certificate(p.Encoding, p.Authority)
	case isakmp.NATOA:
		f.Value = identity(p.IDType, p.Address)
		c.originalAddress(p)
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
	c.named("DOI", doiNames[p.DOI], uint64(p.DOI), 4)
	c.number("Situation", uint64(p.Situation), 4)
	for _, proposal := range p.Proposals {
		c.proposal(proposal)
	}
}

func (c *cursor) proposal(p isakmp.Proposal) {
	in := cursor{at: c.at + isakmp.GenericLen}
	in.number("Number", uint64(p.Number), 1)
	in.named("Protocol", phase1Protocols[p.Protocol], uint64(p.Protocol), 1)
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
	in.named("Transform ID", phase1IDs[t.ID], uint64(t.ID), 1)
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
	c.named("DOI", doiNames[p.DOI], uint64(p.DOI), 4)
	c.number("Situation", uint64(p.Situation), 4)
	c.named("SA Attribute Next Payload", isakmp.PayloadType(p.AttributeNext).String(), uint64(p.AttributeNext), 2)
	c.reserved(uint64(p.Reserved2), 2)
	chain, _ := gdoi.AttributeChain(d) // what it can read; d was read whole before
	c.fields = append(c.fields, payloadFields(chain)...)
}

func (c *cursor) sak(p gdoi.SAK) {
	c.named("Protocol", protocolNames[p.Protocol], uint64(p.Protocol), 1)
	c.id16("Source", p.Source)
	c.id16("Destination", p.Destination)
	c.octets("SPI", p.SPI[:])
	c.reserved(uint64(p.Reserved2), 4)
	c.attributes(p.Attributes, kekAttributes)
}

func (c *cursor) sat(p gdoi.SAT) {
	if e, err := gdoi.ParseAccessEntry(p.Raw, 0); err == nil && p.ProtocolID == policy.DefaultDenyProtocol {
		c.denied(e)
		return
	}
	c.named("Protocol-ID", registered(gdoi.Protocol(p.ProtocolID), uint64(p.ProtocolID)), uint64(p.ProtocolID), 1)
	switch {
	case p.ESP != nil:
		c.satESP(p.ProtocolID, p.ESP)
	case p.IEC61850 != nil:
		c.satIEC61850(p.IEC61850)
	default:
		c.octets("Body", p.Raw)
	}
}

// denied shows the entry of an access list whose packets stay in clear, under the number that it has unless a group names another.
func (c *cursor) denied(e gdoi.AccessEntry) {
	c.named("Protocol-ID", "deny", policy.DefaultDenyProtocol, 1)
	c.named("Protocol", protocolNames[e.Protocol], uint64(e.Protocol), 1)
	c.id16("Source", e.Source)
	c.id16("Destination", e.Destination)
}

func (c *cursor) satESP(protocol uint8, p *gdoi.SATESP) {
	c.named("Protocol", protocolNames[p.Protocol], uint64(p.Protocol), 1)
	c.id16("Source", p.Source)
	c.id16("Destination", p.Destination)
	c.named("Transform ID", gdoi.TransformName(protocol, p.TransformID), uint64(p.TransformID), 1)
	c.add("SPI", fmt.Sprintf("%08x", p.SPI), 4)
	c.attributes(p.Attributes, saAttributes)
}

func (c *cursor) satIEC61850(p *gdoi.SATIEC61850) {
	c.number("OID Length", uint64(len(p.Traffic.OID)), 1)
	c.octets("OID", p.Traffic.OID)
	c.number("OID Payload Length", uint64(len(p.Traffic.Payload)), 2)
	c.octets("OID Payload", p.Traffic.Payload)
	c.add("SPI", fmt.Sprintf("%08x", p.SPI), 4)
	auth, enc := uint64(p.Authentication), uint64(p.Encryption)
	c.named("Auth Alg", registered(gdoi.IECAuthentication(p.Authentication), auth), auth, 2)
	c.named("Enc Alg", registered(gdoi.IECEncryption(p.Encryption), enc), enc, 2)
	c.number("Remaining Lifetime", uint64(p.Remaining), 4)
	c.attributes(p.Attributes, iecAttributes)
}

// traffic is what a SAT for IEC 61850 protects; that of ESP and AH is in their fields.
func traffic(p gdoi.SAT) string {
	if p.IEC61850 == nil {
		return ""
	}
	return oid(p.IEC61850.Traffic)
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
	c.named("ID Type", isakmp.IDType(p.IDType).String(), uint64(p.IDType), 1)
	c.named("Protocol", protocolNames[p.Protocol], uint64(p.Protocol), 1)
	c.number("Port", uint64(p.Port), 2)
	c.octets("Data", p.Data)
}

func (c *cursor) certificate(e isakmp.CertEncoding, data []byte) {
	c.named("Encoding", registered(e, uint64(e)), uint64(e), 1)
	c.octets("Data", data)
}

func (c *cursor) originalAddress(p isakmp.NATOA) {
	c.named("ID Type", isakmp.IDType(p.IDType).String(), uint64(p.IDType), 1)
	c.reserved(uint64(p.Reserved2[0])<<16|uint64(p.Reserved2[1])<<8|uint64(p.Reserved2[2]), 3)
	c.octets("Address", p.Address)
}

func (c *cursor) notify(p isakmp.Notify) {
	c.named("DOI", doiNames[p.DOI], uint64(p.DOI), 4)
	c.named("Protocol", phase1Protocols[p.Protocol], uint64(p.Protocol), 1)
	c.number("SPI Size", uint64(len(p.SPI)), 1)
	c.named("Notify Type", p.NotifyType.String(), uint64(p.NotifyType), 2)
	c.octets("SPI", p.SPI)
	if p.NotifyType == isakmp.NotifyRUThere || p.NotifyType == isakmp.NotifyRUThereACK {
		c.octets("Sequence Number", p.Data) // RFC 3706 §5.3
		return
	}
	c.octets("Data", p.Data)
}

func (c *cursor) delete(p isakmp.Delete) {
	c.named("DOI", doiNames[p.DOI], uint64(p.DOI), 4)
	c.named("Protocol", deleteProtocol(p), uint64(p.Protocol), 1)
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
