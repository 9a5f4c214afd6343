package registration

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("The SA payload at a member (RFC 6407 §5.2)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	refusals(2, []refusal{
		{sentence: "refuses an SA of another DOI", requirement: "RFC6407-5.2-05",
			deviation: tester.EditSA(core.Pull2, "DOI 1", func(sa *gdoi.SA) { sa.DOI = 1 })},
		{sentence: "refuses an SA whose situation is not zero", requirement: "RFC6407-5.2-06",
			deviation: tester.EditSA(core.Pull2, "situation 1", func(sa *gdoi.SA) { sa.Situation = 1 })},
		{sentence: "refuses an SA whose second reserved field is not zero", requirement: "RFC6407-5.2-08",
			deviation: tester.EditSA(core.Pull2, "RESERVED2 1", func(sa *gdoi.SA) { sa.Reserved2 = 1 })},
		{sentence: "refuses an SA that names its first attribute payload in one octet of the two", requirement: "RFC6407-5.2-07",
			deviation: tester.EditSA(core.Pull2, "SA Attribute Next Payload 0x010f", func(sa *gdoi.SA) { sa.AttributeNext = 0x010f })},
		{sentence: "refuses an SA that names KD as its first attribute payload", requirement: "RFC6407-5.2-07",
			deviation: tester.EditSA(core.Pull2, "SA Attribute Next Payload 17", func(sa *gdoi.SA) { sa.AttributeNext = uint16(isakmp.PayloadKD) })},
		{sentence: "refuses an SA with neither SAK nor SAT", requirement: "RFC6407-5.2.1-02", group: withDelays,
			deviation: tester.EditSA(core.Pull2, "a GAP alone", func(sa *gdoi.SA) { sa.Attributes = only(sa, isakmp.PayloadGAP) })},
		{sentence: "refuses an SA without any attribute payload", requirement: "RFC6407-5.2.1-02",
			deviation: tester.EditSA(core.Pull2, "no attribute payload", func(sa *gdoi.SA) { sa.Attributes, sa.AttributeNext = nil, 0 })},
		{sentence: "refuses an SA with two SAKs", requirement: "RFC6407-5.2.1-03",
			deviation: inOrder("two SAKs", isakmp.PayloadSAK, isakmp.PayloadSAK, isakmp.PayloadSAT)},
		{sentence: "refuses an SA with two GAPs", requirement: "RFC6407-5.2.1-03", group: withDelays,
			deviation: inOrder("two GAPs", isakmp.PayloadSAK, isakmp.PayloadGAP, isakmp.PayloadGAP, isakmp.PayloadSAT)},
		{sentence: "refuses an SA whose SAK comes behind the SAT", requirement: "RFC6407-5.2.1-04",
			deviation: inOrder("SAT before SAK", isakmp.PayloadSAT, isakmp.PayloadSAK)},
		{sentence: "refuses an SA whose GAP comes before the SAK", requirement: "RFC6407-5.4-02 RFC6407-5.2.1-04", group: withDelays,
			deviation: inOrder("GAP before SAK", isakmp.PayloadGAP, isakmp.PayloadSAK, isakmp.PayloadSAT)},
		{sentence: "refuses an SA whose GAP comes behind the SAT", requirement: "RFC6407-5.4-02 RFC6407-5.2.1-04", group: withDelays,
			deviation: inOrder("GAP behind SAT", isakmp.PayloadSAK, isakmp.PayloadSAT, isakmp.PayloadGAP)},
		{sentence: "refuses an SA whose SAK is followed by another sort of payload", requirement: "RFC6407-5.3-01",
			deviation: followedByStranger(isakmp.PayloadSAK)},
		{sentence: "refuses an SA whose GAP is followed by another sort of payload", requirement: "RFC6407-5.4-05", group: withDelays,
			deviation: followedByStranger(isakmp.PayloadGAP)},
		{sentence: "refuses an SA whose SAT is followed by another sort of payload", requirement: "RFC6407-5.5-01",
			deviation: followedByStranger(isakmp.PayloadSAT)},
		{sentence: "refuses a SAK whose reserved octet is not zero", requirement: "RFC6407-5.3-02",
			deviation: reserved(isakmp.PayloadSAK)},
		{sentence: "refuses a GAP whose reserved octet is not zero", requirement: "RFC6407-5.4-06", group: withDelays,
			deviation: reserved(isakmp.PayloadGAP)},
		{sentence: "refuses a SAT whose reserved octet is not zero", requirement: "RFC6407-5.5-02",
			deviation: reserved(isakmp.PayloadSAT)},
	})
})

// only returns the attribute payloads of that type.
func only(sa *gdoi.SA, typ isakmp.PayloadType) []isakmp.Payload {
	sa.AttributeNext = 0 // that of the first
	return slices.DeleteFunc(slices.Clone(sa.Attributes), func(p isakmp.Payload) bool { return p.Type() != typ })
}

// inOrder has the SA hold the attribute payloads of these types in this order; what is named twice is there twice.
func inOrder(what string, types ...isakmp.PayloadType) tester.Deviation {
	return tester.EditSA(core.Pull2, what, func(sa *gdoi.SA) {
		var chain []isakmp.Payload
		for _, typ := range types {
			chain = append(chain, only(sa, typ)...)
		}
		sa.Attributes = chain
	})
}

// followedByStranger puts a payload that is no SAK, GAP or SAT behind that of the type.
func followedByStranger(typ isakmp.PayloadType) tester.Deviation {
	what := "a Vendor ID behind the " + typ.String()
	return tester.EditSA(core.Pull2, what, func(sa *gdoi.SA) {
		at := slices.IndexFunc(sa.Attributes, func(p isakmp.Payload) bool { return p.Type() == typ })
		sa.Attributes = slices.Insert(sa.Attributes, at+1, isakmp.Payload(isakmp.VID{Data: []byte("stranger")}))
	})
}

// reserved sets the reserved octet in the generic header of attribute payloads of that type.
func reserved(typ isakmp.PayloadType) tester.Deviation {
	return tester.EditSA(core.Pull2, "RESERVED 1 in "+typ.String(), func(sa *gdoi.SA) {
		for i, p := range sa.Attributes {
			if p.Type() == typ {
				sa.Attributes[i] = isakmp.Framed{Payload: p, Reserved: 1}
			}
		}
	})
}
