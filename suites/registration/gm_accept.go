package registration

import (
	"slices"
	"strings"
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
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// acceptance is a registration that a member has to take, though it is not the plainest one.
type acceptance struct {
	sentence    string
	requirement string // with spaces between
	deviation   tester.Deviation
	group       func(*policy.Group)
}

var _ = Describe("What a member has to take at registration (RFC 6407 §3.3, §5)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	for _, row := range []acceptance{
		{sentence: "registers and protects traffic under AES-GCM",
			requirement: "RFC6407-3.3-07 RFC6407-5.5.1-04 RFC6407-5.5.1-08 RFC6407-5.5.1-11 RFC6407-6.2-01"},
		{sentence: "registers and protects traffic under AES-CBC with HMAC", requirement: "RFC6407-3.3-07 RFC6407-5.5.1-12", group: withCBC},
		{sentence: "registers in a group without rekey", requirement: "RFC6407-3.3-07", group: withoutRekey},
		{sentence: "takes a nonce of 8 octets", requirement: "RFC6407-5.8-01", deviation: tester.NonceLength(core.Pull2, 8)},
		{sentence: "takes a nonce of 128 octets", requirement: "RFC6407-5.8-01", deviation: tester.NonceLength(core.Pull2, 128)},
		{sentence: "ignores a management algorithm in the SAK", requirement: "RFC6407-5.3-12",
			deviation: sakWith("KEK_MANAGEMENT_ALGORITHM", wire.TV(gdoi.KEKManagement, 1))},
		{sentence: "carries on without acknowledgements of a kind that it does not know", requirement: "RFC8263-4-02",
			deviation: sakWith("KEK_ACK_REQUESTED 100", wire.TV(gdoi.KEKAckRequested, unassigned))},
		{sentence: "ignores a group description in the SAT", requirement: "RFC6407-5.5.1-10",
			deviation: satWith("Group Description", wire.TV(gdoi.GroupDescription, 14))},
		{sentence: "takes an SA without direction as symmetric, and sends", requirement: "RFC6407-5.5.1.1.2-03",
			deviation: satWithout(gdoi.SADirection)},
		{sentence: "preserves both addresses if the SAT says nothing of them", requirement: "RFC6407-5.5.1.1.1-01",
			deviation: satWithout(gdoi.AddressPreservation)},
		{sentence: "takes a zeroed source subnet as every sender", requirement: "RFC6407-5.5.1-06", group: fromAnywhere},
		{sentence: "takes a source without octets as every sender", requirement: "RFC6407-5.5.1-06",
			deviation: espWith("a source of no octets", func(e *gdoi.SATESP) { e.Source.Data = nil })},
		{sentence: "binds keys to SAs by SPI, whatever their order", requirement: "RFC6407-3.3-06", group: withTwoSAs,
			deviation: tester.EditKD(core.Pull4, "key packets in reverse order", func(kd *gdoi.KD) { slices.Reverse(kd.Packets) })},
	} {
		It(row.sentence, kit.Requirement(strings.Fields(row.requirement)...), func(ctx SpecContext) {
			accepts(ctx, newLab(ctx, row.group, nil), row.deviation)
		})
	}

	It("ignores the source port of a SAK that is 0", kit.Requirement("RFC6407-5.3-03"), func(ctx SpecContext) {
		l := newLab(ctx, nil, nil)
		accepts(ctx, l, tester.EditSAK(core.Pull2, "source port 0", func(s *gdoi.SAK) { s.Source.Port = 0 }))
		rekey := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ, SA, KD, SIG   from port 848
		Expect(follows(ctx, l, rekey.SPIs[0])).To(BeTrue(), "the member takes a rekey from the port that is the key server's")
	})

	It("waits for a rekey if the registration brings no TEK", kit.Requirement("RFC6407-5.6.1-02"), func(ctx SpecContext) {
		l := newLab(ctx, nil, nil)
		misbehave(l, tester.OmitKeys(core.Pull4, gdoi.KDTypeTEK))
		start(ctx, l)
		Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed(), "the member is content with the KEK")
		Expect(sending(ctx, l)).To(Equal(nothing), "it has no key to send with")

		rekey := kit.Rekey(ctx, l, control.RekeyArgs{}) // KS --> GM  HDR*, SEQ, SA, KD, SIG
		Expect(follows(ctx, l, rekey.SPIs[0])).To(BeTrue(), "the member sends with the keys of the rekey")
		Expect(pulls(l)).To(HaveLen(1), "and did not have to ask again")
	})
})

// accepts has the member register at a key server that keeps to the deviation, and sees it protect traffic with the keys
// that it was given.
func accepts(ctx SpecContext, l *lab.Lab, d tester.Deviation) {
	GinkgoHelper()
	misbehave(l, d)
	start(ctx, l)
	Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())
	Expect(pulls(l)).To(HaveLen(1), "it needs no second registration")
	Expect(sending(ctx, l)).To(Equal(current(ctx, l)), "it sends under the SPI of the SAT")
	packet := sent(l, 0)[0]
	Expect(packet.To).To(Equal(lab.HostAddr(2)), "the outer destination is that of the packet")
	Expect(opens(l, packet)).To(BeTrue(), "the key server's own keys open it")
}

// opens reports whether the keys that the key server has made open an ESP packet.
func opens(l *lab.Lab, p kit.ESP) bool {
	messages := capture.Decode([]capture.Frame{{At: time.Time{}, Link: "wan", Packet: p.Packet}}, l.KS.Keys())
	return len(messages) == 1 && kit.Checked(messages[0], "ICV") == capture.OK
}
