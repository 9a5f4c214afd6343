package capture

import (
	"fmt"

	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// isIKEv2 reports whether a message is one of IKEv2, some of whose exchanges have the number of one of GDOI. A message of IKEv1 that says
// another version on purpose begins with a payload of IKEv1. One with a marker too many has octets of a cookie where version and exchange
// are, which are those of IKEv2 often enough, but its Message ID where the length is: 0 in Phase 1, and as good as never so small after it.
func isIKEv2(h isakmp.Header) bool {
	return h.Version>>4 == ikev2.Version20>>4 && h.NextPayload >= ikev2.PayloadSA &&
		h.Exchange >= ikev2.ExchangeIKESAInit && isakmp.HeaderLen <= h.Length && h.Length <= maxIKEv2
}

const maxIKEv2 = 1<<16 - 1 // a datagram holds no more

// ikev2 shows a message of IKEv2: its exchange, and its payloads as far as they are in clear (RFC 7296 §3).
func (d *decoder) ikev2(m *Message, h isakmp.Header, data []byte) {
	m.Kind, m.Encrypted = KindIKEv2, false
	way := "request"
	if h.Flags&ikev2.FlagResponse != 0 {
		way = "response"
	}
	m.Summary = fmt.Sprintf("%s %s %d", ikev2.ExchangeName(h.Exchange), way, h.MessageID)
	ps, err := ikev2.Parse(h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
	types := h.NextPayload
	for i := range ps {
		f := Field{Name: ikev2.PayloadName(types), Offset: ps[i].Offset, Length: len(ps[i].Raw)}
		f.Value = ikev2Value(ps[i].Payload, ps[i].Body())
		m.Payloads = append(m.Payloads, f)
		m.Encrypted = m.Encrypted || types == ikev2.PayloadSK || types == ikev2.PayloadSKF
		types = ps[i].Next
	}
	if err != nil {
		m.fail(err)
	}
}

// ikev2Value is what a payload says in a few words.
func ikev2Value(p isakmp.Payload, body []byte) string {
	switch p := p.(type) {
	case ikev2.SA:
		var all string
		for _, one := range p.Proposals {
			all += fmt.Sprintf("%d %s", one.Number, one.Protocol)
			for _, t := range one.Transforms {
				all += fmt.Sprintf(" %s %d", t.Type, t.ID)
				if bits := t.KeyLength(); bits > 0 {
					all += fmt.Sprintf("-%d", bits)
				}
			}
			all += "; "
		}
		return all[:max(0, len(all)-2)]
	case ikev2.KE:
		return fmt.Sprintf("group %d, %s", p.Group, text(p.Data, 32))
	case ikev2.Notify:
		return fmt.Sprintf("%s %s", p.NotifyType, text(p.Data, 32))
	case ikev2.SK:
		return fmt.Sprintf("%d octets, the first payload is %s", len(p.Body), ikev2.PayloadName(p.Inner))
	}
	return text(body, 32)
}
