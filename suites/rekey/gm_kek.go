package rekey

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("New keys by GROUPKEY-PUSH at a member (RFC 6407 §4, §4.4)", kit.Subject("rekey"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		how   string
		alter []func(*policy.Group)
	}{{"by unicast", nil}, {"by multicast", multicast}} {
		It("follows a rekey "+c.how+" that brings Data-Security SAs", kit.Requirement("RFC6407-4-06", "RFC6407-4.4-04"),
			func(ctx SpecContext) {
				s := group(ctx, c.alter...)
				for range 2 {
					Expect(s.follows(s.rekey(control.RekeyArgs{}))).To(BeTrue())
				}
			})

		It("follows a rekey "+c.how+" that brings a KEK and Data-Security SAs, and the one under the new KEK",
			kit.Requirement("RFC6407-4-05", "RFC6407-4.4-04", "RFC6407-3.2-17"), func(ctx SpecContext) {
				s := group(ctx, c.alter...)
				Expect(s.follows(s.rekey(control.RekeyArgs{}))).To(BeTrue())
				Expect(s.follows(s.rekey(control.RekeyArgs{KEK: true}))).To(BeTrue(), "it takes a message with both, under the old KEK")
				first := s.rekey(control.RekeyArgs{})
				Expect(first.Sequence).To(BeEquivalentTo(1))
				Expect(s.follows(first)).To(BeTrue(), "it takes the first message under the new KEK")
			})

		It("keeps its SAs on a rekey "+c.how+" that brings a KEK alone, and follows the one under the new KEK",
			kit.Requirement("RFC6407-4.4-04", "RFC6407-4-05"), func(ctx SpecContext) {
				s := group(ctx, c.alter...)
				before, since := s.protects(), kit.Now(s.Lab)
				Expect(s.takes(s.rekey(control.RekeyArgs{KEK: true, KEKOnly: true}))).To(BeTrue())
				Expect(s.sending()).To(Equal(before), "what is protected goes on as it was")
				Expect(s.follows(s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it takes the first message under the new KEK")
				Expect(s.pulls(since)).To(BeEmpty(), "it has no reason to register again")
			})
	}

	It("drops a rekey under a KEK that has been replaced", kit.Requirement("RFC6407-4-05"), kit.Negative, func(ctx SpecContext) {
		s := group(ctx)
		var held []byte
		s.Intercept(func(c *lab.Crossing) { held, c.Drop = c.Packet, true })
		s.rekey(control.RekeyArgs{}, tester.SEQ(core.Push, 10)) // KS --> GM  HDR*, SEQ 10, SA, KD, SIG, under the first KEK
		kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return held != nil }), "the tester has a rekey in its hands")
		s.Intercept(nil)
		replacing := s.rekey(control.RekeyArgs{KEK: true}) // KS --> GM  HDR*, SEQ 2, SA with SAK, KD, SIG
		kit.Reached(s.follows(replacing), "the member takes the second KEK")
		before := s.protects()

		said, since := s.refusals("RFC6407-4.4-01"), kit.Now(s.Lab)
		s.Inject(s.KS.Name(), held)
		s.refuses("RFC6407-4.4-01", said, since)
		Expect(s.sending()).To(Equal(before), "it goes on with the keys it had")
		Expect(s.taken(since)).To(BeEmpty())
		kit.Control(s.follows(s.rekey(control.RekeyArgs{})), "it takes a rekey under the second KEK")
		s.expectRefused("RFC6407-4.4-01", said+1, "its log says that there is no such Rekey SA")
	})

	It("receives under the SA before and under the new one when a rekey has brought one", kit.Requirement("RFC6407-4-06", "RFC5374-4.2.1-07"),
		func(ctx SpecContext) {
			l := kit.Up(ctx, lab.Setup{Members: 2, Signature: policy.SigRSA, Hosts: true, Group: kit.Acknowledging})
			s := &scene{l, ctx}
			l.Intercept(func(c *lab.Crossing) { // gm2 does not get the rekey
				ip, ok := lab.ParseIPv4(c.Packet)
				c.Drop = ok && c.From == l.KS.Name() && ip.Destination == l.GM[1].Addr().Addr()
			})
			next := s.rekey(control.RekeyArgs{})
			Expect(s.follows(next)).To(BeTrue(), "it has the new SA")
			Expect(s.hears()).To(BeTrue(), "it receives under the old SA")

			l.Intercept(nil)
			kit.Precondition(l.GM[1].Register(ctx), "gm2 registers again")
			Expect(l.Wait(ctx, lab.Patience, func() bool { return kit.SPI(kit.SendingSPI(ctx, l, 2, 1)) == next.SPIs[0] })).To(BeTrue())
			Expect(s.hears()).To(BeTrue(), "it receives under the new SA")
		})

	It("builds the IVs of an SA that a rekey brings from the Sender-ID it has", kit.Requirement("RFC6407-4.4-06"), func(ctx SpecContext) {
		l := kit.Lab(ctx, lab.Setup{Members: 2, Signature: policy.SigRSA, Hosts: true, Group: kit.Acknowledging})
		kit.Precondition(l.KS.Start(ctx), "the key server starts")
		for _, gm := range []*lab.Peer{l.GM[1], l.GM[0]} { // so that the device has Sender-ID 1
			kit.Precondition(gm.Start(ctx), gm.Name()+" starts")
			kit.Precondition(gm.AwaitRegistered(ctx), gm.Name()+" registers")
		}
		s := &scene{l, ctx}
		next := s.rekey(control.RekeyArgs{})
		Expect(s.takes(next)).To(BeTrue())
		kit.GoOver(ctx, l, 1, next.SPIs)
		since := kit.Now(l)
		Expect(s.sending()).To(Equal(next.SPIs[0]))
		first := s.encrypted(since, 2)[0]
		ip, _ := lab.ParseIPv4(first.Packet)
		Expect(first.Sequence).To(BeEquivalentTo(1), "a new SA begins with its first packet")
		Expect(ip.Payload[8]).To(BeEquivalentTo(1), "the IV begins with the Sender-ID of eight bits that came at registration")
	})
})

// hears has the host behind gm2 send a packet, and reports whether the host behind the device gets it.
func (s *scene) hears() bool {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	_, err := s.Hosts[1].Ping(s.ctx, lab.HostAddr(1), lab.Ping{Count: 1})
	kit.Precondition(err, "the host sends")
	return s.Wait(s.ctx, lab.Patience, func() bool {
		for _, f := range s.Frames()[before:] {
			if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(1) && ip.Source == lab.HostAddr(2) && ip.Destination == lab.HostAddr(1) {
				return true
			}
		}
		return false
	})
}
