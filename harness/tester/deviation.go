package tester

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Deviation is one way of breaking a rule.
type Deviation struct {
	Name    string // what it does, as a report says it
	Section string // where the rule stands, "RFC 6407 §4.3"
	Tap     core.Tap
}

// Taps returns one tap that applies the deviations in order.
func Taps(ds ...Deviation) core.Tap {
	return func(stage core.Stage, o *core.Outgoing) {
		for _, d := range ds {
			d.Tap.See(stage, o)
		}
	}
}

// Once applies the deviation to the first message that reaches it complete, and to none after.
func Once(d Deviation) Deviation { return Times(1, d) }

// Times applies the deviation to the first n messages whose last stage changes anything.
func Times(n int, d Deviation) Deviation {
	left := n
	tap := d.Tap
	var kind core.Kind
	d.Tap = func(stage core.Stage, o *core.Outgoing) {
		if left == 0 {
			return
		}
		before := snapshot(o)
		tap.See(stage, o)
		if before != snapshot(o) {
			kind = o.Kind
		}
		if stage == core.Sealed && kind == o.Kind {
			left, kind = left-1, core.KindUnknown
		}
	}
	return d
}

func snapshot(o *core.Outgoing) string {
	return fmt.Sprintf("%v %v %x %v", o.Header, o.Payloads, o.Bytes, o.Withhold)
}

// on makes a tap for one kind of message at one stage.
func on(kind core.Kind, stage core.Stage, change func(o *core.Outgoing)) core.Tap {
	return func(s core.Stage, o *core.Outgoing) {
		if o.Kind == kind && s == stage {
			change(o)
		}
	}
}

// Withhold keeps messages of that kind from being sent, as if each of them were lost (RFC 2408 §5.1).
func Withhold(kind core.Kind) Deviation {
	return Deviation{"withholds " + kind.String(), "RFC 2408 §5.1", on(kind, core.Sealed, func(o *core.Outgoing) { o.Withhold = true })}
}

// Header changes the header before the message is authenticated and sealed. The length is not taken from it; see Length.
func Header(kind core.Kind, what, section string, change func(h *isakmp.Header)) Deviation {
	return Deviation{kind.String() + " with " + what, section, on(kind, core.Built, func(o *core.Outgoing) { change(&o.Header) })}
}

// SentHeader changes the header of the finished datagram, under a HASH or SIG made for the right one.
func SentHeader(kind core.Kind, what, section string, change func(h *isakmp.Header)) Deviation {
	return Deviation{kind.String() + " sent with " + what, section, on(kind, core.Sealed, func(o *core.Outgoing) {
		h, err := isakmp.ParseHeader(o.Bytes)
		if err != nil {
			return
		}
		change(&h)
		o.Bytes = append(h.Append(nil), o.Bytes[isakmp.HeaderLen:]...)
	})}
}

// Version has the message say another version (RFC 2408 §3.1).
func Version(kind core.Kind, v uint8) Deviation {
	return SentHeader(kind, fmt.Sprintf("version %#x", v), "RFC 2408 §3.1", func(h *isakmp.Header) { h.Version = v })
}

// Exchange has the message say another exchange type (RFC 2408 §3.1).
func Exchange(kind core.Kind, e isakmp.ExchangeType) Deviation {
	return SentHeader(kind, fmt.Sprintf("exchange type %d", e), "RFC 2408 §3.1", func(h *isakmp.Header) { h.Exchange = e })
}

// Flags has the message carry other flags (RFC 2408 §3.1).
func Flags(kind core.Kind, f isakmp.Flags) Deviation {
	return SentHeader(kind, fmt.Sprintf("flags %#x", uint8(f)), "RFC 2408 §3.1", func(h *isakmp.Header) { h.Flags = f })
}

// MessageID has the message carry another Message ID (RFC 2408 §3.1).
func MessageID(kind core.Kind, id uint32) Deviation {
	return SentHeader(kind, fmt.Sprintf("message id %d", id), "RFC 2408 §3.1", func(h *isakmp.Header) { h.MessageID = id })
}

// Length moves the Length field of the finished datagram (RFC 2408 §5.1).
func Length(kind core.Kind, delta int) Deviation {
	return SentHeader(kind, fmt.Sprintf("a Length that is off by %d", delta), "RFC 2408 §5.1",
		func(h *isakmp.Header) { h.Length = uint32(int(h.Length) + delta) })
}

// Truncate cuts octets off the end of the finished datagram (RFC 2408 §5.1).
func Truncate(kind core.Kind, octets int) Deviation {
	return Deviation{fmt.Sprintf("%s cut short by %d octets", kind, octets), "RFC 2408 §5.1",
		on(kind, core.Sealed, func(o *core.Outgoing) { o.Bytes = o.Bytes[:max(0, len(o.Bytes)-octets)] })}
}

// Cut leaves only the first octets of the finished datagram (RFC 2408 §5.1).
func Cut(kind core.Kind, octets int) Deviation {
	return Deviation{fmt.Sprintf("%s of which only %d octets are left", kind, octets), "RFC 2408 §5.1",
		on(kind, core.Sealed, func(o *core.Outgoing) { o.Bytes = o.Bytes[:min(octets, len(o.Bytes))] })}
}

// FlipOctet changes one octet of the finished datagram (RFC 2408 §5.1); a negative offset counts from the end.
func FlipOctet(kind core.Kind, offset int) Deviation {
	return Deviation{fmt.Sprintf("%s with octet %d changed", kind, offset), "RFC 2408 §5.1", on(kind, core.Sealed, func(o *core.Outgoing) {
		at := offset
		if at < 0 {
			at += len(o.Bytes)
		}
		if at >= 0 && at < len(o.Bytes) {
			o.Bytes = slices.Clone(o.Bytes)
			o.Bytes[at] ^= 0xff
		}
	})}
}

// Edit changes the payload of that Go type in messages of that kind, before they are authenticated.
func Edit[P isakmp.Payload](kind core.Kind, what, section string, change func(P) isakmp.Payload) Deviation {
	return edit(kind, core.Built, what, section, change)
}

// EditAuthenticated changes the payload after HASH or SIG were made: a wrong HASH, or one that no longer fits.
func EditAuthenticated[P isakmp.Payload](kind core.Kind, what, section string, change func(P) isakmp.Payload) Deviation {
	return edit(kind, core.Authenticated, what, section, change)
}

func edit[P isakmp.Payload](kind core.Kind, stage core.Stage, what, section string, change func(P) isakmp.Payload) Deviation {
	return Deviation{kind.String() + " with " + what, section, on(kind, stage, func(o *core.Outgoing) {
		o.Payloads = slices.Clone(o.Payloads)
		for i, p := range o.Payloads {
			if typed, ok := p.(P); ok {
				o.Payloads[i] = change(typed)
			}
		}
	})}
}

// Payloads changes the list of payloads before the message is authenticated.
func Payloads(kind core.Kind, what, section string, change func([]isakmp.Payload) []isakmp.Payload) Deviation {
	return Deviation{kind.String() + " with " + what, section, on(kind, core.Built, func(o *core.Outgoing) {
		o.Payloads = change(slices.Clone(o.Payloads))
	})}
}

// AuthenticatedPayloads changes the list of payloads after HASH was made, which is the first of them.
func AuthenticatedPayloads(kind core.Kind, what, section string, change func([]isakmp.Payload) []isakmp.Payload) Deviation {
	return Deviation{kind.String() + " with " + what, section, on(kind, core.Authenticated, func(o *core.Outgoing) {
		o.Payloads = change(slices.Clone(o.Payloads))
	})}
}

// Omit leaves the payloads of that type out.
func Omit(kind core.Kind, typ isakmp.PayloadType, section string) Deviation {
	return Payloads(kind, "no payload of type "+typ.String(), section, func(ps []isakmp.Payload) []isakmp.Payload {
		return slices.DeleteFunc(ps, func(p isakmp.Payload) bool { return p.Type() == typ })
	})
}

// Repeat sends the payloads of that type twice.
func Repeat(kind core.Kind, typ isakmp.PayloadType, section string) Deviation {
	return Payloads(kind, "payload type "+typ.String()+" twice", section, func(ps []isakmp.Payload) []isakmp.Payload {
		var twice []isakmp.Payload
		for _, p := range ps {
			twice = append(twice, p)
			if p.Type() == typ {
				twice = append(twice, p)
			}
		}
		return twice
	})
}

// Reserved sets the RESERVED octet in the generic header of payloads of that type (RFC 2408 §5.3).
func Reserved(kind core.Kind, typ isakmp.PayloadType, value uint8) Deviation {
	return Payloads(kind, fmt.Sprintf("RESERVED %d in %s", value, typ), "RFC 2408 §5.3", func(ps []isakmp.Payload) []isakmp.Payload {
		for i, p := range ps {
			if p.Type() == typ {
				ps[i] = isakmp.Framed{Payload: p, Reserved: value}
			}
		}
		return ps
	})
}

// WrongHash changes the HASH of a message (RFC 6407 §3.2, RFC 2409 §5).
func WrongHash(kind core.Kind) Deviation {
	return EditAuthenticated(kind, "a wrong HASH", "RFC 6407 §3.2", func(h isakmp.Hash) isakmp.Payload {
		return isakmp.Hash{Data: flipped(h.Data)}
	})
}

// WrongSignature changes the SIG of a message (RFC 6407 §4.4).
func WrongSignature(kind core.Kind) Deviation {
	return EditAuthenticated(kind, "a wrong SIG", "RFC 6407 §4.4", func(s isakmp.SIG) isakmp.Payload {
		return isakmp.SIG{Data: flipped(s.Data)}
	})
}

func flipped(b []byte) []byte {
	b = slices.Clone(b)
	if len(b) > 0 {
		b[len(b)/2] ^= 0x01
	}
	return b
}

// NonceLength has a nonce of so many octets (RFC 6407 §5.8, RFC 2409 §5).
func NonceLength(kind core.Kind, octets int) Deviation {
	return Edit(kind, fmt.Sprintf("a nonce of %d octets", octets), "RFC 6407 §5.8", func(n isakmp.Nonce) isakmp.Payload {
		data := make([]byte, octets)
		for i := range data {
			data[i] = byte(i)
		}
		copy(data, n.Data)
		return isakmp.Nonce{Data: data}
	})
}

// be32 is the big-endian form of v.
func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
