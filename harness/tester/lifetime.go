package tester

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// OffersKilobytes offers a lifetime in kilobytes beside that in seconds (RFC 2409 appendix A).
func OffersKilobytes(kind core.Kind, kilobytes uint32) Deviation {
	return EditTransform(kind, fmt.Sprintf("a lifetime of %d kilobytes too", kilobytes), "RFC 2409 appendix A", func(t *isakmp.Transform) {
		t.Attributes = append(t.Attributes, wire.TV(isakmp.AttrLifeType, isakmp.LifeKilobytes), wire.TLV32(isakmp.AttrLifeDuration, kilobytes))
	})
}

// RespondsLifetime has Main Mode 6 notify a lifetime that is not the one of the transform (RFC 2407 §4.6.3.1).
func RespondsLifetime(d time.Duration) Deviation {
	return responds(fmt.Sprintf("a RESPONDER-LIFETIME of %s", d), lifetimeData(d))
}

// NotifiesLifetime has the RESPONDER-LIFETIME that follows Aggressive Mode name a lifetime that is not the responder's own
// (RFC 2407 §4.6.3.1).
func NotifiesLifetime(d time.Duration) Deviation {
	return notifies(fmt.Sprintf("a RESPONDER-LIFETIME of %s", d), d, func(*isakmp.Notify) {})
}

// NotifiesLifetimeOfAnother is NotifiesLifetime for an SA of other cookies (RFC 2407 §4.6.3.1).
func NotifiesLifetimeOfAnother(d time.Duration) Deviation {
	return notifies(fmt.Sprintf("a RESPONDER-LIFETIME of %s for another SA", d), d, func(n *isakmp.Notify) { n.SPI = flipped(n.SPI) })
}

func notifies(what string, d time.Duration, alter func(*isakmp.Notify)) Deviation {
	return Deviation{"INFO with " + what, "RFC 2407 §4.6.3.1", on(core.Informational, core.Built, func(o *core.Outgoing) {
		for i, p := range o.Payloads {
			if n, ok := p.(isakmp.Notify); ok && n.NotifyType == isakmp.NotifyResponderLifetime {
				n.Data = lifetimeData(d)
				alter(&n)
				o.Payloads = slices.Clone(o.Payloads)
				o.Payloads[i] = n
			}
		}
	})}
}

// lifetimeData is a lifetime in seconds as two attributes.
func lifetimeData(d time.Duration) []byte {
	data := []byte{0x80, isakmp.AttrLifeType, 0, isakmp.LifeSeconds, 0, isakmp.AttrLifeDuration, 0, 4}
	return binary.BigEndian.AppendUint32(data, uint32(d/time.Second))
}

// RespondsGarbage has Main Mode 6 notify a lifetime whose attributes end in the middle (RFC 2407 §4.6.3.1).
func RespondsGarbage() Deviation {
	return responds("a RESPONDER-LIFETIME that cannot be read", []byte{0x80, isakmp.AttrLifeType, 0})
}

func responds(what string, data []byte) Deviation {
	return Deviation{"MM6 with " + what, "RFC 2407 §4.6.3.1", on(core.MainMode6, core.Built, func(o *core.Outgoing) {
		o.Payloads = append(slices.Clone(o.Payloads), isakmp.Notify{
			DOI: isakmp.DOIIPsec, Protocol: isakmp.ProtoISAKMP, NotifyType: isakmp.NotifyResponderLifetime,
			SPI: slices.Concat(o.Header.InitiatorCookie[:], o.Header.ResponderCookie[:]), Data: data,
		})
	})}
}
