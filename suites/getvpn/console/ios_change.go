package console

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("A router's configuration of a key server that changes while it runs", kit.Subject("console"), kit.DUT(rule.KS), func() {
	It("has no rekey leave when entries come to the access list of rekeys and go again", kit.Requirement("GETVPN-POLICY-24"), func(ctx SpecContext) {
		l := kit.Up(ctx, multicast.setup())
		more := multicast + written("access-list 121 permit udp any host "+lab.MulticastGroup.String()+"\n")
		Expect(follows(ctx, l, more)).To(BeFalse(), "an entry more")
		Expect(follows(ctx, l, multicast)).To(BeFalse(), "an entry less")
		Expect(follows(ctx, l, multicast.as(lab.MulticastGroup.String(), "239.1.1.77"))).To(BeTrue(), "another address")
		kit.Reading("GETVPN-POLICY-24", "what the list says beside the address brings no rekey; another address does")
	})

	It("has no rekey leave when an IPsec profile is added, and one when an SA is given it", kit.Requirement("GETVPN-POLICY-31"), func(ctx SpecContext) {
		l := kit.Up(ctx, unicast.setup())
		third := unicast.as("crypto gdoi group", "crypto ipsec transform-set u esp-aes 256 esp-sha-hmac\n"+
			"crypto ipsec profile third\n set security-association lifetime seconds 600\n set transform-set u\ncrypto gdoi group")
		Expect(follows(ctx, l, third)).To(BeFalse(), "nothing uses the profile")
		Expect(follows(ctx, l, third.as("profile first\n   match", "profile third\n   match"))).To(BeTrue(), "an SA uses it")
	})

	It("has a rekey leave without the SA whose access list is deleted", kit.Requirement("GETVPN-POLICY-28"), func(ctx SpecContext) {
		l := kit.Up(ctx, unicast.setup())
		before, since := spis(ctx, l), kit.Now(l)
		deleted := unicast.as("ip access-list extended udp\n permit udp", "ip access-list extended elsewhere\n permit udp")
		Expect(follows(ctx, l, deleted)).To(BeTrue(), "the members are told at once")
		_, incomplete := deleted.parsed()
		Expect(incomplete).To(ContainElement(HaveField("Text", "the SA 1 is incomplete: there is no access list udp")), "the configuration shows it")
		kit.NeedsKeys(l)
		push := sent(l, since, "PUSH", l.KS)[0]
		Expect(leaves(push.Payloads, "Protocol", "SAT")).To(HaveEach(Not(ContainSubstring("17"))), "what the list protected is not in the policy")
		Expect(before).To(ContainElements(leaves(push.Payloads, "SPI", "SAT")), "there is no new SA")
		kit.Reading("GETVPN-POLICY-28", "the SA without a list is told no more, and what it protected is the group's no more; the others stay as they are")
	})
})

// spis are those of the SAs in the policy of a key server.
func spis(ctx SpecContext, l *lab.Lab) []string {
	GinkgoHelper()
	var all []string
	for _, m := range sent(l, 0, "PULL2", l.KS) {
		all = append(all, leaves(m.Payloads, "SPI", "SAT")...)
	}
	kit.Reached(len(all) > 0, "the SAs of the group")
	return all
}
