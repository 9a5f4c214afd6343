package lifecycle

import (
	"context"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// scene is a key server with members, each with a host behind it.
type scene struct {
	*lab.Lab
	ctx context.Context
}

// group brings up a key server and so many members of a group that wants acknowledgements, if it can have them.
func group(ctx context.Context, members int, alter ...func(*policy.Group)) *scene {
	GinkgoHelper()
	return &scene{kit.Up(ctx, lab.Setup{Members: members, Hosts: true, Group: asking(alter...), Member: hasty}), ctx}
}

func asking(alter ...func(*policy.Group)) func(*policy.Group) {
	return func(g *policy.Group) {
		kit.Acknowledging(g)
		for _, change := range alter {
			change(g)
		}
	}
}

// hasty has a member that gets no answer ask again soon.
func hasty(i int, c *policy.Member) { kit.Hurry(i, c, 200*time.Millisecond, 200*time.Millisecond) }

// toward has the group protect what goes from the network behind gm1 to that behind member i with an SA of its own for each
// of the transforms.
func toward(transforms ...policy.Transform) func(*policy.Group) {
	return func(g *policy.Group) {
		lifetime := g.SAs[0].Lifetime
		g.SAs = nil
		for i, t := range transforms {
			g.SAs = append(g.SAs, policy.SAPolicy{Selector: between(1, i+2), Transform: t, Lifetime: lifetime})
		}
	}
}

// between is the flow from the network behind member i to that behind member j.
func between(i, j int) policy.Selector {
	return policy.Selector{Source: lab.MemberLAN(i), Destination: lab.MemberLAN(j)}
}

// lasting has the SAs of the group live so long.
func lasting(d time.Duration) func(*policy.Group) {
	return func(g *policy.Group) {
		for i := range g.SAs {
			g.SAs[i].Lifetime = d
		}
	}
}

// delayed has rekeys name these delays, in seconds; a negative one is left out.
func delayed(atd, dtd int) func(*policy.Group) {
	seconds := func(n int) *time.Duration {
		if n < 0 {
			return nil
		}
		return new(time.Duration(n) * time.Second)
	}
	return func(g *policy.Group) { g.Activation = policy.Activation{ATD: seconds(atd), DTD: seconds(dtd)} }
}

// push is a PUSH that the key server has been told to send, and the moment before.
type push struct {
	control.RekeyResult
	since kit.Mark
	at    time.Time
}

// rekey has the key server send a PUSH, which a tester makes with those deviations.
func (s *scene) rekey(args control.RekeyArgs, ds ...tester.Deviation) push {
	GinkgoHelper()
	if len(ds) > 0 {
		Expect(s.KS.Misbehave(tester.Taps(ds...))).To(Succeed())
		defer func() { Expect(s.KS.Misbehave(nil)).To(Succeed()) }()
	}
	since, at := kit.Now(s.Lab), s.Now()
	return push{kit.Rekey(s.ctx, s.Lab, args), since, at}
}

// seen waits for the first PUSH on the wire since that one was asked for.
func (s *scene) seen(p push) capture.Message {
	GinkgoHelper()
	var pushes []capture.Message
	Expect(s.Wait(s.ctx, lab.Patience, func() bool {
		pushes = kit.MessagesSince(s.Lab, p.since, core.Push.String())
		return len(pushes) > 0
	})).To(BeTrue(), "the key server sends a PUSH")
	return pushes[0]
}

// carriesOut waits until member i has taken a PUSH, and reports whether it does.
func (s *scene) carriesOut(i int, p push) bool {
	GinkgoHelper()
	return kit.Takes(s.ctx, s.Lab, i, p.RekeyResult)
}

// goesOver has member i, if it lingers, send under the SAs of a PUSH that it has taken.
func (s *scene) goesOver(i int, p push, group ...uint32) {
	GinkgoHelper()
	kit.GoOver(s.ctx, s.Lab, i, p.SPIs, group...)
}

// carriedOut reports whether it has done so by now.
func (s *scene) carriedOut(i int, p push) bool {
	GinkgoHelper()
	return kit.HasTaken(s.ctx, s.Lab, i, p.RekeyResult)
}

// nothing is what a member sends under if it sends nothing.
const nothing = "nothing"

// sends has the host behind member i send one packet to that behind j, and returns the SPI that the member puts it under.
func (s *scene) sends(i, j int) string {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	probe, err := s.Hosts[i-1].Ping(s.ctx, lab.HostAddr(j), lab.Ping{Count: 1})
	kit.Precondition(err, "the host sends")
	s.Wait(s.ctx, lab.Patience, func() bool { return len(s.encrypted(before, i, j)) > 0 || probe.Done() })
	for _, p := range s.encrypted(before, i, j) {
		return kit.SPI(p.SPI)
	}
	return nothing
}

// protects is sends where the spec is about what comes next.
func (s *scene) protects(i, j int) string {
	GinkgoHelper()
	spi := s.sends(i, j)
	kit.Reached(spi != nothing, "the member sends under an SA")
	return spi
}

// encrypted are the ESP packets from the host behind member i to that behind j since the mark.
func (s *scene) encrypted(since kit.Mark, i, j int) (all []kit.ESP) {
	for _, p := range kit.ESPSince(s.Lab, since) {
		if p.From == lab.HostAddr(i) && p.To == lab.HostAddr(j) {
			all = append(all, p)
		}
	}
	return all
}

// closed reports whether a packet from the host behind member i to that behind j does not leave, in ESP or in clear.
func (s *scene) closed(i, j int) bool {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	if s.sends(i, j) != nothing {
		return false
	}
	for _, f := range kit.ClearSince(s.Lab, before) { // answers to what was sent before may still be under way
		if ip, ok := lab.ParseIPv4(f.Packet); ok && ip.Source == lab.HostAddr(i) {
			return false
		}
	}
	return true
}

// hears reports whether a packet from the host behind member j gets to the one behind i.
func (s *scene) hears(i, j int) bool {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	probe, err := s.Hosts[j-1].Ping(s.ctx, lab.HostAddr(i), lab.Ping{Count: 1})
	kit.Precondition(err, "the host sends")
	arrived := func() bool {
		for _, f := range s.Frames()[before:] {
			if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(i) && ip.Source == lab.HostAddr(j) && ip.Destination == lab.HostAddr(i) {
				return true
			}
		}
		return false
	}
	lost := func() bool { return probe.Done() && probe.Result().Received == 0 } // an answer may be known before the capture has the packet
	s.Wait(s.ctx, lab.Patience, func() bool { return arrived() || lost() })
	return arrived()
}

// registers waits until member i has registered more often than that.
func (s *scene) registers(i, times int) bool {
	return s.GM[i-1].AwaitRegistrations(s.ctx, times, lab.Patience)
}

// registrations is how often member i has registered so far.
func (s *scene) registrations(i int) int { return s.GM[i-1].Registrations() }

// pulls are the messages of that kind of registrations since the mark, from or to member i.
func (s *scene) pulls(since kit.Mark, kind core.Kind, i int) (all []capture.Message) {
	member := s.GM[i-1].Addr().Addr()
	for _, m := range kit.MessagesSince(s.Lab, since, kind.String()) {
		if m.From.Addr() == member || m.To.Addr() == member {
			all = append(all, m)
		}
	}
	return all
}

// installed are the SPIs of the SAs that member i has.
func (s *scene) installed(i int) []string {
	GinkgoHelper()
	return kit.Installed(s.ctx, s.Lab, i)
}

// inForce are the SPIs of the SAs of a group that the key server says it hands out.
func (s *scene) inForce(group int) (spis []string) {
	GinkgoHelper()
	status, err := s.KS.KSStatus(s.ctx)
	kit.Precondition(err, "the key server tells its state")
	for _, sa := range status.Groups[group].SAs {
		spis = append(spis, sa.SPI)
	}
	return spis
}

// withhold has no PUSH reach a member whose address is among these, or nobody if there are none, until the end of withholding.
func (s *scene) withhold(to ...netip.Addr) (end func()) {
	s.Intercept(func(c *lab.Crossing) {
		ip, ok := lab.ParseIPv4(c.Packet)
		if !ok || exchangeOf(ip) != isakmp.ExchangePush {
			return
		}
		c.Drop = len(to) == 0
		for _, addr := range to {
			c.Drop = c.Drop || ip.Destination == addr
		}
	})
	return func() { s.Intercept(nil) }
}

// exchangeOf is the exchange type of a message of key management; 0 of anything else.
func exchangeOf(ip lab.IPv4) isakmp.ExchangeType {
	_, _, data, ok := ip.UDP()
	if h, err := isakmp.ParseHeader(data); ok && err == nil {
		return h.Exchange
	}
	return 0
}

// values returns what stands in all fields of that path.
func values(fields []capture.Field, path ...string) (all []string) {
	for _, f := range fields {
		switch {
		case f.Name != path[0]:
		case len(path) == 1:
			all = append(all, f.Value)
		default:
			all = append(all, values(f.Children, path[1:]...)...)
		}
	}
	return all
}
