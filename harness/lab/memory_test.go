package lab

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// story has two members register, their hosts talk through two rekeys, and one member register again.
func story(t *testing.T, env Env) *Lab {
	t.Helper()
	ctx := context.Background()
	l, err := New(ctx, env, Setup{Members: 2, Hosts: true, Device: rule.GM, Group: activated})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := l.Up(ctx); err != nil {
		t.Fatal(err)
	}
	probe, err := l.Hosts[0].Ping(ctx, l.Hosts[1].Addr(), Ping{})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []control.RekeyArgs{{}, {KEK: true}} {
		if _, err := l.KS.Rekey(ctx, args); err != nil {
			t.Fatal(err)
		}
		l.Pass(ctx, time.Second)
	}
	if err := l.GM[0].Register(ctx); err != nil {
		t.Fatal(err)
	}
	l.Pass(ctx, time.Second)
	if r := probe.Stop(); r.Sent == 0 || r.Received != r.Sent || r.Duplicates != 0 {
		t.Errorf("ping through two rekeys and a registration: %+v", r)
	}
	return l
}

// activated has a new SA used a second after it came: members get rekeys one after the other, and where time is real one may be slow.
func activated(g *policy.Group) {
	activate, deactivate := time.Second, 2*time.Second
	g.Activation = policy.Activation{ATD: &activate, DTD: &deactivate}
}

// pcapng writes what was seen as the evidence does.
func pcapng(t *testing.T, l *Lab) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := capture.Write(&b, l.Frames()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSameSeedSameCapture(t *testing.T) {
	first := pcapng(t, story(t, Env{Fabric: Memory{}, Seed: "7"}))
	second := pcapng(t, story(t, Env{Fabric: Memory{}, Seed: "7"}))
	other := pcapng(t, story(t, Env{Fabric: Memory{}, Seed: "8"}))
	if !bytes.Equal(first, second) {
		t.Error("two runs with one seed differ")
	}
	if bytes.Equal(first, other) {
		t.Error("two runs with different seeds are the same")
	}
}

func TestCrossingsCanBeChanged(t *testing.T) {
	ctx := context.Background()
	l := story(t, Env{Fabric: Memory{}, Seed: "1"})
	ping := func(f func(*Crossing)) PingResult {
		l.Intercept(f)
		defer l.Intercept(nil)
		p, err := l.Hosts[0].Ping(ctx, l.Hosts[1].Addr(), Ping{Count: 2})
		if err != nil {
			t.Fatal(err)
		}
		l.Wait(ctx, Patience, p.Done)
		return p.Result()
	}
	if r := ping(func(*Crossing) {}); r.Received != 2 {
		t.Errorf("untouched: %+v", r)
	}
	if r := ping(func(c *Crossing) { c.Drop = true }); r.Received != 0 {
		t.Errorf("all dropped: %+v", r)
	}
	if r := ping(func(c *Crossing) { c.Packet = c.Packet[:len(c.Packet)-1] }); r.Received != 0 {
		t.Errorf("all cut short: %+v", r)
	}
	if r := ping(func(c *Crossing) { c.Copies = 1 }); r.Received != 2 {
		t.Errorf("all doubled: %+v", r)
	}
	start := l.Now()
	if r := ping(func(c *Crossing) { c.Delay = 300 * time.Millisecond }); r.Received != 2 || l.Now().Sub(start) < 600*time.Millisecond {
		t.Errorf("all delayed: %+v after %s", r, l.Now().Sub(start))
	}
}

func TestADayOfManyMembers(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulated day takes a second or two")
	}
	day(t, 20, Multicast)
}

// day has so many members live through a day of hourly rekeys.
func day(tb testing.TB, members int, group func(*policy.Group)) {
	tb.Helper()
	ctx := context.Background()
	l, err := New(ctx, Env{Fabric: Memory{}, Seed: "1"}, Setup{Members: members, Group: func(g *policy.Group) {
		g.SIDBits = 16 // of eight there would not be enough for a crowd
		group(g)
	}})
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if err := l.Up(ctx); err != nil {
		tb.Fatal(err)
	}
	l.Pass(ctx, 24*time.Hour)
	ks, err := l.KS.KSStatus(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	gm, err := l.GM[members-1].GMStatus(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	if gm.Rekey != ks.Groups[0].Rekey || len(gm.SAs) == 0 || gm.SAs[0].SPI != ks.Groups[0].SAs[0].SPI {
		tb.Errorf("after a day the last member has %v under %s, the key server %v under %s", gm.SAs, gm.Rekey,
			ks.Groups[0].SAs, ks.Groups[0].Rekey)
	}
}
