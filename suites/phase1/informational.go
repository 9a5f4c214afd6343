package phase1

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// An Informational under the SA:
//
//	--> HDR*, HASH(1), N or D
//
// A member sends one when it cannot accept the policy, a key server when the member asks for a group that is not there.

// choosy has members accept no policy that the lab's group has, and so delete Phase 1 after PULL2 (RFC 6407 §3.3).
func choosy(_ int, c *policy.Member) {
	elsewhere := netip.MustParsePrefix("172.16.0.0/12")
	c.Authorised = policy.Flows(policy.Selector{Source: elsewhere, Destination: elsewhere})
}

// lost has members ask for a group that the key server does not have. They ask five times within two seconds, with pauses
// of less than one.
func lost(_ int, c *policy.Member) {
	c.Group = lab.GroupID + 1
	c.Phase1.Retransmit = 50 * time.Millisecond
}

// otherCookies is the SPI of an SA that nobody has.
var otherCookies = bytes.Repeat([]byte{0xa5}, 16)

// brokenInformationals are Informationals that must do nothing.
func brokenInformationals() []row {
	return []row{
		{"RFC2408-4.8-01", tester.InClear(core.Informational)},
		{"RFC2409-5.7-01", tester.WrongHash(core.Informational)},
		{"RFC2409-5.7-01", tester.HashLast(core.Informational)},
		{"RFC2408-5.2-06", tester.MessageID(core.Informational, 0)},
	}
}

var _ = Describe("Informationals at a key server (RFC 2408 §4.8, RFC 2409 §5.7)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	// told waits until the member has told the key server something, and returns the initiator cookie.
	told := func(ctx context.Context, t *talk, cookie isakmp.Cookie) isakmp.Cookie {
		GinkgoHelper()
		kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return informed(t.messages(t.tester), cookie) }), "the member sends an Informational")
		return t.messages(t.tester)[0].header.InitiatorCookie
	}
	ignores := func(ctx SpecContext, d tester.Deviation, id rule.ID) {
		t := begin(ctx, lab.Setup{Member: choosy}, d)
		cookie := told(ctx, t, isakmp.Cookie{})
		Expect(t.serves(ctx, cookie)).To(BeTrue(), "the SA lives: a copy of message 5 is answered")
		if id != "" {
			kit.ExpectRefused(ctx, t.KS, id, BeNumerically(">", 0), "the key server says that it refused the Informational for %s", id)
		}
		fresh := t.afresh(ctx)
		told(ctx, t, fresh)
		kit.Control(t.gone(ctx, fresh), "the right Delete ends the SA")
	}

	It("ends the SA whose Delete names its cookies", kit.Requirement("RFC2408-3.15-02", "RFC2409-5.7-01"), func(ctx SpecContext) {
		t := prepare(ctx, lab.Setup{Member: choosy})
		Expect(t.tester.Misbehave(tester.Withhold(core.Pull1).Tap)).To(Succeed())
		t.start(ctx, t.KS, t.GM[0])
		kit.Reached(t.reaches(ctx, core.MainMode6), "Phase 1 is established")
		kit.Reached(t.tester.AwaitLog(ctx, "PHASE1_UP", 0, lab.Patience), "the member has read it, and its PULL is withheld")
		first := t.messages(t.tester)[0].header.InitiatorCookie
		Expect(t.serves(ctx, first)).To(BeTrue(), "the SA lives: a copy of message 5 is answered")
		fresh := t.afresh(ctx)
		told(ctx, t, fresh)
		Expect(t.gone(ctx, fresh)).To(BeTrue(), "the SA is gone: a copy of message 5 is not answered")
		Expect(t.serves(ctx, first)).To(BeTrue(), "no other SA is gone")
	})
	for _, r := range brokenInformationals() {
		It("does not end the SA on "+r.deviation.Name, kit.Requirement(string(r.requirement)), kit.Negative, func(ctx SpecContext) {
			ignores(ctx, r.deviation, r.requirement)
		})
	}
	It("does not end the SA on a Delete with other cookies", kit.Requirement("RFC2408-3.15-02"), kit.Negative, func(ctx SpecContext) {
		ignores(ctx, tester.EditDelete("other cookies", func(d *isakmp.Delete) { d.SPIs = [][]byte{otherCookies} }), "RFC2408-3.15-02")
	})
	It("does not end the SA on a Delete with one of its cookies", kit.Requirement("RFC2408-3.15-02"), kit.Negative, func(ctx SpecContext) {
		ignores(ctx, tester.EditDelete("one cookie", func(d *isakmp.Delete) { d.SPISize, d.SPIs[0] = 8, d.SPIs[0][:8] }), "RFC2408-3.15-02")
	})

	It("notifies under the SA encrypted, with HASH(1) and a Message ID of its own",
		kit.Requirement("RFC2408-4.8-01", "RFC2409-5.7-01", "RFC2409-5.7-02", "RFC2408-3.14-01"), func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{Member: lost})
			t.informs(ctx, "N", func(m capture.Message) {
				Expect(value(m, "N", "Protocol")).To(Equal("ISAKMP (1)"), "it is about ISAKMP")
				Expect(value(m, "N")).To(Equal(isakmp.NotifyInvalidIDInformation.String()))
			})
		})

	It("sends a notification once for each message that it is about", kit.Requirement("RFC2408-5.14-01"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{Member: lost})
			Expect(t.Wait(ctx, lab.Patience, func() bool { return informed(t.sent(t.device), isakmp.Cookie{}) })).To(BeTrue(), "it sends one")
			t.Pass(ctx, time.Minute)
			told := slices.DeleteFunc(t.sent(t.device), func(d datagram) bool { return d.header.Exchange != isakmp.ExchangeInformational })
			for _, d := range told {
				Expect(copies(told, d.header)).To(HaveLen(1), "Message ID %08x", d.header.MessageID)
			}
		})
})

var _ = Describe("Informationals at a group member (RFC 2408 §4.8, RFC 2409 §5.7)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	asked := func(t *talk) int { return len(t.decoded(t.device, core.Pull1)) }
	// stops reports whether the member asks once more at most: the answer to that is the end of it.
	stops := func(ctx context.Context, t *talk) bool {
		for range 2 {
			before := asked(t)
			if !t.Wait(ctx, time.Second, func() bool { return asked(t) > before }) {
				return true
			}
		}
		return false
	}
	ignores := func(ctx SpecContext, d tester.Deviation, id rule.ID) {
		t := begin(ctx, lab.Setup{Member: lost}, d)
		Expect(t.Wait(ctx, lab.Patience, func() bool { return asked(t) > 1 })).To(BeTrue(), "it goes on asking")
		if id != "" {
			kit.ExpectRefused(ctx, t.GM[0], id, BeNumerically(">", 0), "the member says that it refused the Informational for %s", id)
		}
		Expect(t.tester.Misbehave(nil)).To(Succeed())
		kit.Control(stops(ctx, t), "it stops asking when it is told properly")
	}
	for _, r := range brokenInformationals() {
		It("goes on asking after "+r.deviation.Name, kit.Requirement(string(r.requirement)), kit.Negative, func(ctx SpecContext) {
			ignores(ctx, r.deviation, r.requirement)
		})
	}
	It("goes on asking after a Delete with other cookies", kit.Requirement("RFC2408-3.15-02"), kit.Negative, func(ctx SpecContext) {
		ignores(ctx, tester.Informs("a Delete with other cookies", isakmp.Delete{
			DOI: gdoi.DOI, Protocol: isakmp.ProtoISAKMP, SPISize: 16, SPIs: [][]byte{otherCookies},
		}), "")
	})
	It("stops asking after a Delete with its cookies", kit.Requirement("RFC2408-3.15-02"), func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{Member: lost}, tester.Withhold(core.Informational))
		kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return asked(t) > 1 }), "it asks")
		Expect(t.tester.Misbehave(tester.Deletes().Tap)).To(Succeed())
		Expect(stops(ctx, t)).To(BeTrue())
	})

	It("deletes Phase 1 encrypted, with HASH(1), its cookies and a Message ID of its own",
		kit.Requirement("RFC2408-4.8-01", "RFC2409-5.7-01", "RFC2409-5.7-02", "RFC2408-3.15-01", "RFC2408-3.15-02"), func(ctx SpecContext) {
			t := begin(ctx, lab.Setup{Member: choosy})
			t.informs(ctx, "D", func(m capture.Message) {
				Expect(value(m, "D", "Protocol")).To(ContainSubstring("1"), "of ISAKMP")
				Expect(value(m, "D", "SPI")).To(Equal(m.Header.InitiatorCookie.String() + m.Header.ResponderCookie.String()))
			})
		})

	It("sends an Informational once", kit.Requirement("RFC2408-5.14-01"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{Member: choosy})
		Expect(t.Wait(ctx, lab.Patience, func() bool { return informed(t.sent(t.device), isakmp.Cookie{}) })).To(BeTrue(), "it sends one")
		last := t.messages(t.device)[len(t.messages(t.device))-1]
		t.Pass(ctx, time.Minute)
		Expect(copies(t.sent(t.device), last.header)).To(HaveLen(1))
	})
})

// informed reports whether there is an Informational, in the exchange with that cookie if it is not zero.
func informed(ds []datagram, cookie isakmp.Cookie) bool {
	for _, d := range ds {
		if d.header.Exchange == isakmp.ExchangeInformational && (cookie.IsZero() || d.header.InitiatorCookie == cookie) {
			return true
		}
	}
	return false
}

// informs checks the device's first Informational: HDR*, HASH(1) and a payload of that name.
func (t *talk) informs(ctx context.Context, payload string, look func(capture.Message)) {
	GinkgoHelper()
	ms := func() []capture.Message { return t.decoded(t.device, core.Informational) }
	Expect(t.Wait(ctx, lab.Patience, func() bool { return len(ms()) > 0 })).To(BeTrue(), "the device sends an Informational")
	m := ms()[0]
	Expect(m.Encrypted).To(BeTrue(), "it is encrypted")
	Expect(m.Err).To(BeEmpty(), "it has its layout")
	Expect(result(m, "HASH(1)")).To(Equal(capture.OK), "HASH(1) covers Message ID and payload")
	Expect(m.Payloads).To(HaveExactElements(HaveField("Name", "HASH"), HaveField("Name", payload)))
	Expect(m.Header.MessageID).NotTo(BeZero())
	for _, pull := range t.decoded(t.GM[0], core.Pull1) {
		Expect(m.Header.MessageID).NotTo(Equal(pull.Header.MessageID), "not that of the PULL")
	}
	look(m)
}

// serves reports whether the key server still has the SA: then it answers a copy of message 5.
func (t *talk) serves(ctx context.Context, cookie isakmp.Cookie) bool {
	GinkgoHelper()
	proofs := func(p *lab.Peer) []datagram {
		return slices.DeleteFunc(mainMode(t.sent(p)), func(d datagram) bool {
			return d.header.InitiatorCookie != cookie || d.header.Flags&isakmp.FlagEncryption == 0
		})
	}
	fifth := proofs(t.tester)
	Expect(fifth).NotTo(BeEmpty(), "message 5 was sent")
	before := len(proofs(t.device))
	t.replay(fifth[0])
	return t.Wait(ctx, 500*time.Millisecond, func() bool { return len(proofs(t.device)) > before })
}

// gone reports whether the device soon answers copies of message 5 no longer. The first may overtake what has ended the SA.
func (t *talk) gone(ctx context.Context, cookie isakmp.Cookie) bool {
	GinkgoHelper()
	for range 5 {
		if !t.serves(ctx, cookie) {
			return true
		}
		t.Pass(ctx, 50*time.Millisecond)
	}
	return false
}
