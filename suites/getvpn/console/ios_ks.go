package console

import (
	"fmt"
	"strconv"
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
	"github.com/gdoilab/gdoilab/suites/getvpn/ios"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// Lines of the configuration of a key server.
const (
	byUnicast = "  rekey transport unicast\n"
	toList    = "  rekey address ipv4 121\n"
	withKey   = "  rekey authentication mypubkey rsa ks1\n"
	ofProfile = " set security-association lifetime seconds 2700\n"
	global    = "crypto ipsec security-association lifetime seconds 7200\n"
	inProfile = "crypto ipsec profile p\n"
)

var ownAddress = "  address ipv4 " + lab.IPv4Family.KeyServerAddress().String() + "\n"

// serves has the key server of a lab follow a router's configuration.
func serves(ctx SpecContext, replaced ...string) *lab.Lab {
	GinkgoHelper()
	return kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Members: 2, Hosts: true, Signature: policy.SigRSA, KeyServer: ios.KeyServer(replaced...)})
}

// offer is the policy that a member was offered.
func offer(l *lab.Lab) capture.Message {
	GinkgoHelper()
	kit.NeedsKeys(l)
	m := kit.Last(kit.MessagesSince(l, 0, core.Pull2.String()))
	kit.Reached(m.Kind != "", "a member is offered the group's policy")
	return m
}

// lives is the lifetime in a field of the offer.
func lives(l *lab.Lab, field string) time.Duration {
	GinkgoHelper()
	n, err := strconv.Atoi(kit.Value(offer(l), field))
	kit.Precondition(err, "the offer tells a lifetime in "+field)
	return time.Duration(n) * time.Second
}

// rekeys has the operator ask for a rekey, and returns the messages that leave.
func rekeys(ctx SpecContext, l *lab.Lab) []capture.Message {
	GinkgoHelper()
	mark := kit.Now(l)
	types(ctx, l.KS, "crypto gdoi ks rekey")
	awaits(ctx, l, mark, core.Push.String(), l.KS, 1)
	l.Pass(ctx, time.Second) // those to the others
	return sent(l, mark, core.Push.String(), l.KS)
}

var _ = Describe("What a router's configuration of a key server does", kit.Subject("console"), kit.DUT(rule.KS), func() {
	for _, c := range []struct {
		what     string
		replaced []string
		lives    time.Duration
	}{
		{"that of its profile before the global one", []string{inProfile, global + inProfile}, 2700 * time.Second},
		{"the global one if its profile has none", []string{inProfile, global + inProfile, ofProfile, ""}, 7200 * time.Second},
	} {
		It("gives an SA the lifetime that is said for it: "+c.what, kit.Requirement("GETVPN-TIMER-14"), func(ctx SpecContext) {
			Expect(lives(serves(ctx, c.replaced...), "SA/SAT/SA Life Duration")).To(BeNumerically("~", c.lives, 2*time.Second))
		})
	}

	It("rekeys by multicast unless unicast is said", kit.Requirement("GETVPN-REKEY-18", "GETVPN-UCAST-10"), func(ctx SpecContext) {
		l := serves(ctx, byUnicast, toList)
		Expect(kit.Value(offer(l), "SA/SAK/Destination")).To(ContainSubstring(lab.IPv4Family.Group().String()), "where rekeys are said to go")
		Expect(types(ctx, l.KS, "show crypto gdoi ks rekey").Text).To(MatchRegexp(`(?i)multicast`))
		Expect(rekeys(ctx, l)).To(HaveEach(HaveField("To", HaveField("Addr()", lab.IPv4Family.Group()))))
	})

	It("rekeys one way only, by unicast, if an address of multicast rekeys is said too", kit.Requirement("GETVPN-REKEY-20"), func(ctx SpecContext) {
		l := serves(ctx, byUnicast, byUnicast+toList)
		Expect(kit.Value(offer(l), "SA/SAK/Destination")).NotTo(ContainSubstring(lab.IPv4Family.Group().String()), "where rekeys are said to go")
		Expect(addressees(rekeys(ctx, l))).To(And(HaveLen(2), Not(HaveKey(lab.IPv4Family.Group().String()))), "where they go: to each member")
	})

	It("has no unicast rekeys without an address for them, and none without a key to sign them", kit.Requirement("GETVPN-REKEY-22", "GETVPN-UCAST-12"),
		func(ctx SpecContext) {
			_, _, err := ios.ReadKeyServer(ownAddress, "")
			Expect(err).To(MatchError(ContainSubstring(`has no "address ipv4"`)), "without an address it is refused")
			l := serves(ctx, withKey, "")
			_, announced := kit.Field(offer(l), "SA/SAK")
			Expect(announced).To(BeFalse(), "without a key members are offered no rekeys")
			Expect(rekeys(ctx, l)).To(BeEmpty(), "and get none")
		})

	It("rekeys by unicast from the address that is said for it", kit.Requirement("GETVPN-REKEY-22", "GETVPN-UCAST-12"), func(ctx SpecContext) {
		pushes := rekeys(ctx, serves(ctx))
		Expect(pushes).NotTo(BeEmpty())
		Expect(pushes).To(HaveEach(HaveField("From", HaveField("Addr()", lab.IPv4Family.KeyServerAddress()))))
	})

	It("rekeys by multicast from the source that its list of addresses has, if no address is said", kit.Requirement("GETVPN-MCAST-13"), func(ctx SpecContext) {
		l := serves(ctx, byUnicast, toList, ownAddress, "")
		pushes := rekeys(ctx, l)
		Expect(pushes).NotTo(BeEmpty())
		Expect(pushes).To(HaveEach(HaveField("From", HaveField("Addr()", lab.IPv4Family.KeyServerAddress()))))
	})

	for n, set := range []string{"esp-gcm", "esp-aes esp-sha-hmac", "esp-aes esp-sha-hmac comp-lzs", "ah-sha-hmac esp-aes esp-sha-hmac comp-lzs"} {
		It(fmt.Sprintf("takes a transform set of %d", n+1), kit.Requirement("GETVPN-ALGO-04"), func(ctx SpecContext) {
			cipher := map[bool]string{true: "ESP_AES-GCM_16 (20)", false: "ESP_AES-CBC (12)"}[n == 0]
			Expect(kit.Value(offer(serves(ctx, "esp-aes esp-sha-hmac", set)), "SA/SAT/Transform ID")).To(Equal(cipher))
		})
	}

	It("takes no transform set of five", kit.Requirement("GETVPN-ALGO-04"), func(SpecContext) {
		_, _, err := ios.ReadKeyServer("esp-aes esp-sha-hmac", "ah-sha-hmac esp-aes esp-sha-hmac comp-lzs esp-null")
		Expect(err).To(MatchError(ContainSubstring("ks.ios:7:1: a transform set has one to 4 transforms")))
	})

	for _, c := range []struct{ what, name, list string }{
		{"a number", "match address ipv4 150", "access-list 150 permit tcp any any\n"},
		{"a name", "match address ipv4 for-all", "ip access-list extended for-all\n permit tcp any any\n"},
	} {
		It("protects what an access list says that has "+c.what, kit.Requirement("GETVPN-ACL-17"), func(ctx SpecContext) {
			l := serves(ctx, "match address ipv4 103", c.name, "access-list 103", c.list+"access-list 103")
			Expect(kit.Value(offer(l), "SA/SAT/Protocol")).To(ContainSubstring("6"), "TCP")
		})
	}

	It("takes what it is told of long lifetimes and of rekeys that are repeated until they are acknowledged", kit.Requirement("GETVPN-LONGSA-04"),
		func(ctx SpecContext) {
			const month = 30 * 24 * time.Hour
			l := serves(ctx, "rekey lifetime seconds 14400", "rekey lifetime days 30", "lifetime seconds 2700", "lifetime days 30",
				"rekey acknowledgement none", "rekey acknowledgement any\n  rekey retransmit 10 periodic")
			Expect(lives(l, "SA/SAK/KEK_KEY_LIFETIME")).To(BeNumerically("~", month, 2*time.Second))
			Expect(lives(l, "SA/SAT/SA Life Duration")).To(BeNumerically("~", month, 2*time.Second))
			Expect(number(types(ctx, l.KS, "show crypto gdoi ks rekey"), "orig life(sec)")).To(BeEquivalentTo(month.Seconds()))

			kit.Precondition(l.GM[0].Misbehave(tester.Taps(tester.Withhold(core.PushACK))), "a member acknowledges nothing")
			mark := kit.Now(l)
			kit.Rekey(ctx, l, control.RekeyArgs{})
			again := l.Wait(ctx, 25*time.Second, func() bool { return len(sentTo(sent(l, mark, core.Push.String(), l.KS), l.GM[0])) == 3 })
			Expect(again).To(BeTrue(), "it is sent again after 10 s and after 20 s")
			Expect(sentTo(sent(l, mark, core.Push.String(), l.KS), l.GM[1])).To(HaveLen(1), "who has acknowledged gets it once")
		})
})

// sentTo are the messages to a member.
func sentTo(messages []capture.Message, member *lab.Peer) (all []capture.Message) {
	for _, m := range messages {
		if m.To.Addr() == member.Addr().Addr() {
			all = append(all, m)
		}
	}
	return all
}
