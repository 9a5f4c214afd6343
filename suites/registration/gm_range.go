package registration

import (
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// espTo returns the ESP packets to that address, of whichever IP version.
func espTo(l *lab.Lab, to netip.Addr) (found []kit.ESP) {
	for _, p := range kit.ESPSince(l, 0) {
		if p.To == to {
			found = append(found, p)
		}
	}
	return found
}

var _ = Describe("Authorised flows between two addresses (RFC 5374 §4.1.3.4)", kit.Subject("registration"), kit.DUT(rule.GM), func() {
	for _, c := range []struct {
		version            string
		first, last        string
		inside, outside    []string // prefixes
		anywhere, fromHost netip.Prefix
	}{
		{"IPv4", "10.0.2.5", "10.0.2.40", []string{"10.0.2.5/32", "10.0.2.40/32", "10.0.2.16/28"}, []string{"10.0.2.4/32", "10.0.2.41/32", "10.0.2.40/31"},
			lab.Protected, netip.PrefixFrom(lab.HostAddr(1), 32)},
		{"IPv6", "2001:db8:10:2::5", "2001:db8:10:2::40", []string{"2001:db8:10:2::5/128", "2001:db8:10:2::40/128", "2001:db8:10:2::10/124"},
			[]string{"2001:db8:10:2::4/128", "2001:db8:10:2::41/128", "2001:db8:10:2::40/127"}, lab.Protected6, netip.PrefixFrom(lab.HostAddr6(1), 128)},
	} {
		authorised := policy.Flow{Source: policy.RangeOf(c.anywhere),
			Destination: policy.AddressRange{First: netip.MustParseAddr(c.first), Last: netip.MustParseAddr(c.last)}}

		// offered has the key server send policy for the destination, and for a host that is authorised at any rate.
		offered := func(ctx SpecContext, destination string) (*lab.Lab, netip.Addr, netip.Addr) {
			GinkgoHelper()
			to, sure := netip.MustParsePrefix(destination), authorised.Destination.First.Next()
			l := kit.Lab(ctx, lab.Setup{Members: 2, Hosts: true, IPv6: c.version == "IPv6", Group: func(g *policy.Group) {
				sa := g.SAs[0]
				g.SAs = nil
				for _, d := range []netip.Prefix{to, netip.PrefixFrom(sure, sure.BitLen())} {
					sa.Selector = policy.Selector{Source: c.fromHost, Destination: d}
					g.SAs = append(g.SAs, sa)
				}
			}, Member: func(i int, m *policy.Member) {
				hasty(i, m)
				m.Authorised = []policy.Flow{authorised}
			}})
			start(ctx, l)
			last := policy.RangeOf(to).Last
			for _, a := range []netip.Addr{last, sure} {
				_, err := l.Hosts[0].Ping(ctx, a, lab.Ping{Interval: 20 * time.Millisecond})
				kit.Precondition(err, "the host sends")
			}
			return l, last, sure
		}

		for _, inside := range c.inside {
			It(fmt.Sprintf("takes policy for %s where it authorises %s to %s", inside, c.first, c.last), kit.Requirement("RFC5374-4.1.3.4-01"),
				func(ctx SpecContext) {
					l, to, _ := offered(ctx, inside)
					Expect(l.Wait(ctx, lab.Patience, func() bool { return len(espTo(l, to)) > 0 })).To(BeTrue(), "packets leave under that SA")
				})
		}
		for _, outside := range c.outside {
			It(fmt.Sprintf("takes no policy for %s where it authorises %s to %s", outside, c.first, c.last), kit.Negative,
				kit.Requirement("RFC5374-4.1.3.4-01", "RFC5374-4.1.3.5-03"), func(ctx SpecContext) {
					l, to, sure := offered(ctx, outside)
					kit.Control(l.Wait(ctx, lab.Patience, func() bool { return len(espTo(l, sure)) > 4 }), "the rest of the policy is in force")
					Expect(espTo(l, to)).To(BeEmpty(), "the SA for other flows is not")
					kit.ExpectRefusalLogged(ctx, l, l.GM[0], "RFC5374-4.1.3.5-03")
				})
		}
	}
})
