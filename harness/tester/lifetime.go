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
	data := []byte{0x80, isakmp.AttrLifeType, 0, isakmp.LifeSeconds, 0, isakmp.AttrLifeDuration, 0, 4}
	return responds(fmt.Sprintf("a RESPONDER-LIFETIME of %s", d), binary.BigEndian.AppendUint32(data, uint32(d/time.Second)))
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
