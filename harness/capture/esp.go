package capture

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/netip"
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
	sa      *esp.SA
	ivLen   int
	icvLen  int
	numbers numbers
}

// numbers are how far the sequence numbers of each sender of an SA have got, to find the upper halves of extended ones.
type numbers map[netip.Addr]*esp.Window

// find has read try the upper half of a sender's number as a receiver finds it; the first packets of a capture may also stand at
// the very end of the numbers.
func (n numbers) find(from netip.Addr, sequence uint32, read func(high uint32) error) error {
	w := n[from]
	if w == nil {
		w = &esp.Window{}
		n[from] = w
	}
	number := w.Extend(sequence)
	err := read(uint32(number >> 32))
	if err != nil && w.Top() == 0 {
		number = math.MaxUint32<<32 | uint64(sequence)
		err = read(math.MaxUint32)
	}
	if err == nil {
		w.Mark(number)
	}
	return err
}

func (d *decoder) addTraffic(k keylog.Entry) {
	spi, err := strconv.ParseUint(k.SPI, 16, 32)
	if err != nil {
		return
	}
	known := func(have *trafficKeys) bool {
		return have.CipherKey == k.CipherKey && have.IntegrityKey == k.IntegrityKey && have.Cipher == k.Cipher && have.ESN == k.ESN
	}
	if slices.ContainsFunc(d.traffic[uint32(spi)], known) {
		return
	}
	sa := policy.TrafficSA{SPI: uint32(spi), CipherKey: unhex(k.CipherKey), IntegrityKey: unhex(k.IntegrityKey)}
	sa.Transform = policy.Transform{Cipher: policy.Cipher(k.Cipher), KeyBits: k.KeyBits, Integrity: policy.Integrity(k.Integrity),
		ESN: k.ESN, Mode: policy.Mode(k.Mode)}
	form, _ := sa.Transform.Cipher.Form()
	keys := &trafficKeys{Entry: k, ivLen: form.IV, icvLen: sa.Transform.ICVLen(), numbers: make(numbers)}
	// Nothing is sent, so the source of IVs is never asked. The SA's own window is not looked at: packets come in any order.
	if keys.sa, err = esp.New(sa, esp.Options{Rand: strings.NewReader(""), Window: 64}); err != nil {
		return
	}
	d.traffic[uint32(spi)] = append(d.traffic[uint32(spi)], keys)
}

// open opens a packet of that sender.
func (k *trafficKeys) open(from netip.Addr, sequence uint32, packet []byte) (plain []byte, next uint8, err error) {
	read := func(high uint32) (err error) {
		plain, next, err = k.sa.Read(nil, packet, high)
		return err
	}
	if !k.ESN {
		err = read(0)
		return plain, next, err
	}
	err = k.numbers.find(from, sequence, read)
	return plain, next, err
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
		plain, next, err := k.open(m.From.Addr(), h.Sequence, packet)
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
	if next == esp.NextNone {
		m.Summary += ", dummy"
	}
	c.octets("IV", packet[c.at:c.at+k.ivLen])
	sent := next
	plain, next = c.metadata(m, plain, next)
	p, err := parseIP(plain)
	tunnelled := next == esp.NextIPv4 || next == protocolIPv6
	if err == nil && tunnelled && p.version == 4 != (next == esp.NextIPv4) {
		err = fmt.Errorf("an IPv%d packet, called %s", p.version, protocolName(next))
	}
	switch {
	case tunnelled && err == nil:
		c.fields = append(c.fields, p.field(c.at, true))
		m.Summary += ", " + p.line()
		if n := len(plain) - p.header - len(p.payload); n > 0 {
			c.fields = append(c.fields, Field{Name: "TFC Padding", Value: fmt.Sprintf("%d octets", n), Offset: c.at + len(plain) - n, Length: n})
		}
	case len(plain) > 0:
		c.fields = append(c.fields, Field{Name: "Data", Value: text(plain, 64), Offset: c.at, Length: len(plain), Secret: true})
	}
	if tunnelled && err != nil {
		m.fail(fmt.Errorf("inside: %w", err))
	}
	c.skip(len(plain))
	end := len(packet) - k.icvLen
	c.number("Pad Length", uint64(end-2-c.at), 1).Offset = end - 2
	c.at = end - 1
	c.add("Next Header", numbered(protocolNames[sent], uint64(sent)), 1)
	c.add("ICV", hex.EncodeToString(packet[end:]), k.icvLen)
}
