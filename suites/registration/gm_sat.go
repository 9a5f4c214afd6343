package registration

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// espRC5 is an ESP transform of the registry that no group of today has (RFC 2407 §4.4.4).
const espRC5 = 4

var _ = Describe("SAT at a member (RFC 6407 §5.5)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	refusals(2, []refusal{
		{sentence: "refuses a SAT of a protocol that is not registered", requirement: "RFC6407-5.5-03",
			deviation: tester.EditSAT(core.Pull2, "Protocol-ID 100", func(s *gdoi.SAT) { s.ProtocolID = unassigned })},
		{sentence: "refuses a SAT of AH", requirement: "RFC2407-4.5.3-01",
			deviation: tester.EditSAT(core.Pull2, "Protocol-ID 2", func(s *gdoi.SAT) { s.ProtocolID = gdoi.ProtoIPsecAH })},
		{sentence: "refuses a SAT with transform 0", requirement: "RFC6407-5.5.1-07",
			deviation: espWith("Transform ID 0", func(e *gdoi.SATESP) { e.TransformID = 0 })},
		{sentence: "refuses a SAT with a transform that is not registered", requirement: "RFC6407-5.5.1-07",
			deviation: espWith("Transform ID 100", func(e *gdoi.SATESP) { e.TransformID = unassigned })},
		{sentence: "refuses a SAT with a transform that it does not support", requirement: "RFC2407-4.5.3-01",
			deviation: espWith("Transform ID 4", func(e *gdoi.SATESP) { e.TransformID = espRC5 })},
		{sentence: "refuses a SAT with SPI 0", requirement: "RFC4303-2.1-05",
			deviation: espWith("SPI 0", func(e *gdoi.SATESP) { e.SPI = 0 })},
		{sentence: "refuses a SAT whose source is a key identifier", requirement: "RFC6407-5.5.1-05",
			deviation: espWith("source ID type 11", func(e *gdoi.SATESP) { e.Source.Type = isakmp.IDKeyID })},
		{sentence: "refuses a SAT whose destination has a mask with a gap", requirement: "RFC6407-5.5.1-05",
			deviation: espWith("mask 255.0.255.0", func(e *gdoi.SATESP) { e.Destination.Data = []byte{10, 0, 0, 0, 255, 0, 255, 0} })},
		{sentence: "refuses a SAT whose destination subnet lacks its mask", requirement: "RFC6407-5.5.1-05",
			deviation: espWith("a subnet of 4 octets", func(e *gdoi.SATESP) { e.Destination.Data = e.Destination.Data[:4] })},
		{sentence: "refuses a SAT with an attribute that nobody knows", requirement: "RFC2407-4.5.3-01",
			deviation: satWith("an unassigned attribute", wire.TV(unassigned, 1))},
		{sentence: "refuses a SAT with an encapsulation mode that nobody knows", requirement: "RFC2407-4.5.3-01",
			deviation: satWith("Encapsulation Mode 100", wire.TV(gdoi.EncapsulationMode, unassigned))},
		{sentence: "refuses a SAT with a direction that nobody knows", requirement: "RFC2407-4.5.3-01",
			deviation: satWith("SA Direction 100", wire.TV(gdoi.SADirection, unassigned))},
		{sentence: "refuses a SAT with an integrity algorithm that nobody knows", requirement: "RFC2407-4.5.3-01", group: withCBC,
			deviation: satWith("Authentication Algorithm 100", wire.TV(gdoi.AuthAlgorithm, unassigned))},
		{sentence: "refuses a SAT with CBC and without integrity", requirement: "RFC2407-4.5.3-01 RFC6407-5.5.1-12 RFC4303-3.4.3-02", group: withCBC,
			deviation: satWithout(gdoi.AuthAlgorithm)},
		{sentence: "refuses a SAT with a length that AES-CBC keys do not have", requirement: "RFC2407-4.5.3-01", group: withCBC,
			deviation: satWith("Key Length 100", wire.TV(gdoi.KeyLength, 100))},
		{sentence: "refuses a SAT whose lifetime is in a unit that nobody knows", requirement: "RFC2407-4.5.3-01",
			deviation: satWith("SA Life Type 100", wire.TV(gdoi.SALifeType, unassigned))},
		{sentence: "refuses a SAT whose mode has a length field", requirement: "RFC2407-4.5-01",
			deviation: satWith("Encapsulation Mode as TLV", wire.TLV(gdoi.EncapsulationMode, []byte{0, 1}))},
		{sentence: "refuses a SAT whose life type has a length field", requirement: "RFC2407-4.5-01",
			deviation: satWith("SA Life Type as TLV", wire.TLV(gdoi.SALifeType, []byte{0, 1}))},
		{sentence: "refuses a SAT whose Address Preservation has a length field", requirement: "RFC2407-4.5-01 RFC6407-8.2-01",
			deviation: satWith("Address Preservation as TLV", wire.TLV(gdoi.AddressPreservation, []byte{0, 4}))},
		{sentence: "refuses a SAT whose direction has a length field", requirement: "RFC2407-4.5-01 RFC6407-8.2-01",
			deviation: satWith("SA Direction as TLV", wire.TLV(gdoi.SADirection, []byte{0, 3}))},
		{sentence: "refuses a SAT that names two modes", requirement: "RFC2407-4.5.2-03",
			deviation: satFirst("Encapsulation Mode 2 and 1", wire.TV(gdoi.EncapsulationMode, 2))},
		{sentence: "refuses a SAT that names two lifetimes", requirement: "RFC2407-4.5.2-03",
			deviation: satFirst("lifetimes of 60 s and another", wire.TV(gdoi.SALifeType, 1), wire.TLV32(gdoi.SALifeDuration, 60))},
		{sentence: "refuses a SAT with a life duration and no life type", requirement: "RFC2407-4.5-02",
			deviation: satWithout(gdoi.SALifeType)},
		{sentence: "refuses a SAT with a life type and no life duration", requirement: "RFC2407-4.5-02",
			deviation: satWithout(gdoi.SALifeDuration)},
		{sentence: "refuses a SAT with AES-GCM and an integrity algorithm", requirement: "RFC2407-4.5-04",
			deviation: satWith("Authentication Algorithm 5", wire.TV(gdoi.AuthAlgorithm, 5))},
		{sentence: "refuses a SAT with AES-CBC and without key length", requirement: "RFC2407-4.5-06", group: withCBC,
			deviation: satWithout(gdoi.KeyLength)},
		{sentence: "refuses a SAT with AES-GCM and without key length", requirement: "RFC4106-8.4-01",
			deviation: satWithout(gdoi.KeyLength)},
		{sentence: "refuses a SAT with a length that AES-GCM keys do not have", requirement: "RFC4106-8.4-01",
			deviation: satWith("Key Length 100", wire.TV(gdoi.KeyLength, 100))},
		{sentence: "refuses a SAT with Address Preservation 0", requirement: "RFC6407-5.5.1.1.1-02",
			deviation: satWith("Address Preservation 0", wire.TV(gdoi.AddressPreservation, 0))},
		{sentence: "refuses a SAT with Address Preservation 5", requirement: "RFC6407-5.5.1.1.1-02",
			deviation: satWith("Address Preservation 5", wire.TV(gdoi.AddressPreservation, 5))},
	})
})

// espWith changes the body of the SATs.
func espWith(what string, change func(*gdoi.SATESP)) tester.Deviation {
	return tester.EditSAT(core.Pull2, what, func(s *gdoi.SAT) { change(s.ESP) })
}

// satWith has the SATs say that attribute.
func satWith(what string, a wire.Attribute) tester.Deviation {
	return espWith(what, func(e *gdoi.SATESP) { e.Attributes = tester.SetAttribute(e.Attributes, a) })
}

// satFirst puts attributes before all others.
func satFirst(what string, as ...wire.Attribute) tester.Deviation {
	return espWith(what, func(e *gdoi.SATESP) { e.Attributes = append(as[:len(as):len(as)], e.Attributes...) })
}

// satWithout has the SATs lack an attribute.
func satWithout(a gdoi.SAAttribute) tester.Deviation {
	return espWith("no "+a.String(), func(e *gdoi.SATESP) { e.Attributes = tester.RemoveAttribute(e.Attributes, uint16(a)) })
}
