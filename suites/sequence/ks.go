package sequence

import (
	"context"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// sent waits until a key server has sent so many PUSH datagrams altogether, and returns them.
func sent(ctx context.Context, l *lab.Lab, n int) (pushes []capture.Message) {
	GinkgoHelper()
	decoded := func() bool {
		pushes = kit.MessagesSince(l, 0, core.Push.String())
		return len(pushes) >= n
	}
	Expect(l.Wait(ctx, lab.Patience, decoded)).To(BeTrue(), "the key server sends %d PUSH messages", n)
	Expect(pushes).To(HaveLen(n))
	return pushes
}

// numbers are the numbers of PUSH messages.
func numbers(pushes []capture.Message) (all []string) {
	for _, m := range pushes {
		all = append(all, kit.Value(m, "SEQ"))
	}
	return all
}

// given are the numbers that a key server has given in its last messages of registrations.
func given(l *lab.Lab) (all []string) { return numbers(kit.MessagesSince(l, 0, core.Pull4.String())) }

// followed has the key server rekey, and the first member follow.
func followed(ctx context.Context, l *lab.Lab, args control.RekeyArgs) {
	GinkgoHelper()
	kit.Reached(kit.Takes(ctx, l, 1, kit.Rekey(ctx, l, args)), "the member follows the rekey")
}

// again has a member register once more.
func again(ctx context.Context, l *lab.Lab, gm *lab.Peer) {
	GinkgoHelper()
	before := gm.Registrations()
	kit.Precondition(gm.Register(ctx), gm.Name()+" is told to register")
	kit.Reached(gm.AwaitRegistrations(ctx, before, lab.Patience), gm.Name()+" registers again")
}

var _ = Describe("Sequence numbers at a key server (RFC 6407 §3.2, §4.3, §5.7)", kit.Subject("sequence"), kit.DUT(rule.KS), func() {
	for _, c := range []struct {
		how   string
		alter func(*policy.Group)
	}{{"unicast", func(*policy.Group) {}}, {"multicast", lab.Multicast}} {
		It("counts "+c.how+" rekeys from 1, by one", kit.Requirement("RFC6407-4.3-01", "RFC6407-5.7-02"), func(ctx SpecContext) {
			l := kit.Up(ctx, lab.Setup{Group: c.alter})
			for range 4 {
				kit.Rekey(ctx, l, control.RekeyArgs{})
			}
			Expect(numbers(sent(ctx, l, 4))).To(Equal([]string{"1", "2", "3", "4"}))
		})
	}

	It("uses one number for the datagrams of one rekey to several members", kit.Requirement("RFC6407-5.7-02", "RFC6407-4.3-01"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Members: 2})
		kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(numbers(sent(ctx, l, 4))).To(Equal([]string{"1", "1", "2", "2"}))
	})

	It("counts Deletes and new KEKs like any rekey", kit.Requirement("RFC6407-4.3-01"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{})
		for _, args := range []control.RekeyArgs{{}, {}, {DeleteAll: true}} {
			kit.Rekey(ctx, l, args)
		}
		Expect(numbers(sent(ctx, l, 3))).To(Equal([]string{"1", "2", "3"}))
	})

	It("begins again at 1 under each new KEK", kit.Requirement("RFC6407-3.2-17", "RFC6407-4.3-01"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{})
		for _, kek := range []bool{false, false, true, false, false, true, true} {
			kit.Rekey(ctx, l, control.RekeyArgs{KEK: kek})
		}
		pushes := sent(ctx, l, 7)
		Expect(numbers(pushes)).To(Equal([]string{"1", "2", "3", "1", "2", "3", "1"}))
		Expect(pushes[2].Header.InitiatorCookie).To(Equal(pushes[0].Header.InitiatorCookie), "the message that brings a KEK is under the one before")
		Expect(pushes[3].Header.InitiatorCookie).NotTo(Equal(pushes[2].Header.InitiatorCookie))
		Expect(pushes[5].Header.InitiatorCookie).NotTo(Equal(pushes[6].Header.InitiatorCookie))
	})

	It("begins again at 1 after it has deleted everything", kit.Requirement("RFC6407-3.2-17", "RFC6407-3.2-14"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{})
		kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Rekey(ctx, l, control.RekeyArgs{DeleteAll: true})
		kit.Reached(l.GM[0].AwaitRegistrations(ctx, 1, lab.Patience), "the member registers again")
		kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(numbers(sent(ctx, l, 3))).To(Equal([]string{"1", "2", "1"}))
		Expect(given(l)).To(Equal([]string{"0", "0"}))
	})

	It("does not advance its number for registrations", kit.Requirement("RFC6407-3.2-16"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Members: 2})
		followed(ctx, l, control.RekeyArgs{})
		for range 3 {
			again(ctx, l, l.GM[0])
		}
		again(ctx, l, l.GM[1])
		kit.Rekey(ctx, l, control.RekeyArgs{})
		Expect(numbers(sent(ctx, l, 4))).To(Equal([]string{"1", "1", "2", "2"}))
	})

	It("gives who registers the number of the last rekey, and 0 before there was one", kit.Requirement("RFC6407-3.2-14", "RFC6407-5.7-03", "RFC6407-3.4-04"),
		func(ctx SpecContext) {
			l := kit.Up(ctx, lab.Setup{})
			followed(ctx, l, control.RekeyArgs{})
			followed(ctx, l, control.RekeyArgs{})
			again(ctx, l, l.GM[0])
			followed(ctx, l, control.RekeyArgs{})
			again(ctx, l, l.GM[0])
			Expect(given(l)).To(Equal([]string{"0", "2", "3"}))
		})

	It("gives who registers 0 under a KEK that has had no rekey yet", kit.Requirement("RFC6407-3.2-14", "RFC6407-3.2-17"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{})
		followed(ctx, l, control.RekeyArgs{})
		followed(ctx, l, control.RekeyArgs{KEK: true})
		again(ctx, l, l.GM[0])
		followed(ctx, l, control.RekeyArgs{})
		again(ctx, l, l.GM[0])
		Expect(given(l)).To(Equal([]string{"0", "0", "1"}))
	})

	It("gives a number at registration if there will be rekeys, and none if not", kit.Requirement("RFC6407-3.2-13", "RFC6407-3.4-04"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Group: func(g *policy.Group) { g.Rekey = policy.RekeyPolicy{Transport: policy.TransportNone} }})
		Expect(kit.Names(kit.Last(kit.MessagesSince(l, 0, core.Pull2.String())))).To(ContainElement("SA"))
		_, sak := kit.Field(kit.Last(kit.MessagesSince(l, 0, core.Pull2.String())), "SA/SAK")
		Expect(sak).To(BeFalse())
		Expect(kit.Names(kit.Last(kit.MessagesSince(l, 0, core.Pull4.String())))).To(Equal([]string{"HASH", "KD"}))
	})

	It("gives copies of a rekey the number of the first", kit.Requirement("RFC6407-4.3-01"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Group: func(g *policy.Group) { g.Rekey.Retransmit, g.Rekey.Interval = 1, 100*time.Millisecond }})
		for n := range 3 {
			kit.Rekey(ctx, l, control.RekeyArgs{})
			pushes := sent(ctx, l, 2*(n+1))
			Expect(numbers(pushes)[2*n:]).To(HaveEach(strconv.Itoa(n + 1)))
			Expect(pushes[2*n+1].Repeats).To(Equal(pushes[2*n].Frame), "octet by octet")
		}
	})
})
