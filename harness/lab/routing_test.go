package lab

import (
	"context"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// onBoth runs a test on the fabrics that there are here.
func onBoth(t *testing.T, test func(*testing.T, Fabric)) {
	t.Run("memory", func(t *testing.T) { test(t, Memory{}) })
	t.Run("netns", func(t *testing.T) {
		needKernel(t)
		test(t, Namespaces{})
	})
}

// A member that multicast does not reach gets no rekeys that go so; everybody else does.
func TestNoMulticast(t *testing.T) {
	onBoth(t, func(t *testing.T, f Fabric) {
		ctx := context.Background()
		l, err := New(ctx, Env{Fabric: f, Seed: "1"}, Setup{Members: 3, NoMulticast: []int{2}, Group: Multicast})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := l.Up(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := l.KS.Rekey(ctx, control.RekeyArgs{}); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{1, 3} {
			if !l.GM[i-1].AwaitLog(ctx, "REKEY_ACCEPTED", 0, Patience) {
				t.Errorf("gm%d gets no rekey", i)
			}
		}
		if len(l.GM[1].Logged("REKEY_ACCEPTED")) > 0 {
			t.Error("gm2 gets a rekey by multicast")
		}
	})
}

// A host with two gateways talks through the one that routing prefers.
func TestSecondGateway(t *testing.T) { onBoth(t, testSecondGateway) }

func testSecondGateway(t *testing.T, f Fabric) {
	ctx := context.Background()
	l, err := New(ctx, Env{Fabric: f, Seed: "1"}, Setup{Members: 3, Hosts: true, SecondGateway: true, Profile: policy.ProfileGETVPN,
		Group: func(g *policy.Group) { g.SAs[0].AntiReplay.Method = policy.ReplayNone }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Up(ctx); err != nil {
		t.Fatal(err)
	}
	for _, gateway := range []int{2, 1, 2} {
		if err := l.Prefer(gateway); err != nil {
			t.Fatal(err)
		}
		before, _ := l.GM[gateway-1].GMStatus(ctx)
		probe, err := l.Hosts[0].Ping(ctx, HostAddr(3), Ping{Count: 2})
		if err != nil {
			t.Fatal(err)
		}
		l.Wait(ctx, Patience, probe.Done)
		after, _ := l.GM[gateway-1].GMStatus(ctx)
		if r := probe.Stop(); r.Received != 2 || after.Counters["encrypted"]-before.Counters["encrypted"] != 2 || after.Counters["decrypted"]-before.Counters["decrypted"] != 2 {
			t.Errorf("through gm%d: %+v, %v and then %v", gateway, r, before.Counters, after.Counters)
		}
	}
	if err := l.Prefer(3); !errors.Is(err, errNoGateway) {
		t.Errorf("gm3 is before LAN 1: %v", err)
	}
}

func TestOneGateway(t *testing.T) {
	l, err := New(context.Background(), Env{Fabric: Memory{}, Seed: "1"}, Setup{Members: 2, Hosts: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Prefer(2); !errors.Is(err, errNoGateway) {
		t.Error(err)
	}
}
