package capture

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// ahKeys check the packets of one SA of AH.
type ahKeys struct {
	keylog.Entry
	sa      *esp.AH
	icvLen  int
	numbers numbers
}

func (d *decoder) addAH(k keylog.Entry) {
	spi, err := strconv.ParseUint(k.SPI, 16, 32)
	if err != nil {
		return
	}
	known := func(have *ahKeys) bool {
		return have.IntegrityKey == k.IntegrityKey && have.Integrity == k.Integrity && have.ESN == k.ESN
	}
	if slices.ContainsFunc(d.ah[uint32(spi)], known) {
		return
	}
	t := policy.Transform{Protocol: policy.ProtocolAH, Integrity: policy.Integrity(k.Integrity), ESN: k.ESN, Mode: policy.Mode(k.Mode)}
	keys := &ahKeys{Entry: k, icvLen: t.ICVLen(), numbers: make(numbers)}
	if keys.sa, err = esp.NewAH(policy.TrafficSA{SPI: uint32(spi), Transform: t, IntegrityKey: unhex(k.IntegrityKey)}, esp.Options{Window: 64}); err != nil {
		return
	}
	d.ah[uint32(spi)] = append(d.ah[uint32(spi)], keys)
}

// verify checks the ICV of a packet.
func (k *ahKeys) verify(p *packet, sequence uint32, whole []byte) error {
	read := func(high uint32) error {
		_, _, err := k.sa.ReadPacket(nil, whole, p.header, high)
		return err
	}
	if !k.ESN {
		return read(0)
	}
	return k.numbers.find(p.source, sequence, read)
}

const ahFixed = 12 // octets in front of the ICV

// authenticated decodes a packet of AH, from its Next Header on (RFC 4302 §2). The ICV covers the IP headers in front of it too.
func (d *decoder) authenticated(m *Message, p packet) {
	m.Kind = KindAH
	header := p.payload
	if len(header) < ahFixed || len(header) < (int(header[1])+2)*4 || (int(header[1])+2)*4 < ahFixed {
		m.fail(fmt.Errorf("AH of %d octets, which its length does not allow", len(header)))
		return
	}
	length, spi, sequence := (int(header[1])+2)*4, binary.BigEndian.Uint32(header[4:]), binary.BigEndian.Uint32(header[8:])
	c := cursor{}
	c.add("Next Header", numbered(protocolNames[header[0]], uint64(header[0])), 1)
	c.number("Payload Len", uint64(header[1]), 1)
	c.skip(2) // RESERVED
	text := c.octets("SPI", header[4:8]).Value
	c.number("Sequence", uint64(sequence), 4)
	m.Summary = fmt.Sprintf("SPI %s seq %d", text, sequence)
	c.octets("ICV", header[ahFixed:length])
	c.protected(m, header[0], header[length:])
	m.Payloads = c.fields
	if whole := p.whole(); !d.repeat(m, whole) {
		d.checkAH(m, &p, spi, sequence, whole)
	}
}

// checkAH looks for a key that the ICV fits.
func (d *decoder) checkAH(m *Message, p *packet, spi, sequence uint32, whole []byte) {
	if len(d.ah[spi]) == 0 {
		m.unchecked("ICV", "no key of that SPI")
		return
	}
	var failure error
	for _, k := range d.ah[spi] {
		err := k.verify(p, sequence, whole)
		if err == nil {
			m.shortenICV(k.icvLen)
			m.check("ICV", true, "")
			return
		}
		failure = err
	}
	m.sealed(failure)
}

// shortenICV takes the padding off an ICV, which it has in IPv6 (RFC 4302 §2.2).
func (m *Message) shortenICV(octets int) {
	for i := range m.Payloads {
		if f := &m.Payloads[i]; f.Name == "ICV" && f.Length > octets {
			f.Length, f.Value = octets, f.Value[:hex.EncodedLen(octets)]
		}
	}
}

// protected shows what follows AH: a packet in tunnel mode, or what the IP header would have been followed by.
func (c *cursor) protected(m *Message, next uint8, payload []byte) {
	p, err := parseIP(payload)
	tunnelled := next == esp.NextIPv4 || next == esp.NextIPv6
	switch {
	case tunnelled && err == nil:
		c.fields = append(c.fields, p.field(c.at, false))
		m.Summary += ", " + p.line()
	case len(payload) > 0:
		c.add("Data", text(payload, 64), len(payload))
	}
	if tunnelled && err != nil {
		m.fail(fmt.Errorf("inside: %w", err))
	}
}
