package tester

import (
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// TwoGroups offers a second transform of another Diffie-Hellman group, which Aggressive Mode cannot negotiate (RFC 2409 §5).
func TwoGroups(kind core.Kind) Deviation {
	return EditProposal(kind, "transforms of two groups", "RFC 2409 §5", func(p *isakmp.Proposal) {
		second := p.Transforms[0]
		second.Number = uint8(len(p.Transforms) + 1)
		second.Attributes = SetAttribute(slices.Clone(second.Attributes), wire.TV(isakmp.AttrGroupDescription, isakmp.GroupECP384))
		p.Transforms = append(p.Transforms, second)
	})
}

// RepeatProof sends the HASH of a message twice (RFC 2409 §5.4).
func RepeatProof(kind core.Kind) Deviation {
	return AuthenticatedPayloads(kind, "its HASH twice", "RFC 2409 §5.4", func(ps []isakmp.Payload) []isakmp.Payload {
		for _, p := range ps {
			if p.Type() == isakmp.PayloadHASH {
				return append(ps, p)
			}
		}
		return ps
	})
}

// AsMainMode has Aggressive Mode 1 leave as the first message of Main Mode: with SA and nothing else (RFC 2409 §5).
func AsMainMode() Deviation {
	return Deviation{"AM1 as the first message of Main Mode", "RFC 2409 §5", on(core.Aggressive1, core.Built, func(o *core.Outgoing) {
		o.Header.Exchange = isakmp.ExchangeMainMode
		o.Payloads = slices.DeleteFunc(slices.Clone(o.Payloads), func(p isakmp.Payload) bool { return p.Type() != isakmp.PayloadSA })
	})}
}
