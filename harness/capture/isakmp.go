package capture

import (
	"fmt"
	"strings"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// opened is a key management message in clear: the payloads and what they were read from.
type opened struct {
	data     []byte // header and payloads; padding included
	payloads []isakmp.Decoded
	end      int // where the chain ends and padding begins
	err      error
	claimed  []byte // body of the ID payload of an earlier message, for one that proves it without having it
}

// read parses the payload chain of data, a whole message in clear.
func read(h isakmp.Header, data []byte) *opened {
	o := &opened{data: data}
	var padding []byte
	o.payloads, padding, o.err = gdoi.DialectOf(h.Exchange).Parse(h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
	o.end = len(data) - len(padding)
	return o
}

// after is the octets from payload i to the end of the chain: what a HASH in front of it covers.
func (o *opened) after(i int) []byte {
	if i >= len(o.payloads) {
		return nil
	}
	return o.data[o.payloads[i].Offset:o.end]
}

// firstHash is the HASH payload if it comes first, as it has to.
func (o *opened) firstHash() ([]byte, bool) {
	if len(o.payloads) == 0 {
		return nil, false
	}
	h, ok := o.payloads[0].Payload.(isakmp.Hash)
	return h.Data, ok
}

func (o *opened) has(types ...isakmp.PayloadType) bool {
	for _, p := range o.payloads {
		for _, t := range types {
			if p.Payload.Type() == t {
				return true
			}
		}
	}
	return false
}

// isakmp decodes one key management message.
func (d *decoder) isakmp(m *Message, data []byte) {
	h, err := isakmp.ParseHeader(data)
	if err != nil {
		m.Kind, m.Err = core.KindUnknown.String(), err.Error()
		return
	}
	if d.repeat(m, data) {
		return
	}
	m.Header = &h
	m.Encrypted = h.Flags&isakmp.FlagEncryption != 0
	data = fit(m, h, data)
	if isIKEv2(h) {
		d.ikev2(m, h, data)
		return
	}
	switch h.Exchange {
	case isakmp.ExchangeMainMode:
		d.mainMode(m, h, data)
	case isakmp.ExchangeAggressive:
		d.aggressiveMode(m, h, data)
	case isakmp.ExchangePull:
		d.pull(m, h, data)
	case isakmp.ExchangeInformational:
		d.informational(m, h, data)
	case isakmp.ExchangePush:
		d.push(m, h, data)
	case isakmp.ExchangePushACK:
		d.ack(m, h, data)
	default:
		m.Kind = core.KindUnknown.String()
		d.unknown(m, h, data)
	}
}

// fit says when the header's Length is not that of the datagram, and cuts off what is beyond it.
func fit(m *Message, h isakmp.Header, data []byte) []byte {
	if int64(h.Length) == int64(len(data)) {
		return data
	}
	m.fail(fmt.Errorf("the header says %d octets, the datagram has %d", h.Length, len(data)))
	if h.Length >= isakmp.HeaderLen && int64(h.Length) < int64(len(data)) {
		return data[:h.Length]
	}
	return data
}

// unknown shows a message of another exchange: the payloads if they are in clear.
func (d *decoder) unknown(m *Message, h isakmp.Header, data []byte) {
	m.Summary = h.Exchange.String()
	if !m.Encrypted {
		m.show(read(h, data))
	}
}

// show fills in the fields of an opened message, and where its layout is broken.
func (m *Message) show(o *opened) {
	m.Payloads = payloadFields(o.payloads)
	if o.err == nil {
		return
	}
	m.fail(o.err)
	at := isakmp.HeaderLen
	if n := len(o.payloads); n > 0 {
		at = o.payloads[n-1].Offset + len(o.payloads[n-1].Raw)
	}
	if rest := o.data[at:]; len(rest) > 0 {
		m.Payloads = append(m.Payloads, Field{Name: "unreadable", Value: text(rest, 256), Offset: at, Length: len(rest), Secret: true})
	}
}

// fail notes an error beside those noted before.
func (m *Message) fail(err error) {
	if m.Err != "" {
		m.Err += "; "
	}
	m.Err += err.Error()
}

// check notes the outcome of a check.
func (m *Message) check(name string, ok bool, detail string) {
	result := Bad
	if ok {
		result = OK
	}
	m.Checks = append(m.Checks, Check{Name: name, Result: result, Detail: detail})
}

func (m *Message) unchecked(name, why string) {
	m.Checks = append(m.Checks, Check{Name: name, Result: Unchecked, Detail: why})
}

// label gives a payload the name it has in the RFCs' exchanges; other payloads keep their own.
type label map[isakmp.PayloadType]string

// summarize writes the message as the RFCs do: "HDR*, HASH(1), Ni, ID".
func (m *Message) summarize(o *opened, names label) {
	parts := []string{"HDR"}
	if m.Encrypted {
		parts[0] = "HDR*"
	}
	if o == nil {
		m.Summary = parts[0] + ", encrypted"
		return
	}
	for i := range o.payloads {
		parts = append(parts, short(&o.payloads[i], names))
	}
	if o.err != nil {
		parts = append(parts, "unreadable")
	}
	m.Summary = strings.Join(parts, ", ")
}

// short is one payload of a summary.
func short(d *isakmp.Decoded, names label) string {
	switch p := d.Payload.(type) {
	case gdoi.SA:
		return "SA" + inside(p.Attributes)
	case isakmp.Notify:
		return "N " + p.NotifyType.String()
	case isakmp.Delete:
		return "D " + deleted(p)
	case gdoi.SEQ:
		return fmt.Sprintf("SEQ %d", p.Number)
	case gdoi.GAP:
		return "GAP"
	}
	if name, ok := names[d.Payload.Type()]; ok {
		return name
	}
	return d.Payload.Type().String()
}

// inside lists the attribute payloads of an SA, equal neighbours counted.
func inside(ps []isakmp.Payload) string {
	var parts []string
	for i := 0; i < len(ps); {
		n := 1
		for i+n < len(ps) && ps[i+n].Type() == ps[i].Type() {
			n++
		}
		part := ps[i].Type().String()
		if n > 1 {
			part = fmt.Sprintf("%d %s", n, part)
		}
		parts = append(parts, part)
		i += n
	}
	if parts == nil {
		return ""
	}
	return " {" + strings.Join(parts, ", ") + "}"
}

func deleted(p isakmp.Delete) string {
	what := deleteProtocol(p)
	if what == "" {
		what = fmt.Sprintf("protocol %d", p.Protocol)
	}
	for _, spi := range p.SPIs {
		if strings.Trim(string(spi), "\x00") == "" {
			return what + " all"
		}
	}
	return what
}
