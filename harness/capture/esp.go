package capture

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	wireesp "github.com/gdoilab/gdoilab/reference/wire/esp"
)

// trafficKeys open the packets of one ESP SA.
type trafficKeys struct {
	keylog.Entry
	sa    *esp.SA
	ivLen int
}

// icvLen is the length of the ICV of every transform that opens (RFC 4106 §6, RFC 4868 §2.3).
const icvLen = 16

func (d *decoder) addTraffic(k keylog.Entry) {
	spi, err := strconv.ParseUint(k.SPI, 16, 32)
	if err != nil {
		return
	}
	keys := &trafficKeys{Entry: k, ivLen: 8}
	if policy.Cipher(k.Cipher) == policy.CipherAESCBC {
		keys.ivLen = 16
	}
	known := func(have *trafficKeys) bool {
		return have.CipherKey == k.CipherKey && have.IntegrityKey == k.IntegrityKey && have.Cipher == k.Cipher
	}
	if slices.ContainsFunc(d.traffic[uint32(spi)], known) {
		return
	}
	sa := policy.TrafficSA{SPI: uint32(spi), CipherKey: unhex(k.CipherKey), IntegrityKey: unhex(k.IntegrityKey)}
	sa.Transform = policy.Transform{Cipher: policy.Cipher(k.Cipher), KeyBits: k.KeyBits, Integrity: policy.Integrity(k.Integrity),
		Mode: policy.Mode(k.Mode)}
	// Nothing is sent, so the source of IVs is never asked; an SA without a window takes packets in any order.
	if keys.sa, err = esp.New(sa, esp.Options{Rand: strings.NewReader("")}); err != nil {
		return
	}
	d.traffic[uint32(spi)] = append(d.traffic[uint32(spi)], keys)
}

// esp decodes an ESP packet, from the SPI to the ICV (RFC 4303 §2).
func (d *decoder) esp(m *Message, packet []byte) {
	m.Kind, m.Encrypted = KindESP, true
	h, err := wireesp.ParseHeader(packet)
	if err != nil {
		m.fail(err)
		return
	}
	c := cursor{}
	spi := c.octets("SPI", packet[:4]).Value
	m.Summary = fmt.Sprintf("SPI %s seq %d", spi, h.Sequence)
	c.number("Sequence", uint64(h.Sequence), 4)
	if d.repeat(m, packet) {
		return
	}
	keys := d.traffic[h.SPI]
	if len(keys) == 0 {
		c.add("Data", fmt.Sprintf("%d octets", len(packet)-wireesp.HeaderLen), len(packet)-wireesp.HeaderLen)
		m.Payloads = c.fields
		m.unchecked("ICV", "no key of that SPI")
		return
	}
	var failure error
	for _, k := range keys {
		plain, next, err := k.sa.Open(nil, packet)
		if err == nil {
			m.Decrypted = true
			m.check("ICV", true, "")
			c.inner(m, k, packet, plain, next)
			m.Payloads = c.fields
			return
		}
		failure = err
	}
	m.Payloads = append(c.fields, Field{Name: "Data", Value: fmt.Sprintf("%d octets", len(packet)-c.at), Offset: c.at, Length: len(packet) - c.at})
	m.sealed(failure)
}

// sealed says why no key opened a packet. Wrong padding is found only in a packet whose ICV is right.
func (m *Message) sealed(err error) {
	var v *rule.Violation
	if errors.As(err, &v) && strings.HasSuffix(v.Guard.Name, ".padding") {
		m.check("ICV", true, "")
		m.fail(errors.New(v.Detail))
		return
	}
	detail := err.Error()
	if v != nil {
		detail = v.Detail
	}
	m.check("ICV", false, detail)
}

// inner shows what an opened packet holds, in the places where it stood.
func (c *cursor) inner(m *Message, k *trafficKeys, packet, plain []byte, next uint8) {
	c.octets("IV", packet[c.at:c.at+k.ivLen])
	p, err := parseIP(plain)
	tunnelled := next == esp.NextIPv4 || next == protocolIPv6
	if err == nil && tunnelled && p.version == 4 != (next == esp.NextIPv4) {
		err = fmt.Errorf("an IPv%d packet, called %s", p.version, protocolName(next))
	}
	switch {
	case tunnelled && err == nil:
		c.fields = append(c.fields, p.field(c.at, true))
		m.Summary += ", " + p.line()
	case len(plain) > 0:
		c.fields = append(c.fields, Field{Name: "Data", Value: text(plain, 64), Offset: c.at, Length: len(plain), Secret: true})
	}
	if tunnelled && err != nil {
		m.fail(fmt.Errorf("inside: %w", err))
	}
	c.skip(len(plain))
	end := len(packet) - icvLen
	c.number("Pad Length", uint64(end-2-c.at), 1).Offset = end - 2
	c.at = end - 1
	c.add("Next Header", numbered(protocolNames[next], uint64(next)), 1)
	c.add("ICV", hex.EncodeToString(packet[end:]), icvLen)
}
