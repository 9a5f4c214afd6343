package lab

import (
	"context"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// A host with two gateways talks through the one that routing prefers.
func TestSecondGateway(t *testing.T) {
	ctx := context.Background()
	l, err := New(ctx, Env{Fabric: Memory{}, Seed: "1"}, Setup{Members: 3, Hosts: true, SecondGateway: true, Profile: policy.ProfileGETVPN,
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
