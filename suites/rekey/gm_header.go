package rekey

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// multicast has rekeys go to a multicast group.
var multicast = []func(*policy.Group){lab.Multicast}

// In these the header that is sent is also the one that is signed: nothing else is wrong with the message.
var _ = Describe("The header of a GROUPKEY-PUSH at a member (RFC 6407 §4.2)", kit.Subject("rekey"), kit.DUT(rule.GM), func() {
	refusals([]refusal{
		{what: "with an initiator cookie that names no Rekey SA", requires: []rule.ID{"RFC6407-4.4-01"},
			deviation: header("another initiator cookie", func(h *isakmp.Header) { h.InitiatorCookie[0] ^= 1 })},
		{what: "with a responder cookie that names no Rekey SA", requires: []rule.ID{"RFC6407-4.4-01"}, group: multicast,
			deviation: header("another responder cookie", func(h *isakmp.Header) { h.ResponderCookie[7] ^= 1 })},
		{what: "with the cookies of its Rekey SA in the wrong order", requires: []rule.ID{"RFC6407-4.4-01", "RFC6407-5.3-05"},
			deviation: header("its cookies exchanged", func(h *isakmp.Header) {
				h.InitiatorCookie, h.ResponderCookie = h.ResponderCookie, h.InitiatorCookie
			})},
		version("2.0", 0x20), version("1.1", 0x11), version("0.9", 0x09),
		exchange("GROUPKEY-PULL", isakmp.ExchangePull), exchange("34", 34), exchange("GROUPKEY-PUSH-ACK", isakmp.ExchangePushACK),
		exchange("Informational", isakmp.ExchangeInformational),
		flags("the Commit flag", "RFC6407-4.2-04", isakmp.FlagEncryption|isakmp.FlagCommit),
		flags("the flag for authentication only", "RFC6407-4.2-04", isakmp.FlagEncryption|isakmp.FlagAuthOnly),
		flags("a flag that has no meaning", "RFC6407-4.2-04", isakmp.FlagEncryption|0x80),
		flags("no flag, in clear", "RFC6407-4.2-03", 0),
		{what: "with a Message ID", requires: []rule.ID{"RFC2408-5.2-06", "RFC6407-4.2-05"},
			deviation: header("Message ID 1", func(h *isakmp.Header) { h.MessageID = 1 })},
		{what: "whose Length is one too high", requires: []rule.ID{"RFC2408-5.1-01", "RFC6407-4.2-06"},
			deviation: tester.Length(core.Push, 1)},
		{what: "whose Length is one too low", requires: []rule.ID{"RFC2408-5.1-01", "RFC6407-4.2-06"}, group: multicast,
			deviation: tester.Length(core.Push, -1)},
		{what: "that was cut short by a block", requires: []rule.ID{"RFC2408-5.1-01"},
			deviation: tester.Truncate(core.Push, 16)},
	})
})

func header(what string, change func(*isakmp.Header)) tester.Deviation {
	return tester.Header(core.Push, what, "RFC 6407 §4.2", change)
}

func version(name string, v uint8) refusal {
	return refusal{what: "of version " + name, requires: []rule.ID{"RFC2408-5.2-03", "RFC6407-4.2-02"},
		deviation: header("version "+name, func(h *isakmp.Header) { h.Version = v })}
}

func exchange(name string, e isakmp.ExchangeType) refusal {
	return refusal{what: "of exchange type " + name, requires: []rule.ID{"RFC2408-5.2-04", "RFC6407-4.2-02"},
		deviation: header("exchange type "+name, func(h *isakmp.Header) { h.Exchange = e })}
}

func flags(name string, id rule.ID, f isakmp.Flags) refusal {
	return refusal{what: "with " + name, requires: []rule.ID{"RFC2408-5.2-05", id},
		deviation: header("flags "+name, func(h *isakmp.Header) { h.Flags = f })}
}
