package tester

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// editLiveness changes an R-U-THERE or its answer, under a HASH made for it (RFC 3706 §5.3).
func editLiveness(t isakmp.NotifyType, what, section string, change func(*isakmp.Notify)) Deviation {
	d := Edit(core.Informational, what, section, func(n isakmp.Notify) isakmp.Payload {
		if n.NotifyType == t {
			change(&n)
		}
		return n
	})
	d.Name = t.String() + " with " + what
	return d
}

// OtherCookies has R-U-THERE or its answer be about another SA (RFC 3706 §6.1).
func OtherCookies(t isakmp.NotifyType) Deviation {
	return editLiveness(t, "other cookies", "RFC 3706 §6.1", func(n *isakmp.Notify) { n.SPI = flipped(n.SPI) })
}

// NoCookies leaves the SPI of R-U-THERE or its answer out (RFC 3706 §5.3).
func NoCookies(t isakmp.NotifyType) Deviation {
	return editLiveness(t, "no cookies", "RFC 3706 §5.3", func(n *isakmp.Notify) { n.SPI = nil })
}

// OtherNumber moves the number of R-U-THERE or its answer (RFC 3706 §6.1).
func OtherNumber(t isakmp.NotifyType, by int32) Deviation {
	return editLiveness(t, fmt.Sprintf("a number that is off by %d", by), "RFC 3706 §6.1", func(n *isakmp.Notify) {
		n.Data = be32(numberOf(n) + uint32(by))
	})
}

// SameNumber gives every R-U-THERE the same number (RFC 3706 §6.2).
func SameNumber(number uint32) Deviation {
	return editLiveness(isakmp.NotifyRUThere, "the number of the one before", "RFC 3706 §6.2", func(n *isakmp.Notify) { n.Data = be32(number) })
}

// FallingNumbers has each R-U-THERE count down (RFC 3706 §6.2).
func FallingNumbers() Deviation {
	next := uint32(1 << 20)
	return editLiveness(isakmp.NotifyRUThere, "a smaller number than the one before", "RFC 3706 §6.2", func(n *isakmp.Notify) {
		n.Data = be32(next)
		next--
	})
}

// Unanswered withholds every answer to R-U-THERE (RFC 3706 §5.2).
func Unanswered() Deviation {
	return Deviation{"withholds R-U-THERE-ACK", "RFC 3706 §5.2", on(core.Informational, core.Authenticated, func(o *core.Outgoing) {
		o.Withhold = o.Withhold || slices.ContainsFunc(o.Payloads, func(p isakmp.Payload) bool {
			n, ok := p.(isakmp.Notify)
			return ok && n.NotifyType == isakmp.NotifyRUThereACK
		})
	})}
}

func numberOf(n *isakmp.Notify) uint32 {
	var octets [4]byte
	copy(octets[:], n.Data)
	return binary.BigEndian.Uint32(octets[:])
}
