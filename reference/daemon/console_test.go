package daemon

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// consoleKS writes the configuration of a key server of profile getvpn with a console over SSH.
func consoleKS(t *testing.T) (config string, at netip.AddrPort) {
	t.Helper()
	k, err := policy.LoadKeyServer("../../fixtures/examples/getvpn-ks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	k.Address = freeAddress(t)
	k.Console.SSH = freeAddress(t)
	text, err := policy.MarshalKeyServer(k, "sign.pem")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, data := range map[string][]byte{"ks.yaml": text, "sign.pem": policy.SigningKeyPEM(k)} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "ks.yaml"), k.Console.SSH
}

// An operator reaches the console over the control socket, by a command or line after line, and over SSH.
func TestConsole(t *testing.T) {
	config, at := consoleKS(t)
	socket := filepath.Join(t.TempDir(), "socket")
	stop := serve(t, keyServer, "--config", config, "--control", socket, "--log", filepath.Join(t.TempDir(), "log"))
	waitFor(t, socket)
	if got := ask(t, keyServer, socket, "console", "show", "crypto", "gdoi", "ks"); !strings.Contains(got, "Total group members registered to this box: 0") {
		t.Errorf("%q", got)
	}
	var out bytes.Buffer
	c := &localConsole{o: &options{control: socket}, out: &out, mode: "exec"}
	if err := c.converse(t.Context(), strings.NewReader("show privilege\ndisable\nshow privilege\nexit\nshow version\n")); err != nil {
		t.Error(err)
	}
	if got := out.String(); got != "Current privilege level is 15\nCurrent privilege level is 1\n" {
		t.Errorf("%q", got)
	}
	checkSSH(t, at)
	if code := stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

func checkSSH(t *testing.T, at netip.AddrPort) {
	t.Helper()
	var client *ssh.Client
	nettest.Eventually(t, "the console over SSH", func() (up bool) {
		var err error
		client, err = ssh.Dial("tcp", at.String(), &ssh.ClientConfig{User: "admin", Auth: []ssh.AuthMethod{ssh.Password("correct-horse")},
			HostKeyCallback: ssh.InsecureIgnoreHostKey()}) // made at the start
		return err == nil
	})
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := session.Output("show crypto gdoi ks rekey | include spi"); err != nil || !strings.Contains(string(got), "spi : 0x") {
		t.Errorf("%q, %v", got, err)
	}
}

// A configuration as a router has it serves as well, with its keys beside it.
func TestRouterConfiguration(t *testing.T) {
	dir := t.TempDir()
	for from, to := range map[string]string{"examples/getvpn-ks.ios": "ks.ios", "keys/ks1.pem": "ks1.pem", "examples/getvpn-gm1.ios": "gm.ios"} {
		data, err := fixtures.FS.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), append(data, "mystery\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := buildKeyServer(&options{config: filepath.Join(dir, "ks.ios")}); err == nil || !strings.Contains(err.Error(), `unknown command "mystery"`) {
		t.Errorf("%v", err)
	}
	if cfg, err := buildKeyServer(&options{config: filepath.Join(dir, "ks.ios"), lenient: true}); err != nil || len(cfg.Notes) != 1 || cfg.Name != "ks1" {
		t.Errorf("%+v, %v", cfg.Notes, err)
	}
	if _, notes, err := (&options{config: filepath.Join(dir, "gm.ios"), lenient: true}).loadMember(); err != nil || len(notes) != 1 {
		t.Errorf("%+v, %v", notes, err)
	}
	if _, _, err := (&options{config: filepath.Join(dir, "none.ios")}).loadMember(); err == nil {
		t.Error("a file that is not there")
	}
}
