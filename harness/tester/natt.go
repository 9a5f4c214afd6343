package tester

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// leaving changes the datagrams of one kind of message as they leave for or from port 4500.
func leaving(kind core.Kind, what, section string, change func(o *core.Outgoing)) Deviation {
	return Deviation{kind.String() + " " + what, section, on(kind, core.Leaving, change)}
}

// marked is leaving for datagrams that have a marker, whose message it changes the front of.
func marked(kind core.Kind, what string, front ...byte) Deviation {
	return leaving(kind, what, "RFC 3948 §2.2", func(o *core.Outgoing) {
		if inside, ok := inMarker(o); ok {
			o.Bytes = slices.Concat(front, inside)
		}
	})
}

func inMarker(o *core.Outgoing) ([]byte, bool) {
	kind, inside, err := natt.Split(o.Bytes)
	return inside, err == nil && kind == natt.KindISAKMP && o.From.Port() == natt.Port
}

// Unmarked leaves the marker out (RFC 3947 §4, RFC 3948 §2.2).
func Unmarked(kind core.Kind) Deviation { return marked(kind, "without the marker") }

// ShortMarker has a marker of three octets (RFC 3948 §2.2).
func ShortMarker(kind core.Kind) Deviation {
	return marked(kind, "with a marker of three octets", 0, 0, 0)
}

// LongMarker has the marker twice (RFC 3948 §2.2).
func LongMarker(kind core.Kind) Deviation {
	return marked(kind, "with the marker twice", 0, 0, 0, 0, 0, 0, 0, 0)
}

// WrongMarker has an SPI where the marker should be, so that the message looks like ESP (RFC 3948 §2.1).
func WrongMarker(kind core.Kind) Deviation {
	return marked(kind, "with a marker that is not zero", 0, 0, 1, 0)
}

// MarkerCounted has Length count the marker (RFC 3948 §2.2).
func MarkerCounted(kind core.Kind) Deviation {
	return leaving(kind, "whose Length counts the marker", "RFC 3948 §2.2", func(o *core.Outgoing) {
		inside, ok := inMarker(o)
		h, err := isakmp.ParseHeader(inside)
		if !ok || err != nil {
			return
		}
		h.Length += natt.MarkerLen
		o.Bytes = slices.Concat(natt.AppendMarker(nil), h.Append(nil), inside[isakmp.HeaderLen:])
	})
}

// MarkerElsewhere puts a marker in front of a message on another port (RFC 3948 §2.2).
func MarkerElsewhere(kind core.Kind) Deviation {
	return leaving(kind, "with a marker on a port that has none", "RFC 3948 §2.2", func(o *core.Outgoing) {
		if o.From.Port() != natt.Port {
			o.Bytes = append(natt.AppendMarker(nil), o.Bytes...)
		}
	})
}

// Unfloated sends a message on the former port, without a marker, though a NAT was found (RFC 3947 §4). The same deviation of a
// later message is to go back to that port.
func Unfloated(kind core.Kind, former uint16) Deviation {
	return leaving(kind, fmt.Sprintf("on port %d, which was left", former), "RFC 3947 §4", func(o *core.Outgoing) {
		if inside, ok := inMarker(o); ok {
			o.Bytes = slices.Clone(inside)
			o.From, o.To = withPort(o.From, former), withPort(o.To, former)
		}
	})
}

// FloatedEarly sends a message on port 4500, with a marker, before a NAT can have been found (RFC 3947 §4).
func FloatedEarly(kind core.Kind) Deviation {
	return leaving(kind, "on port 4500 before a NAT was found", "RFC 3947 §4", func(o *core.Outgoing) {
		if o.From.Port() != natt.Port {
			o.Bytes = append(natt.AppendMarker(nil), o.Bytes...)
			o.From, o.To = withPort(o.From, natt.Port), withPort(o.To, natt.Port)
		}
	})
}

// HalfFloated sends a message from port 4500 to the former port of the peer, or, from a key server, to the port that the member
// would have without a NAT (RFC 3947 §4).
func HalfFloated(kind core.Kind, to uint16) Deviation {
	return leaving(kind, fmt.Sprintf("from port 4500 to port %d", to), "RFC 3947 §4", func(o *core.Outgoing) {
		if o.From.Port() == natt.Port {
			o.To = withPort(o.To, to)
		}
	})
}

func withPort(a netip.AddrPort, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr(), port)
}

// LongKeepalive has keepalives of two octets (RFC 3948 §2.3).
func LongKeepalive() Deviation {
	return leaving(core.Keepalive, "of two octets", "RFC 3948 §2.3", func(o *core.Outgoing) { o.Bytes = []byte{0xff, 0xff} })
}

// WrongKeepalive has keepalives of another octet (RFC 3948 §2.3).
func WrongKeepalive() Deviation {
	return leaving(core.Keepalive, "of another octet", "RFC 3948 §2.3", func(o *core.Outgoing) { o.Bytes = []byte{0xfe} })
}

// NoKeepalive sends none (RFC 3947 §3.2, RFC 3948 §4).
func NoKeepalive() Deviation {
	return leaving(core.Keepalive, "withheld", "RFC 3948 §4", func(o *core.Outgoing) { o.Withhold = true })
}

// NoNATVendor does not announce NAT traversal in the first message (RFC 3947 §3.1).
func NoNATVendor(kind core.Kind) Deviation { return Omit(kind, isakmp.PayloadVID, "RFC 3947 §3.1") }

// DraftNATVendor announces a draft of NAT traversal, with the Vendor ID that ends in another octet (RFC 3947 §3.1).
func DraftNATVendor(kind core.Kind) Deviation {
	return Edit(kind, "a Vendor ID that is nearly that of NAT traversal", "RFC 3947 §3.1", func(v isakmp.VID) isakmp.Payload {
		data := slices.Clone(v.Data)
		data[len(data)-1] ^= 1
		return isakmp.VID{Data: data}
	})
}

// NoNATD leaves the NAT-D payloads out (RFC 3947 §3.2).
func NoNATD(kind core.Kind) Deviation { return Omit(kind, isakmp.PayloadNATD, "RFC 3947 §3.2") }

// natds replaces the NAT-D payloads, the remote end's first.
func natds(kind core.Kind, what string, change func(all []isakmp.Payload) []isakmp.Payload) Deviation {
	return Payloads(kind, what, "RFC 3947 §3.2", func(ps []isakmp.Payload) []isakmp.Payload {
		var rest, all []isakmp.Payload
		for _, p := range ps {
			if p.Type() == isakmp.PayloadNATD {
				all = append(all, p)
			} else {
				rest = append(rest, p)
			}
		}
		return append(rest, change(all)...)
	})
}

// OneNATD sends only the NAT-D of the remote end (RFC 3947 §3.2).
func OneNATD(kind core.Kind) Deviation {
	return natds(kind, "one NAT-D only", func(all []isakmp.Payload) []isakmp.Payload { return all[:min(1, len(all))] })
}

// WrongNATD has that NAT-D, 0 for the remote end, be of no address: as if a NAT were in front of that end (RFC 3947 §3.2).
func WrongNATD(kind core.Kind, which int) Deviation {
	return natds(kind, fmt.Sprintf("NAT-D %d of another address", which+1), func(all []isakmp.Payload) []isakmp.Payload {
		if n, ok := at(all, which).(isakmp.NATD); ok {
			all[which] = isakmp.NATD{Data: flipped(n.Data)}
		}
		return all
	})
}

// MoreNATD puts NAT-D payloads of other addresses that the sender might have before the one that it sends from (RFC 3947 §3.2).
func MoreNATD(kind core.Kind) Deviation {
	return natds(kind, "NAT-D payloads of several own addresses", func(all []isakmp.Payload) []isakmp.Payload {
		if n, ok := at(all, 1).(isakmp.NATD); ok {
			all = slices.Insert(all, 1, isakmp.Payload(isakmp.NATD{Data: flipped(n.Data)}))
		}
		return all
	})
}

func at(ps []isakmp.Payload, i int) isakmp.Payload {
	if i >= len(ps) {
		return nil
	}
	return ps[i]
}
