package phase1

import (
	"context"
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Dead peer detection under the SA:
//
//	--> HDR*, HASH(1), N R-U-THERE
//	<-- HDR*, HASH(1), N R-U-THERE-ACK

// dpdVendorID is what says in Phase 1 that a node detects dead peers (RFC 3706 §5.1), without its minor version.
const dpdVendorID = "afcad71368a1f1c96b8696fc775701"

// How long a side waits before it asks, and how often it asks again.
const (
	often    = 2 * time.Second
	seldom   = time.Hour
	patience = 7 // repetitions
)

// watching has one side ask often, and the other hardly ever.
func watching(s side, deviceAsks bool) lab.Setup {
	ks, gm := often, seldom
	if (s == memberSide) == deviceAsks {
		ks, gm = seldom, often
	}
	watch := func(p *policy.Phase1, after time.Duration) {
		p.DPD, p.Retransmit, p.Retries = after, 100*time.Millisecond, patience
	}
	return lab.Setup{
		KeyServer: func(c *policy.KeyServer) { watch(&c.Phase1, ks) },
		Member:    func(_ int, c *policy.Member) { watch(&c.Phase1, gm) },
	}
}

var _ = Describe("Dead peer detection by a key server (RFC 3706)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	detects(keyServerSide)

	It("no longer has the SA of a peer that it gave up", kit.Requirement("RFC3706-5.4-01"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		t := begin(ctx, watching(keyServerSide, true), tester.Unanswered())
		kit.Reached(t.reaches(ctx, core.Pull4), "the member registers")
		cookie := t.openings(t.tester)[0].header.InitiatorCookie
		Expect(t.serves(ctx, cookie)).To(BeTrue(), "at first a copy of message 5 is answered")
		t.Pass(ctx, time.Minute)
		Expect(t.serves(ctx, cookie)).To(BeFalse(), "afterwards it is not")
	})
})

var _ = Describe("Dead peer detection by a group member (RFC 3706)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	detects(memberSide)

	It("makes a new Phase 1 with a key server that it gave up", kit.Requirement("RFC3706-5.4-01"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		t := begin(ctx, watching(memberSide, true), tester.Unanswered())
		Expect(t.device.AwaitRegistered(ctx)).To(Succeed())
		t.Pass(ctx, time.Minute)
		openings := len(t.openings(t.device))
		kit.Precondition(t.device.Register(ctx), "the member registers again")
		Expect(t.Wait(ctx, lab.Patience, func() bool { return len(t.openings(t.device)) > openings })).To(BeTrue())
	})
})

// detects makes the specs of a side that is told to detect dead peers.
func detects(s side) {
	It(s.name+" says by a Vendor ID that it detects dead peers", kit.Requirement("RFC3706-5.1-01"), func(ctx SpecContext) {
		t := begin(ctx, watching(s, true))
		complete := t.reaches(ctx, settled(s))
		first := t.decoded(t.device, offering(s))
		Expect(first).NotTo(BeEmpty())
		Expect(value(first[0], "VID")).To(HavePrefix(dpdVendorID))
		Expect(complete).To(BeTrue(), "the registration goes on")
	})

	It(s.name+" asks nobody who has not said that it answers", kit.Requirement("RFC3706-5.1-02"), kit.Negative, func(ctx SpecContext) {
		t := begin(ctx, watching(s, true), tester.Omit(core.MainMode1+core.MainMode2-offering(s), isakmp.PayloadVID, "RFC 3706 §5.1"))
		kit.Reached(t.reaches(ctx, settled(s)), "the registration goes on without the Vendor ID")
		Expect(t.Wait(ctx, 3*often, func() bool { return len(t.notifications(t.device, isakmp.NotifyRUThere)) > 0 })).To(BeFalse(), "it asks")
		t.afresh(ctx)
		kit.Control(t.says(ctx, t.device, isakmp.NotifyRUThere, 1), "it asks a peer that has said so")
	})

	It(s.name+" answers R-U-THERE with its number and the cookies of the SA",
		kit.Requirement("RFC3706-5.2-01", "RFC3706-5.3-01", "RFC3706-5.3-02", "RFC3706-6.1-01"), func(ctx SpecContext) {
			t := begin(ctx, watching(s, false))
			kit.Reached(t.says(ctx, t.tester, isakmp.NotifyRUThere, 1), "the tester asks")
			Expect(t.says(ctx, t.device, isakmp.NotifyRUThereACK, 1)).To(BeTrue(), "it answers")
			asked, answer := t.notifications(t.tester, isakmp.NotifyRUThere)[0], t.notifications(t.device, isakmp.NotifyRUThereACK)[0]
			Expect(value(answer, "N", "DOI")).To(Equal("IPSEC (1)"))
			Expect(value(answer, "N", "Protocol")).To(Equal("ISAKMP (1)"))
			Expect(value(answer, "N", "SPI")).To(Equal(pairOf(answer)))
			Expect(value(answer, "N", "Sequence Number")).To(HaveLen(8), "4 octets")
			Expect(value(answer, "N", "Sequence Number")).To(Equal(value(asked, "N", "Sequence Number")))
			Expect(result(answer, "HASH(1)")).To(Equal(capture.OK))
		})

	for _, r := range []row{
		{"RFC3706-6.1-03", tester.OtherCookies(isakmp.NotifyRUThere)},
		{"RFC3706-6.1-03", tester.NoCookies(isakmp.NotifyRUThere)},
	} {
		unanswered(s, r, 0)
	}
	unanswered(s, row{"RFC2408-4.8-01", tester.InClear(core.Informational)}, 0, "RFC3706-5.2-02")
	for _, r := range []row{
		{"RFC3706-6.2-03", tester.SameNumber(0)},
		{"RFC3706-6.2-03", tester.FallingNumbers()},
	} {
		unanswered(s, r, 1)
	}

	It(s.name+" asks under the SA with cookies, and numbers that count one up", kit.Requirement("RFC3706-5.3-01", "RFC3706-5.3-02", "RFC3706-6.2-02", "RFC2408-3.14-01"), func(ctx SpecContext) {
		t := begin(ctx, watching(s, true), tester.Unanswered())
		Expect(t.says(ctx, t.device, isakmp.NotifyRUThere, 3)).To(BeTrue(), "it asks again and again")
		var numbers []uint64
		for _, m := range t.notifications(t.device, isakmp.NotifyRUThere) {
			Expect(value(m, "N", "Protocol")).To(Equal("ISAKMP (1)"))
			Expect(value(m, "N", "DOI")).To(Equal("IPSEC (1)"))
			Expect(value(m, "N", "SPI")).To(Equal(pairOf(m)))
			numbers = append(numbers, numberIn(m))
		}
		for i, n := range numbers {
			Expect(n).To(Equal(numbers[0]+uint64(i)), "%d", numbers)
		}
	})

	It(s.name+" begins with a random number whose highest bit is zero", kit.Requirement("RFC3706-6.2-01"), func(ctx SpecContext) {
		t := begin(ctx, watching(s, true))
		var numbers []uint64
		for range 2 {
			before := len(t.notifications(t.device, isakmp.NotifyRUThere))
			Expect(t.says(ctx, t.device, isakmp.NotifyRUThere, before+1)).To(BeTrue(), "it asks")
			cookie := t.openings(t.GM[0])[len(t.openings(t.GM[0]))-1].header.InitiatorCookie
			for _, m := range t.notifications(t.device, isakmp.NotifyRUThere) {
				if m.Header.InitiatorCookie == cookie {
					numbers = append(numbers, numberIn(m))
					break
				}
			}
			t.again(ctx)
		}
		Expect(different(numbers)).To(BeTrue(), "%d", numbers)
		Expect(slices.Max(numbers)).To(BeNumerically("<", 1<<31))
	})

	It(s.name+" asks no more once it has given the peer up", kit.Requirement("RFC3706-5.4-01"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		t := begin(ctx, watching(s, true), tester.Unanswered())
		Expect(t.says(ctx, t.device, isakmp.NotifyRUThere, 2)).To(BeTrue(), "it asks again")
		t.Pass(ctx, 5*time.Minute)
		Expect(len(t.notifications(t.device, isakmp.NotifyRUThere))).To(BeNumerically("<=", 1+patience))
	})

	for _, r := range []row{
		{"RFC3706-6.1-02", tester.OtherNumber(isakmp.NotifyRUThereACK, 1000)},
		{"RFC3706-6.1-02", tester.OtherNumber(isakmp.NotifyRUThereACK, -999)},
		{"RFC3706-6.1-03", tester.OtherCookies(isakmp.NotifyRUThereACK)},
	} {
		goesOnAsking(s, r)
	}
	goesOnAsking(s, row{"RFC2408-4.8-01", tester.InClear(core.Informational)}, "RFC3706-5.2-02")
}

// goesOnAsking makes the spec of an R-U-THERE-ACK that is no sign of life. It may test other requirements beside that of the row.
func goesOnAsking(s side, r row, also ...string) {
	ids := append([]string{string(r.requirement)}, also...)
	It(s.name+" goes on asking after "+r.deviation.Name, kit.Requirement(ids...), kit.Negative, func(ctx SpecContext) {
		t := begin(ctx, watching(s, true), r.deviation)
		Expect(t.says(ctx, t.device, isakmp.NotifyRUThere, 3)).To(BeTrue(), "it asks")
		asked := t.notifications(t.device, isakmp.NotifyRUThere)
		Expect(asked[2].At.Sub(asked[0].At)).To(BeNumerically("<", often), "again, since it has heard nothing")
		kit.ExpectRefused(ctx, t.device, r.requirement, BeNumerically(">", 0), "the device says that it refused the answer")
		Expect(t.tester.Misbehave(nil)).To(Succeed())
		answered := t.says(ctx, t.tester, isakmp.NotifyRUThereACK, len(t.notifications(t.tester, isakmp.NotifyRUThereACK))+2) // one may be under way
		n := len(t.notifications(t.device, isakmp.NotifyRUThere))
		quiet := !t.Wait(ctx, often/2, func() bool { return len(t.notifications(t.device, isakmp.NotifyRUThere)) > n })
		kit.Control(answered && quiet, "the right answer quiets it")
	})
}

// unanswered makes the spec of an R-U-THERE that must not be answered, more often than so many times. It may test other requirements
// beside that of the row.
func unanswered(s side, r row, answers int, also ...string) {
	ids := append([]string{string(r.requirement)}, also...)
	It(s.name+" does not answer "+r.deviation.Name, kit.Requirement(ids...), kit.Negative, func(ctx SpecContext) {
		t := begin(ctx, watching(s, false), r.deviation)
		kit.Reached(t.says(ctx, t.tester, isakmp.NotifyRUThere, 2), "the tester asks twice")
		acks := func() int { return len(t.notifications(t.device, isakmp.NotifyRUThereACK)) }
		kit.AwaitRefusal(ctx, t.Lab, t.device, r.requirement, 0, func() bool { return acks() > answers })
		Expect(acks()).To(BeNumerically("<=", answers), "answers to %s", r.deviation.Name)
		kit.ExpectRefused(ctx, t.device, r.requirement, BeNumerically(">", 0), "the device says that it refused the question")
		Expect(t.tester.Misbehave(nil)).To(Succeed())
		kit.Control(t.Wait(ctx, lab.Patience, func() bool { return acks() > answers }), "it answers the right one")
	})
}

// notifications are those of a type that a peer has sent.
func (t *talk) notifications(p *lab.Peer, n isakmp.NotifyType) []capture.Message {
	return slices.DeleteFunc(t.decoded(p, core.Informational), func(m capture.Message) bool { return value(m, "N") != n.String() })
}

// says waits until a peer has sent so many notifications of a type.
func (t *talk) says(ctx context.Context, p *lab.Peer, n isakmp.NotifyType, times int) bool {
	return t.Wait(ctx, lab.Patience, func() bool { return len(t.notifications(p, n)) >= times })
}

// pairOf is the cookie pair of a message.
func pairOf(m capture.Message) string {
	return m.Header.InitiatorCookie.String() + m.Header.ResponderCookie.String()
}

// numberIn is the number of an R-U-THERE.
func numberIn(m capture.Message) uint64 {
	GinkgoHelper()
	n, err := strconv.ParseUint(value(m, "N", "Sequence Number"), 16, 32)
	Expect(err).NotTo(HaveOccurred(), "4 octets of data")
	return n
}
