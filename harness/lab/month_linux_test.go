package lab

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// BenchmarkMonth is simulated time of groups of profile getvpn with hourly TEKs, a KEK each day and RSA signatures, in processor time.
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
				b.ReportMetric(spent(func() { l.Pass(context.Background(), 30*24*time.Hour) }).Seconds(), "s/month")
				b.ReportMetric(float64(heldMemory()>>20), "MiB/month")
				upToDate(b, l)
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
					together += spent(func() { l.Pass(context.Background(), 24*time.Hour) })
					upToDate(b, l)
				})
			}
			b.ReportMetric(float64(together)/float64(b.N*groups*members), "ns/GM-day")
		})
	}
}

// vendorGroup is a group of profile getvpn whose members have registered.
func vendorGroup(b *testing.B, members int, transport func(*policy.Group)) *Lab {
	b.Helper()
	ctx := context.Background()
	l, err := New(ctx, Env{Fabric: Memory{}, Seed: "1"}, Setup{
		Members: members, Profile: policy.ProfileGETVPN, Signature: policy.SigRSA,
		Group: func(g *policy.Group) { g.SIDBits = 16; transport(g) },
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

// upToDate fails if the last member does not have the keys that the group has, or has had to register again for them.
func upToDate(b *testing.B, l *Lab) {
	b.Helper()
	ctx := context.Background()
	ks, err := l.KS.KSStatus(ctx)
	if err != nil {
		b.Fatal(err)
	}
	last := l.GM[len(l.GM)-1]
	gm, err := last.GMStatus(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if gm.Rekey != ks.Groups[0].Rekey || len(gm.SAs) == 0 || gm.SAs[0].SPI != ks.Groups[0].SAs[0].SPI || last.Registrations() != 1 {
		b.Errorf("the last member has %v under %s after %d registrations, the key server %v under %s", gm.SAs, gm.Rekey, last.Registrations(),
			ks.Groups[0].SAs, ks.Groups[0].Rekey)
	}
}

// heldMemory is what the program has from the system.
func heldMemory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}
