package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// rewrite alters a configuration file.
func rewrite(t *testing.T, path string, alter func(*policy.KeyServer)) {
	t.Helper()
	k, err := policy.LoadKeyServer(path)
	if err != nil {
		t.Fatal(err)
	}
	alter(&k)
	text, err := policy.MarshalKeyServer(k, "sign.pem")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestReload gives a running key server another policy, by the subcommand and by SIGHUP.
func TestReload(t *testing.T) {
	file, socket := loopbackKS(t, "ks-reload"), filepath.Join(t.TempDir(), "control")
	rewrite(t, file, func(k *policy.KeyServer) { k.Profile = policy.ProfileGETVPN })
	stop := serve(t, keyServer, "--config", file, "--control", socket)
	waitFor(t, socket)
	cipher := func() string {
		var status control.KSStatus
		askJSON(t, keyServer, socket, &status, "status", "--json")
		return status.Groups[0].SAs[0].Cipher
	}
	before := cipher()

	rewrite(t, file, func(k *policy.KeyServer) { k.Groups[0].SAs[0].Lifetime = 2 * time.Hour })
	if text := ask(t, keyServer, socket, "reload", "--config", file); !strings.Contains(text, "nothing had to be told") {
		t.Errorf("another lifetime: %q", text)
	}
	rewrite(t, file, func(k *policy.KeyServer) { k.Groups[0].SAs[0].Transform.KeyBits = 256 })
	if text := ask(t, keyServer, socket, "reload", "--config", file); !strings.HasPrefix(text, "sent rekey ") {
		t.Errorf("another transform: %q", text)
	}
	if now := cipher(); now == before || !strings.Contains(now, "256") {
		t.Errorf("%s after %s", now, before)
	}
	rewrite(t, file, func(k *policy.KeyServer) { k.Groups[0].SAs[0].Transform.KeyBits = 192 })
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	nettest.Eventually(t, "the policy after SIGHUP", func() bool { return strings.Contains(cipher(), "192") })
	if code := stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}
