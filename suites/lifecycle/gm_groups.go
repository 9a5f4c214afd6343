package lifecycle

import (
	"context"
	"encoding/binary"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// inBoth has a key server serve two groups. Gm1 is of both; gm2 is of the first, which protects what goes between the networks of
// these two, and gm3 of the second, which does so for gm1 and gm3.
func inBoth(ctx context.Context, alter ...func(first, second *policy.Group)) *scene {
	GinkgoHelper()
	return &scene{kit.Up(ctx, inBothSetup(alter...)), ctx}
}

func inBothSetup(alter ...func(first, second *policy.Group)) lab.Setup {
	setup := twoGroupsSetup(3, append([]func(first, second *policy.Group){func(first, second *policy.Group) {
		withinPair(first, 2)
		withinPair(second, 3)
	}}, alter...)...)
	setup.Member = func(i int, c *policy.Member) {
		hasty(i, c)
		switch i {
		case 1:
			c.Group, c.Groups = 0, []policy.Membership{{Group: lab.GroupID}, {Group: otherGroup}}
		case 3:
			c.Group = otherGroup
		}
	}
	return setup
}

// withinPair has the group protect what goes between the networks behind gm1 and gm i, both ways under one SA.
func withinPair(g *policy.Group, i int) {
	g.SAs[0].Selector, g.SAs[0].Also = between(1, i), []policy.Selector{between(i, 1)}
}

// membership is one of the groups of gm1: its place on the key server, and the other member.
type membership struct {
	what   string
	place  int
	with   int
	beside int // the member of the other group
}

func (m membership) id() uint32 { return groupIDs[m.place] }

var memberships = []membership{{"the first", 0, 2, 3}, {"the second", 1, 3, 2}}

// sharedSPI is that of an SA in each of two groups, whose key servers might know nothing of each other.
const sharedSPI = 0x5afe5afe

// sameSPI has the Data-Security SAs of all groups have that SPI.
func sameSPI() core.Tap {
	var ds []tester.Deviation
	for _, kind := range []core.Kind{core.Pull2, core.Pull4, core.Push} {
		ds = append(ds,
			tester.EditSAT(kind, "the same SPI in all groups", func(t *gdoi.SAT) { t.ESP.SPI = sharedSPI }),
			tester.EditKeys(kind, gdoi.KDTypeTEK, "the same SPI in all groups", func(p *gdoi.KeyPacket) {
				p.SPI = binary.BigEndian.AppendUint32(nil, sharedSPI)
			}))
	}
	return tester.Taps(ds...)
}

// inBothUnder is inBoth with such a tap on what the key server sends.
func inBothUnder(ctx context.Context, tap core.Tap) *scene {
	GinkgoHelper()
	s := &scene{kit.Lab(ctx, inBothSetup()), ctx}
	Expect(s.KS.Misbehave(tap)).To(Succeed())
	kit.Precondition(s.Up(ctx), "everybody registers")
	return s
}

// sender is the Sender-ID of 8 bits under which gm1 sends to the host behind another member.
func (s *scene) sender(j int) int {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	kit.Reached(s.sends(1, j) != nothing, "the member sends under an SA")
	ip, _ := lab.ParseIPv4(s.encrypted(before, 1, j)[0].Packet)
	return int(ip.Payload[8]) // behind SPI and sequence number
}

// asked are the groups that gm1 has asked for so far, each once a registration, whether or not anybody has heard it.
func (s *scene) asked() (ids []string) {
	for _, m := range s.Messages() {
		id := kit.Value(m, "ID") // nothing in a repetition
		if m.Kind == core.Pull1.String() && m.From.Addr() == s.GM[0].Addr().Addr() && id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// underOwn states that gm1 sends the flows of a group under an SA of it.
func (s *scene) underOwn(m membership) {
	GinkgoHelper()
	Expect(s.inForce(m.place)).To(ContainElement(s.sends(1, m.with)), "under an SA of %s group", m.what)
}

// unanswered has no registration of gm1 come to the key server until the end of it.
func (s *scene) unanswered() (end func()) {
	s.Intercept(func(c *lab.Crossing) {
		ip, ok := lab.ParseIPv4(c.Packet)
		c.Drop = ok && ip.Source == s.GM[0].Addr().Addr() && exchangeOf(ip) != isakmp.ExchangePushACK && exchangeOf(ip) != 0
	})
	return func() { s.Intercept(nil) }
}

var _ = Describe("A member of several groups at once (RFC 6407 §3.1, §4, §5.9; RFC 4303 §2.1)", kit.Subject("lifecycle"), kit.DUT(rule.GM), func() {
	It("registers for each group by itself, and protects its flows under its SA", kit.Requirement("RFC6407-3.2-11", "RFC6407-3.3-07", "RFC6407-4-06"),
		func(ctx SpecContext) {
			s := inBoth(ctx)
			different(s.asked(), 2)
			for _, m := range memberships {
				s.underOwn(m)
				Expect(s.hears(1, m.with)).To(BeTrue(), "what comes under the SA of %s group", m.what)
			}
		})

	for _, c := range []struct {
		how   string
		alter []func(first, second *policy.Group)
	}{{"unicast", nil}, {"multicast", []func(first, second *policy.Group){multicasts}}} {
		It("takes "+c.how+" rekeys of each group, and goes on under the SA of the other", kit.Requirement("RFC6407-4.4-01", "RFC6407-4-06"), func(ctx SpecContext) {
			s := inBoth(ctx, c.alter...)
			for _, m := range memberships {
				kept := s.protects(1, m.beside)
				p := s.rekey(control.RekeyArgs{Group: m.id()})
				Expect(s.carriesOut(1, p)).To(BeTrue(), "it takes a rekey of %s group", m.what)
				s.goesOver(1, p, m.id())
				Expect(s.sends(1, m.with)).To(Equal(p.SPIs[0]), "the new SA of %s group", m.what)
				Expect(s.sends(1, m.beside)).To(Equal(kept), "the SA of the other group")
			}
		})
	}

	It("goes on under its SA of one group when the other moves on to other flows", kit.Requirement("RFC6407-4-06"), func(ctx SpecContext) {
		s := inBoth(ctx)
		kept := s.protects(1, 2)
		p := s.rekey(control.RekeyArgs{Group: otherGroup}, tester.EditSAT(core.Push, "flows to elsewhere", func(t *gdoi.SAT) {
			t.ESP.Source, t.ESP.Destination = t.ESP.Destination, t.ESP.Source
			t.ESP.Source.Data = lab.MemberLAN(9).Addr().AsSlice()
			t.ESP.Source.Data = append(t.ESP.Source.Data, 255, 255, 255, 0)
		}))
		Expect(s.carriesOut(1, p)).To(BeTrue())
		Expect(s.sends(1, 2)).To(Equal(kept))
		Expect(s.hears(1, 2)).To(BeTrue())
	})

	for _, m := range memberships {
		It("follows a new KEK of "+m.what+" group and keeps that of the other", kit.Requirement("RFC6407-4-05", "RFC6407-4.4-01"), func(ctx SpecContext) {
			s := inBoth(ctx)
			for _, args := range []control.RekeyArgs{
				{Group: m.id(), KEK: true},
				{Group: groupIDs[1-m.place]},
				{Group: m.id()},
			} {
				p := s.rekey(args)
				Expect(s.carriesOut(1, p)).To(BeTrue(), "a rekey of group %d", args.Group)
				s.goesOver(1, p, args.Group)
			}
			for _, m := range memberships {
				s.underOwn(m)
			}
			Expect(s.registrations(1)).To(Equal(2), "it has not registered again")
		})

		It("deletes everything of "+m.what+" group, registers for that again and goes on in the other",
			kit.Requirement("RFC6407-5.9-07", "RFC6407-3.5-12"), func(ctx SpecContext) {
				s := inBoth(ctx)
				gone, kept, before := s.protects(1, m.with), s.protects(1, m.beside), s.asked()
				end := s.unanswered()
				Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{Group: m.id(), DeleteAll: true}))).To(BeTrue())
				Expect(s.closed(1, m.with)).To(BeTrue(), "what the group protects is kept back")
				Expect(s.sends(1, m.beside)).To(Equal(kept), "the other group's SA")
				end()
				Expect(s.registers(1, 2)).To(BeTrue(), "it registers again")
				Expect(s.asked()[len(before):]).To(HaveEach(before[m.place]), "for this group alone")
				Expect(s.sends(1, m.with)).NotTo(BeElementOf(gone, nothing))
				Expect(s.sends(1, m.beside)).To(Equal(kept))
			})
	}

	It("opens what comes under the same SPI in two groups, each with its own key", kit.Requirement("RFC4303-2.1-03", "RFC4303-2.1-02", "RFC4303-2.1-04"), func(ctx SpecContext) {
		s := inBothUnder(ctx, sameSPI())
		for range 2 {
			for _, m := range memberships {
				Expect(s.sends(1, m.with)).To(Equal(kit.SPI(sharedSPI)))
				Expect(s.hears(m.with, 1)).To(BeTrue(), "gm%d opens it", m.with)
				Expect(s.hears(1, m.with)).To(BeTrue(), "it opens what comes from gm%d", m.with)
			}
		}
	})

	for _, m := range memberships {
		It("keeps an SA though "+m.what+" group deletes its own of the same SPI", kit.Requirement("RFC4303-2.1-03", "RFC6407-5.9-07"), kit.Negative,
			func(ctx SpecContext) {
				s := inBothUnder(ctx, sameSPI())
				s.protects(1, m.with)
				s.protects(1, m.beside)
				p := s.rekey(control.RekeyArgs{Group: m.id()}, tester.OnlyDeletes("a Delete of the SPI", tester.DeleteESP(sharedSPI)))
				kit.Control(s.carriesOut(1, p) && s.closed(1, m.with), "it deletes the SA of the group that says so")
				Expect(s.sends(1, m.beside)).To(Equal(kit.SPI(sharedSPI)))
				Expect(s.hears(1, m.beside)).To(BeTrue())
			})
	}

	It("sends under the Sender-ID of each group on its SAs only", kit.Requirement("RFC6054-5-01", "RFC6407-3.5-04", "RFC6407-3.5-01"), func(ctx SpecContext) {
		s := &scene{kit.Lab(ctx, inBothSetup()), ctx}
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		for _, i := range []int{3, 1, 2} { // gm3 is the first of the second group
			kit.Precondition(s.GM[i-1].Start(ctx), s.GM[i-1].Name()+" starts")
			kit.Precondition(s.GM[i-1].AwaitRegistered(ctx), s.GM[i-1].Name()+" registers")
		}
		Expect([]int{s.sender(2), s.sender(3)}).To(Equal([]int{0, 1}))
		for n := range 2 {
			kit.Precondition(s.GM[0].Register(ctx, otherGroup), "gm1 registers for the second group again")
			Expect(s.registers(1, 2+n)).To(BeTrue())
			Expect([]int{s.sender(2), s.sender(3)}).To(Equal([]int{0, 2 + n}))
		}
		s.unique(0)
	})

	for _, m := range memberships {
		It("registers again for "+m.what+" group alone when the IVs of its Sender-ID there are used up", kit.Requirement("RFC6407-5.6.4.3-03"),
			kit.Negative, func(ctx SpecContext) {
				const ivs = 16 // what a Sender-ID of 60 bits leaves
				s := inBothUnder(ctx, tester.Taps(tester.EditKeys(core.Pull4, gdoi.KDTypeSID, "a Sender-ID of 60 bits", func(p *gdoi.KeyPacket) {
					p.Attributes = tester.SetAttribute(p.Attributes, wire.TV(gdoi.SIDBits, 60))
				})))
				Expect(s.KS.Misbehave(nil)).To(Succeed())
				before := s.asked()
				for range ivs {
					s.protects(1, m.with)
				}
				Expect(s.closed(1, m.with)).To(BeTrue(), "nothing leaves under an IV that was used")
				Expect(s.registers(1, 2)).To(BeTrue(), "it registers again")
				Expect(s.asked()[len(before):]).To(Equal(before[m.place : m.place+1]))
				kit.Control(s.sends(1, m.with) != nothing && s.sends(1, m.beside) != nothing, "it sends in both groups")
			})
	}

	It("protects the flows of one group while the key server refuses it the other", kit.Requirement("RFC6407-3.3-07"), func(ctx SpecContext) {
		for _, m := range memberships {
			s := &scene{kit.Lab(ctx, inBothSetup(func(first, second *policy.Group) {
				refusing := []*policy.Group{first, second}[1-m.place]
				refusing.Members = []netip.Prefix{netip.PrefixFrom(lab.MemberAddr(m.beside), 32)}
			})), ctx}
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.GM[m.with-1].Start(ctx), "the other member starts")
			kit.Precondition(s.GM[m.with-1].AwaitRegistered(ctx), "the other member registers")
			kit.Precondition(s.GM[0].Start(ctx), "gm1 starts")
			Expect(s.Wait(ctx, lab.Patience, func() bool { return s.KS.Refused(ctx, "RFC6407-3.1-03") > 1 })).To(BeTrue(), "gm1 is refused, again and again")
			Expect(s.registers(1, 0)).To(BeTrue(), "it registers for %s group", m.what)
			s.underOwn(m)
			Expect(s.hears(1, m.with)).To(BeTrue())
			if s.GM[0].Lacks("closed-start") == "" {
				Expect(s.closed(1, m.beside)).To(BeTrue(), "nothing leaves to gm%d", m.beside)
			}
		}
	})

	It("takes from a group no policy for flows that it authorises for another only", kit.Requirement("RFC5374-4.1.3.5-03"), kit.Negative, func(ctx SpecContext) {
		setup := inBothSetup(func(_, second *policy.Group) {
			extra := second.SAs[0]
			extra.Selector, extra.Also = between(1, 2), nil
			second.SAs = append(second.SAs, extra)
		})
		usual := setup.Member
		setup.Member = func(i int, c *policy.Member) {
			usual(i, c)
			for n := range c.Groups {
				c.Groups[n].Authorised = policy.Flows(between(1, n+2), between(n+2, 1))
			}
		}
		s := &scene{kit.Up(ctx, setup), ctx}
		Expect(s.GM[0].Refused(ctx, "RFC5374-4.1.3.5-03")).To(BeNumerically(">", 0), "it says so")
		s.underOwn(memberships[0])
		Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{Group: lab.GroupID, DeleteTEKs: []string{"0"}}))).To(BeTrue())
		Expect(s.closed(1, 2)).To(BeTrue(), "not under the SA that the second group has for it")
		kit.Control(s.sends(1, 3) == s.inForce(1)[0], "it has taken what it authorises for the second group")
	})

	It("keeps back the flows of the first group that has them, rather than send them under the SA of another",
		kit.Requirement("RFC4301-4.4.1-01", "RFC6407-5.5.1-05"), kit.Negative, func(ctx SpecContext) {
			s := inBoth(ctx, func(_, second *policy.Group) {
				second.SAs[0].Selector, second.SAs[0].Also = policy.Selector{Source: lab.Protected, Destination: lab.Protected}, nil
			})
			s.underOwn(memberships[0])
			newer := s.rekey(control.RekeyArgs{Group: otherGroup})
			Expect(s.carriesOut(1, newer)).To(BeTrue())
			s.goesOver(1, newer, otherGroup)
			s.underOwn(memberships[0]) // though the second group's SA is newer
			Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{Group: lab.GroupID, DeleteTEKs: []string{"0"}}))).To(BeTrue())
			Expect(s.closed(1, 2)).To(BeTrue())
			kit.Control(s.sends(1, 3) == newer.SPIs[0], "it sends other flows under the second group's SA")
		})

	It("hears the multicast rekeys of a group though another that has the same address is gone", kit.Requirement("RFC6407-5.3-04"), func(ctx SpecContext) {
		s := inBoth(ctx, func(first, second *policy.Group) {
			lab.Multicast(first)
			lab.Multicast(second)
		})
		for n, m := range memberships {
			end := s.unanswered()
			Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{Group: groupIDs[1-m.place], DeleteKEK: true}))).To(BeTrue())
			Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{Group: m.id()}))).To(BeTrue(), "a rekey of %s group", m.what)
			end()
			Expect(s.registers(1, 2+n)).To(BeTrue())
		}
	})

	It("follows the rekeys of each group in its own time", kit.Requirement("RFC6407-4-06", "RFC6407-5.5.1-11"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		s := inBoth(ctx, func(first, second *policy.Group) {
			lasting(10 * time.Minute)(first)
			lasting(25 * time.Minute)(second)
		})
		for range 8 {
			s.Pass(ctx, 20*time.Minute)
			for _, m := range memberships {
				s.underOwn(m)
			}
		}
		Expect(s.registrations(1)).To(Equal(2), "it has not registered again")
	})
})
