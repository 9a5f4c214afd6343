package lifecycle

import (
	"encoding/binary"
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// bits has the group's Sender-IDs be so wide.
func bits(n int) func(*policy.Group) { return func(g *policy.Group) { g.SIDBits = n } }

// requesting has every member ask for so many Sender-IDs.
func requesting(n int) func(int, *policy.Member) {
	return func(i int, c *policy.Member) {
		hasty(i, c)
		c.SIDRequest = n
	}
}

// given are the Sender-IDs in the last message of a registration.
func given(m capture.Message) (sids []int) {
	GinkgoHelper()
	for _, text := range values(m.Payloads, "KD", "Key Packet SID", "SID_VALUE") {
		n, err := strconv.Atoi(text)
		kit.Precondition(err, "a Sender-ID is a number")
		sids = append(sids, n)
	}
	return sids
}

// unique states that no IV comes twice under an SA, and returns how many there were of each.
func (s *scene) unique(since kit.Mark) map[string]int {
	GinkgoHelper()
	seen, sas := map[string]bool{}, map[string]int{}
	for _, p := range kit.ESPSince(s.Lab, since) {
		ip, _ := lab.ParseIPv4(p.Packet)
		iv := fmt.Sprintf("SPI %08x IV %x", p.SPI, ip.Payload[8:16])
		Expect(seen[iv]).To(BeFalse(), "%s from %s comes twice", iv, p.From)
		seen[iv] = true
		sas[kit.SPI(p.SPI)]++
	}
	return sas
}

var widths = []int{8, 12, 16}

var _ = Describe("Sender-IDs from the first to the last (RFC 6407 §3.5, RFC 6054 §4)", kit.Subject("lifecycle"), kit.DUT(rule.Both), func() {
	// The last member of a group of 256 Sender-IDs finds none left:
	//
	//	gm1, gm2   have registered, and talk
	//	gm1        registers until all are given out
	//	gm3        KS --> gm1, gm2  HDR*, SEQ, D (all TEKs), D (KEK), SIG
	//	           and everybody registers for new keys, with Sender-IDs from 0
	It("a group that has used up its Sender-IDs deletes all, and everybody is in it again with new keys, from Sender-ID 0",
		kit.Requirement("RFC6407-3.5-10", "RFC6407-3.5-11", "RFC6407-3.5-12", "RFC6407-3.5-01", "RFC6054-4-05", "RFC6054-4-08"), func(ctx SpecContext) {
			const portion = 64 // so many that message 4 fits into a packet
			s := &scene{kit.Lab(ctx, lab.Setup{Members: 3, Hosts: true, Group: asking(), Member: func(i int, c *policy.Member) {
				hasty(i, c)
				if i == 1 {
					c.SIDRequest = portion
				}
			}}), ctx}
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			for _, gm := range s.GM[:2] {
				kit.Precondition(gm.Start(ctx), gm.Name()+" starts")
				kit.Precondition(gm.AwaitRegistered(ctx), gm.Name()+" registers")
			}
			s.talk(1, 2)
			for len(given(kit.Last(s.pulls(0, core.Pull4, 1)))) > 0 && s.nextSID()+portion <= 256 {
				s.again(1)
				s.talk(1, 2)
			}
			for s.nextSID() < 256 {
				s.again(2)
			}
			s.talk(1, 2)
			old, since := s.inForce(0), kit.Now(s.Lab)

			kit.Precondition(s.GM[2].Start(ctx), "gm3 starts")
			Expect(s.GM[2].AwaitRegistered(ctx)).To(Succeed(), "gm3 registers")
			first, second := s.registrations(1), s.registrations(2)
			Expect(s.Wait(ctx, lab.Patience, func() bool {
				return s.GM[0].Registered(ctx) && s.GM[1].Registered(ctx) && len(s.pulls(since, core.Pull4, 1)) > 0 && len(s.pulls(since, core.Pull4, 2)) > 0
			})).To(BeTrue(), "gm1 and gm2 register again, after %d and %d times", first, second)
			kit.NeedsKeys(s.Lab)
			deleted := map[string]bool{}
			for _, m := range kit.MessagesSince(s.Lab, since, core.Push.String()) {
				Expect(values(m.Payloads, "D", "Protocol")).To(Equal([]string{deletesESP, deletesKEK}))
				deleted[m.To.Addr().String()] = true
			}
			Expect(deleted).To(HaveLen(2), "both were told to delete everything")
			var sids []int
			for i := 1; i <= 3; i++ {
				sids = append(sids, given(kit.Last(s.pulls(since, core.Pull4, i)))...)
				Expect(s.installed(i)).To(Equal(s.inForce(0)), "gm%d has the new SA and no other", i)
			}
			Expect(sids).To(HaveLen(portion + 2))
			Expect(sids).To(ContainElement(0), "they begin anew")
			Expect(s.inForce(0)).NotTo(Equal(old))
			s.talk(1, 2)
			s.talk(2, 3)
			s.talk(3, 1)
			Expect(s.unique(0)).To(HaveLen(2), "two SAs were used, each without a repeated IV")
		})

	for _, width := range widths {
		It(fmt.Sprintf("members with Sender-IDs of %d bits use no IV twice among them, through rekeys and registrations", width),
			kit.Requirement("RFC6054-3-06", "RFC6054-3-02", "RFC6407-3.5-01", "RFC6407-5.6.4.1-01", "RFC6054-2-01"), func(ctx SpecContext) {
				s := group(ctx, 3, bits(width))
				for range 2 {
					s.talk(1, 2)
					s.talk(2, 3)
					s.talk(3, 1)
					s.again(1)
				}
				Expect(s.unique(0)).To(HaveLen(1))
			})
	}
})

var _ = Describe("Sender-IDs of a key server (RFC 6407 §3.5, §5.6.4)", kit.Subject("lifecycle"), kit.DUT(rule.KS), func() {
	for _, width := range widths {
		It(fmt.Sprintf("gives Sender-IDs of %d bits, all of the same width", width), kit.Requirement("RFC6407-5.6.4.1-01", "RFC6054-3-05", "RFC6054-3-06"),
			func(ctx SpecContext) {
				s := group(ctx, 3, bits(width))
				var sids []int
				for i := 1; i <= 3; i++ {
					m := kit.Last(s.pulls(0, core.Pull4, i))
					Expect(values(m.Payloads, "KD", "Key Packet SID", "NUMBER_OF_SID_BITS")).To(Equal([]string{strconv.Itoa(width)}))
					sids = append(sids, given(m)...)
				}
				Expect(sids).To(ConsistOf(0, 1, 2))
			})
	}

	It("gives a member with several modules as many Sender-IDs as it asks for, all its own", kit.Requirement("RFC6407-3.4-03", "RFC6407-3.5-03", "RFC6407-5.6.4.2-01"),
		func(ctx SpecContext) {
			s := &scene{kit.Up(ctx, lab.Setup{Members: 3, Group: asking(bits(12)), Member: requesting(4)}), ctx}
			seen := map[int]bool{}
			for i := 1; i <= 3; i++ {
				sids := given(kit.Last(s.pulls(0, core.Pull4, i)))
				Expect(sids).To(HaveLen(4))
				for _, sid := range sids {
					seen[sid] = true
				}
			}
			Expect(seen).To(HaveLen(12))
		})
})

var _ = Describe("Sender-IDs at a member (RFC 6407 §3.5, §5.6.4.3)", kit.Subject("lifecycle"), kit.DUT(rule.GM), func() {
	for _, width := range widths {
		It(fmt.Sprintf("asks for three Sender-IDs of %d bits, and puts one of them into every IV", width),
			kit.Requirement("RFC6407-3.5-06", "RFC6407-5.6.4.3-01", "RFC6054-3-01", "RFC6054-3-06"), func(ctx SpecContext) {
				s := &scene{kit.Up(ctx, lab.Setup{Members: 2, Hosts: true, Group: asking(bits(width)), Member: requesting(3)}), ctx}
				asked := kit.Last(s.pulls(0, core.Pull3, 1))
				Expect(kit.Value(asked, "GAP/SENDER_ID_REQUEST")).To(Equal("3"))
				own := given(kit.Last(s.pulls(0, core.Pull4, 1)))
				since := kit.Now(s.Lab)
				for range 3 {
					s.protects(1, 2)
				}
				for _, p := range s.encrypted(since, 1, 2) {
					ip, _ := lab.ParseIPv4(p.Packet)
					Expect(own).To(ContainElement(int(binary.BigEndian.Uint64(ip.Payload[8:])>>(64-width))), "IV %x", ip.Payload[8:16])
				}
			})
	}

	It("counts from a new start under each registration, so that no IV comes twice", kit.Requirement("RFC6407-5.6.4.3-05", "RFC6407-3.5-09", "RFC6054-3-03"),
		func(ctx SpecContext) {
			s := group(ctx, 2)
			for range 5 {
				s.protects(1, 2)
				s.again(1)
			}
			s.protects(1, 2)
			s.unique(0)
		})

	It("repeats no IV of a key that it has again after it was stopped and started", kit.Requirement("RFC6054-5-02", "RFC6054-2-01"),
		func(ctx SpecContext) {
			s := group(ctx, 2)
			for range 3 {
				s.protects(1, 2)
				kit.Precondition(s.GM[0].Stop(), "the member stops")
				kit.Precondition(s.GM[0].Start(ctx), "the member starts again")
				kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the member registers")
			}
			s.protects(1, 2)
			s.unique(0)
		})

	It("does not send under a counter mode without a Sender-ID, and does with the next registration", kit.Requirement("RFC6407-5.6.4.4-01", "RFC6407-4.4-07"), kit.Negative,
		func(ctx SpecContext) {
			s := &scene{kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, Group: asking(), Member: hasty}), ctx}
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.GM[1].Start(ctx), "gm2 starts")
			kit.Precondition(s.GM[1].AwaitRegistered(ctx), "gm2 registers")
			Expect(s.KS.Misbehave(tester.Taps(tester.OmitKeys(core.Pull4, 4)))).To(Succeed())
			kit.Precondition(s.GM[0].Start(ctx), "the device starts")
			kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return len(s.pulls(0, core.Pull4, 1)) > 0 }), "it gets keys without a Sender-ID")
			s.Wait(ctx, kit.Settle, func() bool { return s.GM[0].Registered(ctx) }) // until it has them, packets may pass in clear
			Expect(s.closed(1, 2)).To(BeTrue())
			Expect(s.KS.Misbehave(nil)).To(Succeed())
			kit.Precondition(s.GM[0].Register(ctx), "the operator has it register")
			kit.Control(s.Wait(ctx, lab.Patience, func() bool { return s.GM[0].Registered(ctx) && s.sends(1, 2) != nothing }), "with a Sender-ID it sends")
		})
})

// talk has the hosts behind two members exchange packets, all of which arrive.
func (s *scene) talk(i, j int) {
	GinkgoHelper()
	Expect(kit.Ping(s.ctx, s.Lab, i, j, 3).Received).To(Equal(3), "the hosts behind gm%d and gm%d talk", i, j)
}

// again has member i register once more.
func (s *scene) again(i int) {
	GinkgoHelper()
	times := s.registrations(i)
	kit.Precondition(s.GM[i-1].Register(s.ctx), "the operator has the member register")
	kit.Reached(s.registers(i, times), "the member registers again")
}

// nextSID is the Sender-ID that the key server says it gives next.
func (s *scene) nextSID() int {
	GinkgoHelper()
	status, err := s.KS.KSStatus(s.ctx)
	kit.Precondition(err, "the key server tells its state")
	return int(status.Groups[0].NextSID)
}
