package registration

import (
	"encoding/hex"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Header, nonce and HASH of a key server's PULL messages (RFC 6407 §3.2)",
	kit.Subject("registration"), kit.DUT(rule.KS), func() {
		for _, h := range []struct {
			sentence, requirement string
			holds                 func(answer, asked ksDatagram)
		}{
			{"answers with the cookies of Phase 1, the initiator's first", "RFC6407-3.2.1-01", func(answer, asked ksDatagram) {
				Expect(answer.header.InitiatorCookie).To(Equal(asked.header.InitiatorCookie))
				Expect(answer.header.ResponderCookie).To(Equal(asked.header.ResponderCookie))
			}},
			{"answers with version 1.0", "RFC6407-3.2.1-02", func(answer, _ ksDatagram) {
				Expect(answer.header.Version).To(BeEquivalentTo(isakmp.Version10))
			}},
			{"answers with exchange type 32", "RFC6407-3.2.1-03", func(answer, _ ksDatagram) {
				Expect(answer.header.Exchange).To(Equal(isakmp.ExchangePull))
			}},
			{"answers encrypted, and sets no flag but that", "RFC6407-3.2.1-04", func(answer, _ ksDatagram) {
				Expect(answer.header.Flags).To(Equal(isakmp.FlagEncryption))
			}},
			{"answers with the member's Message ID", "RFC6407-3.2.1-04", func(answer, asked ksDatagram) {
				Expect(answer.header.MessageID).To(Equal(asked.header.MessageID))
			}},
			{"answers with the Length of its datagram", "RFC6407-3.2.1-04", func(answer, _ ksDatagram) {
				Expect(int(answer.header.Length)).To(Equal(len(answer.data)))
			}},
			{"answers from the port that it is asked at", "RFC6407-2.2-01", func(answer, asked ksDatagram) {
				Expect(answer.from).To(Equal(asked.to))
				Expect(answer.to).To(Equal(asked.from))
			}},
		} {
			It(h.sentence, kit.Requirement(h.requirement), func(ctx SpecContext) {
				l := ksLab(ctx, lab.Setup{})
				ksCome(ctx, l, 1)
				for n := range 2 {
					kit.Reached(l.Wait(ctx, lab.Patience, func() bool { return len(ksAsked(l, 1)) > n }), "the member goes on")
					Expect(ksAwaitAnswers(ctx, l, 1, n+1)).To(BeTrue(), "the key server answers")
					h.holds(ksAnswers(l, 1)[n], ksAsked(l, 1)[n])
				}
			})
		}

		It("answers each message of a PULL once", kit.Requirement("RFC6407-3.2-01"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksCome(ctx, l, 1)
			ksFourth(ctx, l, 1)
			Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())
			Expect(ksAnswers(l, 1)).To(HaveLen(2))
		})

		for _, c := range []struct {
			sentence, requirement string
			message               func(SpecContext, *lab.Lab, int) capture.Message
			hash                  string
		}{
			{"makes HASH(2) over Ni, Nr and SA", "RFC6407-3.2-03 RFC6407-3.2-06 RFC6407-3.2-07", ksSecond, "HASH(2)"},
			{"makes HASH(4) over Ni, Nr, SEQ and KD", "RFC6407-3.2-05 RFC6407-3.2-06", ksFourth, "HASH(4)"},
		} {
			It(c.sentence, kit.Requirement(strings.Fields(c.requirement)...), func(ctx SpecContext) {
				l := ksLab(ctx, lab.Setup{})
				ksCome(ctx, l, 1)
				Expect(kit.Checked(c.message(ctx, l, 1), c.hash)).To(Equal(capture.OK))
			})
		}

		It("makes HASH(4) over Ni, Nr and KD where there are no rekeys", kit.Requirement("RFC6407-3.2-05"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{Group: withoutRekey})
			ksCome(ctx, l, 1)
			Expect(kit.Checked(ksFourth(ctx, l, 1), "HASH(4)")).To(Equal(capture.OK))
		})

		It("sends no Vendor ID after Phase 1", kit.Requirement("RFC2408-3.16-01"), func(ctx SpecContext) {
			l := ksLab(ctx, lab.Setup{})
			ksCome(ctx, l, 1)
			Expect(kit.Names(ksSecond(ctx, l, 1))).NotTo(ContainElement(isakmp.PayloadVID.String()))
			Expect(kit.Names(ksFourth(ctx, l, 1))).NotTo(ContainElement(isakmp.PayloadVID.String()))
		})

		It("sends a new nonce of 8 to 128 octets in each PULL", kit.Requirement("RFC2408-5.13-01", "RFC6407-5.8-01"), func(ctx SpecContext) {
			const registrations = 4
			l := ksLab(ctx, lab.Setup{})
			ksCome(ctx, l, 1)
			ksFourth(ctx, l, 1)
			for range registrations - 1 {
				ksAgain(ctx, l, 1)
			}
			seen := map[string]bool{}
			for _, m := range ksPulls(l, 1, "PULL2") {
				nr, err := hex.DecodeString(kit.Value(m, "NONCE"))
				Expect(err).NotTo(HaveOccurred())
				Expect(len(nr)).To(And(BeNumerically(">=", 8), BeNumerically("<=", 128)))
				Expect(seen[string(nr[:8])]).To(BeFalse(), "a nonce that begins with %x again", nr[:8])
				seen[string(nr[:8])] = true
			}
			Expect(seen).To(HaveLen(registrations))
		})
	})
