package tester

import (
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// SEQ has PUSH messages, or the last PULL message, carry that number, signed and hashed as if it were right
// (RFC 6407 §4.3, §5.7).
func SEQ(kind core.Kind, number uint32) Deviation {
	return Edit(kind, fmt.Sprintf("SEQ %d", number), "RFC 6407 §5.7", func(gdoi.SEQ) isakmp.Payload {
		return gdoi.SEQ{Number: number}
	})
}

// EditSA changes the GDOI SA payload (RFC 6407 §5.2).
func EditSA(kind core.Kind, what string, change func(*gdoi.SA)) Deviation {
	return Edit(kind, what, "RFC 6407 §5.2", func(sa gdoi.SA) isakmp.Payload {
		sa.Attributes = slices.Clone(sa.Attributes)
		change(&sa)
		return sa
	})
}

// EditSAK changes the SAK inside the SA payload (RFC 6407 §5.3).
func EditSAK(kind core.Kind, what string, change func(*gdoi.SAK)) Deviation {
	return EditSA(kind, what, func(sa *gdoi.SA) { editAttribute(sa, change) })
}

// EditGAP changes the GAP inside the SA payload (RFC 6407 §5.4).
func EditGAP(kind core.Kind, what string, change func(*gdoi.GAP)) Deviation {
	return EditSA(kind, what, func(sa *gdoi.SA) { editAttribute(sa, change) })
}

// EditSAT changes each SAT inside the SA payload (RFC 6407 §5.5).
func EditSAT(kind core.Kind, what string, change func(*gdoi.SAT)) Deviation {
	return EditSA(kind, what, func(sa *gdoi.SA) {
		editAttribute(sa, func(t *gdoi.SAT) {
			if t.ESP != nil {
				esp := *t.ESP
				t.ESP = &esp
			}
			change(t)
		})
	})
}

func editAttribute[P isakmp.Payload](sa *gdoi.SA, change func(*P)) {
	for i, p := range sa.Attributes {
		if typed, ok := p.(P); ok {
			change(&typed)
			sa.Attributes[i] = typed
		}
	}
}

// EditKD changes the key packets (RFC 6407 §5.6).
func EditKD(kind core.Kind, what string, change func(*gdoi.KD)) Deviation {
	return Edit(kind, what, "RFC 6407 §5.6", func(kd gdoi.KD) isakmp.Payload {
		kd.Packets = slices.Clone(kd.Packets)
		change(&kd)
		return kd
	})
}

// EditKeys changes the key packets of one type (RFC 6407 §5.6.1 to §5.6.4).
func EditKeys(kind core.Kind, typ gdoi.KDType, what string, change func(*gdoi.KeyPacket)) Deviation {
	return EditKD(kind, what, func(kd *gdoi.KD) {
		for i := range kd.Packets {
			if kd.Packets[i].Type == typ {
				kd.Packets[i].Attributes = slices.Clone(kd.Packets[i].Attributes)
				change(&kd.Packets[i])
			}
		}
	})
}

// OmitKeys leaves out the key packets of one type (RFC 6407 §5.6).
func OmitKeys(kind core.Kind, typ gdoi.KDType) Deviation {
	return EditKD(kind, fmt.Sprintf("no key packet of type %s", typ), func(kd *gdoi.KD) {
		kd.Packets = slices.DeleteFunc(kd.Packets, func(p gdoi.KeyPacket) bool { return p.Type == typ })
	})
}

// SetAttribute replaces the attribute of that number, or adds it.
func SetAttribute(as []wire.Attribute, a wire.Attribute) []wire.Attribute {
	as = slices.Clone(as)
	for i := range as {
		if as[i].Type == a.Type {
			as[i] = a
			return as
		}
	}
	return append(as, a)
}

// RemoveAttribute leaves the attribute of that number out.
func RemoveAttribute(as []wire.Attribute, typ uint16) []wire.Attribute {
	return slices.DeleteFunc(slices.Clone(as), func(a wire.Attribute) bool { return a.Type == typ })
}

// GroupID asks for another group in the first PULL message (RFC 6407 §5.1).
func GroupID(data []byte) Deviation {
	return Edit(core.Pull1, fmt.Sprintf("group identifier %x", data), "RFC 6407 §5.1", func(id isakmp.ID) isakmp.Payload {
		id.Data = data
		return id
	})
}

// SenderIDRequest asks for so many SIDs in the third PULL message (RFC 6407 §5.4.2).
func SenderIDRequest(count uint16) Deviation {
	return Payloads(core.Pull3, fmt.Sprintf("a request for %d SIDs", count), "RFC 6407 §5.4.2",
		func(ps []isakmp.Payload) []isakmp.Payload {
			ps = slices.DeleteFunc(ps, func(p isakmp.Payload) bool { return p.Type() == isakmp.PayloadGAP })
			return append(ps, gdoi.GAP{Attributes: []wire.Attribute{wire.TV(gdoi.GAPSenderIDRequest, count)}})
		})
}

// Request has message 3 carry these GAPs, each with these attributes, and no other (RFC 6407 §3.2, §5.4).
func Request(what string, gaps ...[]wire.Attribute) Deviation {
	return Payloads(core.Pull3, what, "RFC 6407 §5.4", func([]isakmp.Payload) []isakmp.Payload {
		var ps []isakmp.Payload
		for _, as := range gaps {
			ps = append(ps, gdoi.GAP{Attributes: as})
		}
		return ps
	})
}
