package ah

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The numbers of the registries (RFC 2407 §4.4.3 and §4.5, RFC 4868 §2.6), once more.
var (
	transforms = map[policy.Integrity]string{policy.IntegrityHMACSHA1: "AH_SHA (3)", policy.IntegrityHMACSHA256: "AH_SHA2-256 (5)",
		policy.IntegrityHMACSHA384: "AH_SHA2-384 (6)", policy.IntegrityHMACSHA512: "AH_SHA2-512 (7)"}
	algorithms = map[policy.Integrity]string{policy.IntegrityHMACSHA1: "HMAC-SHA1 (2)", policy.IntegrityHMACSHA256: "HMAC-SHA2-256 (5)",
		policy.IntegrityHMACSHA384: "HMAC-SHA2-384 (6)", policy.IntegrityHMACSHA512: "HMAC-SHA2-512 (7)"}
	octets   = map[policy.Integrity]int{policy.IntegrityHMACSHA1: 20, policy.IntegrityHMACSHA256: 32, policy.IntegrityHMACSHA384: 48, policy.IntegrityHMACSHA512: 64}
	keyRules = map[policy.Integrity]string{policy.IntegrityHMACSHA1: "RFC2404-3-01", policy.IntegrityHMACSHA256: "RFC4868-2.1.1-01",
		policy.IntegrityHMACSHA384: "RFC4868-2.1.1-01", policy.IntegrityHMACSHA512: "RFC4868-2.1.1-01"}
)

var _ = Describe("SAT of AH at a key server (RFC 6407 §5.5)", kit.Subject("ah"), kit.DUT(rule.KS), func() {
	for _, t := range policy.AHTransforms() {
		It("says what a member has to know of "+t.Name()+", and gives a key of its length", kit.Requirement("RFC6407-5.5-03",
			"RFC6407-5.5.1-07", "RFC6407-5.6.1-01", keyRules[t.Integrity]), func(ctx SpecContext) {
			l := kit.Lab(ctx, lab.Setup{Members: 1, Group: using(inTunnel(t))})
			kit.Precondition(l.KS.Start(ctx), "the key server starts")
			kit.Precondition(l.GM[0].Start(ctx), "the member starts")
			sat, keys := awaited(ctx, l, 0, core.Pull2), awaited(ctx, l, 0, core.Pull4)
			for name, want := range map[string]string{"Protocol-ID": "AH (2)", "Transform ID": transforms[t.Integrity],
				"Authentication Algorithm": algorithms[t.Integrity], "Key Length": "", "Encapsulation Mode": "tunnel (1)",
				"Address Preservation": "source and destination (4)"} {
				Expect(kit.Value(sat, "SA/SAT/"+name)).To(Equal(want), name)
			}
			Expect(kit.Value(keys, "KD/Key Packet TEK/TEK_INTEGRITY_KEY")).To(HaveLen(2 * octets[t.Integrity]))
			_, has := kit.Field(keys, "KD/Key Packet TEK/TEK_ALGORITHM_KEY")
			Expect(has).To(BeFalse(), "AH has no cipher")
		})
	}

	It("deletes an SA of AH under Protocol-ID 2", kit.Requirement("RFC6407-5.9-04"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Members: 1, Group: using(sha256)})
		status, err := l.KS.KSStatus(ctx)
		kit.Precondition(err, "the key server tells its state")
		since, spi := kit.Now(l), status.Groups[0].SAs[0].SPI
		kit.Rekey(ctx, l, control.RekeyArgs{DeleteTEKs: []string{spi}})
		m := awaited(ctx, l, since, core.Push)
		Expect(kit.Value(m, "D/Protocol")).To(Equal("AH (2)"))
		Expect(kit.Value(m, "D/SPI")).To(Equal(spi))
	})
})

// awaited is the first message of that kind since the mark.
func awaited(ctx SpecContext, l *lab.Lab, since kit.Mark, kind core.Kind) capture.Message {
	GinkgoHelper()
	var all []capture.Message
	Expect(l.Wait(ctx, lab.Patience, func() bool {
		all = slices.DeleteFunc(kit.MessagesSince(l, since, kind.String()), func(m capture.Message) bool { return m.Repeats != 0 })
		return len(all) > 0
	})).To(BeTrue(), "there is a %s", kind)
	return all[0]
}
