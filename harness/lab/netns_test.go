package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netns"
	"go.uber.org/goleak"

	"github.com/gdoilab/gdoilab/reference/daemon"
	"github.com/gdoilab/gdoilab/reference/rule"
)

func TestMain(m *testing.M) {
	daemon.BecomeIfAsked()
	goleak.VerifyTestMain(m)
}

// needKernel skips a test, with the reason, where namespaces cannot be made.
func needKernel(t *testing.T) {
	t.Helper()
	if err := (Namespaces{}).Usable(); err != nil {
		t.Skip(err)
	}
}

// ours lists what carries this process's mark.
func ours(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, dir := range []string{netnsDir, os.TempDir()} {
		for _, name := range names(dir) {
			if strings.HasPrefix(name, owner()) {
				found = append(found, filepath.Join(dir, name))
			}
		}
	}
	return found
}

func TestNamespacesCarryAGroupAndLeaveNothing(t *testing.T) {
	needKernel(t)
	t.Run("story", func(t *testing.T) { story(t, Env{Fabric: Namespaces{}, Seed: "1"}) })
	if left := ours(t); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A machine that is a router, as one with a container engine may be, makes no routers of the nodes.
func TestNodesForwardNothingByThemselves(t *testing.T) {
	needKernel(t)
	l, err := New(t.Context(), Env{Fabric: Namespaces{}, Seed: "1"}, Setup{Hosts: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, link := range []string{"all", "default", wanInterface, lanInterface} {
		var set []byte
		err := l.Net.(*kernelNet).inside(MemberName(1), func() (err error) {
			set, err = os.ReadFile("/proc/sys/net/ipv4/conf/" + link + "/forwarding")
			return err
		})
		if err != nil || string(set) != "0\n" {
			t.Errorf("%s: %q, %v", link, set, err)
		}
	}
}

func TestNamespacesCloseAfterAFault(t *testing.T) {
	needKernel(t)
	ctx := context.Background()
	l, err := New(ctx, Env{Fabric: Namespaces{}, Seed: "1"}, Setup{Device: rule.Both})
	if err != nil {
		t.Fatal(err)
	}
	l.KS.station.KS.Groups[0].SIDBits = 99 // the daemon refuses this
	if err := l.KS.Start(ctx); err == nil || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("a daemon with a bad configuration: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if left := ours(t); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestReapRemovesWhatADeadOwnerLeft(t *testing.T) {
	needKernel(t)
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	mark := fmt.Sprintf("%s%d-%s", markPrefix, dead.Process.Pid, "1")
	alive := owner() + "-alive"
	for _, name := range []string{mark + "-gm1", alive} {
		makeNamespace(t, name)
	}
	bare := filepath.Join(netnsDir, mark+"-h1") // its owner died before it mounted the namespace there
	if err := os.WriteFile(bare, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(os.TempDir(), mark+"-123")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	orphan := exec.Command("sleep", "60")
	orphan.Env = []string{OwnerEnv + "=" + mark}
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	removed, err := Reap()
	if err != nil {
		t.Fatal(err)
	}
	if err := orphan.Wait(); err == nil {
		t.Error("the orphaned process was not ended")
	}
	want := []string{fmt.Sprintf("process %d", orphan.Process.Pid), "namespace " + mark + "-gm1", "folder " + mark + "-123"}
	for _, w := range want {
		if !slices.Contains(removed, w) {
			t.Errorf("Reap removed %v, not %s", removed, w)
		}
	}
	if _, err := os.Stat(bare); !os.IsNotExist(err) {
		t.Errorf("a bare name stays: %v", err)
	}
	if _, err := os.Stat(filepath.Join(netnsDir, alive)); err != nil {
		t.Errorf("Reap removed what belongs to a living owner: %v", err)
	}
	if err := netns.DeleteNamed(alive); err != nil {
		t.Error(err)
	}
}

func makeNamespace(t *testing.T, name string) {
	t.Helper()
	made := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the thread ends with this goroutine
		handle, err := netns.NewNamed(name)
		if err == nil {
			err = handle.Close()
		}
		made <- err
	}()
	if err := <-made; err != nil {
		t.Fatal(err)
	}
}

func TestMarksOfTheLivingAreLeftAlone(t *testing.T) {
	for name, want := range map[string]bool{
		owner() + "-ks": false, "ks": false, markPrefix + "x": false, markPrefix + "1-0-ks": true, markPrefix: false,
	} {
		if abandoned(name) != want {
			t.Errorf("abandoned(%q) = %v", name, !want)
		}
	}
}
