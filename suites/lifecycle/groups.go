package lifecycle

import (
	"context"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The second group of the key server, beside the lab's.
const otherGroup = lab.GroupID + 1

var groupIDs = []uint32{lab.GroupID, otherGroup}

// twoGroups has a key server serve two groups. Gm1 and gm3 are of the first, gm2 and gm4 of the second.
func twoGroups(ctx context.Context, members int, alter ...func(first, second *policy.Group)) *scene {
	GinkgoHelper()
	return &scene{kit.Up(ctx, twoGroupsSetup(members, alter...)), ctx}
}

func twoGroupsSetup(members int, alter ...func(first, second *policy.Group)) lab.Setup {
	return lab.Setup{
		Members: members, Hosts: true, Group: asking(),
		KeyServer: func(c *policy.KeyServer) {
			other := c.Groups[0]
			other.Name, other.ID = "other", otherGroup
			other.SAs = append([]policy.SAPolicy(nil), other.SAs...)
			c.Groups = append(c.Groups, other)
			for _, change := range alter {
				change(&c.Groups[0], &c.Groups[1])
			}
		},
		Member: func(i int, c *policy.Member) {
			hasty(i, c)
			if i%2 == 0 {
				c.Group = otherGroup
			}
		},
	}
}

// multicasts has each group's rekeys go to a multicast group of its own.
func multicasts(first, second *policy.Group) {
	lab.Multicast(first)
	lab.Multicast(second)
	second.Rekey.Address = netip.AddrPortFrom(lab.MulticastGroup.Next(), lab.Port)
}

// keysOf are the values of all keys and SPIs in what a member was told.
func keysOf(m capture.Message) (all []string) {
	for _, path := range [][]string{
		{"SA", "SAK", "SPI"}, {"SA", "SAT", "SPI"}, {"KD", "Key Packet KEK", "KEK_ALGORITHM_KEY"}, {"KD", "Key Packet TEK", "TEK_ALGORITHM_KEY"},
	} {
		all = append(all, values(m.Payloads, path...)...)
	}
	return all
}

var _ = Describe("Several groups on one key server (RFC 6407 §3.1, §3.2, §4)", kit.Subject("lifecycle"), kit.DUT(rule.KS), func() {
	It("gives a member the policy and the keys of the group that it names, and nothing of another", kit.Requirement("RFC6407-3.4-01", "RFC6407-3.4-02", "RFC6407-3.2-11"),
		func(ctx SpecContext) {
			s := twoGroups(ctx, 2)
			given := func(i int) []string {
				return append(keysOf(kit.Last(s.pulls(0, core.Pull2, i))), keysOf(kit.Last(s.pulls(0, core.Pull4, i)))...)
			}
			Expect(given(1)).To(HaveLen(4))
			Expect(given(2)).To(HaveLen(4))
			different(append(given(1), given(2)...), 8)
		})

	for _, c := range []struct {
		how   string
		alter []func(first, second *policy.Group)
	}{{"unicast", nil}, {"multicast", []func(first, second *policy.Group){multicasts}}} {
		It("sends a "+c.how+" rekey to the members of its group only", kit.Requirement("RFC6407-4-09", "RFC6407-4-03"), func(ctx SpecContext) {
			s := twoGroups(ctx, 4, c.alter...)
			for n, id := range groupIDs {
				p := s.rekey(control.RekeyArgs{Group: id})
				for i := 1; i <= 4; i++ {
					if i%2 != n%2 {
						Expect(s.carriesOut(i, p)).To(BeTrue(), "gm%d takes it", i)
					}
				}
				for _, m := range kit.MessagesSince(s.Lab, p.since, core.Push.String()) {
					Expect(m.To.Addr()).NotTo(BeElementOf(s.GM[1-n].Addr().Addr(), s.GM[3-n].Addr().Addr()))
				}
				for _, i := range []int{2 - n, 4 - n} {
					Expect(s.carriedOut(i, p)).To(BeFalse(), "gm%d takes nothing of it", i)
				}
			}
		})
	}

	It("counts the rekeys of each group by itself", kit.Requirement("RFC6407-4.3-01", "RFC6407-5.7-02"), func(ctx SpecContext) {
		s := twoGroups(ctx, 2)
		for _, want := range []struct{ group, number uint32 }{{0, 1}, {0, 2}, {1, 1}, {0, 3}, {1, 2}} {
			p := s.rekey(control.RekeyArgs{Group: groupIDs[want.group]})
			Expect(p.Sequence).To(Equal(want.number))
			Expect(kit.Value(s.seen(p), "SEQ")).To(Equal(map[uint32]string{1: "1", 2: "2", 3: "3"}[want.number]))
			Expect(s.carriesOut(int(want.group)+1, p)).To(BeTrue())
		}
	})

	It("hands out Sender-IDs of each group from 0", kit.Requirement("RFC6407-3.5-08", "RFC6407-3.5-02"), func(ctx SpecContext) {
		s := twoGroups(ctx, 4)
		var given []string
		for i := 1; i <= 4; i++ {
			given = append(given, values(kit.Last(s.pulls(0, core.Pull4, i)).Payloads, "KD", "Key Packet SID", "SID_VALUE")...)
		}
		Expect(given).To(HaveLen(4))
		Expect([]string{given[0], given[2]}).To(ConsistOf(given[1], given[3]), "both groups begin alike")
		different([]string{given[0], given[2]}, 2)
	})

	It("admits nobody to a group for being in another", kit.Requirement("RFC6407-3.1-03", "RFC6407-3.4-01"), kit.Negative, func(ctx SpecContext) {
		s := &scene{kit.Lab(ctx, twoGroupsSetup(2, func(first, second *policy.Group) {
			first.Members = []netip.Prefix{netip.PrefixFrom(lab.MemberAddr(1), 32), netip.PrefixFrom(lab.MemberAddr(2), 32)}
			second.Members = first.Members[:1]
		})), ctx}
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		kit.Precondition(s.GM[1].Start(ctx), "gm2 starts, which is of the first group, and asks for the second")
		Expect(kit.AwaitRefusal(ctx, s.Lab, s.KS, "RFC6407-3.1-03", 0, kit.Never)).To(BeTrue(), "it says that it refused gm2")
		kit.Precondition(s.GM[0].Start(ctx), "gm1 starts")
		kit.Control(s.GM[0].AwaitRegistered(ctx) == nil, "a member of the group that it asks for is admitted")
		Expect(s.pulls(0, core.Pull4, 2)).To(BeEmpty())
		Expect(s.pulls(0, core.Pull2, 2)).To(BeEmpty())
	})

	It("deletes everything of one group and leaves the other", kit.Requirement("RFC6407-5.9-08", "RFC6407-5.9-07"), func(ctx SpecContext) {
		s := twoGroups(ctx, 2)
		kept := s.inForce(0)
		Expect(s.carriesOut(2, s.rekey(control.RekeyArgs{Group: otherGroup, DeleteAll: true}))).To(BeTrue())
		Expect(s.registers(2, 1)).To(BeTrue(), "gm2 registers again")
		Expect(s.inForce(0)).To(Equal(kept))
		p := s.rekey(control.RekeyArgs{Group: lab.GroupID, Announce: true})
		Expect(s.carriesOut(1, p)).To(BeTrue(), "the first group goes on under its KEK")
		Expect(s.registrations(1)).To(Equal(1))
	})

	It("sends each group the delays that are configured for it", kit.Requirement("RFC5374-4.2.1-02", "RFC5374-4.2.1-03", "RFC6407-5.4-02"), func(ctx SpecContext) {
		s := twoGroups(ctx, 2, func(first, second *policy.Group) {
			delayed(3, -1)(first)
			delayed(30, 60)(second)
		})
		for n, want := range [][]string{{"3"}, {"30", "60"}} {
			for _, m := range []capture.Message{kit.Last(s.pulls(0, core.Pull2, n+1)), s.seen(s.rekey(control.RekeyArgs{Group: groupIDs[n]}))} {
				Expect(append(values(m.Payloads, "SA", "GAP", "ACTIVATION_TIME_DELAY"), values(m.Payloads, "SA", "GAP", "DEACTIVATION_TIME_DELAY")...)).
					To(Equal(want), "%s of group %d", m.Kind, groupIDs[n])
			}
		}
	})

	It("replaces the keys of each group in its own time", kit.Requirement("RFC6407-5.3.4-01", "RFC6407-4.3-01"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		s := twoGroups(ctx, 2, func(first, second *policy.Group) {
			lasting(10 * time.Minute)(first)
			lasting(25 * time.Minute)(second)
		})
		since := kit.Now(s.Lab)
		s.Pass(ctx, 50*time.Minute)
		to := map[netip.Addr]int{}
		for _, m := range kit.MessagesSince(s.Lab, since, core.Push.String()) {
			to[m.To.Addr()]++
		}
		Expect(to).To(Equal(map[netip.Addr]int{lab.MemberAddr(1): 5, lab.MemberAddr(2): 2}))
	})
})

var _ = Describe("A member of one group of several (RFC 6407 §4.4, §5.9)", kit.Subject("lifecycle"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		what string
		args control.RekeyArgs
	}{
		{"a rekey", control.RekeyArgs{}},
		{"a rekey that deletes everything", control.RekeyArgs{DeleteAll: true}},
	} {
		It("takes no notice of "+c.what+" of another group", kit.Requirement("RFC6407-4.4-01", "RFC6407-5.9-07"), kit.Negative, func(ctx SpecContext) {
			s := twoGroups(ctx, 3)
			before, had := s.protects(1, 3), s.installed(1)
			refused := kit.Refused(ctx, s.GM[0], "RFC6407-4.4-01")
			s.Intercept(func(c *lab.Crossing) { // what is for gm2 comes to gm1
				if ip, ok := lab.ParseIPv4(c.Packet); ok && exchangeOf(ip) == isakmp.ExchangePush && ip.Destination == s.GM[1].Addr().Addr() {
					from, to, data, _ := ip.UDP()
					c.Packet, _ = lab.UDPPacket(from, netip.AddrPortFrom(s.GM[0].Addr().Addr(), to.Port()), ip.TTL, data)
				}
			})
			args := c.args
			args.Group = otherGroup
			other := s.rekey(args)
			Expect(kit.AwaitRefusal(ctx, s.Lab, s.GM[0], "RFC6407-4.4-01", refused, kit.Never)).
				To(BeTrue(), "it says that there is no such Rekey SA")
			s.Intercept(nil)
			Expect(s.carriedOut(1, other)).To(BeFalse())
			Expect(s.sends(1, 3)).To(Equal(before))
			Expect(s.installed(1)).To(Equal(had))
			own := s.rekey(control.RekeyArgs{Group: lab.GroupID})
			taken := s.carriesOut(1, own)
			s.goesOver(1, own, lab.GroupID)
			kit.Control(taken && s.sends(1, 3) == own.SPIs[0], "it takes a rekey of its own group")
		})
	}
})
