package keyserver_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// strangers uses up the log lines of a key server and returns a datagram whose cookies nobody knows.
func strangers(tb testing.TB) (*lab, *core.Datagram) {
	l := newLab(tb, configuration(), nil)
	d := &core.Datagram{From: memberAddr(9), To: ksAddress, Data: bytes.Repeat([]byte{0xab}, 300)}
	for range 100 {
		l.ks.Handle(l.now, d)
	}
	return l, d
}

// BenchmarkUnknownCookies is a flood of datagrams with cookies of no live session (RFC 6407 §7.2.4).
func BenchmarkUnknownCookies(b *testing.B) {
	l, d := strangers(b)
	b.ReportAllocs()
	for b.Loop() {
		l.ks.Handle(l.now, d)
	}
}

// TestUnknownCookiesAllocate nothing.
func TestUnknownCookiesAllocate(t *testing.T) {
	l, d := strangers(t)
	if n := testing.AllocsPerRun(1000, func() { l.ks.Handle(l.now, d) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkDay is a day of 100 members that are sent each rekey by unicast, TEKs living an hour.
func BenchmarkDay(b *testing.B) {
	l := newLab(b, configuration(func(c *policy.KeyServer) { c.Groups[0].Rekey.Margin = time.Second }), nil)
	for n := 1; n <= 100; n++ {
		l.joined(n)
	}
	sent := 0
	for b.Loop() {
		sent += len(l.pass(24 * time.Hour))
		l.logs, l.secrets = nil, nil
	}
	b.ReportMetric(float64(sent)/float64(b.N), "datagrams/op")
}

// BenchmarkPull is a registration under an established Phase 1 SA, both sides of it.
func BenchmarkPull(b *testing.B) {
	l := newLab(b, configuration(func(c *policy.KeyServer) { c.Groups[0].SIDBits = 32 }), nil)
	m := l.member(1).phase1()
	b.ReportAllocs()
	for b.Loop() {
		m.register()
		l.logs, l.secrets = nil, nil
	}
}

// TestImports: key server and group member meet only in bytes.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	for _, path := range strings.Fields(string(out)) {
		for _, other := range []string{"/reference/member", "/reference/gateway", "/reference/node", "/harness", "/suites"} {
			if strings.Contains(path, other) {
				t.Errorf("imports %s", path)
			}
		}
	}
}
