package interop

import (
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/esphost"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// espHosts are those with ESP that somebody else wrote.
var espHosts = []string{"linux"}

// The hosts that talk: the one behind the device, and the foreign one.
var (
	deviceHost  = lab.HostAddr(1)
	foreignHost = lab.HostAddr(2)
)

// seated is the device with the host behind it, and a host with foreign ESP in the place of the other member.
type seated struct {
	*lab.Lab
	foreign lab.ESPHost
	window  int
}

// espTransforms are those that foreign hosts are tried with, and what they speak for.
var espTransforms = []struct {
	policy.Transform
	ids []string
}{
	{lab.GCM(), []string{"RFC4106-6-01", "RFC4303-3.4.4.2-01"}},
	{policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 256}, []string{"RFC4106-6-01", "RFC4303-3.4.4.2-01"}},
	{lab.CBC(), []string{"RFC3602-2.4-01", "RFC4868-2.3-01", "RFC4303-3.4.4.1-01"}},
	{policy.Transform{Cipher: policy.Cipher3DES, Integrity: policy.IntegrityHMACSHA1}, []string{"RFC2451-2.1-01", "RFC2404-2-01", "RFC4303-3.4.4.1-01"}},
}

// inMode has a transform be used in one of the modes, between the hosts' own addresses.
func inMode(t policy.Transform, mode policy.Mode) policy.Transform {
	t.Mode, t.Preservation, t.Direction = mode, policy.PreserveBoth, policy.DirectionSymmetric
	if mode == policy.ModeTransport {
		t.Preservation = policy.PreserveAbsent
	}
	return t
}

// seat has the device be registered, and a foreign host in its place with the group's SA.
func seat(ctx SpecContext, name string, t policy.Transform) *seated {
	GinkgoHelper()
	theirs, err := peer.LoadESP(name)
	kit.Precondition(err, "the foreign host is described")
	if why := theirs.Absent(); why != "" {
		kit.Missing(why)
	}
	s := &seated{}
	if t.ESN {
		s.window = 64
	}
	s.Lab = kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, Group: func(g *policy.Group) { g.SAs[0].Transform = t },
		Member: func(_ int, m *policy.Member) {
			m.DataPath.Transport, m.ReplayWindow = t.Mode == policy.ModeTransport, s.window
		}})
	kit.Precondition(s.KS.Start(ctx), "the key server starts")
	kit.Precondition(s.GM[0].Start(ctx), "the device starts")
	kit.Precondition(s.GM[0].AwaitRegistered(ctx), "the device registers")
	s.foreign, err = s.Seat(ctx, 2, theirs)
	kit.Precondition(err, name+" starts")
	kit.Precondition(s.foreign.Install(ctx, s.group()), name+" takes the group's SA")
	return s
}

// group is the group's SA.
func (s *seated) group() esphost.SA {
	GinkgoHelper()
	kit.NeedsKeys(s.Lab)
	handed := s.Handed()
	kit.Reached(len(handed) > 0, "somebody has the keys of the group's SA")
	return esphost.SA{Keys: handed[len(handed)-1], Window: s.window}
}

var _ = Describe("ESP with a host that somebody else wrote (RFC 4303)", kit.Subject("interop"), kit.DUT(rule.GM), kit.Needs(lab.NeedKernel), func() {
	for _, name := range espHosts {
		for _, row := range espTransforms {
			for _, mode := range []policy.Mode{policy.ModeTunnel, policy.ModeTransport} {
				for _, esn := range []bool{false, true} {
					t := inMode(row.Transform, mode)
					t.ESN = esn
					itTalks(name, t, row.ids)
				}
			}
		}
	}
})

// itTalks makes the spec of a conversation under a transform.
func itTalks(name string, t policy.Transform, ids []string) {
	ids = append(slices.Clone(ids), "RFC4301-4.1-01", "RFC4303-2.2-01", "RFC4303-2.4-02")
	how := map[policy.Mode]string{policy.ModeTunnel: "in tunnel mode", policy.ModeTransport: "in transport mode"}[t.Mode]
	if t.Mode == policy.ModeTunnel {
		ids = append(ids, "RFC6407-5.5.1.1.1-02")
	}
	if t.ESN {
		ids, how = append(ids, "RFC4303-2.2.1-01"), how+" with extended sequence numbers"
	}
	It(fmt.Sprintf("%s answers the device's host under %s %s", name, t.Name(), how), kit.Requirement(ids...), func(ctx SpecContext) {
		s := seat(ctx, name, t)
		s.talk(ctx)
	})
}

// talk has echo requests of several sizes cross, and their answers come back.
func (s *seated) talk(ctx SpecContext) {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	for _, size := range []int{1, 56, 57, 1200} {
		probe, err := s.Hosts[0].Ping(ctx, foreignHost, lab.Ping{Count: 4, Size: size})
		kit.Precondition(err, "the host sends")
		s.Wait(ctx, lab.Patience, probe.Done)
		result := probe.Stop()
		Expect(result.Received).To(Equal(result.Sent), "answers to requests with %d octets of data", size)
		Expect(result.Duplicates).To(BeZero())
	}
	Expect(kit.ClearSince(s.Lab, before)).To(BeEmpty(), "packets in clear")
	packets := kit.ESPSince(s.Lab, before)
	Expect(len(packets)).To(BeNumerically(">=", 32), "packets in ESP")
	for _, p := range packets {
		Expect([]any{p.From, p.To}).To(Or(Equal([]any{deviceHost, foreignHost}), Equal([]any{foreignHost, deviceHost})), "the hosts' own addresses")
	}
}
