package authz

import (
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/fixtures/pki"
	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// What refuses a member that is an address, and one that has a name.
const (
	byAddress  rule.ID = "GETVPN-AUTHZ-08"
	byIdentity rule.ID = "GETVPN-AUTHZ-10"
)

// addresses and identities are lists; without an entry nobody is on them.
func addresses(members ...int) *[]netip.Prefix {
	var list []netip.Prefix
	for _, i := range members {
		list = append(list, netip.PrefixFrom(lab.MemberAddr(i), 32))
	}
	return &list
}

func identities(list ...policy.Identity) *[]policy.Identity { return &list }

// unit is an organisational unit in the subjects of certificates.
func unit(name string) policy.Identity {
	return policy.Identity{Kind: policy.IdentitySubject, Value: "OU=" + name}
}

func hostname(member int) policy.Identity {
	return policy.Identity{Kind: policy.IdentityFQDN, Value: lab.MemberName(member) + ".example"}
}

// signed is the proposal with which members prove themselves by certificates.
func signed() policy.Proposal {
	p := policy.DefaultProposal
	p.Authentication, p.Group = policy.AuthECDSA256, policy.ECP256
	return p
}

// network is two members and a group with these lists.
func network(a policy.Authorization) lab.Setup {
	return lab.Setup{Profile: policy.ProfileGETVPN, Members: 2, Group: authorizing(a), Member: hasty}
}

func authorizing(a policy.Authorization) func(*policy.Group) {
	return func(g *policy.Group) { g.Members, g.Authorization = nil, &a }
}

// hasty has members ask again and again.
func hasty(_ int, c *policy.Member) { c.RetryDelay = 100 * time.Millisecond }

// certified has members prove themselves by certificates of these units, with the identity that the function names.
func certified(setup lab.Setup, identity func(i int, holder pki.Subject) policy.Identity, units ...string) lab.Setup {
	setup = lab.Signing(signed(), setup)
	member := setup.Member
	setup.Member = func(i int, c *policy.Member) {
		member(i, c)
		holder := lab.Holder(c.Name, c.Address.Addr())
		if i <= len(units) {
			holder.OU = units[i-1]
			c.Phase1.Certificates = lab.Certify(lab.PrivateKey(policy.AuthECDSA256, c.Name), holder)
		}
		c.Phase1.Identity = identity(i, holder)
	}
	return setup
}

// asAddress, asHost and asSubject are the identities that a certificate proves.
func asAddress(_ int, h pki.Subject) policy.Identity { return policy.AddressIdentity(h.Addresses[0]) }

func asHost(i int, _ pki.Subject) policy.Identity { return hostname(i) }

func asSubject(_ int, h pki.Subject) policy.Identity {
	return policy.Identity{Kind: policy.IdentityDN, Value: "CN=" + h.CN + ",OU=" + h.OU + ",O=" + h.O}
}

// scene is a key server under test that runs, and members that do not.
type scene struct {
	*lab.Lab
	ctx SpecContext
}

func stage(ctx SpecContext, setup lab.Setup) *scene {
	GinkgoHelper()
	s := &scene{kit.Lab(ctx, setup), ctx}
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	return s
}

// answered reports whether member i has been given policy.
func (s *scene) answered(i int) bool {
	for _, m := range kit.MessagesSince(s.Lab, 0, core.Pull2.String()) {
		if m.To.Addr() == s.GM[i-1].Addr().Addr() {
			return true
		}
	}
	return false
}

// asks reports whether member i has come as far as to ask for a group.
func (s *scene) asks(i int) bool {
	return slices.ContainsFunc(kit.MessagesSince(s.Lab, 0, core.Pull1.String()), func(m capture.Message) bool {
		return m.From.Addr() == s.GM[i-1].Addr().Addr()
	})
}

// admits expects member i to register.
func (s *scene) admits(i int, what string) {
	GinkgoHelper()
	kit.Precondition(s.GM[i-1].Start(s.ctx), "the member starts")
	Expect(s.GM[i-1].AwaitRegistered(s.ctx)).To(Succeed(), what)
}

// refuses expects member i to be authenticated and to get nothing, and the key server to say why.
func (s *scene) refuses(i int, id rule.ID) {
	GinkgoHelper()
	before := kit.Refused(s.ctx, s.KS, id)
	kit.Precondition(s.GM[i-1].Start(s.ctx), "the member starts")
	kit.Reached(s.Wait(s.ctx, lab.Patience, func() bool { return s.asks(i) }), "Phase 1 is established, and the member asks for the group")
	kit.AwaitRefusal(s.ctx, s.Lab, s.KS, id, before, func() bool { return s.answered(i) })
	Expect(s.answered(i)).To(BeFalse(), "%s gets no SA payload", lab.MemberName(i))
	kit.ExpectRefused(s.ctx, s.KS, id, BeNumerically(">", before), "the key server says that it refused %s", lab.MemberName(i))
}

// control has member i register, so that the others were refused and not merely lost.
func (s *scene) control(i int) {
	GinkgoHelper()
	kit.Precondition(s.GM[i-1].Start(s.ctx), "the member starts")
	kit.Control(s.GM[i-1].AwaitRegistered(s.ctx) == nil, "a member that is authorized registers")
}
