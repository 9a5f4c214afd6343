package console

import (
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// temporary is what a member calls the list that came from its key server.
const temporary = "gdoi_group_.*_temp_acl"

var _ = Describe("What the console of a group member shows of its lists", kit.Subject("console"), kit.DUT(rule.GM), func() {
	It("has the list that came from its key server until it is taken out of the group, and then leaves in clear what that protected",
		kit.Requirement("GETVPN-ACL-07"), func(ctx SpecContext) {
			l := up(ctx, 2)
			member := l.GM[0]
			entry := `access-list\s+permit ip ` + network(lab.Protected)
			registered := types(ctx, member, "show crypto gdoi")
			Expect(value(registered, "ACL Received From KS")).To(MatchRegexp(temporary))
			Expect(registered.Text).To(MatchRegexp(entry))
			kit.Reached(kit.SendingSPI(ctx, l, 1, 2) != 0, "the list protects what its hosts send")

			kit.Precondition(member.Detach(ctx), "the operator takes the group off the interface")
			removed := types(ctx, member, "show crypto gdoi").Text
			Expect(removed).NotTo(MatchRegexp(temporary))
			Expect(removed).NotTo(MatchRegexp(entry))
			mark := kit.Now(l)
			kit.Ping(ctx, l, 1, 2, 1)
			Expect(kit.ClearSince(l, mark)).NotTo(BeEmpty(), "what the list protected leaves in clear")

			kit.Precondition(member.Attach(ctx), "the operator puts it back")
			kit.Precondition(member.AwaitRegistered(ctx), "the member registers")
			Expect(value(types(ctx, member, "show crypto gdoi"), "ACL Received From KS")).To(MatchRegexp(temporary))
		})

	It("lists the rules of a passive member in their order: what it denies, then the SA for what comes in, then the crypto map",
		kit.Requirement("GETVPN-PASSIVE-07"), func(ctx SpecContext) {
			flow := policy.Selector{Source: lab.Protected, Destination: lab.Protected, Protocol: 17, SourcePort: 4000, DestinationPort: 123}
			l := kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Hosts: true, Member: func(_ int, c *policy.Member) {
				c.Passive, c.AccessList = true, []policy.ACE{{Deny: true, Selector: flow}}
			}})
			shown := rules(types(ctx, l.GM[0], "show crypto ruleset").Text)
			protected := regexp.QuoteMeta(lab.Protected.String())
			denied, passive, cryptomap := place(shown, `^11 `+protected+`/4000 `+protected+`/123 DENY$`), place(shown, `^IP `+protected+` `+protected+` IPSec SA Passive$`),
				place(shown, `^IP `+protected+` `+protected+` IPSec Cryptomap$`)
			Expect(denied).To(BeNumerically(">=", 0), "what its own list denies, with protocol and ports, in %v", shown)
			Expect(passive).To(BeNumerically(">", denied), "the SA for what comes in, in %v", shown)
			Expect(cryptomap).To(BeNumerically(">", passive), "the crypto map, in %v", shown)
		})
})

// rules are the lines below the heading of an interface.
func rules(text string) (all []string) {
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, " ") && strings.TrimSpace(line) != "" {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

// place is the first of the lines that matches, -1 if none does.
func place(lines []string, expression string) int {
	form := regexp.MustCompile(expression)
	for i, l := range lines {
		if form.MatchString(l) {
			return i
		}
	}
	return -1
}
