package acl

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/getvpn/ios"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("Access lists as routers have them", kit.Subject("acl"), kit.DUT(rule.GM), func() {
	It("protects what the list of its key server's SA permits, but for what the list of its crypto map denies", kit.Requirement("GETVPN-ACL-13"),
		func(ctx SpecContext) {
			s := up(ctx, lab.Setup{Members: 3, Hosts: true, Profile: policy.ProfileGETVPN, Signature: policy.SigRSA, KeyServer: ios.KeyServer(),
				Member: ios.Member(" set group lab\n", " set group lab\n match address 101\naccess-list 101 deny ip host "+lab.HostAddr(1).String()+" host "+lab.HostAddr(2).String()+"\n")})
			Expect(s.fate(1, packet(udp, 1, 2, 40000, 40001))).To(Equal(inClear), "what the member's list denies")
			Expect(s.fate(1, packet(udp, 1, 3, 40000, 40001))).To(Equal(protected), "the rest of what the key server's permits")
			Expect(s.fate(3, packet(udp, 3, 1, 40000, 40001))).To(Equal(protected), "at a member without a list of its own")
		})
})
