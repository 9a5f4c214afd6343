package phase1

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// What a member is told about repetition in these specs.
const (
	firstInterval = time.Second
	repetitions   = 3
)

func patient(_ int, c *policy.Member) {
	c.Phase1.Retransmit, c.Phase1.Retries = firstInterval, repetitions
}

var _ = Describe("Repetition by a group member (RFC 2408 §5.1)", kit.Subject("phase1"), kit.DUT(rule.GM), func() {
	// unanswered returns the copies of a message that gets no answer, until long after the last.
	unanswered := func(ctx SpecContext, kind core.Kind) []datagram {
		t := begin(ctx, lab.Setup{Member: patient}, tester.Withhold(kind+1))
		Expect(t.reaches(ctx, kind)).To(BeTrue(), "the member sends %s", kind)
		messages := t.messages(t.device)
		t.Pass(ctx, 40*firstInterval)
		return copies(t.sent(t.device), messages[len(messages)-1].header)
	}
	for _, kind := range []core.Kind{core.MainMode1, core.MainMode3, core.MainMode5} {
		repeats(kind, unanswered)
	}

	It("begins a new exchange after it gave one up", kit.Requirement("RFC2408-5.1-03"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{Member: patient}, tester.Withhold(core.MainMode2))
		kit.Reached(t.Wait(ctx, 5*time.Minute, func() bool { return len(t.openings(t.device)) > 1 }), "it tries again")
		Expect(t.tester.Misbehave(nil)).To(Succeed())
		Expect(t.GM[0].AwaitRegistered(ctx)).To(Succeed())
	})

	It("waits longer on a slow path", kit.Requirement("RFC2408-5.1-04"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		gap := func(delay time.Duration) time.Duration {
			t := prepare(ctx, lab.Setup{Member: patient})
			Expect(t.tester.Misbehave(tester.Withhold(core.MainMode4).Tap)).To(Succeed())
			t.Intercept(func(c *lab.Crossing) { c.Delay = delay })
			t.start(ctx, t.KS, t.GM[0])
			Expect(t.reaches(ctx, core.MainMode3)).To(BeTrue(), "the member sends message 3")
			t.Pass(ctx, 20*firstInterval)
			messages := t.messages(t.device)
			sent := copies(t.sent(t.device), messages[1].header)
			Expect(len(sent)).To(BeNumerically(">", 1), "it repeats message 3")
			return sent[1].at.Sub(sent[0].at)
		}
		Expect(gap(200*time.Millisecond)).To(BeNumerically(">", firstInterval*6/5), "a round trip of 400 ms")
	})

	It("goes on once, however often a reply comes", kit.Requirement("RFC2408-5.1-05"), func(ctx SpecContext) {
		t := prepare(ctx, lab.Setup{})
		t.doubles(t.KS)
		t.start(ctx, t.KS, t.GM[0])
		Expect(t.GM[0].AwaitRegistered(ctx)).To(Succeed())
		Expect(mainMode(t.messages(t.device))).To(HaveLen(3), "messages 1, 3 and 5, and copies of them at most")
	})
})

// repeats makes the specs of a message that gets no answer. Unanswered returns its copies.
func repeats(kind core.Kind, unanswered func(SpecContext, core.Kind) []datagram) {
	It(fmt.Sprintf("repeats %s as often as it is told to, and then gives up", kind), kit.Requirement("RFC2408-5.1-03"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			sent := unanswered(ctx, kind)
			Expect(sent).To(HaveLen(1 + repetitions))
			Expect(sent[1].at.Sub(sent[0].at)).To(BeNumerically("~", firstInterval, firstInterval/10), "the first time after what it is told")
		})

	It(fmt.Sprintf("waits longer before each repetition of %s", kind), kit.Requirement("RFC2408-5.1-04"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			sent := unanswered(ctx, kind)
			Expect(len(sent)).To(BeNumerically(">", 2), "it repeats more than once")
			for i := 2; i < len(sent); i++ {
				Expect(sent[i].at.Sub(sent[i-1].at)).To(BeNumerically(">=", sent[i-1].at.Sub(sent[i-2].at)*6/5), "repetition %d", i)
			}
		})

	It(fmt.Sprintf("repeats %s as the same datagram", kind), kit.Requirement("RFC2408-5.1-05"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			sent := unanswered(ctx, kind)
			Expect(len(sent)).To(BeNumerically(">", 1), "it repeats")
			Expect(distinct(sent)).To(HaveLen(1), "octet by octet")
		})
}

// A key server repeats the one message after which the member asks no more, since it takes its own for the last.
var _ = Describe("Repetition by a key server in Aggressive Mode (RFC 2408 §5.1)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	setup := aggressively()
	keyServer := setup.KeyServer
	setup.KeyServer = func(c *policy.KeyServer) {
		keyServer(c)
		c.Phase1.Retransmit, c.Phase1.Retries = firstInterval, repetitions
	}
	repeats(core.Aggressive2, func(ctx SpecContext, kind core.Kind) []datagram {
		t := begin(ctx, setup, tester.Withhold(core.Aggressive3))
		Expect(t.reaches(ctx, kind)).To(BeTrue(), "the key server sends %s", kind)
		first := t.messages(t.device)[0]
		t.Pass(ctx, 40*firstInterval)
		return copies(t.sent(t.device), first.header)
	})
})

var _ = Describe("Repeated messages at a key server (RFC 2408 §5.1)", kit.Subject("phase1"), kit.DUT(rule.KS), func() {
	It("answers a repeated message with the same datagram", kit.Requirement("RFC2408-5.1-05"), func(ctx SpecContext) {
		t := prepare(ctx, lab.Setup{})
		t.doubles(t.GM[0])
		t.start(ctx, t.KS, t.GM[0])
		Expect(t.GM[0].AwaitRegistered(ctx)).To(Succeed())
		answers := mainMode(t.messages(t.device))
		Expect(answers).To(HaveLen(3), "messages 2, 4 and 6, and copies of them at most")
		for i, a := range answers {
			Expect(copies(t.sent(t.device), a.header)).NotTo(HaveLen(1), "message %d is sent again", 2*i+2)
		}
	})
})

var _ = Describe("Messages between forged ones (RFC 2409 §10)", kit.Subject("phase1"), func() {
	// survives has a message come damaged first, and then as it should be.
	survives := func(ctx SpecContext, kind core.Kind, id rule.ID) {
		t := begin(ctx, lab.Setup{Member: fast}, tester.Once(tester.FlipOctet(kind, -1)))
		goesOn := t.Wait(ctx, lab.Patience, func() bool { return t.goes(place(kind)/2 + 1) })
		Expect(mainMode(t.messages(t.tester))).To(HaveLen(3+1), "a damaged %s and then the right one", kind)
		Expect(goesOn).To(BeTrue(), "the right one is decrypted with the IV that the damaged one found")
		kit.ExpectRefused(ctx, t.device, id, BeNumerically(">", 0), "the device says that it refused the damaged one")
		kit.Control(goesOn, "the right one is answered")
	}
	It("goes on with the right MM5 after a damaged one", kit.Requirement("RFC2409-10-01"), kit.DUT(rule.KS), kit.Negative,
		func(ctx SpecContext) { survives(ctx, core.MainMode5, "RFC2408-5.11-01") })
	It("goes on with the right MM6 after a damaged one", kit.Requirement("RFC2409-10-01"), kit.DUT(rule.GM), kit.Negative,
		func(ctx SpecContext) { survives(ctx, core.MainMode6, "RFC2408-5.11-01") })
})

// copies are the datagrams of one message: those with that header.
func copies(sent []datagram, of isakmp.Header) []datagram {
	var same []datagram
	for _, d := range sent {
		if d.header == of {
			same = append(same, d)
		}
	}
	return same
}

func mainMode(ds []datagram) []datagram {
	var main []datagram
	for _, d := range ds {
		if d.header.Exchange == isakmp.ExchangeMainMode {
			main = append(main, d)
		}
	}
	return main
}

// doubles has each Main Mode message of a peer arrive twice.
func (t *talk) doubles(p *lab.Peer) {
	seen := make(map[string]bool)
	t.Intercept(func(c *lab.Crossing) {
		ip, _ := lab.ParseIPv4(c.Packet)
		_, _, data, ok := ip.UDP()
		if h, err := isakmp.ParseHeader(data); ok && err == nil && c.From == p.Name() && h.Exchange == isakmp.ExchangeMainMode && !seen[string(data)] {
			seen[string(data)] = true
			c.Copies = 1
		}
	})
}
