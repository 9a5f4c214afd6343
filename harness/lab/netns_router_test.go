package lab

import (
	"os"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/router/routertest"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// routed makes a lab with the reference as a router, through the manifest of a router that there is.
func routed(t *testing.T, role routertest.Role, setup Setup) *Lab {
	t.Helper()
	needKernel(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	routertest.Start(t, program, role)
	m, err := peer.Load("ios-xe")
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(t.Context(), Env{Fabric: Namespaces{}, Seed: "1", Device: m}, setup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if left := ours(t); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return l
}

// A member that is a router registers, is told to begin anew, shows its state, and carries packets of the host behind it.
func TestRouterAsMember(t *testing.T) {
	l := routed(t, routertest.Role{Word: "gm", WAN: "192.0.2.21/24", LAN: "10.0.1.1/24", Gateway: []string{"10.0.2.0/24", "192.0.2.22"}},
		Setup{Device: rule.GM, Members: 2, Hosts: true})
	ctx := t.Context()
	if err := l.Up(ctx); err != nil {
		t.Fatal(err)
	}
	gm := l.GM[0]
	state, err := gm.GMState(ctx)
	if err != nil || state.State != "registered" || state.Group != GroupID || state.KeyServer != "192.0.2.10:848" || len(state.SAs) != 1 || state.Registrations != 1 {
		t.Errorf("%+v, %v", state, err)
	}
	ks, err := l.KS.KSStatus(ctx)
	if err != nil || len(state.SAs) != 1 || ks.Groups[0].SAs[0].SPI != state.SAs[0].SPI || state.SAs[0].Expiry.IsZero() {
		t.Errorf("%+v, %v", ks.Groups, err)
	}
	probe, err := l.Hosts[0].Ping(ctx, l.Hosts[1].Addr(), Ping{Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	l.Wait(ctx, Patience, probe.Done)
	if r := probe.Stop(); r.Received != 3 {
		t.Errorf("%+v", r)
	}
	if err := gm.Clear(ctx); err != nil {
		t.Error(err)
	}
	if !gm.AwaitRegistrations(ctx, 1, Patience) {
		t.Errorf("%q", gm.Log())
	}
	if a, err := gm.Console(ctx, "show version"); err != nil || !strings.Contains(a.Text, "gm1, gdoilab reference") {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := gm.Console(ctx, "show nonsense"); err == nil {
		t.Error("nonsense is shown")
	}
	if err := gm.Stop(); err != nil {
		t.Error(err)
	}
	shown, err := gm.Show()
	if err != nil || len(shown.Config) != 2 || !strings.Contains(string(shown.Config[1].Content), "Rollback Done") || strings.Contains(string(shown.Config[1].Content), "correct-horse") {
		t.Errorf("%+v, %v", shown.Config, err)
	}
}

// A key server that is a router serves members, and rekeys when told.
func TestRouterAsKeyServer(t *testing.T) {
	l := routed(t, routertest.Role{Word: "ks", WAN: "192.0.2.10/24"}, Setup{Device: rule.KS, Members: 2})
	ctx := t.Context()
	if err := l.Up(ctx); err != nil {
		t.Fatal(err)
	}
	state, err := l.KS.KSState(ctx)
	if err != nil || len(state.Groups) != 1 || len(state.Groups[0].Members) != 2 || state.Groups[0].ID != GroupID || len(state.Groups[0].SAs) != 1 {
		t.Fatalf("%+v, %v", state, err)
	}
	r, err := l.KS.Rekey(ctx, control.RekeyArgs{})
	if err != nil || r.Sequence != 1 || len(r.SPIs) != 1 || r.Rekey == "" {
		t.Errorf("%+v, %v", r, err)
	}
	taken := l.Wait(ctx, Patience, func() bool {
		s, err := l.GM[1].GMStatus(ctx)
		return err == nil && s.Sequence == 1
	})
	if !taken {
		t.Error("the members have not taken it")
	}
	replaced, err := l.KS.Rekey(ctx, control.RekeyArgs{KEK: true})
	if err != nil || replaced.Sequence != 2 || len(replaced.SPIs) != 1 || replaced.Rekey == r.Rekey {
		t.Errorf("%+v, %v", replaced, err)
	}
	if _, err := l.KS.Rekey(ctx, control.RekeyArgs{DeleteAll: true}); err == nil || !strings.Contains(err.Error(), "no line for rekey that mentions DeleteAll") {
		t.Error(err)
	}
}
