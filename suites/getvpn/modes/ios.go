package modes

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/getvpn/ios"
	"github.com/gdoilab/gdoilab/suites/kit"
)

const (
	ofGroup   = " server address ipv4 "
	ofMap     = "interface Ethernet0/0"
	failClose = "crypto map svn gdoi fail-close\n"
)

var _ = Describe("A member that is configured as a router", kit.Subject("modes"), kit.DUT(rule.GM), kit.Feature("profile:getvpn"), func() {
	for _, server := range []string{lab.KeyServerAddr.String(), "ks.lab"} {
		It("is passive in its group, whose key server is "+server, kit.Requirement("GETVPN-PASSIVE-06"), func(ctx SpecContext) {
			s := device(ctx, lab.Setup{Member: ios.Member(ofGroup+lab.KeyServerAddr.String(), " passive\n"+ofGroup+server)})
			s.is(optional, "once it has registered")
		})
	}

	It("fails close as soon as that is activated, but for what the list of it denies", kit.Requirement("GETVPN-FAILCLOSE-15"), kit.Negative, func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: ios.Member(ofMap, failClose+" match address 105\n activate\naccess-list 105 deny tcp any any eq telnet\n"+ofMap)})
		s.isNow(blocked, "before it has registered")
		s.passes(s.ports(6, 4000, 22), not, "SSH")
		s.passes(s.ports(6, 4000, 23), inClear, "telnet")
		kit.Control(true, "what its list denies leaves in clear")
	})

	It("fails close without a list as well", kit.Requirement("GETVPN-FAILCLOSE-15"), kit.Negative, func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: ios.Member(ofMap, failClose+" activate\n"+ofMap)})
		s.isNow(blocked, "before it has registered")
		s.passes(s.ports(6, 4000, 23), not, "telnet")
		kit.Precondition(s.KS.Start(ctx), "the key server starts")
		kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
		kit.Control(s.comesTo(both) == both, "traffic is protected once it has")
	})

	It("does not fail close until that is activated", kit.Requirement("GETVPN-FAILCLOSE-15"), func(ctx SpecContext) {
		s := alone(ctx, lab.Setup{Member: ios.Member(ofMap, failClose+" match address 105\naccess-list 105 permit ip any any\n"+ofMap)})
		s.is(open, "before it has registered")
	})
})
