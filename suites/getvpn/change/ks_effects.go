package change

import (
	"net/netip"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// another is the number of a group that no member asks for.
const another = lab.GroupID + 1

var _ = Describe("What a key server of GET VPN does about members after its policy has changed", kit.Subject("change"), kit.DUT(rule.KS), func() {
	for n, c := range []struct {
		what  string
		ids   []string
		alter func(*policy.KeyServer)
	}{
		{"its list of members has it no more", []string{"GETVPN-POLICY-27"},
			func(c *policy.KeyServer) {
				c.Groups[0].Members = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
			}},
		{"it has another pre-shared key for it", []string{"GETVPN-POLICY-29", "GETVPN-POLICY-30"},
			func(c *policy.KeyServer) { c.Phase1.PSKs[0].Key = []byte("another key of the lab") }},
		{"the group has another identity", []string{"GETVPN-POLICY-35"}, func(c *policy.KeyServer) { c.Groups[0].ID = another }},
	} {
		It("goes on to rekey a member that has registered and lets it register no more when "+c.what, kit.Requirement(c.ids...), kit.Negative, kit.Row(n),
			func(ctx SpecContext) {
				s := group(ctx, 1, as)
				var before policy.KeyServer
				s.configure(func(k *policy.KeyServer) { before = *k })
				s.configure(c.alter)
				s.forced(control.RekeyArgs{})
				Expect(s.GM[0].AwaitLog(ctx, "REKEY_ACCEPTED", 0, atOnce)).To(BeTrue(), "the member takes the next rekey with the keys that it has")

				since := kit.Now(s.Lab)
				kit.Precondition(s.GM[0].Clear(ctx), "the member registers afresh")
				s.Pass(ctx, kit.Settle)
				Expect(kit.MessagesSince(s.Lab, since, core.Pull2.String())).To(BeEmpty(), "it is offered no policy")

				registered := s.GM[0].Registrations()
				s.configure(func(c *policy.KeyServer) { *c = before })
				kit.Control(s.GM[0].AwaitRegistrations(ctx, registered, 2*time.Minute), "under the policy from before it registers")
			})
	}

	It("has whoever registers get the KEK that there is when the lifetime of KEKs is another, and the new lifetime with the next KEK",
		kit.Requirement("GETVPN-POLICY-55", "GETVPN-POLICY-10"), func(ctx SpecContext) {
			s := group(ctx, 1, as)
			s.configure(ofRekey(func(r *policy.RekeyPolicy) { r.KEKLifetime = 2 * time.Hour }))
			Expect(s.registersWith("SAK/KEK_KEY_LIFETIME")).To(BeNumerically(">", 7200), "the KEK that there is")
			s.forced(control.RekeyArgs{KEK: true})
			Expect(s.registersWith("SAK/KEK_KEY_LIFETIME")).To(BeNumerically("~", 7200, 5), "the next KEK")
		})

	It("has the next KEK be of another cipher, whether or not it tells of that at once", kit.Requirement("GETVPN-POLICY-26"), func(ctx SpecContext) {
		s := group(ctx, 1, as)
		since := kit.Now(s.Lab)
		s.configure(ofRekey(func(r *policy.RekeyPolicy) { r.KEK = policy.KEKTransform{Cipher: policy.KEKAES, KeyBits: 256} }))
		if s.leaves(since) {
			kit.Reading("GETVPN-POLICY-26", "another algorithm brings a rekey, as both tables have it")
		} else {
			kit.Reading("GETVPN-POLICY-26", "another algorithm brings no rekey")
			s.forced(control.RekeyArgs{KEK: true})
		}
		is("SAK/KEK_KEY_LENGTH", "256")(kit.Last(s.pushes(since)))
		Expect(kit.Takes(ctx, s.Lab, 1, kit.Rekey(ctx, s.Lab, control.RekeyArgs{}))).To(BeTrue(), "the member takes rekeys under the new KEK")
	})

	It("has its members have the new policy when it is cleared and they are, whatever would have waited", kit.Requirement("GETVPN-POLICY-13"),
		func(ctx SpecContext) {
			s := group(ctx, 1, as)
			s.configure(ofSA(func(sa *policy.SAPolicy) { sa.Lifetime = 2 * time.Hour }))
			Expect(s.registersWith("SAT/SA Life Duration")).To(BeNumerically("<=", 3600), "the SA that there is")
			kit.Precondition(s.KS.ClearGroups(ctx), "the key server is cleared")
			Expect(s.registersWith("SAT/SA Life Duration")).To(BeNumerically("~", 7200, 5), "the new SA")
		})

	It("tells its operator of a group that the policy has no more", kit.Requirement("GETVPN-SYSLOG-06"), func(ctx SpecContext) {
		s := group(ctx, 1, as)
		kit.Precondition(s.KS.Can(peer.ReadLog), "the log of the key server can be read")
		s.configure(func(c *policy.KeyServer) {
			second := c.Groups[0]
			second.Name, second.ID = "second", another
			c.Groups = append(c.Groups, second)
		})
		s.configure(func(c *policy.KeyServer) { c.Groups = c.Groups[:1] })
		Expect(s.KS.AwaitMessage(ctx, "KS_GROUP_DELETE", 0, atOnce)).To(BeTrue())
		Expect(s.KS.Messages("KS_GROUP_DELETE")).To(HaveLen(1), "of the one group")
	})
})

// registersWith has the member register afresh, and returns the number in a field of the policy that it is offered.
func (s *scene) registersWith(field string) int {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	kit.Precondition(s.GM[0].Clear(s.ctx), "the member registers afresh")
	kit.Precondition(s.GM[0].AwaitRegistered(s.ctx), "the member is registered")
	var offer capture.Message
	s.Wait(s.ctx, lab.Patience, func() bool {
		for _, m := range kit.MessagesSince(s.Lab, since, core.Pull2.String()) {
			offer = m
		}
		return offer.Kind != ""
	})
	n, err := strconv.Atoi(kit.Value(offer, "SA/"+field))
	kit.Precondition(err, "the offer tells a lifetime")
	return n
}
