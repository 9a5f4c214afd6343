package registration

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Lost PULL messages at a member (RFC 2408 §5.1)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	// unanswered has the member send message 1 in vain until it gives up, and returns when it sent each copy.
	unanswered := func(ctx SpecContext, l *lab.Lab) []time.Time {
		misbehave(l, tester.Withhold(core.Pull2))
		start(ctx, l)
		Expect(awaitPulls(ctx, l, 2)).To(BeTrue(), "the member gives up and begins anew")
		behave(l)
		return pulls(l)[0].sent[0].at
	}

	It("repeats message 1 as often as configured and then begins anew", kit.Requirement("RFC2408-5.1-03", "RFC2408-5.1-05"), kit.Negative,
		func(ctx SpecContext) {
			l := newLab(ctx, nil, prompt)
			Expect(unanswered(ctx, l)).To(HaveLen(1+retries), "one message and its repetitions")
			Expect(pulls(l)[0].sent).To(HaveLen(1), "all with the same octets")
			kit.Control(l.GM[0].AwaitRegistered(ctx) == nil, "the member registers as soon as it is answered")
		})

	It("waits longer before each repetition of message 1", kit.Requirement("RFC2408-5.1-04"), kit.Negative, func(ctx SpecContext) {
		l := newLab(ctx, nil, prompt)
		at := unanswered(ctx, l)
		Expect(len(at)).To(BeNumerically(">", 2))
		first, second := at[1].Sub(at[0]), at[2].Sub(at[1])
		Expect(second).To(BeNumerically(">", first*3/2), "after %s", first)
		kit.Control(l.GM[0].AwaitRegistered(ctx) == nil, "the member registers as soon as it is answered")
	})

	It("repeats message 3 until message 4 comes", kit.Requirement("RFC2408-5.1-03", "RFC2408-5.1-05"), func(ctx SpecContext) {
		l := newLab(ctx, nil, nil)
		wire := intercept(l, func(n int, c *lab.Crossing) { c.Drop = n == 2 }) // message 4, the first time
		start(ctx, l)
		Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed(), "the member gets the second copy of message 4")
		Expect(wire.count()).To(BeNumerically(">=", 3))
		Expect(pulls(l)).To(HaveLen(1), "in the same exchange")
		Expect(pulls(l)[0].sent).To(HaveLen(2), "the repetition has the same octets")
		Expect(len(pulls(l)[0].sent[1].at)).To(BeNumerically(">", 1), "it asks again")
	})

	It("takes no notice of a second copy of message 2", kit.Requirement("RFC6407-7.2.4-02"), func(ctx SpecContext) {
		l := newLab(ctx, nil, nil)
		intercept(l, func(n int, c *lab.Crossing) {
			if n == 1 {
				c.Copies = 2
			}
		})
		start(ctx, l)
		Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())
		Expect(pulls(l)).To(HaveLen(1), "the exchange goes on")
		Expect(pulls(l)[0].sent).To(HaveLen(2), "with one message 3 and no other")
	})

	It("refuses message 2 that was recorded under an earlier Phase 1", kit.Requirement("RFC6407-3.2-09"), kit.Negative, func(ctx SpecContext) {
		l := newLab(ctx, nil, prompt)
		start(ctx, l)
		kit.Precondition(l.GM[0].AwaitRegistered(ctx), "the member registers")
		recorded := messages(l, core.Pull2.String(), l.KS)
		kit.Reached(len(recorded) == 1, "message 2 is recorded")
		old := datagram(l, recorded[0].Frame)

		wire := intercept(l, replay(l, old))
		kit.Precondition(l.GM[0].Clear(ctx), "the operator has it begin anew")
		l.Wait(ctx, lab.Patience, func() bool { return len(pulls(l)) > 2 || registers(ctx, l, 1) })
		Expect(wire.count()).To(BeNumerically(">", 0), "the recording was played")
		Expect(len(pulls(l))).To(BeNumerically(">", 2), "the member gives up, and asks a third time")
		Expect(pulls(l)[1].initiator).NotTo(Equal(pulls(l)[0].initiator), "under another Phase 1")
		Expect(pulls(l)[1].sent).To(HaveLen(1), "it does not go on to message 3")
		kit.Control(registers(ctx, l, 1), "the member registers with the right message 2")
	})
})

// replay puts a recorded datagram in the place of each answer of the first exchange that it sees, with the cookies and the
// Message ID of that one.
func replay(l *lab.Lab, old []byte) func(int, *lab.Crossing) {
	var id uint32
	return func(n int, c *lab.Crossing) {
		ip, _ := lab.ParseIPv4(c.Packet)
		from, to, data, _ := ip.UDP()
		h, err := isakmp.ParseHeader(data)
		if n == 1 {
			id = h.MessageID
		}
		if err != nil || h.MessageID != id {
			return
		}
		recorded, _ := isakmp.ParseHeader(old)
		h.Length, h.NextPayload = recorded.Length, recorded.NextPayload
		if packet, err := lab.UDPPacket(from, to, ip.TTL, append(h.Append(nil), old[isakmp.HeaderLen:]...)); err == nil {
			c.Packet = packet
		}
	}
}
