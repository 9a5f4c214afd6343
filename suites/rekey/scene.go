package rekey

import (
	"context"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// scene is a key server with its members, one of which is the device or follows it.
type scene struct {
	*lab.Lab
	ctx context.Context
}

// group has gm1 be registered, behind which there is a host, in a group that wants acknowledgements, if it can have them. There
// are routes to the hosts behind gm2 and gm3, which do not run.
func group(ctx context.Context, alter ...func(*policy.Group)) *scene {
	GinkgoHelper()
	l := kit.Lab(ctx, lab.Setup{Members: 3, Signature: policy.SigRSA, Hosts: true, Member: hasty, Group: func(g *policy.Group) {
		kit.Acknowledging(g)
		for _, change := range alter {
			change(g)
		}
	}})
	kit.Precondition(l.KS.Start(ctx), "the key server starts")
	kit.Precondition(l.GM[0].Start(ctx), "the member starts")
	kit.Precondition(l.GM[0].AwaitRegistered(ctx), "the member registers")
	return &scene{l, ctx}
}

// hasty has a member that gets no answer ask again soon.
func hasty(i int, c *policy.Member) { kit.Hurry(i, c, 200*time.Millisecond, 200*time.Millisecond) }

// withhold has nothing of an exchange get through that the key server sends, until the end of withholding.
func (s *scene) withhold(exchange isakmp.ExchangeType) (end func()) {
	s.Intercept(func(c *lab.Crossing) {
		c.Drop = c.From == s.KS.Name() && exchangeOf(c.Packet) == exchange
	})
	return func() { s.Intercept(nil) }
}

// exchangeOf is the exchange type of a message of key management; 0 of anything else.
func exchangeOf(packet []byte) isakmp.ExchangeType {
	ip, ok := lab.ParseIPv4(packet)
	if !ok {
		return 0
	}
	_, _, data, ok := ip.UDP()
	if h, err := isakmp.ParseHeader(data); ok && err == nil {
		return h.Exchange
	}
	return 0
}

// push is a PUSH that the key server has been told to send, and the moment before.
type push struct {
	control.RekeyResult
	since kit.Mark
}

// rekey has the key server send a PUSH, which is made with those deviations.
func (s *scene) rekey(args control.RekeyArgs, ds ...tester.Deviation) push {
	GinkgoHelper()
	if len(ds) > 0 {
		s.misbehave(ds...)
		defer s.behave()
	}
	since := kit.Now(s.Lab)
	return push{kit.Rekey(s.ctx, s.Lab, args), since}
}

// misbehave has the key server's messages go through the deviations.
func (s *scene) misbehave(ds ...tester.Deviation) {
	GinkgoHelper()
	Expect(s.KS.Misbehave(tester.Taps(ds...))).To(Succeed())
}

// behave ends what misbehave began.
func (s *scene) behave() {
	GinkgoHelper()
	Expect(s.KS.Misbehave(nil)).To(Succeed())
}

// nothing is what the member sends under if it sends nothing.
const nothing = "nothing"

// sending has the host send one packet and returns the SPI that the member puts it under; it waits for one.
func (s *scene) sending() string {
	GinkgoHelper()
	return s.sendingTo(2)
}

// protects is sending where the spec is about what comes next: the member has to send under some SA now.
func (s *scene) protects() string {
	GinkgoHelper()
	spi := s.sending()
	kit.Reached(spi != nothing, "the member sends under an SA")
	return spi
}

// sendingTo is sending for a packet to the host behind member i.
func (s *scene) sendingTo(i int) string {
	GinkgoHelper()
	before := kit.Now(s.Lab)
	s.pings(i)
	s.Wait(s.ctx, lab.Patience, func() bool { return len(s.encrypted(before, i)) > 0 })
	for _, p := range s.encrypted(before, i) {
		return kit.SPI(p.SPI)
	}
	return nothing
}

// pings has the host send one packet to the host behind member i.
func (s *scene) pings(i int) {
	GinkgoHelper()
	_, err := s.Hosts[0].Ping(s.ctx, lab.HostAddr(i), lab.Ping{Count: 1})
	kit.Precondition(err, "the host sends")
}

// encrypted are the ESP packets that the member has sent since the mark to the host behind member i.
func (s *scene) encrypted(since kit.Mark, i int) []kit.ESP {
	return slices.DeleteFunc(kit.ESPSince(s.Lab, since), func(p kit.ESP) bool {
		return p.From != lab.HostAddr(1) || p.To != lab.HostAddr(i)
	})
}

// follows waits until the member has taken a PUSH, and reports whether it uses its first SA then.
func (s *scene) follows(p push) bool {
	GinkgoHelper()
	return s.takes(p) && s.uses(p.SPIs[0])
}

// uses reports whether the member sends under an SA or, if it lingers under the one before, opens what comes under it.
func (s *scene) uses(spi string) bool {
	GinkgoHelper()
	if kit.Lingers(s.Lab, 1) {
		return kit.Has(s.ctx, s.Lab, 1, spi)
	}
	return s.sending() == spi
}

// takes waits until the member has taken a PUSH, and reports whether it does.
func (s *scene) takes(p push) bool {
	GinkgoHelper()
	return kit.Takes(s.ctx, s.Lab, 1, p.RekeyResult)
}

// taken are the numbers of the PUSH messages that the member has taken since the mark.
func (s *scene) taken(since kit.Mark) []uint32 {
	GinkgoHelper()
	return kit.Taken(s.ctx, s.Lab, 1, since)
}

// refuses waits until the member says that it has refused more than so much for the requirement, or acknowledges something.
func (s *scene) refuses(id rule.ID, said int, since kit.Mark) {
	limit := lab.Patience
	if !s.GM[0].Tells("REFUSED") {
		limit = kit.Settle
	}
	s.Wait(s.ctx, limit, func() bool { return s.refusals(id) > said || len(kit.Shown(s.Lab, 1, since)) > 0 })
}

// pulls are the datagrams of PULLs that the member has sent since the mark.
func (s *scene) pulls(since kit.Mark) []datagram {
	return s.sentBy(s.GM[0], since, isakmp.ExchangePull)
}

// datagram is a message of key management on the WAN.
type datagram struct {
	at       time.Time
	from, to netip.AddrPort
	header   isakmp.Header
	data     []byte
}

// sentBy are the datagrams of an exchange that a peer has sent since the mark.
func (s *scene) sentBy(p *lab.Peer, since kit.Mark, exchange isakmp.ExchangeType) []datagram {
	var found []datagram
	for _, f := range kit.WANSince(s.Lab, since) {
		ip, ok := lab.ParseIPv4(f.Packet)
		if !ok || ip.Source != p.Addr().Addr() {
			continue
		}
		from, to, data, ok := ip.UDP()
		if h, err := isakmp.ParseHeader(data); ok && err == nil && h.Exchange == exchange {
			found = append(found, datagram{f.At, from, to, h, data})
		}
	}
	return found
}

// refusals counts the lines in which the member says that it refused something for a requirement.
func (s *scene) refusals(id rule.ID) int { return kit.RefusalsLogged(s.GM[0], id) }

// expectRefused expects that the member's log says that often that it refused something for a requirement, if it has lines for
// that.
func (s *scene) expectRefused(id rule.ID, times int, what ...any) {
	GinkgoHelper()
	if s.GM[0].Tells("REFUSED") {
		s.Wait(s.ctx, lab.Patience, func() bool { return s.refusals(id) >= times })
		Expect(s.refusals(id)).To(Equal(times), what...)
	}
}

// refused waits until the member's log says that often that it refused something for a requirement, and returns how often it says
// so. It is for what shows nowhere else: a member that does not say so ends the spec as unsupported.
func (s *scene) refused(id rule.ID, times int) int {
	s.GM[0].AwaitLog(s.ctx, "REFUSED", times-1, lab.Patience)
	s.Wait(s.ctx, lab.Patience, func() bool { return s.refusals(id) >= times })
	return s.refusals(id)
}

// registers waits until the member has registered more than so many times.
func (s *scene) registers(times int) bool {
	return s.GM[0].AwaitRegistrations(s.ctx, times, lab.Patience)
}
