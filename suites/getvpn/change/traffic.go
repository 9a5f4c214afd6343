package change

import (
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// What becomes of a packet of a host.
const (
	inClear = "in clear"
	dropped = "dropped"
	by3DES  = "ESP_3DES (3)"
	byAES   = "ESP_AES-CBC (12)"
)

// fate sends a packet from the host behind member i to that behind member j, and says how it left and whether an answer came.
func (s *scene) fate(i, j int) (left string, answered bool) {
	GinkgoHelper()
	since := kit.Now(s.Lab)
	answered = kit.Ping(s.ctx, s.Lab, i, j, 1).Received == 1
	from := s.Hosts[i-1].Addr()
	for _, p := range kit.ESPSince(s.Lab, since) {
		if p.From == from {
			return s.transform(kit.SPI(p.SPI)), answered
		}
	}
	for _, f := range kit.ClearSince(s.Lab, since) {
		if ip, ok := lab.Parse(f.Packet); ok && ip.Source == from {
			return inClear, answered
		}
	}
	return dropped, answered
}

// transform is that of an SA, by what the key server has told of it.
func (s *scene) transform(spi string) string {
	if known, ok := s.sas[spi]; ok {
		return known
	}
	for _, m := range slices.Concat(kit.MessagesSince(s.Lab, 0, core.Pull2.String()), s.pushes(0)) {
		spis, transforms := values(m, "SAT/SPI"), values(m, "SAT/Transform ID")
		for n := range min(len(spis), len(transforms)) {
			s.sas[spis[n]] = transforms[n]
		}
	}
	if known, ok := s.sas[spi]; ok {
		return known
	}
	return "an unknown SA " + spi
}

// expect wants packets of two hosts to leave in a way, both ways, and to arrive.
func (s *scene) expect(i, j int, want string) {
	GinkgoHelper()
	for _, way := range [][2]int{{i, j}, {j, i}} {
		left, answered := s.fate(way[0], way[1])
		Expect(left).To(Equal(want), "how a packet from h%d to h%d leaves", way[0], way[1])
		Expect(answered).To(BeTrue(), "an answer comes")
	}
}

// hosts are the entries of an access list for two hosts, both ways.
func hosts(i, j int) []policy.ACE {
	a, b := netip.PrefixFrom(lab.HostAddr(i), 32), netip.PrefixFrom(lab.HostAddr(j), 32)
	there := policy.Selector{Source: a, Destination: b}
	return []policy.ACE{{Selector: there}, {Selector: there.Mirrored()}}
}

// tripleDES is ESP-3DES with HMAC-SHA-1, aesCBC what takes its place.
func tripleDES() policy.Transform {
	t := lab.CBC()
	t.Cipher, t.KeyBits, t.Integrity = policy.Cipher3DES, 0, policy.IntegrityHMACSHA1
	return t
}

func aesCBC() policy.Transform {
	t := lab.CBC()
	t.Integrity = policy.IntegrityHMACSHA1
	return t
}

// lived is how much of the first TEK's life is over when the policy changes: 1000 s are left.
const lived = 2600 * time.Second

// rollover is how long before its end an SA may make way for the next one; the guide leaves it open.
const rollover = 35 * time.Second

// goesOver looks at the traffic of two hosts until the SA from before has ended at that time: under 3DES until shortly before, and then
// under AES, with no packet lost.
func (s *scene) goesOver(i, j int, end time.Time) {
	GinkgoHelper()
	for s.Now().Before(end.Add(-rollover - time.Second)) {
		s.expect(i, j, by3DES)
		s.Pass(s.ctx, min(100*time.Second, end.Add(-rollover).Sub(s.Now())))
	}
	for switched := false; s.Now().Before(end.Add(5 * time.Second)); s.Pass(s.ctx, time.Second) {
		left, answered := s.fate(i, j)
		Expect(answered).To(BeTrue(), "an answer comes %v before the end of the SA from before", end.Sub(s.Now()))
		switched = switched || left == byAES
		want := map[bool]string{false: by3DES, true: byAES}[switched || !s.Now().Before(end)]
		Expect(left).To(Equal(want), "%v before the end of the SA from before", end.Sub(s.Now()))
	}
	s.expect(i, j, byAES)
}

// told are the SPIs of the rekey that tells of a change.
func (s *scene) told(since kit.Mark) []string {
	GinkgoHelper()
	Expect(s.leaves(since)).To(BeTrue(), "the key server tells of the change at once")
	var each []string
	for _, spi := range values(kit.Last(s.pushes(since)), "SAT/SPI") {
		if len(each) == 0 || each[len(each)-1] != spi {
			each = append(each, spi)
		}
	}
	return each
}

// protection, listOnly and both are the changes of the three scenarios.
func protection(c *policy.KeyServer) {
	c.Groups[0].SAs[0].Transform, c.Groups[0].SAs[0].AntiReplay = aesCBC(), policy.AntiReplay{Method: policy.ReplayTime}
}

func listOnly(c *policy.KeyServer) { listed(hosts(1, 3)...)(&c.Groups[0]) }

func both(c *policy.KeyServer) {
	protection(c)
	listOnly(c)
}

var _ = Describe("Traffic of a group of GET VPN whose policy changes", kit.Subject("change"), func() {
	for _, role := range []rule.Role{rule.KS, rule.GM} {
		under := map[rule.Role]string{rule.KS: " (key server)", rule.GM: " (member)"}[role]
		begin := func(ctx SpecContext, first func(*policy.Group)) *scene {
			GinkgoHelper()
			s := group(ctx, 3, func(g *policy.Group) {
				g.SAs[0].Transform, g.SAs[0].AntiReplay = tripleDES(), policy.AntiReplay{Method: policy.ReplayNone}
				listed(hosts(1, 2)...)(g)
				first(g)
			})
			left, answered := s.fate(1, 2)
			kit.Reached(left == by3DES && answered, "the first policy protects the hosts 1 and 2")
			return s
		}

		It("leaves in clear at once where the access list no more permits it, and is protected at once where it does now"+under, kit.DUT(role),
			kit.Requirement("GETVPN-POLICY-56", "GETVPN-POLICY-04", "GETVPN-POLICY-57"), func(ctx SpecContext) {
				s := begin(ctx, as)
				s.expect(1, 3, inClear)
				since := kit.Now(s.Lab)
				s.configure(listOnly)
				s.told(since)
				taken := s.Wait(ctx, lab.Patience, func() bool { left, _ := s.fate(1, 2); return left == inClear })
				Expect(taken).To(BeTrue(), "what the list permitted leaves in clear")
				s.expect(1, 2, inClear)
				s.expect(1, 3, by3DES)
			})

		It("goes on under the SA from before for the 1000 s that it has left when transform and anti-replay are others, and then under the new one"+under, kit.DUT(role),
			kit.Needs(lab.NeedVirtualTime), kit.Requirement("GETVPN-POLICY-58", "GETVPN-POLICY-02"), func(ctx SpecContext) {
				s := begin(ctx, as)
				born := s.Now()
				s.Pass(ctx, lived)
				since := kit.Now(s.Lab)
				s.configure(protection)
				Expect(s.told(since)).To(ContainElement(Not(BeEmpty())), "the rekey has SAs")
				Expect(values(kit.Last(s.pushes(since)), "SAT/Transform ID")).To(ContainElements(by3DES, byAES), "of both transforms")
				s.goesOver(1, 2, s.ends(since, born))
			})

		It("is decided by the new access list at once and goes on under the SA from before until it ends when transform and anti-replay are others, too"+under, kit.DUT(role),
			kit.Needs(lab.NeedVirtualTime), kit.Requirement("GETVPN-POLICY-59"), func(ctx SpecContext) {
				s := begin(ctx, as)
				born := s.Now()
				s.Pass(ctx, lived)
				since := kit.Now(s.Lab)
				s.configure(both)
				s.told(since)
				s.expect(1, 2, inClear)
				s.expect(1, 3, by3DES)
				s.goesOver(1, 3, s.ends(since, born))
				s.expect(1, 2, inClear)
			})
	}
})

// ends is when the SA of 3DES ends, by what the rekey since the mark says of it; it was made some time before born.
func (s *scene) ends(since kit.Mark, born time.Time) time.Time {
	GinkgoHelper()
	m := kit.Last(s.pushes(since))
	for n, transform := range values(m, "SAT/Transform ID") {
		if transform != by3DES {
			continue
		}
		life, err := time.ParseDuration(values(m, "SAT/SA Life Duration")[n] + "s")
		kit.Precondition(err, "the rekey tells how long the SA from before lives")
		Expect(life).To(BeNumerically("~", time.Hour-lived, 20*time.Second), "what is left of the SA from before")
		return m.At.Add(life)
	}
	Fail("the rekey does not tell the SA from before")
	return born
}
