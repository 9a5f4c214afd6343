package natt

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

var _ = Describe("A key server whose members have names behind one address (RFC 6407 §3.1, RFC 2409 §5.4)", kit.Subject("natt"), kit.DUT(rule.KS),
	kit.Feature("nat-traversal"), func() {
		for _, shared := range []struct {
			how   string
			setup func() lab.Setup
		}{
			{"with one key, in Main Mode", byName},
			{"with a key for each, in Aggressive Mode", func() lab.Setup { return ownKeys(byName()) }},
		} {
			It("tells members behind one NAT apart by their names, "+shared.how, kit.Requirement("RFC6407-3.1-04"), func(ctx SpecContext) {
				s := begin(ctx, shared.setup())
				Expect(s.registered(ctx)).To(BeTrue(), "both members register")
				kit.Rekey(ctx, s.Lab, control.RekeyArgs{})
				s.Wait(ctx, lab.Patience, func() bool { return len(s.decoded(core.PushACK)) > 1 })
				places := make(map[uint16]bool)
				for _, m := range s.decoded(core.Push) {
					places[m.To.Port()] = true
				}
				Expect(places).To(HaveLen(2), "a PUSH goes to each of them")
				s.expectTwoMembers(ctx)
			})
		}
	})

// hostName is the name that a member proves.
func hostName(i int) policy.Identity {
	return policy.Identity{Kind: policy.IdentityFQDN, Value: lab.MemberName(i) + ".example"}
}

// byName has two members behind a NAT, whom the group knows by their names.
func byName() lab.Setup {
	s := behind(1, 2)
	keyServer, member := s.KeyServer, s.Member
	s.KeyServer = func(c *policy.KeyServer) {
		keyServer(c)
		c.Groups[0].Members, c.Groups[0].Identities = nil, []policy.Identity{hostName(1), hostName(2)}
	}
	s.Member = func(i int, c *policy.Member) {
		member(i, c)
		c.Phase1.Identity = hostName(i)
	}
	return s
}

// ownKeys has each member prove its name by a key of its own, which its address would not tell from the other's.
func ownKeys(s lab.Setup) lab.Setup {
	keyServer, member := s.KeyServer, s.Member
	key := func(i int) []byte { return fmt.Appendf(nil, "the key of member %d", i) }
	s.KeyServer = func(c *policy.KeyServer) {
		keyServer(c)
		c.Phase1.Mode, c.Phase1.PSKs = policy.EitherMode, []policy.PSK{{Identity: hostName(1), Key: key(1)}, {Identity: hostName(2), Key: key(2)}}
	}
	s.Member = func(i int, c *policy.Member) {
		member(i, c)
		c.Phase1.Mode, c.Phase1.PSKs[0].Key = policy.AggressiveMode, key(i)
	}
	return s
}

// expectTwoMembers expects of the key server's state, if it tells it, that both members are there and have acknowledged the PUSH.
func (s *scene) expectTwoMembers(ctx SpecContext) {
	GinkgoHelper()
	if !s.KS.Offers(peer.ControlStatus) {
		return
	}
	status, err := s.KS.KSStatus(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(status.Groups[0].Members).To(HaveLen(2))
	if kit.Acknowledgement() == policy.AckNone {
		return
	}
	s.Wait(ctx, lab.Patience, func() bool {
		status, err = s.KS.KSStatus(ctx)
		return err != nil || status.Groups[0].Members[0].EverAcked && status.Groups[0].Members[1].EverAcked
	})
	Expect(status.Groups[0].Members).To(HaveEach(HaveField("EverAcked", true)), "each has acknowledged its own")
}
