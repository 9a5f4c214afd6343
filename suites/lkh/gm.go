package lkh

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("A hierarchy of keys at a group member (RFC 6407 §4.4, §5.6.3)", kit.Subject("lkh"), kit.DUT(rule.GM), kit.Feature("lkh"), func() {
	It("takes the last key of its array for the KEK", kit.Requirement("RFC6407-3.3-08", "RFC6407-6.1-01"), func(ctx SpecContext) {
		s := up(ctx, 2)
		for range 2 {
			Expect(s.follows(1, s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it reads what is encrypted under the last key")
		}
	})

	It("drops a rekey that is encrypted under another key of its array", kit.Requirement("RFC6407-3.3-08"), kit.Negative, func(ctx SpecContext) {
		s := up(ctx, 2)
		before := s.rekey(control.RekeyArgs{})
		kit.Reached(s.follows(1, before), "the member follows an ordinary rekey")
		second := values(s.download(1).Payloads, array+"/LKH Key/Key Data")[1]
		wrong := s.rekey(control.RekeyArgs{}, tester.UnderLKHKey(rekeyOf(s), second))
		s.Pass(ctx, kit.Settle)
		Expect(kit.HasTaken(ctx, s.Lab, 1, wrong)).To(BeFalse())
		Expect(kit.SPI(kit.SendingSPI(ctx, s.Lab, 1, 2))).To(Equal(before.SPIs[0]), "it goes on with the keys it had")
		kit.Control(s.follows(1, s.rekey(control.RekeyArgs{})), "it takes the next rekey, under the last key")
	})

	for _, c := range []struct {
		how   string
		alter []func(*policy.Group)
	}{
		{"by unicast", nil},
		{"by multicast", []func(*policy.Group){lab.Multicast}},
		{"with 3DES", []func(*policy.Group){func(g *policy.Group) { g.Rekey.KEK = policy.KEKTransform{Cipher: policy.KEK3DES, KeyBits: 192} }}},
		{"with AES-256", []func(*policy.Group){func(g *policy.Group) { g.Rekey.KEK = policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 256} }}},
	} {
		It("takes a KEK out of the updates of a rekey "+c.how+", and the next one",
			kit.Requirement("RFC6407-4.4-05", "RFC6407-5.6.3.2-01", "RFC6407-5.3.2-02"), func(ctx SpecContext) {
				s := up(ctx, 3, c.alter...)
				for range 2 {
					Expect(kit.Takes(ctx, s.Lab, 1, s.rekey(newKEK))).To(BeTrue(), "it takes another KEK")
					Expect(s.follows(1, s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it reads what is encrypted under that")
				}
			})
	}

	It("goes on with the group when others are excluded one after the other", kit.Requirement("RFC6407-4.4-05", "RFC6407-6.1-01"), func(ctx SpecContext) {
		s := up(ctx, 4)
		for _, i := range []int{2, 3} {
			Expect(s.follows(1, s.exclude(i))).To(BeTrue(), "without gm%d", i)
		}
		Expect(s.follows(1, s.rekey(control.RekeyArgs{}))).To(BeTrue())
	})

	It("cannot read on when it is excluded itself", kit.Requirement("RFC6407-4.4-05"), kit.Negative, kit.Feature("multicast"), func(ctx SpecContext) {
		s := up(ctx, 3, lab.Multicast)
		before := s.rekey(control.RekeyArgs{})
		kit.Reached(s.follows(1, before), "the member follows an ordinary rekey")
		refused, since := kit.Refused(ctx, s.GM[0], "RFC6407-4.4-05"), kit.Now(s.Lab)
		next := s.exclude(1)
		kit.Reached(s.follows(2, next), "another member goes over to the new keys")
		Expect(kit.AwaitRefusal(ctx, s.Lab, s.GM[0], "RFC6407-4.4-05", refused, kit.Never)).To(BeTrue(), "it says that there is nothing for it")
		Expect(kit.Taken(ctx, s.Lab, 1, since)).To(BeEmpty(), "it takes neither of the two rekeys")
		Expect(kit.Installed(ctx, s.Lab, 1)).NotTo(ContainElement(next.SPIs[0]))
		kit.Control(kit.SPI(kit.SendingSPI(ctx, s.Lab, 1, 2)) == before.SPIs[0], "it goes on with what it had")
	})

	for _, c := range acks {
		It("acknowledges with "+c.name+" by its own first key", kit.Requirement(c.requirement), kit.Feature("ack"), func(ctx SpecContext) {
			s := up(ctx, 2, keyedBy(c.typ))
			for _, what := range []control.RekeyArgs{{}, newKEK, {}} { // under a KEK of the array, and under one of an update
				since := kit.Now(s.Lab)
				next := s.rekey(what)
				Expect(s.Wait(ctx, lab.Patience, func() bool { return slices.Contains(kit.Acks(s.Lab, 1, since), next.Sequence) })).To(BeTrue())
			}
			for _, m := range kit.MessagesSince(s.Lab, 0, core.PushACK.String()) { // the key is in message 4
				if m.From.Addr() == s.GM[0].Addr().Addr() {
					Expect(kit.Checked(m, "ACK HASH")).To(Equal(capture.OK))
				}
			}
		})
	}
})
