package ack

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// refused are acknowledgements that a key server has to discard.
var refused = []struct {
	what        string
	requirement rule.ID
	deviation   tester.Deviation
}{
	{"whose HASH is wrong", "RFC8263-5-04", tester.WrongHash(core.PushACK)},
	{"without an ID", "RFC8263-5-04", tester.Omit(core.PushACK, isakmp.PayloadID, "RFC 8263 §3")},
	{"with two SEQ payloads", "RFC8263-5-04", tester.Repeat(core.PushACK, isakmp.PayloadSEQ, "RFC 8263 §3")},
	{"that says version 2.0", "RFC2408-5.2-03", tester.Version(core.PushACK, 0x20)},
	{"with a flag set", "RFC2408-5.2-05", tester.Flags(core.PushACK, isakmp.FlagAuthOnly)},
	{"with a Message ID", "RFC2408-5.2-06", tester.MessageID(core.PushACK, 1)},
	{"whose Length is one too high", "RFC2408-5.1-01", tester.Length(core.PushACK, 1)},
	{"whose Length is one too low", "RFC2408-5.1-01", tester.Length(core.PushACK, -1)},
	{"with a reserved octet set", "RFC2408-5.3-01", tester.Reserved(core.PushACK, isakmp.PayloadSEQ, 1)},
	{"whose ID is no address", "RFC2408-5.8-01", tester.AckID("an FQDN", func(id *isakmp.ID) { id.IDType = 2 })},
	{"in the name of somebody who is no member", "RFC8263-6-11",
		tester.AckID("another address", func(id *isakmp.ID) { id.Data[3] = 99 })},
}

var _ = Describe("Acknowledgements at a key server (RFC 8263 §5, §6)", kit.Subject("ack"), kit.DUT(rule.KS), kit.Feature("ack"), func() {
	for _, c := range refused {
		It("discards an acknowledgement "+c.what, kit.Requirement(string(c.requirement)), kit.Negative, func(ctx SpecContext) {
			l := up(ctx)
			first := kit.Rekey(ctx, l, control.RekeyArgs{})
			kit.Reached(acknowledged(ctx, l, first.Sequence), "an ordinary acknowledgement is recorded")
			before := l.KS.Refused(ctx, c.requirement)

			Expect(l.GM[0].Misbehave(tester.Taps(c.deviation))).To(Succeed())
			second := kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(l.Wait(ctx, lab.Patience, func() bool {
				return l.KS.Refused(ctx, c.requirement) > before || member(ctx, l).Acked == second.Sequence
			})).To(BeTrue(), "the key server says that it discarded the acknowledgement")
			Expect(member(ctx, l).Acked).To(Equal(first.Sequence), "it counts nothing as acknowledged")

			Expect(l.GM[0].Misbehave(nil)).To(Succeed())
			third := kit.Rekey(ctx, l, control.RekeyArgs{})
			kit.Control(acknowledged(ctx, l, third.Sequence), "the next acknowledgement, unaltered, is recorded")
		})
	}

	for _, c := range []struct {
		how         string
		requirement string
		deviation   func(keylog.Entry) tester.Deviation
	}{
		{"the KEK itself", "RFC8263-3.2-02", tester.AckUnderived},
		{"a key whose label lacks its zero octet", "RFC8263-3.2-03", tester.AckUnterminated},
		{"a key from the cookies in the wrong order", "RFC8263-3.2-04", tester.AckSwapped},
		{"a key for another length", "RFC8263-3.2-05", func(e keylog.Entry) tester.Deviation { return tester.AckLength(256, e) }},
	} {
		It("discards an acknowledgement hashed with "+c.how, kit.Requirement(c.requirement, "RFC8263-5-04"), kit.Negative, func(ctx SpecContext) {
			l := up(ctx)
			before := l.KS.Refused(ctx, "RFC8263-5-04")
			Expect(l.GM[0].Misbehave(tester.Taps(c.deviation(rekeySA(l))))).To(Succeed())
			kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(l.Wait(ctx, lab.Patience, func() bool {
				return l.KS.Refused(ctx, "RFC8263-5-04") > before || member(ctx, l).EverAcked
			})).To(BeTrue(), "the key server says that it discarded the acknowledgement")
			Expect(member(ctx, l).EverAcked).To(BeFalse(), "it counts nothing as acknowledged")

			Expect(l.GM[0].Misbehave(nil)).To(Succeed())
			right := kit.Rekey(ctx, l, control.RekeyArgs{})
			kit.Control(acknowledged(ctx, l, right.Sequence), "the next acknowledgement, unaltered, is recorded")
		})
	}

	It("discards an acknowledgement of a number that it has not sent", kit.Requirement("RFC8263-5-05"), kit.Negative, func(ctx SpecContext) {
		l := up(ctx)
		first := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Reached(acknowledged(ctx, l, first.Sequence), "an ordinary acknowledgement is recorded")
		Expect(l.GM[0].Misbehave(tester.Taps(tester.SEQ(core.PushACK, first.Sequence+2)))).To(Succeed())
		before := l.KS.Refused(ctx, "RFC8263-5-05")
		second := kit.Rekey(ctx, l, control.RekeyArgs{})
		l.Wait(ctx, lab.Patience, func() bool {
			return l.KS.Refused(ctx, "RFC8263-5-05") > before || member(ctx, l).Acked > first.Sequence
		})
		Expect(member(ctx, l).Acked).To(Equal(first.Sequence))
		Expect(l.GM[0].Misbehave(nil)).To(Succeed())
		third := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Control(acknowledged(ctx, l, third.Sequence), fmt.Sprintf("the PUSH after %d is acknowledged and recorded", second.Sequence))
	})

	It("records which PUSH a member has acknowledged", kit.Requirement("RFC8263-5-05", "RFC8263-5-04", "RFC8263-3.2-06"), func(ctx SpecContext) {
		l := up(ctx)
		for range 2 {
			rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(acknowledged(ctx, l, rekey.Sequence)).To(BeTrue(), "PUSH %d", rekey.Sequence)
		}
	})

	It("asks for acknowledgements in every SAK", kit.Requirement("RFC8263-2-01", "RFC8263-5-01"), func(ctx SpecContext) {
		l := kit.Lab(ctx, lab.Setup{Group: asking})
		kit.Precondition(l.Up(ctx), "the member registers")
		kit.Rekey(ctx, l, control.RekeyArgs{KEK: true})
		l.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(l, 0, "PUSH")) > 0 })
		for _, kind := range []string{"PULL2", "PUSH"} {
			m := kit.Last(kit.MessagesSince(l, 0, kind))
			f, ok := kit.Field(m, "SA/SAK/KEK_ACK_REQUESTED")
			Expect(ok).To(BeTrue(), "the SAK of %s names the acknowledgement it wants", kind)
			Expect(f.Value).To(ContainSubstring("(1)"), "REKEY_ACK_KEK_SHA256")
			Expect(f.Length).To(Equal(4), "as a TV")
		}
	})

	It("discards an acknowledgement that it has not asked for", kit.Requirement("RFC8263-5-02"), kit.Negative, func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{})
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Reached(l.GM[0].AwaitLog(ctx, "REKEY_ACCEPTED", 0, lab.Patience), "the member follows")
		before := l.KS.Refused(ctx, "RFC8263-5-02")
		inject(l, l.GM[0].Addr(), rekey.Sequence)
		l.Wait(ctx, lab.Patience, func() bool { return l.KS.Refused(ctx, "RFC8263-5-02") > before || member(ctx, l).EverAcked })
		Expect(member(ctx, l).EverAcked).To(BeFalse(), "it counts nothing as acknowledged")
		kit.Control(l.KS.Alive(ctx) == nil && l.GM[0].Register(ctx) == nil && registersAgain(ctx, l), "the member registers again")
	})

	It("notices a second copy of an acknowledgement", kit.Requirement("RFC8263-5-03"), kit.Negative, func(ctx SpecContext) {
		l := up(ctx)
		l.Intercept(func(c *lab.Crossing) {
			if kindOf(c.Packet) == isakmp.ExchangePushACK {
				c.Copies = 2
			}
		})
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Reached(acknowledged(ctx, l, rekey.Sequence), "the acknowledgement is recorded")
		l.Intercept(nil)
		next := kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Control(acknowledged(ctx, l, next.Sequence), "the next acknowledgement is recorded")
		Expect(l.KS.AwaitLog(ctx, "ACK_RECEIVED", 1, lab.Patience)).To(BeTrue())
		Expect(l.KS.Logged("ACK_RECEIVED")).To(HaveLen(2), "one line for each PUSH, none for a copy")
	})

	It("takes an acknowledgement of the PUSH that replaced its KEK", kit.Requirement("RFC8263-6-10"), func(ctx SpecContext) {
		l := up(ctx)
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{KEK: true})
		Expect(l.KS.AwaitLog(ctx, "ACK_RECEIVED", 0, lab.Patience)).To(BeTrue(), "PUSH %d under the old KEK", rekey.Sequence)
	})

	It("reports an acknowledgement as missing after ten seconds, and only of a member that has sent one before",
		kit.Requirement("RFC8263-6-05", "RFC8263-6-08", "RFC8263-6-01"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			l := up(ctx)
			Expect(l.GM[0].Misbehave(tester.Taps(tester.Withhold(core.PushACK)))).To(Succeed())
			silent := kit.Rekey(ctx, l, control.RekeyArgs{})
			l.Pass(ctx, time.Minute)
			Expect(l.KS.Logged("ACK_MISSING")).To(BeEmpty(), "PUSH %d went to a member that never acknowledged", silent.Sequence)

			Expect(l.GM[0].Misbehave(nil)).To(Succeed())
			heard := kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(acknowledged(ctx, l, heard.Sequence)).To(BeTrue())
			Expect(l.GM[0].Misbehave(tester.Taps(tester.Withhold(core.PushACK)))).To(Succeed())
			sent := l.Now()
			kit.Rekey(ctx, l, control.RekeyArgs{})
			Expect(l.KS.AwaitLog(ctx, "ACK_MISSING", 0, time.Minute)).To(BeTrue(), "it is missed now")
			Expect(l.KS.Logged("ACK_MISSING")[0].Time.Sub(sent)).To(BeNumerically("~", 10*time.Second, 500*time.Millisecond))
		})
})

// inject sends an acknowledgement that the tester made up, in the name of that member.
func inject(l *lab.Lab, from netip.AddrPort, sequence uint32) {
	GinkgoHelper()
	data, err := tester.ForgeACK(rekeySA(l), sequence, from.Addr())
	kit.Precondition(err, "the tester makes an acknowledgement")
	packet, err := lab.UDPPacket(from, l.KS.Addr(), 64, data)
	kit.Precondition(err, "the tester makes a packet")
	l.Inject(l.GM[0].Name(), packet)
}

// rekeySA is what the tester knows of the Rekey SA.
func rekeySA(l *lab.Lab) keylog.Entry {
	GinkgoHelper()
	keys := l.GM[0].Keys()
	i := slices.IndexFunc(keys, func(e keylog.Entry) bool { return e.Kind == keylog.KindRekey })
	kit.Reached(i >= 0, "the tester knows the Rekey SA")
	return keys[i]
}

func registersAgain(ctx SpecContext, l *lab.Lab) bool {
	return l.KS.AwaitLog(ctx, "REGISTERED", 1, lab.Patience)
}

// kindOf reads the exchange type of a key management packet, or 0.
func kindOf(packet []byte) isakmp.ExchangeType {
	ip, ok := lab.ParseIPv4(packet)
	if !ok {
		return 0
	}
	_, _, data, ok := ip.UDP()
	if !ok {
		return 0
	}
	h, err := isakmp.ParseHeader(data)
	if err != nil {
		return 0
	}
	return h.Exchange
}
