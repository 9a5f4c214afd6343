package registration

import (
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// request is something that message 1 or 3 of a member has to have.
type request struct {
	sentence    string
	requirement string // with spaces between
	kind        core.Kind
	group       func(*policy.Group)
	member      func(*policy.Member)
	check       func(l *lab.Lab, m capture.Message)
}

var _ = Describe("What a member asks for (RFC 6407 §3.2, §3.3)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	for _, row := range []request{
		{sentence: "sends message 1 as HASH(1), Ni and ID", requirement: "RFC6407-3.2-01 RFC6407-5-01 RFC6407-5-03", kind: core.Pull1,
			check: func(_ *lab.Lab, m capture.Message) {
				Expect(kit.Names(m)).To(ConsistOf("HASH", "NONCE", "ID"))
				Expect(kit.Names(m)[0]).To(Equal("HASH"))
			}},
		{sentence: "sends message 1 under the cookies of Phase 1, the initiator's first", requirement: "RFC6407-3.2.1-01", kind: core.Pull1,
			check: func(l *lab.Lab, m capture.Message) {
				phase1 := kit.Last(messages(l, core.MainMode5.String(), l.GM[0])).Header
				Expect(m.Header.InitiatorCookie).To(Equal(phase1.InitiatorCookie))
				Expect(m.Header.ResponderCookie).To(Equal(phase1.ResponderCookie))
			}},
		{sentence: "sends message 1 with version 1.0", requirement: "RFC6407-3.2.1-02", kind: core.Pull1,
			check: func(_ *lab.Lab, m capture.Message) { Expect(m.Header.Version).To(BeEquivalentTo(isakmp.Version10)) }},
		{sentence: "sends message 1 with exchange type 32", requirement: "RFC6407-3.2.1-03", kind: core.Pull1,
			check: func(_ *lab.Lab, m capture.Message) { Expect(m.Header.Exchange).To(BeEquivalentTo(32)) }},
		{sentence: "sends message 1 encrypted, with a Message ID", requirement: "RFC6407-3.2.1-04 RFC6407-2-01", kind: core.Pull1,
			check: func(_ *lab.Lab, m capture.Message) {
				Expect(m.Header.Flags).To(Equal(isakmp.FlagEncryption))
				Expect(m.Header.MessageID).NotTo(BeZero())
			}},
		{sentence: "proves message 1 by HASH(1) over Message ID, Ni and ID, without padding", kind: core.Pull1,
			requirement: "RFC6407-3.2-02 RFC6407-3.2-06 RFC6407-3.2-07",
			check:       func(_ *lab.Lab, m capture.Message) { Expect(kit.Checked(m, "HASH(1)")).To(Equal(capture.OK)) }},
		{sentence: "sends a nonce of 8 to 128 octets", requirement: "RFC6407-5.8-01", kind: core.Pull1,
			check: func(_ *lab.Lab, m capture.Message) {
				nonce, _ := kit.Field(m, "NONCE")
				Expect(nonce.Length - isakmp.GenericLen).To(And(BeNumerically(">=", 8), BeNumerically("<=", 128)))
			}},
		{sentence: "names the group that it is to join", requirement: "RFC6407-3.2-11 RFC6407-5-02", kind: core.Pull1,
			check: func(_ *lab.Lab, m capture.Message) { Expect(kit.Value(m, "ID")).To(Equal(strconv.Itoa(lab.GroupID))) }},
		{sentence: "names the group by a key identifier of 4 octets", requirement: "RFC6407-5.1-02 RFC6407-5.1-03 RFC5374-4.1.3.3-01", kind: core.Pull1,
			check: func(_ *lab.Lab, m capture.Message) {
				Expect(kit.Value(m, "ID/ID Type")).To(HaveSuffix("(11)"))
				data, _ := kit.Field(m, "ID/Data")
				Expect(data.Length).To(Equal(4))
			}},
		{sentence: "leaves protocol and port of the group's identity zero", requirement: "RFC6407-5.1-01", kind: core.Pull1,
			check: func(_ *lab.Lab, m capture.Message) {
				Expect(kit.Value(m, "ID/Protocol")).To(Equal("0"))
				Expect(kit.Value(m, "ID/Port")).To(Equal("0"))
			}},

		{sentence: "sends message 3 as HASH(3) alone if it needs nothing", requirement: "RFC6407-3.2-01 RFC6407-3.3-03", kind: core.Pull3,
			check: func(_ *lab.Lab, m capture.Message) { Expect(kit.Names(m)).To(Equal([]string{"HASH"})) }},
		{sentence: "proves message 3 by HASH(3) over Message ID and both nonces, without padding", kind: core.Pull3,
			requirement: "RFC6407-3.2-04 RFC6407-3.2-06 RFC6407-3.2-07",
			check:       func(_ *lab.Lab, m capture.Message) { Expect(kit.Checked(m, "HASH(3)")).To(Equal(capture.OK)) }},
		{sentence: "proves a request for Sender-IDs by HASH(3)", requirement: "RFC6407-3.2-04", kind: core.Pull3, member: wantsSIDs,
			check: func(_ *lab.Lab, m capture.Message) { Expect(kit.Checked(m, "HASH(3)")).To(Equal(capture.OK)) }},
		{sentence: "keeps Message ID, version and encryption in message 3", kind: core.Pull3,
			requirement: "RFC6407-3.2.1-01 RFC6407-3.2.1-02 RFC6407-3.2.1-03 RFC6407-3.2.1-04",
			check: func(l *lab.Lab, m capture.Message) {
				first := kit.Last(messages(l, core.Pull1.String(), l.GM[0])).Header
				Expect(m.Header.MessageID).To(Equal(first.MessageID))
				Expect(m.Header.Version).To(Equal(first.Version))
				Expect(m.Header.Flags).To(Equal(isakmp.FlagEncryption))
			}},
		{sentence: "asks for as many Sender-IDs as it needs", requirement: "RFC6407-3.3-03 RFC6407-3.5-06 RFC6407-5.4-04", kind: core.Pull3,
			member: wantsSIDs,
			check: func(_ *lab.Lab, m capture.Message) {
				Expect(kit.Names(m)).To(Equal([]string{"HASH", "GAP"}))
				Expect(kit.Value(m, "GAP/SENDER_ID_REQUEST")).To(Equal("3"))
			}},
		{sentence: "sends its request for Sender-IDs as a basic attribute", requirement: "RFC6407-5.4.2-01", kind: core.Pull3, member: wantsSIDs,
			check: func(_ *lab.Lab, m capture.Message) {
				wanted, _ := kit.Field(m, "GAP/SENDER_ID_REQUEST")
				Expect(wanted.Length).To(Equal(4), "type and value, with no length between")
			}},
		{sentence: "asks for no Sender-IDs where no SA has a counter mode", requirement: "RFC6407-3.3-03", kind: core.Pull3,
			group: withCBC, member: wantsSIDs,
			check: func(_ *lab.Lab, m capture.Message) { Expect(kit.Names(m)).To(Equal([]string{"HASH"})) }},
	} {
		It(row.sentence, kit.Requirement(strings.Fields(row.requirement)...), func(ctx SpecContext) {
			l := newLab(ctx, row.group, row.member)
			start(ctx, l)
			l.Wait(ctx, lab.Patience, func() bool { return l.GM[0].Registered(ctx) }) // what comes of the message is not judged
			seen := messages(l, row.kind.String(), l.GM[0])
			Expect(seen).NotTo(BeEmpty(), "the member sends %s", row.kind)
			row.check(l, seen[0])
		})
	}

	It("uses another Message ID and another nonce for each registration", kit.Requirement("RFC2408-3.1-06", "RFC2408-5.13-01"),
		func(ctx SpecContext) {
			l := newLab(ctx, nil, nil)
			start(ctx, l)
			Expect(l.GM[0].AwaitRegistered(ctx)).To(Succeed())
			kit.Precondition(l.GM[0].Register(ctx), "the operator has it register again")
			kit.Reached(awaitPulls(ctx, l, 2), "the member asks for the group again")
			seen := messages(l, core.Pull1.String(), l.GM[0])
			Expect(seen).To(HaveLen(2))
			Expect(seen[1].Header.MessageID).NotTo(Equal(seen[0].Header.MessageID))
			Expect(kit.Value(seen[1], "NONCE")).NotTo(Equal(kit.Value(seen[0], "NONCE")))
		})
})

// wantsSIDs has the member ask for three Sender-IDs.
func wantsSIDs(c *policy.Member) { c.SIDRequest = 3 }
