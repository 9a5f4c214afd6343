package lab

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// BenchmarkMonth is simulated time of groups of profile getvpn with hourly TEKs, a KEK and a change of policy each day, and RSA signatures, in processor time.
// First thirty days of 500 members: the whole of it has to take less than a minute, as s/month shows, and less than 1 GiB, as
// MiB/month. Then days of groups of several sizes: ns/GM-day, which is what a day of one member costs without its registration, must not
// grow with the group.
func BenchmarkMonth(b *testing.B) {
	for _, transport := range []struct {
		name  string
		group func(*policy.Group)
	}{{"multicast", Multicast}, {"unicast", acknowledged}} {
		b.Run(transport.name+"/500", func(b *testing.B) {
			for b.Loop() {
				l := vendorGroup(b, 500, transport.group)
				registered := registrations(b, l)
				b.ReportMetric(spent(func() { days(b, l, 30) }).Seconds(), "s/month")
				b.ReportMetric(float64(heldMemory()>>20), "MiB/month")
				upToDate(b, l, registered)
			}
		})
	}
	for _, members := range []int{50, 500, 5000} {
		b.Run(fmt.Sprintf("day/%d", members), func(b *testing.B) {
			groups := max(1, 500/members)
			var together time.Duration
			for b.Loop() {
				each(groups, func() {
					l := vendorGroup(b, members, acknowledged)
					registered := registrations(b, l)
					together += spent(func() { days(b, l, 1) })
					upToDate(b, l, registered)
				})
			}
			b.ReportMetric(float64(together)/float64(b.N*groups*members), "ns/GM-day")
		})
	}
}

// vendorGroup is a group of profile getvpn with time-based anti-replay whose members have registered.
func vendorGroup(b *testing.B, members int, transport func(*policy.Group)) *Lab {
	b.Helper()
	ctx := context.Background()
	l, err := New(ctx, Env{Fabric: Memory{}, Seed: "1"}, Setup{
		Members: members, Profile: policy.ProfileGETVPN, Signature: policy.SigRSA,
		Group: func(g *policy.Group) {
			g.SIDBits, g.SAs[0].AntiReplay.Method = 16, policy.ReplayTime
			transport(g)
		},
		KeyServer: func(c *policy.KeyServer) { c.Phase1.HalfOpen.Total = members }, // all of them begin at the same moment
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	if err := l.Up(ctx); err != nil {
		b.Fatal(err)
	}
	return l
}

// days lets so many days pass, each with a change of policy: the transform of the SA is another. What a lab records of each is forgotten with it: nobody looks at it, and it would be most of the memory.
func days(b *testing.B, l *Lab, n int) {
	b.Helper()
	ctx := context.Background()
	for d := range n {
		l.Pass(ctx, 12*time.Hour)
		if _, err := l.KS.Configure(ctx, func(c *policy.KeyServer) {
			c.Groups[0].SAs[0].Transform = []policy.Transform{CBC(), GCM()}[d%2]
		}); err != nil {
			b.Fatal(err)
		}
		l.Pass(ctx, 12*time.Hour)
		net := l.Net.(*memoryNet)
		net.frames.take()
		for _, node := range net.nodes {
			node.told.take()
			node.learnt.take()
			node.log, node.keys = nil, nil
		}
	}
}

// registrations is when the members registered last.
func registrations(b *testing.B, l *Lab) (at []time.Time) {
	b.Helper()
	ks, err := l.KS.KSStatus(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range ks.Groups[0].Members {
		at = append(at, m.Registered)
	}
	return at
}

// upToDate fails if a member has had to register again, or the last does not have the keys that the group has.
func upToDate(b *testing.B, l *Lab, registered []time.Time) {
	b.Helper()
	ctx := context.Background()
	ks, err := l.KS.KSStatus(ctx)
	if err != nil {
		b.Fatal(err)
	}
	gm, err := l.GM[len(l.GM)-1].GMStatus(ctx)
	if err != nil {
		b.Fatal(err)
	}
	group := ks.Groups[0]
	if gm.Rekey != group.Rekey || len(gm.SAs) == 0 || gm.SAs[0].SPI != group.SAs[0].SPI {
		b.Errorf("the last member has %v under %s, the key server %v under %s", gm.SAs, gm.Rekey, group.SAs, group.Rekey)
	}
	if !slices.Equal(registrations(b, l), registered) {
		b.Error("members have registered again, or are gone")
	}
}

// heldMemory is what the program has from the system.
func heldMemory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}
