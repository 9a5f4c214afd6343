package lab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// BenchmarkDay is a simulated day of groups of several sizes with hourly rekeys, in processor time. The figure ns/GM-day is
// what the day of one member costs, of its own and of the key server's and the network's for it: it must not grow with the
// group. What the members share, a key server's day with its 27 signatures, is measured in the same run, shown as ns/KS-day
// and not part of it; in a small group it would be most of all.
func BenchmarkDay(b *testing.B) {
	for _, rekeys := range []struct {
		name  string
		group func(*policy.Group)
	}{{"multicast", Multicast}, {"acknowledged", acknowledged}} {
		for _, members := range []int{10, 100, 1000} {
			b.Run(fmt.Sprintf("%s/%d", rekeys.name, members), func(b *testing.B) {
				groups := max(1, 1000/members) // as many members in each, so that collecting the garbage does not weigh more on some
				b.ReportAllocs()
				var together, alone time.Duration
				for b.Loop() {
					together += spent(func() { each(groups, func() { day(b, members, rekeys.group) }) })
					alone += spent(func() { each(groups, func() { dayWithoutMembers(b) }) })
				}
				days := time.Duration(b.N * groups)
				b.ReportMetric(float64(alone/days), "ns/KS-day")
				b.ReportMetric(float64((together-alone)/(days*time.Duration(members))), "ns/GM-day")
			})
		}
	}
}

// BenchmarkReads is what a read costs that has to wait for the one before it, by how much is read in turn: where the caches end, and with
// them what makes a member of a small group cheaper than one of a large group.
func BenchmarkReads(b *testing.B) {
	type line struct {
		next int32
		_    [60]byte
	}
	for mib := 1; mib <= 64; mib *= 2 {
		b.Run(fmt.Sprintf("%dMiB", mib), func(b *testing.B) {
			lines := make([]line, mib<<20/64)
			order := rand.New(rand.NewPCG(1, 1)).Perm(len(lines))
			for i, at := range order {
				lines[at].next = int32(order[(i+1)%len(order)])
			}
			at := int32(0)
			for b.Loop() {
				at = lines[at].next
			}
			runtime.KeepAlive(at)
		})
	}
}

// acknowledged has each member get its own copy of a rekey, answer it, and get it again if the answer is lost.
func acknowledged(g *policy.Group) { g.Rekey.Ack, g.Rekey.Retransmit = policy.AckKEKSHA256, 2 }

// dayWithoutMembers is a key server's day that nobody listens to. It makes its rekeys all the same, since they go to a
// multicast group.
func dayWithoutMembers(tb testing.TB) {
	tb.Helper()
	ctx := context.Background()
	l, err := New(ctx, Env{Fabric: Memory{}, Seed: "1"}, Setup{Group: Multicast})
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if err := l.KS.Start(ctx); err != nil {
		tb.Fatal(err)
	}
	l.Pass(ctx, 24*time.Hour)
}

func each(times int, do func()) {
	for range times {
		do()
	}
}

// spent is the processor time that something takes, whatever else the machine does.
func spent(do func()) time.Duration {
	before := processorTime()
	do()
	return processorTime() - before
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
