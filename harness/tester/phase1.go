package tester

import (
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// EditOffer changes the SA payload of Main Mode 1, or the reply of Main Mode 2 (RFC 2408 §3.4, RFC 2409 §5). The change
// works on a copy, down to the lists of attributes.
func EditOffer(kind core.Kind, what, section string, change func(*isakmp.SA)) Deviation {
	return Edit(kind, what, section, func(sa isakmp.SA) isakmp.Payload {
		sa = copySA(sa)
		change(&sa)
		return sa
	})
}

func copySA(sa isakmp.SA) isakmp.SA {
	sa.Proposals = slices.Clone(sa.Proposals)
	for i := range sa.Proposals {
		ts := slices.Clone(sa.Proposals[i].Transforms)
		for j := range ts {
			ts[j].Attributes = slices.Clone(ts[j].Attributes)
		}
		sa.Proposals[i].Transforms = ts
	}
	return sa
}

// DOI has the SA payload of Phase 1 name another DOI (RFC 6407 §2.1).
func DOI(kind core.Kind, doi uint32) Deviation {
	return EditOffer(kind, fmt.Sprintf("DOI %d", doi), "RFC 6407 §2.1", func(sa *isakmp.SA) { sa.DOI = doi })
}

// Situation has the SA payload of Phase 1 describe another situation (RFC 2408 §5.4, RFC 6407 §2.1).
func Situation(kind core.Kind, situation uint32) Deviation {
	return EditOffer(kind, fmt.Sprintf("situation %d", situation), "RFC 2408 §5.4", func(sa *isakmp.SA) { sa.Situation = situation })
}

// EditProposal changes each proposal (RFC 2408 §3.5).
func EditProposal(kind core.Kind, what, section string, change func(*isakmp.Proposal)) Deviation {
	return EditOffer(kind, what, section, func(sa *isakmp.SA) {
		for i := range sa.Proposals {
			change(&sa.Proposals[i])
		}
	})
}

// ProposalSPI has the proposal carry an SPI of so many octets, which means nothing in Phase 1 (RFC 2408 §3.5).
func ProposalSPI(kind core.Kind, octets int) Deviation {
	return EditProposal(kind, fmt.Sprintf("a proposal SPI of %d octets", octets), "RFC 2408 §3.5", func(p *isakmp.Proposal) {
		p.SPI = slices.Repeat([]byte{0xa5}, octets)
	})
}

// RepeatProposal sends the proposal once more under the next number: two SAs are asked for (RFC 2409 §5).
func RepeatProposal(kind core.Kind) Deviation {
	return EditOffer(kind, "two proposals", "RFC 2409 §5", func(sa *isakmp.SA) {
		second := sa.Proposals[0]
		second.Number++
		sa.Proposals = append(sa.Proposals, second)
	})
}

// TransformCount has the proposal announce another number of transforms than it has (RFC 2408 §3.5).
func TransformCount(kind core.Kind, delta int) Deviation {
	return EditProposal(kind, fmt.Sprintf("a number of transforms that is off by %d", delta), "RFC 2408 §3.5",
		func(p *isakmp.Proposal) {
			count := uint8(len(p.Transforms) + delta)
			p.Count = &count
		})
}

// EditTransform changes each transform (RFC 2408 §3.6).
func EditTransform(kind core.Kind, what, section string, change func(*isakmp.Transform)) Deviation {
	return EditProposal(kind, what, section, func(p *isakmp.Proposal) {
		for i := range p.Transforms {
			change(&p.Transforms[i])
		}
	})
}

// TransformID has each transform be of another sort than KEY_IKE (RFC 2407 §4.4.2, RFC 2408 §5.6).
func TransformID(kind core.Kind, id uint8) Deviation {
	return EditTransform(kind, fmt.Sprintf("transform ID %d", id), "RFC 2408 §5.6", func(t *isakmp.Transform) { t.ID = id })
}

// SetOffered replaces an attribute of each transform, or adds it (RFC 2409 appendix A).
func SetOffered(kind core.Kind, a wire.Attribute) Deviation {
	form := "Variable"
	if a.Basic {
		form = "Basic"
	}
	return EditTransform(kind, fmt.Sprintf("%s %#x in %s form", isakmp.Attribute(a.Type), a.Value, form), "RFC 2409 appendix A",
		func(t *isakmp.Transform) { t.Attributes = SetAttribute(t.Attributes, a) })
}

// AddOffered adds an attribute to each transform, also if there is one of its class (RFC 2409 appendix A).
func AddOffered(kind core.Kind, a wire.Attribute) Deviation {
	return EditTransform(kind, fmt.Sprintf("another attribute %s %#x", isakmp.Attribute(a.Type), a.Value), "RFC 2409 appendix A",
		func(t *isakmp.Transform) { t.Attributes = append(t.Attributes, a) })
}

// RemoveOffered leaves an attribute out of each transform (RFC 2409 §4).
func RemoveOffered(kind core.Kind, typ uint16) Deviation {
	return EditTransform(kind, fmt.Sprintf("no %s", isakmp.Attribute(typ)), "RFC 2409 §4",
		func(t *isakmp.Transform) { t.Attributes = RemoveAttribute(t.Attributes, typ) })
}

// Offers replaces the transforms by as many variants of the first (RFC 2409 §5). They are numbered from 1.
func Offers(kind core.Kind, what string, variants ...func(*isakmp.Transform)) Deviation {
	return EditProposal(kind, what, "RFC 2409 §5", func(p *isakmp.Proposal) {
		model := p.Transforms[0]
		p.Transforms = nil
		for i, vary := range variants {
			t := model
			t.Number, t.Attributes = uint8(i+1), slices.Clone(model.Attributes)
			vary(&t)
			p.Transforms = append(p.Transforms, t)
		}
	})
}

// PublicValue sends another Diffie-Hellman value (RFC 2409 §5). What names it, "the value 1".
func PublicValue(kind core.Kind, what string, data []byte) Deviation {
	return Edit(kind, what, "RFC 2409 §5", func(isakmp.KE) isakmp.Payload { return isakmp.KE{Data: data} })
}

// PublicValueLength cuts the public value to so many octets, or puts zeros in front of it (RFC 2409 §5).
func PublicValueLength(kind core.Kind, octets int) Deviation {
	return Edit(kind, fmt.Sprintf("a public value of %d octets", octets), "RFC 2409 §5", func(ke isakmp.KE) isakmp.Payload {
		data := make([]byte, octets)
		copy(data[max(0, octets-len(ke.Data)):], ke.Data[max(0, len(ke.Data)-octets):])
		return isakmp.KE{Data: data}
	})
}

// OffCurve changes the last bit of the public value, which in an ECP group is that of y: there are only two points with an x,
// and their ys have not all but one bit in common (RFC 5903 §7).
func OffCurve(kind core.Kind) Deviation {
	return Edit(kind, "a public value that is no point of the curve", "RFC 5903 §7", func(ke isakmp.KE) isakmp.Payload {
		data := slices.Clone(ke.Data)
		if len(data) > 0 {
			data[len(data)-1] ^= 1
		}
		return isakmp.KE{Data: data}
	})
}

// Identity has Main Mode 5 or 6 prove another identity, under a HASH made for it (RFC 2407 §4.6.2).
func Identity(kind core.Kind, what string, change func(*isakmp.ID)) Deviation {
	return Edit(kind, what, "RFC 2407 §4.6.2", func(id isakmp.ID) isakmp.Payload {
		change(&id)
		return id
	})
}

// SwapIdentity has Main Mode 5 or 6 name another address than the one that its HASH proves (RFC 2409 §5).
func SwapIdentity(kind core.Kind) Deviation {
	return EditAuthenticated(kind, "an identity that was changed after the HASH was made", "RFC 2409 §5",
		func(id isakmp.ID) isakmp.Payload {
			id.Data = flipped(id.Data)
			return id
		})
}

// InClear sends a message unencrypted that has to be encrypted (RFC 2408 §3.1, §4.8).
func InClear(kind core.Kind) Deviation {
	return Header(kind, "the E flag and encryption left out", "RFC 2408 §3.1",
		func(h *isakmp.Header) { h.Flags &^= isakmp.FlagEncryption })
}

// Behind puts a payload behind all others.
func Behind(kind core.Kind, what, section string, p isakmp.Payload) Deviation {
	return Payloads(kind, what, section, func(ps []isakmp.Payload) []isakmp.Payload { return append(ps, p) })
}

// Before puts a payload before all others.
func Before(kind core.Kind, what, section string, p isakmp.Payload) Deviation {
	return Payloads(kind, what, section, func(ps []isakmp.Payload) []isakmp.Payload { return slices.Insert(ps, 0, p) })
}

// Trailing puts octets behind the finished datagram, and counts them in its Length (RFC 2408 §5.2).
func Trailing(kind core.Kind, what string, octets []byte) Deviation {
	return Deviation{kind.String() + " with " + what, "RFC 2408 §5.2", on(kind, core.Sealed, func(o *core.Outgoing) {
		h, err := isakmp.ParseHeader(o.Bytes)
		if err != nil {
			return
		}
		h.Length += uint32(len(octets))
		o.Bytes = slices.Concat(h.Append(nil), o.Bytes[isakmp.HeaderLen:], octets)
	})}
}

// PayloadLength moves the length in the generic header of payloads of that type (RFC 2408 §3.2).
func PayloadLength(kind core.Kind, typ isakmp.PayloadType, delta int) Deviation {
	return Payloads(kind, fmt.Sprintf("a length of %s that is off by %d", typ, delta), "RFC 2408 §3.2",
		func(ps []isakmp.Payload) []isakmp.Payload {
			for i, p := range ps {
				if p.Type() == typ {
					ps[i] = isakmp.Framed{Payload: p, LengthDelta: delta}
				}
			}
			return ps
		})
}

// HashLength cuts the HASH to so many octets, or puts zeros behind it (RFC 2409 §5).
func HashLength(kind core.Kind, octets int) Deviation {
	return EditAuthenticated(kind, fmt.Sprintf("a HASH of %d octets", octets), "RFC 2409 §5", func(h isakmp.Hash) isakmp.Payload {
		data := make([]byte, octets)
		copy(data, h.Data)
		return isakmp.Hash{Data: data}
	})
}

// HashLast puts the HASH behind the payloads that it covers (RFC 6407 §3.2, RFC 2409 §5.7).
func HashLast(kind core.Kind) Deviation {
	return Deviation{kind.String() + " with HASH behind the payloads that it covers", "RFC 2409 §5.7",
		on(kind, core.Authenticated, func(o *core.Outgoing) {
			if len(o.Payloads) > 1 {
				o.Payloads = append(slices.Clone(o.Payloads[1:]), o.Payloads[0])
			}
		})}
}

// EditDelete changes the Delete payload of an Informational, under a HASH made for it (RFC 2408 §3.15).
func EditDelete(what string, change func(*isakmp.Delete)) Deviation {
	return Edit(core.Informational, what, "RFC 2408 §3.15", func(d isakmp.Delete) isakmp.Payload {
		d.SPIs = slices.Clone(d.SPIs)
		change(&d)
		return d
	})
}

// Informs has the tester say something else in its Informational, under a HASH made for it (RFC 2409 §5.7).
func Informs(what string, ps ...isakmp.Payload) Deviation {
	return Payloads(core.Informational, what, "RFC 2409 §5.7", func([]isakmp.Payload) []isakmp.Payload { return ps })
}

// Deletes has the tester delete the Phase 1 SA in its Informational, whatever it had to say (RFC 2408 §3.15).
func Deletes() Deviation {
	return Deviation{"INFO with a Delete of the Phase 1 SA", "RFC 2408 §3.15", on(core.Informational, core.Built, func(o *core.Outgoing) {
		spi := slices.Concat(o.Header.InitiatorCookie[:], o.Header.ResponderCookie[:])
		o.Payloads = []isakmp.Payload{isakmp.Delete{DOI: gdoi.DOI, Protocol: isakmp.ProtoISAKMP, SPISize: uint8(len(spi)), SPIs: [][]byte{spi}}}
	})}
}
