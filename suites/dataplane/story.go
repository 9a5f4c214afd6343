package dataplane

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// brisk is the interval of pings that go on through a story.
const brisk = 10 * time.Millisecond

// smooth has both members run and send, in a group whose rekeys give everybody time to get the new SAs before somebody sends
// under them, and longer to go on receiving under the old ones.
func smooth(ctx SpecContext, group func(*policy.Group)) *scene {
	GinkgoHelper()
	s := pair(ctx, lab.Setup{Group: func(g *policy.Group) {
		group(g)
		g.Activation = policy.Activation{ATD: seconds(1), DTD: seconds(2)}
	}})
	for i := range s.GM {
		kit.Reached(s.Wait(ctx, lab.Patience, func() bool { return s.sending(i) != "" }), "the members send")
	}
	return s
}

// follow has the key server rekey and both members move to the new SA, under way while hosts go on talking.
func (s *scene) follow(args control.RekeyArgs) string {
	GinkgoHelper()
	rekey := kit.Rekey(s.ctx, s.Lab, args)
	Expect(rekey.SPIs).To(HaveLen(1))
	for i := range s.GM {
		Expect(kit.GoesOverTo(s.ctx, s.Lab, i+1, lab.HostAddr(2-i), rekey.SPIs[0])).
			To(BeTrue(), "%s sends on the SA of rekey %d", s.GM[i].Name(), rekey.Sequence)
	}
	s.Pass(s.ctx, 3*brisk)
	return rekey.SPIs[0]
}

// sending is the SPI that a member says it sends under.
func (s *scene) sending(i int) string {
	status, err := s.GM[i].GMStatus(s.ctx)
	if err != nil {
		return ""
	}
	for _, sa := range status.SAs {
		if sa.Sending {
			return sa.SPI
		}
	}
	return ""
}

// spisOf returns the SPIs under which a host's packets crossed the WAN, in the order of their first use.
func spisOf(all []sent, host int) (spis []string) {
	for _, p := range all {
		if p.ESP != nil && p.Inner.Source == lab.HostAddr(host) {
			if spi := kit.SPI(p.ESP.SPI); !slices.Contains(spis, spi) {
				spis = append(spis, spi)
			}
		}
	}
	return spis
}

var _ = Describe("A group from end to end (RFC 6407, RFC 5374)", kit.Subject("dataplane"), kit.DUT(rule.Both), func() {
	for _, c := range []struct {
		name  string
		group func(*policy.Group)
	}{
		{"AES-GCM, unicast rekey", func(*policy.Group) {}},
		{"AES-CBC with HMAC-SHA-256, unicast rekey", withTransform(lab.CBC())},
		{"AES-GCM, multicast rekey", lab.Multicast},
	} {
		It("hosts ping through two rekeys with ATD and DTD without losing a packet, all of it in ESP between their own addresses: "+c.name,
			kit.Requirement("RFC6407-5.4.1-03", "RFC5374-4.2.1-07", "RFC5374-3.1-01", "RFC5374-3.1-02"), func(ctx SpecContext) {
				s := smooth(ctx, c.group)
				before, first := kit.Now(s.Lab), s.sending(0)
				probe, err := s.Hosts[0].Ping(ctx, h2, lab.Ping{Interval: brisk})
				kit.Precondition(err, "the host pings")
				s.Pass(ctx, 3*brisk)
				spis := []string{first, s.follow(control.RekeyArgs{}), s.follow(control.RekeyArgs{KEK: true})}
				result := probe.Stop()

				Expect(result.Sent).To(BeNumerically(">", 5))
				Expect(result).To(Equal(lab.PingResult{Sent: result.Sent, Received: result.Sent}))
				all := s.onWAN(before)
				Expect(all).To(HaveLen(2 * result.Sent))
				for _, p := range all {
					Expect(p.ESP).NotTo(BeNil(), "nothing is in clear")
					Expect(p.Outer.Source).To(Equal(p.Inner.Source), "outer source")
					Expect(p.Outer.Destination).To(Equal(p.Inner.Destination), "outer destination")
				}
				for host := 1; host <= 2; host++ {
					Expect(spisOf(all, host)).To(Equal(spis), "the SAs that %s used, one after the other", lab.MemberName(host))
				}
			})
	}

	for _, c := range []struct {
		name  string
		group func(*policy.Group)
	}{
		{"AES-GCM, unicast rekey", func(*policy.Group) {}},
		{"AES-CBC with HMAC-SHA-256, unicast rekey", withTransform(lab.CBC())},
		{"AES-GCM, multicast rekey", lab.Multicast},
	} {
		It("files arrive intact over HTTP through two rekeys with ATD and DTD, every segment once and only in ESP: "+c.name,
			kit.Requirement("RFC6407-5.4.1-03", "RFC5374-4.2.1-07"), kit.Needs(lab.NeedKernel), func(ctx SpecContext) {
				s := smooth(ctx, c.group)
				before, first := kit.Now(s.Lab), s.sending(0)
				stop, done := make(chan struct{}), make(chan error, 1)
				go func() { done <- s.fetch(stop) }()
				s.Wait(ctx, lab.Patience, func() bool { return len(kit.ESPSince(s.Lab, before)) > 20 })
				spis := []string{first, s.follow(control.RekeyArgs{}), s.follow(control.RekeyArgs{KEK: true})}
				close(stop)
				Expect(<-done).To(Succeed())
				s.once(before)
				for host := 1; host <= 2; host++ {
					Expect(spisOf(s.onWAN(before), host)).To(Equal(spis), "the SAs that %s used, one after the other", lab.MemberName(host))
				}
			})
	}

	It("every packet of the hosts crosses the WAN once, in ESP, and reaches the other host once", kit.Requirement("RFC6407-5.5.1-05", "RFC4301-7.1-01"),
		func(ctx SpecContext) {
			s := pair(ctx, lab.Setup{})
			before := kit.Now(s.Lab)
			for _, size := range []int{8, 1400, 3000} {
				for i, j := range []int{2, 1} {
					result := kit.Ping(ctx, s.Lab, i+1, j, 2)
					Expect(result).To(Equal(lab.PingResult{Sent: 2, Received: 2}))
					probe, err := s.Hosts[i].Ping(ctx, lab.HostAddr(j), lab.Ping{Count: 2, Size: size, Interval: brisk})
					kit.Precondition(err, "the host pings")
					s.Wait(ctx, lab.Patience, probe.Done)
					Expect(probe.Stop()).To(Equal(lab.PingResult{Sent: 2, Received: 2}))
				}
			}
			s.once(before)
		})

	for _, c := range []struct {
		name      string
		transform policy.Transform
		iv        int
	}{{"AES-GCM", lab.GCM(), 8}, {"AES-CBC", lab.CBC(), 16}} {
		It("no IV is used twice under an SA by any sender, through rekeys and re-registrations: "+c.name,
			kit.Requirement("RFC6407-3.5-01", "RFC6054-2-01", "RFC6054-3-02", "RFC4106-3.1-02"), func(ctx SpecContext) {
				s := pair(ctx, lab.Setup{Group: withTransform(c.transform)})
				talk := func() {
					GinkgoHelper()
					Expect(kit.Ping(ctx, s.Lab, 1, 2, 3).Received).To(Equal(3))
				}
				talk()
				s.follow(control.RekeyArgs{})
				talk()
				for i, again := range []func() error{
					func() error { return s.GM[0].Register(ctx) },
					func() error { return s.GM[1].Register(ctx) },
					func() error { return s.GM[0].Clear(ctx) },
				} {
					gm := s.GM[i%2]
					registered := gm.Registrations()
					kit.Precondition(again(), "the operator has the member register again")
					Expect(gm.AwaitRegistrations(ctx, registered, lab.Patience)).To(BeTrue(), "the member registers again")
					talk()
				}
				s.follow(control.RekeyArgs{KEK: true})
				talk()
				seen := make(map[string]int)
				for _, p := range kit.ESPSince(s.Lab, 0) {
					ip, _ := lab.ParseIPv4(p.Packet)
					name := fmt.Sprintf("SPI %08x IV %x", p.SPI, ip.Payload[8:8+c.iv])
					seen[name]++
					Expect(seen[name]).To(Equal(1), "%s from %s", name, p.From)
				}
				Expect(len(seen)).To(BeNumerically(">=", 36), "six conversations of three pings and their answers")
			})
	}

	It("a packet from one host is delivered though the other's member has another sequence of numbers", kit.Requirement("RFC4303-3.4.3-03"),
		func(ctx SpecContext) {
			s := pair(ctx, lab.Setup{Members: 2})
			Expect(kit.Ping(ctx, s.Lab, 1, 2, 3)).To(Equal(lab.PingResult{Sent: 3, Received: 3}))
			Expect(kit.Ping(ctx, s.Lab, 2, 1, 3)).To(Equal(lab.PingResult{Sent: 3, Received: 3}))
		})
})

// fetch has h1 load small files from h2, one after the other, until it is told to stop, and then a large one.
func (s *scene) fetch(stop <-chan struct{}) error {
	const small, large, pause = 16 << 10, 1 << 20, 40 * time.Millisecond
	load := func(octets int64) error {
		n, err := s.Hosts[0].(lab.Transferrer).Fetch(s.ctx, s.Hosts[1], octets)
		if err == nil && n != octets {
			err = fmt.Errorf("%d of %d octets arrived intact", n, octets)
		}
		return err
	}
	for {
		select {
		case <-stop:
			return load(large)
		case <-time.After(pause):
		}
		if err := load(small); err != nil {
			return err
		}
	}
}

// once states that what hosts sent since the mark, put together from fragments, crossed the WAN once and in ESP, and that
// the other host got it once. A packet that was refused because it was too big, as its sender was told, counts as not sent.
func (s *scene) once(m kit.Mark) {
	GinkgoHelper()
	for from, to := range map[int]int{1: 2, 2: 1} {
		var left, crossed, reached map[string]int
		s.Wait(s.ctx, lab.Patience, func() bool {
			left, reached = s.sentBy(from, m), count(s.onLANOf(to, m), from)
			var inner []lab.IPv4
			for _, p := range s.onWAN(m) {
				Expect(p.ESP).NotTo(BeNil(), "nothing crosses the WAN in clear")
				inner = append(inner, p.Inner)
			}
			crossed = count(inner, from)
			return len(left) == len(crossed) && len(left) == len(reached)
		})
		Expect(left).NotTo(BeEmpty(), "%s has sent something", lab.HostName(from))
		Expect(differences(left, crossed)).To(BeEmpty(), "what %s sent and what crossed the WAN", lab.HostName(from))
		Expect(differences(left, reached)).To(BeEmpty(), "what %s sent and what %s got", lab.HostName(from), lab.HostName(to))
	}
}

// sentBy counts the packets that a host sent, without those that it was told are too big.
func (s *scene) sentBy(host int, m kit.Mark) map[string]int {
	limit := lab.MTU
	if told := fragmentationNeeded(s.onLANOf(host, m)); told != nil {
		limit = int(binary.BigEndian.Uint16(told.Payload[6:]))
	}
	var sent []lab.IPv4
	for _, f := range s.Frames()[m:] {
		ip, ok := lab.ParseIPv4(f.Packet)
		if ok && f.Link == lab.LANName(host) && ip.Source == lab.HostAddr(host) && !(ip.DontFragment && len(f.Packet) > limit) {
			sent = append(sent, ip)
		}
	}
	return count(sent, host)
}

// count puts the packets of a host to another together and counts how often there is which.
func count(packets []lab.IPv4, host int) map[string]int {
	counts := make(map[string]int)
	var parts lab.Reassembler
	for _, p := range packets {
		if p.Source != lab.HostAddr(host) {
			continue
		}
		if whole, ok := parts.Add(p); ok {
			counts[fmt.Sprintf("%s -> %s protocol %d ID %d %x", whole.Source, whole.Destination, whole.Protocol, whole.ID, whole.Payload)]++
		}
	}
	return counts
}

// differences tells packets that are not there equally often.
func differences(a, b map[string]int) (found []string) {
	for _, side := range []map[string]int{a, b} {
		for name := range side {
			text := fmt.Sprintf("%d and %d times: %s", a[name], b[name], name[:min(len(name), 120)])
			if a[name] != b[name] && !slices.Contains(found, text) {
				found = append(found, text)
			}
		}
	}
	slices.SortFunc(found, strings.Compare)
	return found
}
