package rekey

import (
	"encoding/hex"
	"net/netip"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// twoFlows has the group protect what goes behind gm2 and behind gm3 with an SA each.
func twoFlows(g *policy.Group) {
	to := func(i int) policy.SAPolicy {
		sa := g.SAs[0]
		sa.Selector = policy.Selector{Source: netip.MustParsePrefix("10.0.1.0/24"), Destination: lab.MemberLAN(i)}
		return sa
	}
	g.SAs = []policy.SAPolicy{to(2), to(3)}
}

var _ = Describe("Deletes in a GROUPKEY-PUSH at a member (RFC 6407 §5.9)", kit.Subject("rekey"), kit.DUT(rule.GM), func() {
	It("deletes the one SA that a Delete names, and no other", kit.Requirement("RFC6407-5.9-01", "RFC6407-5.9-04"), func(ctx SpecContext) {
		s := group(ctx, twoFlows)
		first, second := s.sendingTo(2), s.sendingTo(3)
		Expect(first).NotTo(Equal(second))
		s.deleted(tester.DeleteESP(number(first)))
		Expect(s.silentTo(2, 3)).To(BeTrue(), "no packet leaves for which the SA was")
		Expect(s.sendingTo(3)).To(Equal(second), "the other SA goes on")
	})

	It("deletes every SA that a Delete names", kit.Requirement("RFC6407-5.9-01", "RFC6407-5.9-04"), func(ctx SpecContext) {
		s := group(ctx, twoFlows)
		first, second := s.sendingTo(2), s.sendingTo(3)
		s.deleted(tester.DeleteESP(number(first), number(second)))
		s.expectClosed([]string{first, second}, 2, 3)
	})

	It("carries out every Delete of a message", kit.Requirement("RFC6407-5.9-01"), func(ctx SpecContext) {
		s := group(ctx, twoFlows)
		first, second := s.sendingTo(2), s.sendingTo(3)
		s.deleted(tester.DeleteESP(number(first)), tester.DeleteESP(number(second)))
		s.expectClosed([]string{first, second}, 2, 3)
	})

	for _, c := range []struct {
		how   string
		alter []func(*policy.Group)
	}{{"", nil}, {"to the multicast group ", multicast}} {
		It("deletes all SAs on a Delete "+c.how+"with SPI 0", kit.Requirement("RFC6407-5.9-07"), func(ctx SpecContext) {
			s := group(ctx, append([]func(*policy.Group){twoFlows}, c.alter...)...)
			first, second := s.sendingTo(2), s.sendingTo(3)
			Expect(first).NotTo(Equal(second))
			s.deleted(tester.DeleteESP(0))
			s.expectClosed([]string{first, second}, 2, 3)
		})
	}

	It("takes over the new SA of a message that deletes all old ones", kit.Requirement("RFC6407-5.9-07", "RFC6407-4-06"), func(ctx SpecContext) {
		s := group(ctx)
		next := s.rekey(control.RekeyArgs{}, tester.AlsoDeletes("a Delete of all SAs", tester.DeleteESP(0)))
		Expect(s.follows(next)).To(BeTrue(), "it sends under the new SA")
		Expect(s.installed()).To(Equal(next.SPIs), "it has no other")
	})

	for _, c := range []struct {
		what string
		make func(*scene) isakmp.Delete
	}{
		{"a Delete of an SPI that it does not have", func(*scene) isakmp.Delete { return tester.DeleteESP(strange) }},
		{"a Delete without SPIs", func(*scene) isakmp.Delete { return tester.DeleteESP() }},
		{"a Delete of all SAs of AH", func(*scene) isakmp.Delete {
			del := tester.DeleteESP(0)
			del.Protocol = 2
			return del
		}},
		{"a Delete of a Rekey SA that it does not have", func(s *scene) isakmp.Delete {
			other := s.kek()
			other[15] ^= 1
			return tester.DeleteKEK(other)
		}},
	} {
		It("keeps its SAs on "+c.what, kit.Requirement("RFC6407-5.9-01"), func(ctx SpecContext) {
			s := group(ctx)
			before, since := s.protects(), kit.Now(s.Lab)
			s.deleted(c.make(s))
			Expect(s.sending()).To(Equal(before))
			Expect(s.follows(s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it takes the next rekey under the same KEK")
			Expect(s.pulls(since)).To(BeEmpty())
		})
	}

	for _, c := range []struct {
		how string
		spi func(*scene) []byte
	}{
		{"its Rekey SA", (*scene).kek},
		{"any Rekey SA", func(*scene) []byte { return make([]byte, 16) }},
		{"any Rekey SA by an SPI of four octets", func(*scene) []byte { return make([]byte, 4) }},
	} {
		It("registers again on a Delete of "+c.how+", and takes no rekey before", kit.Requirement("RFC6407-3.5-12", "RFC6407-5.9-05"), kit.Negative,
			func(ctx SpecContext) {
				s := group(ctx)
				before, since := s.protects(), kit.Now(s.Lab)
				end := s.withhold(isakmp.ExchangePull)
				deletion := s.rekey(control.RekeyArgs{}, tester.OnlyDeletes("a Delete of the KEK", tester.DeleteKEK(c.spi(s))))
				Expect(s.takes(deletion)).To(BeTrue(), "it takes the message")
				Expect(s.Wait(ctx, lab.Patience, func() bool { return len(s.pulls(since)) > 0 })).To(BeTrue(), "it begins to register")

				late := s.rekey(control.RekeyArgs{}) // under the deleted KEK
				Expect(s.sending()).To(Equal(before), "what is protected goes on with the SAs it has")
				Expect(s.taken(late.since)).To(BeEmpty(), "it takes no rekey meanwhile")
				end()
				Expect(s.registers(1)).To(BeTrue(), "it registers again")
				kit.Control(s.follows(s.rekey(control.RekeyArgs{})), "it takes rekeys again, now that it has registered")
			})
	}

	for _, c := range []struct {
		how   string
		alter []func(*policy.Group)
	}{{"", nil}, {" by multicast", multicast}} {
		It("forgets everything that the key server deletes"+c.how+", and registers again", kit.Requirement("RFC6407-5.9-08", "RFC6407-3.5-12", "RFC6407-5.9-07"),
			func(ctx SpecContext) {
				s := group(ctx, c.alter...)
				before := s.protects()
				Expect(s.takes(s.rekey(control.RekeyArgs{DeleteAll: true}))).To(BeTrue(), "it takes the message")
				Expect(s.registers(1)).To(BeTrue(), "it registers again")
				after := s.sending()
				Expect(after).NotTo(BeElementOf(before, nothing), "it sends under the keys that it registered for")
				Expect(s.installed()).To(Equal([]string{after}), "it has no other")
				Expect(s.follows(s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it takes the next rekey, which is under the new KEK")
			})
	}

	refusals([]refusal{
		badDelete("of the ISAKMP DOI", func(del *isakmp.Delete) { del.DOI = 0 }),
		badDelete("of the IPsec DOI", func(del *isakmp.Delete) { del.DOI = 1 }),
		badDelete("of the protocol number that ESP has in IPsec", func(del *isakmp.Delete) { del.Protocol = 3 }),
		badDelete("with ESP SPIs of two octets", func(del *isakmp.Delete) { del.SPISize, del.SPIs = 2, [][]byte{{0, 0}} }),
		badDelete("with ESP SPIs of sixteen octets", func(del *isakmp.Delete) { del.SPISize, del.SPIs = 16, [][]byte{make([]byte, 16)} }),
		badDelete("with a KEK SPI of eight octets", func(del *isakmp.Delete) { *del = tester.DeleteKEK(make([]byte, 8)) }),
		malformed("with a Delete that has fewer SPIs than it says", tester.AlsoDeletes("SPIs missing", fewerSPIs())),
	})
})

// badDelete is a Delete of all ESP SAs, changed so that a member cannot take it for one.
func badDelete(what string, change func(*isakmp.Delete)) refusal {
	del := tester.DeleteESP(0)
	change(&del)
	requires := []rule.ID{"RFC2408-3.15-01", "RFC6407-5.9-04"}
	if del.DOI != gdoi.DOI {
		requires[1] = "RFC6407-5.9-03"
	}
	return refusal{what: "with a Delete " + what, requires: requires, deviation: tester.OnlyDeletes("a Delete "+what, del)}
}

func fewerSPIs() isakmp.Delete {
	del, two := tester.DeleteESP(strange), uint16(2)
	del.Count = &two
	return del
}

// deleted has the member get and take these Deletes.
func (s *scene) deleted(ds ...isakmp.Delete) {
	GinkgoHelper()
	Expect(s.takes(s.rekey(control.RekeyArgs{}, tester.OnlyDeletes("Deletes", ds...)))).To(BeTrue(), "it takes the message")
}

// silentTo reports whether packets to the host behind member i go nowhere, while one to the host behind j, which the host
// sends later, goes out.
func (s *scene) silentTo(i, j int) bool {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	s.pings(i)
	sent := s.sendingTo(j) != nothing
	return sent && len(s.encrypted(before, i)) == 0 && len(kit.ClearSince(s.Lab, before)) == 0
}

// expectClosed expects that packets to the hosts behind those members do not leave under the SAs that were deleted, nor in
// clear, and that the next rekey serves them again.
func (s *scene) expectClosed(deleted []string, members ...int) {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	for _, i := range members {
		s.pings(i)
	}
	next := s.rekey(control.RekeyArgs{})
	Expect(s.takes(next)).To(BeTrue(), "it takes the next rekey")
	for n, i := range members {
		Expect(s.sendingTo(i)).To(Equal(next.SPIs[n]), "the next SA is used")
	}
	for _, p := range kit.ESPSince(s.Lab, before) {
		Expect(deleted).NotTo(ContainElement(kit.SPI(p.SPI)), "nothing leaves under a deleted SA")
	}
	Expect(kit.ClearSince(s.Lab, before)).To(BeEmpty(), "nothing leaves in clear")
}

// kek is the SPI of the Rekey SA in force.
func (s *scene) kek() []byte {
	GinkgoHelper()
	spi, err := hex.DecodeString(rekeyKeys(s).SPI)
	kit.Precondition(err, "the key server names its Rekey SA")
	return spi
}

// installed are the SPIs of the SAs that the member has.
func (s *scene) installed() []string {
	GinkgoHelper()
	return kit.Installed(s.ctx, s.Lab, 1)
}

// number is an SPI as a number.
func number(spi string) uint32 {
	GinkgoHelper()
	n, err := strconv.ParseUint(spi, 16, 32)
	kit.Precondition(err, "the member sends under an SA")
	return uint32(n)
}
