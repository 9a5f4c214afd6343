package lkh

import (
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// owed are the things that make message 4 right for a member of a hierarchy.
var owed = []struct {
	what     string
	requires []string
	right    func(m capture.Message)
}{
	{"one LKH packet and no KEK packet, for the SPI of the SAK", []string{"RFC6407-5.6.3-02", "RFC6407-5.6-03"}, func(m capture.Message) {
		Expect(all(m.Payloads, packet)).To(HaveLen(1))
		Expect(all(m.Payloads, "KD/Key Packet KEK")).To(BeEmpty())
		Expect(kit.Value(m, packet+"/SPI")).To(Equal(kit.Value(m, "SA/SAK/SPI")))
	}},
	{"one array of keys and the public key, both with their lengths", []string{"RFC6407-5.6.3-01", "RFC6407-5.6.3.1-02"}, func(m capture.Message) {
		Expect(all(m.Payloads, array)).To(HaveLen(1))
		Expect(all(m.Payloads, packet+"/SIG_ALGORITHM_KEY")).To(HaveLen(1))
		Expect(all(m.Payloads, update)).To(BeEmpty())
		Expect(all(m.Payloads, array)[0].Children).NotTo(BeEmpty(), "it can be read to its end")
	}},
	{"an array of version 1 with as many keys as it says", []string{"RFC6407-5.6.3.1-03", "RFC6407-5.6.3.1-04"}, func(m capture.Message) {
		Expect(values(m.Payloads, array+"/LKH Version")).To(Equal([]string{"1"}))
		Expect(all(m.Payloads, array+"/LKH Key")).NotTo(BeEmpty())
	}},
	{"keys of the cipher and the lengths of the KEK", []string{"RFC6407-5.3.2-02", "RFC6407-5.6.3.1-05"}, func(m capture.Message) {
		for _, key := range all(m.Payloads, array+"/LKH Key") {
			Expect(values(key.Children, "Key Type")).To(ConsistOf(ContainSubstring("(3)")), "AES")
			Expect(all(key.Children, "Key Data")[0].Length).To(Equal(16+16), "IV and key")
		}
	}},
	{"keys that hold when it gets them", []string{"RFC6407-5.6.3.1-06"}, func(m capture.Message) { inTime(m, array) }},
}

var _ = Describe("A hierarchy of keys at a key server (RFC 6407 §5.6.3)", kit.Subject("lkh"), kit.DUT(rule.KS), kit.Feature("lkh"), func() {
	for _, c := range owed {
		It("gives a member "+c.what, kit.Requirement(c.requires...), func(ctx SpecContext) {
			s := build(ctx, 1)
			kit.Precondition(s.KS.Start(ctx), "the key server starts")
			kit.Precondition(s.GM[0].Start(ctx), "the member starts")
			kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return len(kit.MessagesSince(s.Lab, 0, core.Pull4.String())) > 0 }),
				"the key server sends message 4")
			second, fourth := kit.MessagesSince(s.Lab, 0, core.Pull2.String())[0], kit.MessagesSince(s.Lab, 0, core.Pull4.String())[0]
			fourth.Payloads = append(slices.Clone(second.Payloads), fourth.Payloads...)
			c.right(fourth)
		})
	}

	It("says nothing of the hierarchy before it gives the keys", kit.Requirement("RFC6407-5.3-11"), func(ctx SpecContext) {
		s := up(ctx, 1)
		second := kit.Last(kit.MessagesSince(s.Lab, 0, core.Pull2.String()))
		Expect(all(second.Payloads, "SA/SAK")).To(HaveLen(1))
		Expect(all(second.Payloads, "SA/SAK/KEK_MANAGEMENT_ALGORITHM")).To(BeEmpty())
	})

	It("gives each member a first key of its own and all members the same last one, which is the KEK",
		kit.Requirement("RFC6407-3.4-05", "RFC6407-5.6.3.1-08", "RFC6407-5.6.3.1-05"), func(ctx SpecContext) {
			s := up(ctx, 3)
			first, last := make(map[string]bool), make(map[string]bool)
			for i := range s.GM {
				keys := values(s.download(i+1).Payloads, array+"/LKH Key/Key Data")
				Expect(len(keys)).To(BeNumerically(">", 1))
				first[keys[0]], last[keys[len(keys)-1]] = true, true
			}
			Expect(first).To(HaveLen(3), "no two members have the same first key")
			Expect(last).To(HaveLen(1), "all members have the same last key")
			next := s.rekey(control.RekeyArgs{})
			for i := range s.GM {
				Expect(s.follows(i+1, next)).To(BeTrue(), "%s reads what is encrypted under its last key", s.GM[i].Name())
			}
		})

	It("replaces the KEK for all members by updates", kit.Requirement("RFC6407-5.6.3.2-02", "RFC6407-5.6.3.2-01", "RFC6407-4-04"), func(ctx SpecContext) {
		s := up(ctx, 3)
		since := kit.Now(s.Lab)
		s.rekey(newKEK)
		push := s.pushes(since, 1)[0]
		Expect(kit.Value(push, "SA/SAK/KEK_MANAGEMENT_ALGORITHM")).To(ContainSubstring("LKH"))
		Expect(kit.Value(push, packet+"/SPI")).To(Equal(kit.Value(push, "SA/SAK/SPI")))
		Expect(all(push.Payloads, update)).NotTo(BeEmpty())
		for _, u := range all(push.Payloads, update) {
			Expect(values(u.Children, "LKH Version")).To(Equal([]string{"1"}))
			for i := range s.GM {
				Expect(held(s.download(i+1))).NotTo(ContainElement(named(last(u).Children)), "the KEK that it brings is another one")
			}
		}
		for i := range s.GM {
			Expect(begins(push, held(s.download(i+1)))).To(BeTrue(), "an update begins at a key of %s", s.GM[i].Name())
		}
		next := s.rekey(control.RekeyArgs{})
		for i := range s.GM {
			Expect(s.follows(i+1, next)).To(BeTrue(), "%s has the new KEK", s.GM[i].Name())
		}
	})

	It("replaces the KEK by keys that hold when they come", kit.Requirement("RFC6407-5.6.3.1-06"), func(ctx SpecContext) {
		s := up(ctx, 2)
		since := kit.Now(s.Lab)
		s.rekey(newKEK)
		inTime(s.pushes(since, 1)[0], update)
	})

	for _, c := range []struct {
		how   string
		alter []func(*policy.Group)
	}{{"by unicast", nil}, {"by multicast", []func(*policy.Group){lab.Multicast}}} {
		It("sends no keys for a single member in a rekey "+c.how, kit.Requirement("RFC6407-5.6.3.1-01"), func(ctx SpecContext) {
			s := up(ctx, 2, c.alter...)
			since := kit.Now(s.Lab)
			s.rekey(newKEK)
			push := s.pushes(since, 1)[0]
			Expect(all(push.Payloads, packet)).To(HaveLen(1))
			Expect(all(push.Payloads, array)).To(BeEmpty())
		})
	}

	It("gives no two keys of a place the same handle", kit.Requirement("RFC6407-5.6.3.1-07"), func(ctx SpecContext) {
		s := up(ctx, 3)
		names := []string{held(s.download(1))[len(held(s.download(1)))-1]}
		for n := range 10 {
			since := kit.Now(s.Lab)
			next := s.rekey(newKEK)
			push := s.pushes(since, 1)[0]
			for i := range s.GM {
				kit.Reached(kit.Takes(ctx, s.Lab, i+1, next), "the members take the KEK")
			}
			Expect(all(push.Payloads, update)).NotTo(BeEmpty())
			name := named(last(all(push.Payloads, update)[0]).Children)
			Expect(names).NotTo(ContainElement(name), "KEK %d", n+1)
			names = append(names, name)
		}
	})

	It("excludes a member with a rekey that has only another KEK, and sends Data-Security SAs under that",
		kit.Requirement("RFC6407-7.4.1-01", "RFC6407-7.4.1-02"), func(ctx SpecContext) {
			s := up(ctx, 3)
			since := kit.Now(s.Lab)
			s.exclude(2)
			messages := s.pushes(since, 2)
			Expect(all(messages[0].Payloads, "SA/SAK")).To(HaveLen(1), "the first brings a KEK")
			Expect(all(messages[0].Payloads, "SA/SAT")).To(BeEmpty(), "and no Data-Security SA")
			Expect(all(messages[1].Payloads, "SA/SAT")).NotTo(BeEmpty(), "the second brings Data-Security SAs")
			Expect(all(messages[1].Payloads, "SA/SAK")).To(BeEmpty())
			cookies := slices.Concat(messages[1].Header.InitiatorCookie[:], messages[1].Header.ResponderCookie[:])
			Expect(policy.RekeySPI(cookies).String()).To(Equal(kit.Value(messages[0], "SA/SAK/SPI")), "under the KEK of the first")
		})

	It("excludes one member after another, and leaves the others in", kit.Requirement("RFC6407-6.1-01", "RFC6407-5.6.3.2-02"), func(ctx SpecContext) {
		s := up(ctx, 4, lab.Multicast)
		var out []int
		for _, i := range []int{2, 3} {
			since := kit.Now(s.Lab)
			next := s.exclude(i)
			out = append(out, i)
			push := s.pushes(since, 2)[0]
			for _, gone := range out {
				Expect(begins(push, held(s.download(gone)))).To(BeFalse(), "no update begins at a key that gm%d was given", gone)
			}
			for _, in := range []int{1, 4} {
				Expect(s.follows(in, next)).To(BeTrue(), "gm%d goes over to the new keys", in)
			}
			for _, gone := range out {
				Expect(kit.Installed(ctx, s.Lab, gone)).NotTo(ContainElement(next.SPIs[0]), "gm%d has them not", gone)
			}
		}
	})

	It("does not let in again a member that was excluded", kit.Requirement("RFC6407-3.1-03", "RFC6407-7.2.6-01"), kit.Negative, func(ctx SpecContext) {
		s := up(ctx, 3)
		next := s.exclude(2)
		before, since := s.GM[1].Registrations(), kit.Now(s.Lab)
		kit.Precondition(s.GM[1].Register(ctx), "gm2 tries to register")
		s.Wait(ctx, kit.Settle, func() bool { return s.GM[1].Registrations() > before })
		Expect(s.GM[1].Registrations()).To(Equal(before), "it gets no keys")
		Expect(kit.MessagesSince(s.Lab, since, core.Pull4.String())).To(BeEmpty())
		registered := s.GM[0].Registrations()
		kit.Precondition(s.GM[0].Register(ctx), "gm1 registers again")
		kit.Control(s.GM[0].AwaitRegistrations(ctx, registered, lab.Patience) && s.follows(1, next), "another member is let in")
	})

	for _, c := range acks {
		It("records an acknowledgement that is keyed with "+c.name+" by the member's own key", kit.Requirement(c.requirement), kit.Feature("ack"),
			func(ctx SpecContext) {
				s := up(ctx, 2, keyedBy(c.typ))
				next := s.rekey(control.RekeyArgs{})
				Expect(s.acknowledged(next.Sequence, 1, 2)).To(BeTrue())
			})

		It("discards an acknowledgement that is keyed with "+c.name+" by the KEK instead of the member's own key",
			kit.Requirement(c.requirement, "RFC8263-5-04"), kit.Feature("ack"), kit.Negative, func(ctx SpecContext) {
				s := up(ctx, 1, keyedBy(c.typ))
				kek := rekeyOf(s)
				Expect(s.GM[0].Misbehave(tester.Taps(tester.AckAs("by the KEK", c.by, kek)))).To(Succeed())
				before := s.KS.Refused(ctx, "RFC8263-5-04")
				wrong := s.rekey(control.RekeyArgs{})
				s.Wait(ctx, lab.Patience, func() bool {
					return s.KS.Refused(ctx, "RFC8263-5-04") > before || s.acked(1) == wrong.Sequence
				})
				Expect(s.acked(1)).NotTo(Equal(wrong.Sequence), "it counts nothing as acknowledged")
				Expect(s.GM[0].Misbehave(nil)).To(Succeed())
				kit.Control(s.acknowledged(s.rekey(control.RekeyArgs{}).Sequence, 1), "the next one, which is right, is recorded")
			})
	}
})

// acks are the kinds of acknowledgement that are keyed by LKH.
var acks = []struct {
	name        string
	typ         policy.AckType
	by          keymat.Ack
	requirement string
}{
	{"SHA-256", policy.AckLKHSHA256, keymat.AckSHA256, "RFC8263-2.2-01"},
	{"SHA-512", policy.AckLKHSHA512, keymat.AckSHA512, "RFC8263-2.4-01"},
}

// inTime expects that the keys of a message's arrays hold at the time of the message: a date of 0 says nothing. Clocks may differ by
// a minute.
func inTime(m capture.Message, arrays string) {
	GinkgoHelper()
	keys := all(m.Payloads, arrays+"/LKH Key")
	Expect(keys).NotTo(BeEmpty())
	for _, key := range keys {
		Expect(date(key, "Creation Date")).To(BeNumerically("<=", m.At.Add(time.Minute).Unix()))
		Expect(date(key, "Expiration Date")).To(Or(BeZero(), BeNumerically(">", m.At.Unix())))
	}
}

// date is a date of a key, in seconds since 1970; the number may stand in parentheses behind its meaning.
func date(key capture.Field, name string) int64 {
	GinkgoHelper()
	text := values(key.Children, name)
	Expect(text).To(HaveLen(1))
	number := text[0][strings.LastIndex(text[0], "(")+1:]
	seconds, err := strconv.ParseInt(strings.TrimSuffix(number, ")"), 10, 64)
	Expect(err).NotTo(HaveOccurred())
	return seconds
}

// last is the last key of an update.
func last(u capture.Field) capture.Field {
	GinkgoHelper()
	keys := all(u.Children, "LKH Key")
	Expect(keys).NotTo(BeEmpty(), "there are keys in an update")
	return keys[len(keys)-1]
}

// begins reports whether one of a message's updates begins at one of those keys.
func begins(push capture.Message, keys []string) bool {
	return slices.ContainsFunc(all(push.Payloads, update), func(u capture.Field) bool {
		return slices.Contains(keys, named(u.Children))
	})
}

// rekeyOf is the key log's entry for the KEK.
func rekeyOf(s *scene) keylog.Entry {
	GinkgoHelper()
	keys := s.Keys()
	at := slices.IndexFunc(keys, func(e keylog.Entry) bool { return e.Kind == keylog.KindRekey })
	kit.Reached(at >= 0, "the KEK is in a key log")
	return keys[at]
}

// acked is the highest number that member i has acknowledged, as the key server says.
func (s *scene) acked(i int) uint32 {
	GinkgoHelper()
	status, err := s.KS.KSStatus(s.ctx)
	kit.Precondition(err, "the key server tells its state")
	for _, m := range status.Groups[0].Members {
		if m.Identity == s.GM[i-1].Addr().Addr().String() {
			return m.Acked
		}
	}
	return 0
}

// acknowledged waits until the key server says that these members have acknowledged a PUSH, and reports whether it does.
func (s *scene) acknowledged(sequence uint32, members ...int) bool {
	GinkgoHelper()
	return s.Wait(s.ctx, lab.Patience, func() bool {
		return !slices.ContainsFunc(members, func(i int) bool { return s.acked(i) != sequence })
	})
}
