package pairs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// follows has the key server rekey, and expects both members to take it and to go on talking.
func follows(ctx SpecContext, l *lab.Lab, args control.RekeyArgs) {
	GinkgoHelper()
	rekey := kit.Rekey(ctx, l, args)
	Expect(rekey.SPIs).NotTo(BeEmpty(), "SAs of the rekey")
	for i := range l.GM {
		Expect(takes(ctx, l, i+1, rekey)).To(BeTrue(), "%s takes rekey %d", l.GM[i].Name(), rekey.Sequence)
	}
	Expect(kit.Ping(ctx, l, 1, 2, 2).Received).To(Equal(2), "answers after rekey %d", rekey.Sequence)
}

// takes reports whether member i says that it has taken a rekey or, if its log has no line for that, goes over to its SA.
func takes(ctx SpecContext, l *lab.Lab, i int, rekey control.RekeyResult) bool {
	GinkgoHelper()
	if l.GM[i-1].Tells("REKEY_ACCEPTED") {
		return kit.Takes(ctx, l, i, rekey)
	}
	return kit.SwitchesTo(ctx, l, i, 3-i, rekey.SPIs[0])
}

var _ = Describe("Two devices and a rekey (RFC 6407 §4)", kit.Subject("pairs"), kit.DUT(rule.Both), kit.Scene(kit.Rekeying), func() {
	for _, c := range []struct {
		name  string
		group func(*policy.Group)
	}{{"unicast", nil}, {"multicast", lab.Multicast}} {
		setup := lab.Setup{Members: 2, Hosts: true, Group: c.group}
		It("all members take a rekey by "+c.name, kit.Requirement("RFC6407-4-01", "RFC6407-4-06", "RFC6407-4-09", "RFC6407-4.4-04"),
			func(ctx SpecContext) {
				l := up(ctx, setup)
				follows(ctx, l, control.RekeyArgs{})
				follows(ctx, l, control.RekeyArgs{})
			})
		It("all members take a new KEK and then a rekey under it, by "+c.name, kit.Requirement("RFC6407-4-04", "RFC6407-4-05", "RFC6407-3.2-17"), func(ctx SpecContext) {
			l := up(ctx, setup)
			follows(ctx, l, control.RekeyArgs{KEK: true})
			follows(ctx, l, control.RekeyArgs{})
		})
	}
	It("a member that registers late takes the next rekey like the others", kit.Requirement("RFC6407-3.2-14", "RFC6407-3.2-15", "RFC6407-4.4-02"), func(ctx SpecContext) {
		l := kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true})
		kit.Precondition(l.KS.Start(ctx), "the key server starts")
		kit.Precondition(l.GM[0].Start(ctx), "the member starts")
		Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())
		kit.Rekey(ctx, l, control.RekeyArgs{})
		kit.Precondition(l.GM[1].Start(ctx), "the other member starts")
		Expect(l.GM[1].AwaitRegistered(ctx)).To(Succeed())
		follows(ctx, l, control.RekeyArgs{})
	})
	It("members acknowledge a rekey", kit.Requirement("RFC8263-2-01"), func(ctx SpecContext) {
		l := up(ctx, lab.Setup{Members: 2, Group: func(g *policy.Group) { g.Rekey.Ack = policy.AckKEKSHA256 }})
		since := kit.Now(l)
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{})
		for i := range l.GM {
			acknowledged := func() bool { return len(kit.Acks(l, i+1, since)) > 0 }
			Expect(l.Wait(ctx, lab.Patience, acknowledged)).To(BeTrue(), "%s acknowledges", l.GM[i].Name())
			Expect(kit.Acks(l, i+1, since)).To(HaveEach(rekey.Sequence), "numbers that %s acknowledges", l.GM[i].Name())
		}
	})
})
