package lkh

import (
	"context"
	"slices"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// inParts has each rekey bring one update of a hierarchy, so that what excludes one of four members takes two.
func inParts(g *policy.Group) { g.Rekey.Updates = 1 }

// inTurn has the members of a group register one after the other, so that their places in the hierarchy are in their order.
func inTurn(ctx context.Context, members int, alter ...func(*policy.Group)) *scene {
	GinkgoHelper()
	s := build(ctx, members, alter...)
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	for _, gm := range s.GM {
		kit.Precondition(gm.Start(ctx), gm.Name()+" starts")
		kit.Precondition(gm.AwaitRegistered(ctx), gm.Name()+" registers")
	}
	return s
}

var _ = Describe("Updates of a hierarchy in several rekeys of a key server (RFC 6407 §4)", kit.Subject("lkh"), kit.DUT(rule.KS), kit.Feature("lkh"), func() {
	for _, c := range []struct {
		how   string
		alter []func(*policy.Group)
	}{{"by unicast", nil}, {"by multicast", []func(*policy.Group){lab.Multicast}}} {
		It("splits updates that are too many over whole rekeys "+c.how+" with numbers of their own",
			kit.Requirement("RFC6407-4-07", "RFC6407-4-08"), func(ctx SpecContext) {
				s := inTurn(ctx, 4, append(c.alter, inParts)...)
				held := map[int][]string{1: held(s.download(1)), 3: held(s.download(3)), 4: held(s.download(4))}
				since := kit.Now(s.Lab)
				next := s.exclude(2)
				parts := s.pushes(since, 3)[:2]
				first, err := strconv.Atoi(kit.Value(parts[0], "SEQ"))
				Expect(err).NotTo(HaveOccurred())
				for n, part := range parts {
					Expect(kit.Names(part)).To(Equal([]string{"SEQ", "SA", "KD", "SIG"}))
					Expect(kit.Checked(part, "SIG")).To(Equal(capture.OK))
					Expect(kit.Value(part, "SEQ")).To(Equal(strconv.Itoa(first + n)))
					Expect(part.Header.InitiatorCookie).To(Equal(parts[0].Header.InitiatorCookie), "under the KEK of before")
					Expect(kit.Value(part, "SA/SAK/SPI")).To(Equal(kit.Value(parts[0], "SA/SAK/SPI")), "for the same KEK")
					Expect(kit.Value(part, packet+"/SPI")).To(Equal(kit.Value(part, "SA/SAK/SPI")))
					Expect(all(part.Payloads, update)).To(HaveLen(1))
				}
				for _, i := range []int{1, 3, 4} { // in an order, since each sends
					Expect(begins(parts[0], held[i]) || begins(parts[1], held[i])).To(BeTrue(), "an update begins at a key of gm%d", i)
					Expect(s.follows(i, next)).To(BeTrue(), "gm%d has the new KEK", i)
				}
			})
	}
})

var _ = Describe("Updates of a hierarchy in several rekeys at a group member (RFC 6407 §4, §4.4)", kit.Subject("lkh"), kit.DUT(rule.GM), kit.Feature("lkh"),
	kit.Feature("multicast"), func() {
		for _, c := range []struct {
			what  string
			gone  int
			place int // of the part for gm1
		}{
			{"takes a KEK out of the second of two rekeys, of which the first has nothing for it", 4, 1},
			{"takes a KEK out of the first of two rekeys, and no harm from the second", 2, 0},
		} {
			It(c.what, kit.Requirement("RFC6407-4.4-05"), func(ctx SpecContext) {
				s := inTurn(ctx, 4, lab.Multicast, inParts)
				keys, before, since := held(s.download(1)), s.GM[0].Registrations(), kit.Now(s.Lab)
				next := s.exclude(c.gone)
				parts := s.pushes(since, 3)[:2]
				kit.Reached(slices.IndexFunc(parts, func(m capture.Message) bool { return begins(m, keys) }) == c.place, "the update for it is where it should be")
				Expect(s.follows(1, next)).To(BeTrue(), "it reads what is encrypted under the new KEK")
				Expect(s.follows(1, s.rekey(control.RekeyArgs{}))).To(BeTrue(), "and what comes later")
				Expect(s.GM[0].Registrations()).To(Equal(before), "it has no reason to register again")
			})
		}
	})
