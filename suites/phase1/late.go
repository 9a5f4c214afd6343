package phase1

import (
	"bytes"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Late messages at a key server (RFC 2408 §5.2)", kit.Subject("phase1"), kit.DUT(rule.KS), func() { late(keyServerSide) })

var _ = Describe("Late messages at a group member (RFC 2408 §5.2)", kit.Subject("phase1"), kit.DUT(rule.GM), func() { late(memberSide) })

// late makes the spec of a message of Phase 1 that comes when the SA is there: only a copy of one that was there has a place.
func late(s side) {
	It(s.name+" drops another message 3 or 4 than it had, once the SA is there", kit.Requirement("RFC2408-5.2-04"), kit.Negative, func(ctx SpecContext) {
		t := begin(ctx, lab.Setup{})
		kit.Reached(t.reaches(ctx, settled(s)), "the registration is over")
		kit.Precondition(t.GM[0].AwaitRegistered(ctx), "the member is registered")
		exchanged := mainMode(t.messages(t.tester))[1]
		answers := func() int { return len(mainMode(t.sent(t.device))) }
		before := answers()
		t.Inject(t.tester.Name(), otherwise(exchanged.packet))
		kit.AwaitRefusal(ctx, t.Lab, t.device, "RFC2408-5.2-04", 0, func() bool { return answers() > before })
		Expect(answers()).To(Equal(before), "it answers nothing")
		kit.ExpectRefused(ctx, t.device, "RFC2408-5.2-04", BeNumerically(">", 0), "the device says that it refused the message")
		served := len(t.decoded(t.KS, core.Pull4))
		kit.Precondition(t.GM[0].Register(ctx), "the member registers again")
		kit.Control(t.Wait(ctx, lab.Patience, func() bool { return len(t.decoded(t.KS, core.Pull4)) > served }), "the SA still serves a registration")
		kit.Control(answers() == before, "and it is the same SA")
	})
}

// otherwise is a UDP datagram in an IPv4 packet with another last octet and without a checksum.
func otherwise(packet []byte) []byte {
	const checksum = 20 + 6
	b := bytes.Clone(packet)
	b[checksum], b[checksum+1] = 0, 0
	b[len(b)-1] ^= 1
	return b
}
