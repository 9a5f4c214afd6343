package lifecycle

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// short has the group's keys live so long, and be replaced 20 s before their end.
func short(kek, tek time.Duration) func(*policy.Group) {
	return func(g *policy.Group) {
		g.Rekey.KEKLifetime, g.Rekey.Margin = kek, 20*time.Second
		lasting(tek)(g)
	}
}

// repeating has the key server send each PUSH so many times more, at that interval.
func repeating(times int, interval time.Duration) func(*policy.Group) {
	return func(g *policy.Group) { g.Rekey.Retransmit, g.Rekey.Interval = times, interval }
}

// stream has the host behind gm1 ping that behind gm2 every tenth of a second until the end, which returns how many
// answers were lost.
func (s *scene) stream() (end func() (sent, lost int)) {
	GinkgoHelper()
	probe, err := s.Hosts[0].Ping(s.ctx, lab.HostAddr(2), lab.Ping{Interval: 100 * time.Millisecond})
	kit.Precondition(err, "the host pings")
	return func() (int, int) {
		r := probe.Stop()
		return r.Sent, r.Sent - r.Received
	}
}

// pushesTo are the PUSH messages since the mark that were delivered to member i.
func (s *scene) pushesTo(i int, since kit.Mark) (all []capture.Message) {
	for _, m := range kit.MessagesSince(s.Lab, since, core.Push.String()) {
		if m.To.Addr() == s.GM[i-1].Addr().Addr() {
			all = append(all, m)
		}
	}
	return all
}

// answersLate has all acknowledgements take that long, until the end.
func (s *scene) answersLate(by time.Duration) (end func()) {
	s.Intercept(func(c *lab.Crossing) {
		if ip, ok := lab.ParseIPv4(c.Packet); ok && exchangeOf(ip) == isakmp.ExchangePushACK {
			c.Delay = by
		}
	})
	return func() { s.Intercept(nil) }
}

var _ = Describe("A member that misses rekeys (RFC 6407 §4.4, §7.3.4)", kit.Subject("lifecycle"), kit.DUT(rule.GM), func() {
	for _, lost := range []struct {
		name string
		n    uint32
	}{{"one rekey", 1}, {"five rekeys", 5}} {
		It("takes the next rekey after it has missed "+lost.name, kit.Requirement("RFC6407-4.4-02", "RFC6407-4-06"), func(ctx SpecContext) {
			s := group(ctx, 2)
			old := s.protects(1, 2)
			end := s.withhold(s.GM[0].Addr().Addr())
			for range lost.n {
				Expect(s.carriesOut(2, s.rekey(control.RekeyArgs{}))).To(BeTrue(), "gm2 takes it")
			}
			Expect(s.sends(1, 2)).To(Equal(old))
			end()
			next := s.rekey(control.RekeyArgs{})
			Expect(next.Sequence).To(Equal(lost.n + 1))
			Expect(s.carriesOut(1, next)).To(BeTrue(), "it takes a number that is further ahead")
			kit.Reached(s.carriesOut(2, next), "so does gm2, whose SA before was another one")
			s.goesOver(1, next)
			Expect(s.sends(1, 2)).To(Equal(next.SPIs[0]))
			Expect(s.hears(1, 2)).To(BeTrue())
			Expect(s.registrations(1)).To(Equal(1), "it has no reason to register again")
		})
	}

	It("refuses a rekey that it has missed when it comes after the next one", kit.Requirement("RFC6407-4.4-02", "RFC6407-7.3.4-01"), kit.Negative,
		func(ctx SpecContext) {
			s := group(ctx, 2)
			var late []byte
			s.Intercept(func(c *lab.Crossing) {
				if ip, ok := lab.ParseIPv4(c.Packet); ok && exchangeOf(ip) == isakmp.ExchangePush && ip.Destination == s.GM[0].Addr().Addr() && late == nil {
					late, c.Drop = c.Packet, true
				}
			})
			missed := s.rekey(control.RekeyArgs{})
			next := s.rekey(control.RekeyArgs{})
			Expect(s.carriesOut(1, next)).To(BeTrue())
			kit.Reached(late != nil, "a rekey was held back")
			s.goesOver(1, next)
			refused := kit.Refused(ctx, s.GM[0], "RFC6407-4.4-02")
			s.Inject(s.KS.Name(), late)
			Expect(kit.AwaitRefusal(ctx, s.Lab, s.GM[0], "RFC6407-4.4-02", refused, kit.Never)).To(BeTrue())
			Expect(s.carriedOut(1, missed)).To(BeFalse())
			Expect(s.sends(1, 2)).To(Equal(next.SPIs[0]))
			kit.Control(s.carriesOut(1, s.rekey(control.RekeyArgs{})), "it takes the next one")
		})

	It("hears both who has got a rekey and who has not", kit.Requirement("RFC5374-4.2.1-07", "RFC6407-4-06"), func(ctx SpecContext) {
		s := group(ctx, 3)
		old := s.protects(2, 1)
		end := s.withhold(s.GM[1].Addr().Addr())
		p := s.rekey(control.RekeyArgs{})
		Expect(s.carriesOut(1, p) && s.carriesOut(3, p)).To(BeTrue())
		end()
		Expect([]string{s.sends(2, 1), s.sends(3, 1)}).To(Equal([]string{old, p.SPIs[0]}))
		Expect(s.hears(1, 2)).To(BeTrue(), "under the old SA")
		Expect(s.hears(1, 3)).To(BeTrue(), "under the new one")
		Expect(s.hears(1, 2)).To(BeTrue(), "and the old one again")
	})

	It("registers again before its SAs end when every rekey of a KEK is lost, and sends all the time",
		kit.Requirement("RFC6407-5.5.1-11", "RFC6407-5.5.1-05"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := group(ctx, 2, short(time.Hour, 2*time.Minute))
			since, end := kit.Now(s.Lab), s.stream()
			s.withhold()
			s.Pass(ctx, 10*time.Minute)
			sent, lost := end()
			Expect(s.pushesTo(1, since)).To(BeEmpty())
			Expect(s.registrations(1)).To(BeNumerically(">=", 5), "once for each SA")
			Expect(kit.ClearSince(s.Lab, since)).To(BeEmpty(), "nothing in clear")
			Expect(sent).To(BeNumerically(">=", 5900))
			// gm2, which registers when the device does or some seconds later, may for so long not know the SA that the device
			// sends under.
			Expect(lost).To(BeNumerically("<", sent/10), "the interruption is short")
		})

	It("registers again when the rekey that replaced its KEK is lost, and is a member as before", kit.Requirement("RFC6407-4.4-01", "RFC6407-5.5.1-11"),
		kit.Needs(lab.NeedVirtualTime), kit.Negative, func(ctx SpecContext) {
			s := group(ctx, 2, short(time.Hour, 5*time.Minute))
			end := s.withhold(s.GM[0].Addr().Addr())
			replacing := s.rekey(control.RekeyArgs{KEK: true})
			Expect(s.carriesOut(2, replacing)).To(BeTrue())
			end()
			since := kit.Now(s.Lab)
			strange := s.rekey(control.RekeyArgs{}) // under a KEK that the device does not have
			Expect(s.carriesOut(2, strange)).To(BeTrue())
			s.Pass(ctx, time.Second)
			Expect(s.carriedOut(1, strange)).To(BeFalse(), "it can make nothing of it")
			s.Pass(ctx, 5*time.Minute)
			Expect(s.registrations(1)).To(Equal(2), "it has registered again before its SA ended")
			Expect(kit.ClearSince(s.Lab, since)).To(BeEmpty())
			next := s.rekey(control.RekeyArgs{})
			kit.Control(s.carriesOut(1, next) && s.sends(1, 2) == next.SPIs[0], "it takes rekeys under the KEK that it was given")
		})

	It("follows KEKs that are replaced as their lifetimes end, from number 1 each", kit.Requirement("RFC6407-3.2-17", "RFC6407-4-05", "RFC6407-5.3.4-01"),
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := group(ctx, 2, short(5*time.Minute, 2*time.Minute))
			since, end := kit.Now(s.Lab), s.stream()
			s.Pass(ctx, 16*time.Minute)
			_, lost := end()
			pushes := s.pushesTo(1, since)
			keks := map[string]bool{}
			for _, m := range pushes {
				if spi := kit.Value(m, "SA/SAK/SPI"); spi != "" {
					keks[spi] = true
				}
			}
			Expect(len(keks)).To(BeNumerically(">=", 3))
			if s.Acknowledged() {
				Expect(len(kit.MessagesSince(s.Lab, since, core.PushACK.String()))).To(Equal(2*len(pushes)), "both members acknowledge each")
			}
			Expect(s.registrations(1)).To(Equal(1))
			Expect(lost).To(BeZero(), "no packet is lost")
		})

	It("is in the group again after its key server was away for longer than its keys lived", kit.Requirement("RFC6407-5.5.1-11", "RFC6407-5.5.1-05"),
		kit.Needs(lab.NeedVirtualTime), kit.Negative, func(ctx SpecContext) {
			s := group(ctx, 2, short(10*time.Minute, 2*time.Minute))
			s.protects(1, 2)
			since := kit.Now(s.Lab)
			s.Intercept(func(c *lab.Crossing) { c.Drop = c.From == s.KS.Name() })
			s.Pass(ctx, 15*time.Minute)
			Expect(s.closed(1, 2)).To(BeTrue(), "without keys nothing leaves")
			s.Intercept(nil)
			Expect(s.Wait(ctx, time.Minute, func() bool { return s.GM[0].Registered(ctx) && s.GM[1].Registered(ctx) })).To(BeTrue())
			Expect(kit.ClearSince(s.Lab, since)).To(BeEmpty(), "nothing has left in clear")
			kit.Control(s.sends(1, 2) != nothing && s.hears(1, 2), "traffic flows again")
		})
})

var _ = Describe("A key server whose rekeys are missed (RFC 8263 §6, RFC 6407 §4)", kit.Subject("lifecycle"), kit.DUT(rule.KS), func() {
	// losing is a group of three members whose rekeys are repeated; the first copies for gm2 are lost.
	losing := func(ctx context.Context, copies int, alter ...func(*policy.Group)) *scene {
		GinkgoHelper()
		s := group(ctx, 3, append(alter, repeating(3, 500*time.Millisecond))...)
		left := copies
		s.Intercept(func(c *lab.Crossing) {
			ip, ok := lab.ParseIPv4(c.Packet)
			if ok && exchangeOf(ip) == isakmp.ExchangePush && ip.Destination == s.GM[1].Addr().Addr() && left > 0 {
				left, c.Drop = left-1, true
			}
		})
		return s
	}

	It("repeats a PUSH until the member that has lost it has it, and to nobody else, octet by octet", kit.Requirement("RFC8263-6-09", "RFC6407-4.3-01"), kit.Feature("ack"),
		func(ctx SpecContext) {
			s := losing(ctx, 2)
			p := s.rekey(control.RekeyArgs{})
			for i := 1; i <= 3; i++ {
				Expect(s.carriesOut(i, p)).To(BeTrue(), "gm%d takes it", i)
			}
			s.Pass(ctx, time.Second)
			Expect(s.pushesTo(1, p.since)).To(HaveLen(1))
			Expect(s.pushesTo(2, p.since)).To(HaveLen(1), "the third copy, of which no more come")
			Expect(s.pushesTo(3, p.since)).To(HaveLen(1))
			same := map[string]bool{}
			for _, f := range s.Frames()[p.since:] {
				if ip, ok := lab.ParseIPv4(f.Packet); ok && exchangeOf(ip) == isakmp.ExchangePush {
					_, _, data, _ := ip.UDP()
					same[string(data)] = true
				}
			}
			Expect(same).To(HaveLen(1))
		})

	for _, c := range []struct {
		what string
		args control.RekeyArgs
	}{
		{"with a new KEK", control.RekeyArgs{KEK: true}},
		{"that deletes its KEK", control.RekeyArgs{DeleteKEK: true}},
		{"that deletes one SA", control.RekeyArgs{DeleteTEKs: []string{first}}},
		{"that tells SAs once more", control.RekeyArgs{Announce: true}},
	} {
		It("repeats a PUSH "+c.what+" to who has lost it", kit.Requirement("RFC8263-6-09", "RFC8263-6-10"), kit.Feature("ack"), func(ctx SpecContext) {
			s := losing(ctx, 2)
			p := s.rekey(kind{args: c.args}.order(s.inForce(0)))
			Expect(s.carriesOut(2, p)).To(BeTrue(), "gm2 takes it in the end")
			Expect(s.pushesTo(1, p.since)).To(HaveLen(1))
		})
	}

	It("repeats a multicast PUSH to all while one member is missing", kit.Requirement("RFC8263-6-09", "RFC6407-4-09"), func(ctx SpecContext) {
		s := group(ctx, 2, lab.Multicast, repeating(2, 500*time.Millisecond))
		kit.Precondition(s.GM[1].Misbehave(tester.Taps(tester.Times(2, tester.Withhold(core.PushACK)))), "gm2 keeps its answers back")
		p := s.rekey(control.RekeyArgs{})
		s.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(s.Lab, p.since, core.Push.String())) >= 3 })
		pushes := kit.MessagesSince(s.Lab, p.since, core.Push.String())
		Expect(pushes).To(HaveLen(3))
		for _, m := range pushes {
			Expect(m.To.Addr()).To(Equal(lab.MulticastGroup))
			Expect(kit.Value(m, "SEQ")).To(Equal(kit.Value(pushes[0], "SEQ")))
		}
	})

	It("misses no acknowledgement that takes nine seconds, and repeats nothing meanwhile", kit.Requirement("RFC8263-6-05", "RFC8263-6-07"), kit.Feature("ack"), kit.Negative,
		kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
			s := group(ctx, 2, repeating(2, 0))
			Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it answers, and so is expected to")
			late := s.answersLate(9500 * time.Millisecond)
			p := s.rekey(control.RekeyArgs{})
			s.Pass(ctx, 30*time.Second)
			Expect(s.pushesTo(1, p.since)).To(HaveLen(1))
			Expect(s.KS.Logged("ACK_MISSING")).To(BeEmpty())
			late()
			s.answersLate(time.Hour)
			p = s.rekey(control.RekeyArgs{})
			s.Pass(ctx, 35*time.Second)
			kit.Control(len(s.pushesTo(1, p.since)) == 3 && len(s.KS.Logged("ACK_MISSING")) > 0, "it does both when no answer comes")
		})

	It("waits for acknowledgements as long as it is told", kit.Requirement("RFC8263-6-06", "RFC8263-6-08"), kit.Feature("ack"), kit.Needs(lab.NeedVirtualTime), func(ctx SpecContext) {
		s := group(ctx, 1, repeating(1, 25*time.Second))
		Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it answers, and so is expected to")
		s.answersLate(time.Hour)
		p := s.rekey(control.RekeyArgs{})
		s.Pass(ctx, time.Minute)
		copies := s.pushesTo(1, p.since)
		Expect(copies).To(HaveLen(2))
		Expect(copies[1].At.Sub(copies[0].At)).To(BeNumerically("~", 25*time.Second, time.Second))
		missing := s.KS.Logged("ACK_MISSING")
		Expect(missing).NotTo(BeEmpty())
		Expect(missing[0].Time.Sub(p.at)).To(BeNumerically("~", 25*time.Second, time.Second))
	})

	It("takes the acknowledgements of all members at once", kit.Requirement("RFC8263-7.3-01", "RFC8263-5-05"), kit.Feature("ack"), func(ctx SpecContext) {
		const members = 8
		s := group(ctx, members, lab.Multicast)
		for range 3 {
			p := s.rekey(control.RekeyArgs{})
			Expect(s.Wait(ctx, lab.Patience, func() bool {
				status, err := s.KS.KSStatus(ctx)
				n := 0
				for _, m := range status.Groups[0].Members {
					if m.Acked == p.Sequence {
						n++
					}
				}
				return err == nil && n == members
			})).To(BeTrue(), "all have acknowledged %d", p.Sequence)
		}
		Expect(s.KS.Logged("ACK_MISSING")).To(BeEmpty())
	})

	It("answers a member that lost the rekey of the KEK with the new KEK and its number", kit.Requirement("RFC6407-3.2-14", "RFC6407-3.2-17"), func(ctx SpecContext) {
		s := group(ctx, 2)
		end := s.withhold(s.GM[1].Addr().Addr())
		Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{KEK: true}))).To(BeTrue())
		Expect(s.carriesOut(1, s.rekey(control.RekeyArgs{}))).To(BeTrue())
		end()
		kit.Precondition(s.GM[1].Register(ctx), "gm2 is told to register")
		Expect(s.registers(2, 1)).To(BeTrue())
		Expect(kit.Value(kit.Last(s.pulls(0, core.Pull4, 2)), "SEQ")).To(Equal("1"))
		Expect(s.carriesOut(2, s.rekey(control.RekeyArgs{}))).To(BeTrue(), "it takes the next")
	})

	It("begins each KEK at number 1 as lifetimes end", kit.Requirement("RFC6407-3.2-17", "RFC6407-4.3-01", "RFC6407-5.3.4-01"), kit.Needs(lab.NeedVirtualTime),
		func(ctx SpecContext) {
			s := group(ctx, 1, short(5*time.Minute, 2*time.Minute))
			s.Pass(ctx, 20*time.Minute)
			numbers := map[string][]string{}
			var order []string
			for _, m := range kit.MessagesSince(s.Lab, 0, core.Push.String()) {
				cookies := m.Header.InitiatorCookie.String() + m.Header.ResponderCookie.String()
				if numbers[cookies] == nil {
					order = append(order, cookies)
				}
				numbers[cookies] = append(numbers[cookies], kit.Value(m, "SEQ"))
			}
			Expect(len(order)).To(BeNumerically(">=", 4))
			for _, cookies := range order[:len(order)-1] {
				Expect(numbers[cookies]).To(Equal([]string{"1", "2", "3"}), "under %s", cookies)
			}
		})
})
