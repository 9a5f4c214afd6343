package interop

import (
	"context"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What Main Mode costs a foreign responder, as a multiple of what it costs our initiator: each side has the same to compute, and
// processor time does not mind who else is on the machine. Ours bears the wire between them besides. ci/bench-strongswan.sh runs
// it.
func BenchmarkMainMode(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("namespaces need root")
	}
	for _, daemon := range daemons {
		b.Run(daemon, func(b *testing.B) { mainModes(b, daemon) })
	}
}

func mainModes(b *testing.B, daemon string) {
	theirs, err := peer.LoadForeign(daemon)
	if err != nil {
		b.Fatal(err)
	}
	talk := peer.Conversation{Local: theirAddr, Remote: ownAddr, PSK: psk, Suite: policy.DefaultProposal}
	if why := theirs.Absent(); why != "" {
		b.Skip(why)
	}
	ctx, done := context.WithTimeout(context.Background(), 2*time.Minute)
	defer done()
	l, err := lab.New(ctx, lab.Env{Fabric: lab.Namespaces{}, Seed: "bench"}, lab.Setup{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	conn, err := l.Socket(ownNode, portIKE)
	if err != nil {
		b.Fatal(err)
	}
	own := tester.NewIKE(ike.Config{Role: rule.GM, Rand: keymat.Seeded("bench"), Local: netip.AddrPortFrom(ownAddr, portIKE), DOI: doiIPsec,
		PSK: func(netip.Addr, policy.Identity) (policy.PSK, bool) { return policy.PSK{Key: []byte(psk)}, true }}, conn)
	settled, err := l.Settle(ctx, theirNode, theirs, talk)
	if err != nil {
		b.Fatal(err)
	}
	theirsBefore, err := settled.Processor()
	if err != nil {
		b.Fatal(err)
	}
	oursBefore := processor(b)
	for b.Loop() {
		if err := own.Initiate(ctx, netip.AddrPortFrom(theirAddr, portIKE)); err != nil {
			b.Fatal(err)
		}
	}
	ours := processor(b) - oursBefore
	theirsAfter, err := settled.Processor()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(theirsAfter-theirsBefore)/float64(ours), "x-ours")
	b.ReportMetric(float64(b.N)/ours.Seconds(), "pairs/s-on-2-cores") // a pair of ours costs twice as much
}

// processor is the time that this process has had.
func processor(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
