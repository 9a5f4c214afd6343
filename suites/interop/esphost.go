package interop

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/esphost"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// espHosts are those with ESP that somebody else wrote.
var espHosts = peer.ESPHosts()

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

// espWindow is the replay window of those who need one.
const espWindow = 64

// described is a foreign host that this machine has.
func described(name string) *peer.Foreign {
	GinkgoHelper()
	theirs, err := peer.LoadESP(name)
	kit.Precondition(err, "the foreign host is described")
	kit.Against(theirs)
	if why := theirs.Absent(); why != "" {
		kit.Missing(why)
	}
	return theirs
}

// seat has the device be registered, with a replay window if the transform needs one, and a foreign host in its place with the
// group's SA.
func seat(ctx SpecContext, name string, t policy.Transform) *seated {
	GinkgoHelper()
	s := &seated{}
	if t.ESN {
		s.window = espWindow
	}
	s.take(ctx, name, t)
	return s
}

// take has both take their places.
func (s *seated) take(ctx SpecContext, name string, t policy.Transform) {
	GinkgoHelper()
	theirs := described(name)
	var err error
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
}

// group is the group's SA.
func (s *seated) group() esphost.SA {
	GinkgoHelper()
	kit.NeedsKeys(s.Lab)
	handed := s.Handed()
	kit.Reached(len(handed) > 0, "somebody has the keys of the group's SA")
	return esphost.SA{Keys: handed[len(handed)-1], Window: s.window}
}

var _ = Describe("ESP with a host that somebody else wrote (RFC 4303)", kit.Subject("interop"), kit.DUT(rule.GM), kit.Needs(lab.NeedKernel), kit.Scene(kit.DataPlane), func() {
	for _, name := range espHosts {
		for _, row := range espTransforms {
			for _, mode := range []policy.Mode{policy.ModeTunnel, policy.ModeTransport} {
				for _, esn := range []bool{false, true} {
					t := inMode(row.Transform, mode)
					t.ESN = esn
					itTalks(name, t, row.ids, exhaustive(t)...)
				}
			}
			t := inMode(row.Transform, policy.ModeTunnel)
			itKnowsKeys(name, t, row.ids, exhaustive(t)...)
		}
		itIsOnce(name)
		itGoesOn(name)
	}
})

// exhaustive is the label of those rows of the table that are tried only when everything is.
func exhaustive(t policy.Transform) Labels {
	if t == inMode(lab.GCM(), policy.ModeTunnel) || t == inMode(lab.CBC(), policy.ModeTunnel) {
		return nil
	}
	return kit.Exhaustive
}

// itTalks makes the spec of a conversation under a transform.
func itTalks(name string, t policy.Transform, ids []string, more ...string) {
	ids = append(slices.Clone(ids), "RFC4301-4.1-01", "RFC4303-2.2-01", "RFC4303-2.4-02")
	how := map[policy.Mode]string{policy.ModeTunnel: "in tunnel mode", policy.ModeTransport: "in transport mode"}[t.Mode]
	if t.Mode == policy.ModeTunnel {
		ids = append(ids, "RFC6407-5.5.1.1.1-02")
	}
	if t.ESN {
		ids, how = append(ids, "RFC4303-2.2.1-01"), how+" with extended sequence numbers"
	}
	It(fmt.Sprintf("%s answers the device's host under %s %s", name, t.Name(), how), kit.Requirement(ids...), Label(more...), func(ctx SpecContext) {
		s := seat(ctx, name, t)
		s.talk(ctx)
	})
}

// talk has echo requests of several sizes cross, and their answers come back.
func (s *seated) talk(ctx SpecContext) {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	for size := 1; size <= 1300; size += 1 + size {
		Expect(s.answered(ctx, size)).To(BeTrue(), "a request with %d octets of data is answered", size)
	}
	Expect(kit.ClearSince(s.Lab, before)).To(BeEmpty(), "packets in clear")
	packets := kit.ESPSince(s.Lab, before)
	Expect(packets).NotTo(BeEmpty(), "packets in ESP")
	for _, p := range packets {
		Expect([]any{p.From, p.To}).To(Or(Equal([]any{deviceHost, foreignHost}), Equal([]any{foreignHost, deviceHost})), "the hosts' own addresses")
	}
}

// answered asks the foreign host until it answers, and reports whether it does: it may be slow, and is nothing but that if it answers
// at all.
func (s *seated) answered(ctx SpecContext, size int) bool {
	GinkgoHelper()
	waiting, done := patient(ctx)
	defer done()
	for waiting.Err() == nil {
		probe, err := s.Hosts[0].Ping(waiting, foreignHost, lab.Ping{Count: 1, Size: size})
		kit.Precondition(err, "the host sends")
		s.Wait(waiting, lab.Patience, probe.Done)
		if probe.Stop().Received > 0 {
			return true
		}
	}
	return false
}

// itKnowsKeys makes the spec of another key, with the requirements of what checks an ICV last.
func itKnowsKeys(name string, t policy.Transform, ids []string, more ...string) {
	It(fmt.Sprintf("%s and the device open nothing of each other under different keys of %s", name, t.Name()),
		kit.Requirement("RFC4303-3.4.3-09", ids[len(ids)-1]), kit.Negative, Label(more...), func(ctx SpecContext) {
			s := seat(ctx, name, t)
			right, wrong := s.group(), s.group()
			wrong.Keys = otherKeys(wrong.Keys)
			kit.Precondition(s.foreign.Install(ctx, wrong), name+" takes another key")
			before := kit.Now(s.Lab)
			s.send(ctx, "under the wrong key")
			Expect(kit.PingTo(ctx, s.Lab, 1, foreignHost, 1).Received).To(BeZero(), "answers")
			kit.Precondition(s.foreign.Install(ctx, right), name+" takes the right key")
			kit.Control(s.answered(ctx, 1), "the device and "+name+" open what the other sends under the right key")
			kit.Control(s.delivered(ctx, before, "under the right key"), "a datagram of "+name+" under the right key is delivered")
			Expect(s.arrivals(before, "under the wrong key")).To(BeZero(), "datagrams under the wrong key that are delivered")
		})
}

// otherKeys are the keys of an SA with another one in the place of that which decides about the ICV.
func otherKeys(k keylog.Entry) keylog.Entry {
	flip := func(key string) string {
		return string("1032547698badcfe"[strings.IndexByte("0123456789abcdef", key[0])]) + key[1:]
	}
	if k.IntegrityKey != "" {
		k.IntegrityKey = flip(k.IntegrityKey)
		return k
	}
	k.CipherKey = flip(k.CipherKey)
	return k
}

// itIsOnce makes the spec of packets that come twice.
func itIsOnce(name string) {
	It("the device takes no packet of "+name+" twice", kit.Requirement("RFC4303-3.4.3-04", "RFC4303-3.4.3-01"), kit.Negative, func(ctx SpecContext) {
		s := &seated{window: espWindow}
		s.take(ctx, name, inMode(lab.GCM(), policy.ModeTunnel))
		kit.Reached(s.answered(ctx, 1), name+" answers")
		s.Intercept(func(c *lab.Crossing) {
			if ip, ok := lab.Parse(c.Packet); ok && ip.Protocol == lab.ProtocolESP && ip.Source == foreignHost {
				c.Copies = 1
			}
		})
		before := kit.Now(s.Lab)
		s.send(ctx, "twice")
		s.Wait(ctx, lab.Patience, func() bool { return s.arrivals(before, "twice") > 0 })
		s.Intercept(nil)
		kit.Control(s.delivered(ctx, before, "last"), "a datagram that comes after it is delivered")
		packets := kit.ESPSince(s.Lab, before)
		kit.Reached(len(packets) > 2 && packets[0].Sequence == packets[1].Sequence, "a packet crosses the WAN twice")
		Expect(s.arrivals(before, "twice")).To(Equal(1), "how often it is delivered")
	})
}

// itGoesOn makes the spec of extended sequence numbers whose upper half changes (RFC 4303 appendix A).
func itGoesOn(name string) {
	for _, t := range []policy.Transform{lab.GCM(), lab.CBC()} {
		t := inMode(t, policy.ModeTunnel)
		t.ESN = true
		It(fmt.Sprintf("the device follows the extended sequence numbers of %s past 2^32 under %s", name, t.Name()),
			kit.Requirement("RFC4303-2.2.1-01", "RFC4303-A2-01"), func(ctx SpecContext) {
				s := seat(ctx, name, t)
				sa := s.group()
				sa.First = 1<<32 - 3
				kit.Precondition(s.foreign.Install(ctx, sa), name+" takes the number of its next packet")
				before := kit.Now(s.Lab)
				for i := range 6 {
					Expect(s.delivered(ctx, before, fmt.Sprintf("datagram %d", i))).To(BeTrue(), "datagram %d is delivered", i)
				}
				packets := kit.ESPSince(s.Lab, before)
				Expect(packets[0].Sequence).To(BeNumerically(">", packets[len(packets)-1].Sequence), "the lower half has begun anew")
			})
	}
}

// send has the foreign host send a datagram to the host behind the device.
func (s *seated) send(ctx SpecContext, text string) {
	GinkgoHelper()
	kit.Precondition(s.foreign.Send(ctx, esphost.Datagram{From: foreignHost, To: deviceHost, Data: []byte(text)}), "the foreign host sends")
}

// delivered has the foreign host send a datagram, and reports whether the host behind the device gets it.
func (s *seated) delivered(ctx SpecContext, since kit.Mark, text string) bool {
	GinkgoHelper()
	s.send(ctx, text)
	return s.Wait(ctx, lab.Patience, func() bool { return s.arrivals(since, text) > 0 })
}

// arrivals counts the datagrams with that text which were put on the link of the host behind the device.
func (s *seated) arrivals(since kit.Mark, text string) (n int) {
	for _, f := range s.Frames()[since:] {
		ip, ok := lab.Parse(f.Packet)
		if _, _, data, udp := ip.UDP(); f.Link == lab.LANName(1) && ok && udp && string(data) == text {
			n++
		}
	}
	return n
}
