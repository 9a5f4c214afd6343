package ipv6

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// echo has h1 send echo requests to h2 that must not be fragmented, so that IPv6 packets of that length leave it.
func echo(ctx context.Context, l *lab.Lab, octets int) lab.PingResult {
	GinkgoHelper()
	const headers = 48
	probe, err := l.Hosts[0].Ping(ctx, lab.HostAddr6(2), lab.Ping{Count: 2, Size: octets - headers, DontFragment: true})
	kit.Precondition(err, "the host pings")
	l.Wait(ctx, lab.Patience, probe.Done)
	return probe.Stop()
}

// crossing are the packets between hosts of IPv6 that crossed the WAN since the mark, protected or not.
func crossing(l *lab.Lab, since kit.Mark) (found []lab.Packet) {
	for _, f := range kit.WANSince(l, since) {
		ip, ok := lab.Parse(f.Packet)
		if ok && lab.Protected6.Contains(ip.Source) && lab.Protected6.Contains(ip.Destination) {
			found = append(found, ip)
		}
	}
	return found
}

var _ = Describe("IPv6 at a member's gateway (RFC 4301 §5, §8)", kit.Subject("ipv6"), kit.DUT(rule.GM), func() {
	It("lets no packet through before it has registered, in either direction", kit.Requirement("RFC6407-5.5.1-05", "RFC4301-5.2-01"), kit.Feature("closed-start"),
		kit.Negative, func(ctx SpecContext) {
			l := kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, IPv6: true, Group: lab.Protect6, Member: func(i int, c *policy.Member) {
				kit.Hurry(i, c, 100*time.Millisecond, 200*time.Millisecond)
			}})
			kit.Precondition(l.GM[0].Start(ctx), "the device starts")
			since := kit.Now(l)
			Expect(kit.PingTo(ctx, l, 1, lab.HostAddr6(2), 2).Received).To(BeZero())
			Expect(crossing(l, since)).To(BeEmpty(), "nothing leaves")
			packet, err := lab.EchoPacket(lab.HostAddr6(2), lab.HostAddr6(1), false, 77, 1, false, nil)
			kit.Precondition(err, "the tester makes a packet")
			l.Inject(l.GM[1].Name(), packet)
			l.Pass(ctx, 200*time.Millisecond)
			Expect(delivered(l, since)).To(BeEmpty(), "nothing is delivered")

			kit.Precondition(l.KS.Start(ctx), "the key server starts")
			kit.Precondition(l.GM[1].Start(ctx), "gm2 starts")
			for _, gm := range l.GM {
				kit.Precondition(gm.AwaitRegistered(ctx), gm.Name()+" registers")
			}
			kit.Control(kit.PingTo(ctx, l, 1, lab.HostAddr6(2), 2).Received == 2, "it carries packets under the SA")
			Expect(delivered(l, since)).NotTo(BeEmpty(), "and delivers what it has decrypted")
		})

	It("tells a host that its packet is too big by ICMPv6, and carries the largest that is not", kit.Requirement("RFC4301-8.2.1-03"),
		func(ctx SpecContext) {
			l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true, IPv6: true, Group: lab.Protect6})
			since := kit.Now(l)
			result := echo(ctx, l, lab.MTU)
			Expect(result.TooBig).To(BeNumerically(">", 0), "it says so")
			Expect(result.Received).To(BeZero())
			Expect(crossing(l, since)).To(BeEmpty(), "nothing leaves")

			// Header, SPI and number, IV, Pad Length and Next Header, ICV of AES-GCM; the rest is a multiple of four octets.
			const overhead = 40 + 8 + 8 + 2 + 16
			result = echo(ctx, l, (lab.MTU-overhead+2)/4*4-2)
			Expect(result.Received).To(Equal(2), "what fits is carried")
			for _, p := range crossing(l, since) {
				Expect(p.Fragment).To(BeFalse())
				Expect(len(p.Payload)).To(BeNumerically("<=", lab.MTU-40))
			}
		})
})

// delivered are the packets from h2 on the LAN of gm1 since the mark.
func delivered(l *lab.Lab, since kit.Mark) (found []lab.Packet) {
	for _, f := range l.Frames()[since:] {
		if ip, ok := lab.Parse(f.Packet); ok && f.Link == lab.LANName(1) && ip.Source == lab.HostAddr6(2) {
			found = append(found, ip)
		}
	}
	return found
}
