package routing

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// The gateways of h1, and the host that it talks to.
const (
	device  = 1
	another = 2
	far     = 3
)

// scene is a host with two gateways, of which the device is one.
type scene struct {
	*lab.Lab
	ctx SpecContext
}

// up has all members registered, and routing prefer the device.
func up(ctx SpecContext, member func(int, *policy.Member)) *scene {
	GinkgoHelper()
	return &scene{kit.Up(ctx, lab.Setup{Profile: policy.ProfileGETVPN, Members: 3, Hosts: true, SecondGateway: true, Member: member,
		Group: func(g *policy.Group) {
			g.SAs[0].AntiReplay = policy.AntiReplay{Method: policy.ReplayNone} // sequence numbers of two senders say nothing
		}}), ctx}
}

// prefers has routing lead through a gateway.
func (s *scene) prefers(member int) {
	GinkgoHelper()
	kit.Precondition(s.Prefer(member), "routing leads through "+lab.MemberName(member))
}

// reaches reports whether h1 and the other host reach each other, under ESP all the way.
func (s *scene) reaches() bool {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	answered := kit.Ping(s.ctx, s.Lab, 1, far, 1).Received == 1 && kit.Ping(s.ctx, s.Lab, far, 1, 1).Received == 1
	return answered && len(kit.ClearSince(s.Lab, before)) == 0
}

// keyless has the device lose its keys, and the key server let it register no more. A device that was stopped and started would
// not do: it knows of no policy yet, and lets all pass.
func (s *scene) keyless() {
	GinkgoHelper()
	s.admits(s.GM[another-1], s.GM[far-1])
	kit.Precondition(s.GM[device-1].ClearGroups(s.ctx), "the device forgets its keys")
	s.Pass(s.ctx, time.Second)
}

// admits has the key server let some members register, and no others.
func (s *scene) admits(members ...*lab.Peer) {
	GinkgoHelper()
	_, err := s.KS.Configure(s.ctx, func(c *policy.KeyServer) {
		c.Groups[0].Members = nil
		for _, m := range members {
			c.Groups[0].Members = append(c.Groups[0].Members, netip.PrefixFrom(m.Addr().Addr(), 32))
		}
	})
	kit.Precondition(err, "the key server has another list of members")
}
