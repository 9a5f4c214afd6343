package timers

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// asks is how often member i has begun to register since the mark.
func (s *scene) asks(i int, since kit.Mark) (n int) {
	for _, m := range kit.MessagesSince(s.Lab, since, core.Pull1.String()) {
		if m.From.Addr() == s.GM[i-1].Addr().Addr() {
			n++
		}
	}
	return n
}

var _ = Describe("How the rekeys of a key server of GET VPN travel", kit.Subject("timers"), kit.DUT(rule.KS), kit.Needs(lab.NeedVirtualTime), func() {
	for _, c := range []struct {
		sentence    string
		transport   func(*policy.Group)
		noMulticast []int
		again       []int // members that register again
	}{
		{"spares all members a registration if all are reached by multicast", lab.Multicast, nil, nil},
		{"spares all members a registration if none is reached by multicast and they go by unicast", func(*policy.Group) {}, []int{1, 2}, nil},
		{"spares those a registration that multicast reaches, and has the others register again before their keys end", lab.Multicast, []int{2}, []int{2}},
	} {
		It(c.sentence, kit.Requirement("GETVPN-REKEY-19"), func(ctx SpecContext) {
			one := setup(2, living(7200, 1200), c.transport)
			one.NoMulticast, one.Hosts = c.noMulticast, true
			s := &scene{kit.Up(ctx, one), ctx}
			since := kit.Now(s.Lab)
			s.Pass(ctx, 20*time.Minute)
			Expect(s.pushes(since)).NotTo(BeEmpty(), "it rekeys")
			again := make(map[int]bool)
			for _, i := range c.again {
				again[i] = true
			}
			for i := range s.GM {
				Expect(s.asks(i+1, since) > 0).To(Equal(again[i+1]), "gm%d registers again", i+1)
			}
			Expect(kit.Ping(ctx, s.Lab, 1, 2, 1).Received).To(Equal(1), "the hosts reach each other after the first keys have ended")
		})
	}
})
