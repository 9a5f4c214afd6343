package ipv6

import (
	"context"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// carriers are the versions of IP that a group's key management can be of.
var carriers = []struct {
	name   string
	family lab.Family
}{{"IPv4", lab.IPv4Family}, {"IPv6", lab.IPv6Family}}

// contents are the versions of IP that a group's traffic can be of.
var contents = []struct {
	name string
	host func(i int) netip.Addr
}{{"IPv4", lab.HostAddr}, {"IPv6", lab.HostAddr6}}

// transports are the ways of rekeys, with the feature of who acknowledges them.
var transports = []struct {
	name  string
	group func(*policy.Group)
	acks  string
}{{"unicast", func(*policy.Group) {}, "ack"}, {"multicast", lab.Multicast, "ack-multicast"}}

// transforms are a combined mode, which needs Sender-IDs, and one that has an HMAC beside it.
var transforms = []struct {
	name      string
	transform policy.Transform
}{{"AES-GCM", lab.GCM()}, {"AES-CBC with HMAC-SHA-256", lab.CBC()}}

// both has a group protect the traffic of both versions under that transform, acknowledge rekeys if it can, and send them that way.
func both(t policy.Transform, transport func(*policy.Group)) func(*policy.Group) {
	return func(g *policy.Group) {
		g.SAs[0].Transform = t
		lab.Protect6(g)
		kit.Acknowledging(g)
		transport(g)
	}
}

// talks has the hosts talk both ways and reports what is wrong with it.
func talks(ctx context.Context, l *lab.Lab, host func(int) netip.Addr) {
	GinkgoHelper()
	since := kit.Now(l)
	Expect(kit.PingTo(ctx, l, 1, host(2), 2).Received).To(Equal(2), "answers to h1")
	Expect(kit.PingTo(ctx, l, 2, host(1), 2).Received).To(Equal(2), "answers to h2")
	Expect(kit.ClearSince(l, since)).To(BeEmpty(), "packets in clear")
	crossed := kit.ESPSince(l, since)
	Expect(crossed).To(HaveLen(8))
	for _, p := range crossed {
		Expect([]netip.Addr{p.From, p.To}).To(ConsistOf(host(1), host(2)), "the outer addresses are those of the hosts")
	}
}

// switches waits until a member sends to a host under one of those SPIs.
func switches(ctx context.Context, l *lab.Lab, i int, to netip.Addr, spis []string) bool {
	GinkgoHelper()
	return l.Wait(ctx, lab.Patience, func() bool {
		sending := kit.SPI(kit.SendingSPITo(ctx, l, i, to))
		for _, spi := range spis {
			if spi == sending {
				return true
			}
		}
		return false
	})
}

var _ = Describe("Groups whose traffic is of either IP version (RFC 5374 §3.1)", kit.Subject("ipv6"), kit.DUT(rule.Both), kit.Scene(kit.DataPlane), func() {
	for _, carrier := range carriers {
		for _, content := range contents {
			for _, transport := range transports {
				for _, c := range transforms {
					what := fmt.Sprintf("%s traffic under keys that come by %s, with %s rekey, in %s", content.name, carrier.name, transport.name, c.name)
					It("carries "+what, kit.Requirement("RFC5374-3.1-01", "RFC5374-3.1-02", "RFC6407-5.5.1-05"), kit.Exhaustive, func(ctx SpecContext) {
						l := kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, IPv6: true, Family: carrier.family, Group: both(c.transform, transport.group)})
						Expect(l.Up(ctx)).To(Succeed(), "every member registers")
						talks(ctx, l, content.host)
						rekey := kit.Rekey(ctx, l, control.RekeyArgs{KEK: true})
						for i := range l.GM {
							Expect(switches(ctx, l, i+1, content.host(2-i), rekey.SPIs)).To(BeTrue(), "%s sends under a new SA", l.GM[i].Name())
						}
						talks(ctx, l, content.host)
					})
				}
			}
		}
	}

	It("carries both versions at once, each under the SA whose selector it fits", kit.Requirement("RFC6407-5.5.1-05"), func(ctx SpecContext) {
		l := kit.Up(ctx, lab.Setup{Members: 2, Hosts: true, IPv6: true, Group: lab.Protect6})
		for _, content := range contents {
			talks(ctx, l, content.host)
		}
		Expect(kit.SendingSPITo(ctx, l, 1, lab.HostAddr(2))).NotTo(Equal(kit.SendingSPITo(ctx, l, 1, lab.HostAddr6(2))))
	})
})
