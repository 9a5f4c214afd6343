package daemon

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

// TestMain makes the test program a daemon when it is started as one.
func TestMain(m *testing.M) {
	BecomeIfAsked()
	goleak.VerifyTestMain(m)
}

const exampleKS = "../../fixtures/examples/gdoi-ks.yaml"

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("name: x\nadress: 10.0.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no flags", nil, 2, "gdoi-ks: the flag --config is missing; it names the configuration file\ngdoi-ks --help tells more\n"},
		{"unknown flag", []string{"--frob"}, 2, "gdoi-ks: unknown flag: --frob\ngdoi-ks --help tells more\n"},
		{"unknown command", []string{"dance"}, 2, "gdoi-ks: unknown command \"dance\"\ngdoi-ks --help tells more\n"},
		{"no such file", []string{"--config", dir + "/no.yaml"}, 2, "gdoi-ks: open " + dir + "/no.yaml: no such file or directory\n"},
		{"bad file", []string{"--config", bad}, 2, bad + `:1:1: the field "address" is missing` + "\n" +
			bad + `:1:1: the field "phase1" is missing` + "\n" + bad + `:1:1: the field "groups" is missing` + "\n" +
			bad + ":2:1: adress: unknown field; did you mean address?\n"},
		{"bad mutant", []string{"--config", exampleKS, "--mutant", "x"}, 2,
			"gdoi-ks: --mutant \"x\": want name=mutation\ngdoi-ks --help tells more\n"},
		{"unknown mutant", []string{"--config", exampleKS, "--mutant", "x=off"}, 2,
			"gdoi-ks: --mutant \"x=off\": rule: there is no guard \"x\"\ngdoi-ks --help tells more\n"},
		{"bad log", []string{"--config", exampleKS, "--log", "udp://nowhere"}, 2,
			"gdoi-ks: --log: udp://nowhere: dial udp: address nowhere: missing port in address; write udp://192.0.2.1:514\n"},
		{"log in no folder", []string{"--config", exampleKS, "--log", dir + "/no/log"}, 2,
			"gdoi-ks: --log: open " + dir + "/no/log: no such file or directory\n"},
		{"keylog in no folder", []string{"--config", exampleKS, "--keylog", dir + "/no/keys"}, 2,
			"gdoi-ks: --keylog: open " + dir + "/no/keys: no such file or directory\n"},
		{"status of nobody", []string{"status"}, 2,
			"gdoi-ks: the flag --control is missing; it names the control socket of the running daemon\ngdoi-ks --help tells more\n"},
		{"status of the dead", []string{"status", "--control", dir + "/no"}, 1,
			"gdoi-ks: operator: dial unix " + dir + "/no: connect: no such file or directory\n"},
		{"readmit nobody", []string{"readmit"}, 2, "gdoi-ks: readmit wants the identity of one member: an address, or one such as fqdn:gm1.example\ngdoi-ks --help tells more\n"},
		{"exclude nobody", []string{"exclude"}, 2, "gdoi-ks: exclude wants the identity of one member: an address, or one such as fqdn:gm1.example\ngdoi-ks --help tells more\n"},
		{"rekey with a word", []string{"rekey", "now"}, 2, "gdoi-ks: unknown command \"now\"\ngdoi-ks --help tells more\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, err bytes.Buffer
			if code := run(t.Context(), keyServer, c.args, &out, &err); code != c.code || err.String() != c.want || out.Len() > 0 {
				t.Errorf("exit %d\n%q\nwant\n%q\n%s", code, err.String(), c.want, out.String())
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, p := range []program{keyServer, groupMember} {
		var out, err bytes.Buffer
		if code := run(t.Context(), p, []string{"--help"}, &out, &err); code != 0 || err.Len() > 0 {
			t.Errorf("%s: exit %d, %s", p.name, code, err.String())
		}
		for _, want := range []string{p.name + " --config", "--control path", "--log target", "status", "SIGTERM"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", p.name, want, out.String())
			}
		}
		if strings.Contains(out.String(), "mutant") || strings.Contains(out.String(), "completion") {
			t.Errorf("%s shows what it should not:\n%s", p.name, out.String())
		}
	}
}

// loopbackKS writes a key server's configuration that runs without privileges, and returns its path.
func loopbackKS(t *testing.T, name string) string {
	t.Helper()
	k, err := policy.LoadKeyServer(exampleKS)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	k.Name, k.Address = name, freeAddress(t)
	text, err := policy.MarshalKeyServer(k, "sign.pem")
	if err != nil {
		t.Fatal(err)
	}
	for file, data := range map[string][]byte{"ks.yaml": text, "sign.pem": policy.SigningKeyPEM(k)} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "ks.yaml")
}

// serve runs a program in this process until stop, which returns its exit code.
func serve(t *testing.T, p program, args ...string) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() { code <- run(ctx, p, args, &bytes.Buffer{}, &stderr) }()
	return func() int {
		cancel()
		c := <-code
		if c != 0 {
			t.Log(stderr.String())
		}
		return c
	}
}

// TestLogToSyslogServer receives a daemon's first line by UDP and its last in a file.
func TestLogToSyslogServer(t *testing.T) {
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	stop := serve(t, keyServer, "--config", loopbackKS(t, "ks-udp"), "--log", "udp://"+server.LocalAddr().String())
	_ = server.SetReadDeadline(time.Now().Add(10 * time.Second))
	buffer := make([]byte, 2000)
	n, _, err := server.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := syslog.Parse(string(buffer[:n])); err != nil || line.Host != "ks-udp" || line.Tag != "STARTED" || buffer[n-1] == '\n' {
		t.Errorf("%q: %v", buffer[:n], err)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// TestOperate asks a running key server by the subcommands.
func TestOperate(t *testing.T) {
	dir := t.TempDir()
	socket, log := filepath.Join(dir, "control"), filepath.Join(dir, "log")
	stop := serve(t, keyServer, "--config", loopbackKS(t, "ks-loop"), "--control", socket, "--log", log, "--keylog", filepath.Join(dir, "keys"))
	waitFor(t, socket)
	var status control.KSStatus
	askJSON(t, keyServer, socket, &status, "status", "--json")
	if status.Name != "ks-loop" || len(status.Groups) != 1 || status.Groups[0].ID != 1234 {
		t.Errorf("%+v", status)
	}
	table := ask(t, keyServer, socket, "status")
	for _, want := range []string{"key server ks-loop", "group red (1234)", "10.1.0.0/16 -> 10.1.0.0/16", status.Groups[0].SAs[0].SPI} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	var result control.RekeyResult
	askJSON(t, keyServer, socket, &result, "rekey", "--json", "--kek")
	if len(result.SPIs) != 1 || result.SPIs[0] == status.Groups[0].SAs[0].SPI || result.Rekey == status.Groups[0].Rekey {
		t.Errorf("%+v after %+v", result, status.Groups[0])
	}
	if text := ask(t, keyServer, socket, "rekey", "--group", "1234"); !strings.HasPrefix(text, "sent rekey ") {
		t.Errorf("%q", text)
	}
	askJSON(t, keyServer, socket, &result, "rekey", "--json", "--announce", "--lifetime", "60")
	again, kek := slices.Clone(result.SPIs), result.Rekey
	askJSON(t, keyServer, socket, &result, "rekey", "--json", "--delete-tek", again[0], "--tek", "--delete-kek")
	if len(again) != 1 || len(result.SPIs) != 1 || result.SPIs[0] == again[0] || result.Rekey == kek {
		t.Errorf("%+v after %v under %s", result, again, kek)
	}
	var out, stderr bytes.Buffer
	code := run(t.Context(), keyServer, []string{"exclude", "192.0.2.1", "--control", socket}, &out, &stderr)
	if code == 0 || !strings.Contains(stderr.String(), "without LKH nobody can be excluded") {
		t.Errorf("exclude: %d, %s", code, stderr.String())
	}
	stderr.Reset()
	code = run(t.Context(), keyServer, []string{"rekey", "--group", "9", "--control", socket}, &out, &stderr)
	if code != 1 || !strings.HasPrefix(stderr.String(), "gdoi-ks: the node refuses: ") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
	if code := stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if _, err := os.Stat(socket); err == nil {
		t.Error("the control socket is still there")
	}
	checkFiles(t, log, filepath.Join(dir, "keys"))
}

func checkFiles(t *testing.T, log, keys string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(text), "STARTED") || !strings.Contains(string(text), "STOPPED") {
		t.Errorf("log: %v\n%s", err, text)
	}
	info, err := os.Stat(keys)
	if err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
		t.Errorf("key log: %v, %v", info, err)
	}
}

func TestTables(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	sa := control.SA{SPI: "0000abcd", Selector: "a -> b", Cipher: "aes128-gcm16", Expiry: now.Add(90 * time.Second), Sending: true}
	group := control.GMGroup{
		Group: 7, State: "registered", KeyServer: "10.0.0.1:848", Rekey: "00ff", Sequence: 3, RekeyExpiry: now.Add(time.Hour),
		SAs: []control.SA{sa}, SIDs: []uint32{4, 5},
	}
	var b bytes.Buffer
	printMember(&b, &control.GMStatus{
		Name: "gm1", Time: now, GMGroup: group,
		Counters: map[string]uint64{"dropped": 2, "encrypted": 1}, Rejects: map[string]uint64{"RFC6407-4.4-02": 9},
	})
	want := `group member gm1 at 2026-01-02 03:04:05: registered, group 7, key server 10.0.0.1:848
rekey SA 00ff, sequence 3, ends in 1h0m0s
sender IDs 4, 5
┌──────────┬──────────┬──────────────┬─────────┬─────────┐
│ SPI      │ selector │ cipher       │ ends in │ sending │
├──────────┼──────────┼──────────────┼─────────┼─────────┤
│ 0000abcd │ a -> b   │ aes128-gcm16 │ 1m30s   │ yes     │
└──────────┴──────────┴──────────────┴─────────┴─────────┘
┌───────────┬─────────┐
│ what      │ packets │
├───────────┼─────────┤
│ dropped   │       2 │
│ encrypted │       1 │
└───────────┴─────────┘
┌────────────────┬─────────┐
│ requirement    │ refused │
├────────────────┼─────────┤
│ RFC6407-4.4-02 │       9 │
└────────────────┴─────────┘
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	b.Reset()
	printMember(&b, &control.GMStatus{Name: "gm1", Time: now, GMGroup: group, Groups: []control.GMGroup{group,
		{Group: 8, State: "phase1", KeyServer: "10.0.0.9:848"}}})
	want = `group member gm1 at 2026-01-02 03:04:05: 2 groups

group 7: registered, key server 10.0.0.1:848
rekey SA 00ff, sequence 3, ends in 1h0m0s
sender IDs 4, 5
┌──────────┬──────────┬──────────────┬─────────┬─────────┐
│ SPI      │ selector │ cipher       │ ends in │ sending │
├──────────┼──────────┼──────────────┼─────────┼─────────┤
│ 0000abcd │ a -> b   │ aes128-gcm16 │ 1m30s   │ yes     │
└──────────┴──────────┴──────────────┴─────────┴─────────┘

group 8: phase1, key server 10.0.0.9:848
no rekey
┌─────┬──────────┬────────┬─────────┬─────────┐
│ SPI │ selector │ cipher │ ends in │ sending │
├─────┼──────────┼────────┼─────────┼─────────┤
└─────┴──────────┴────────┴─────────┴─────────┘
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	b.Reset()
	printKeyServer(&b, &control.KSStatus{Name: "ks1", Time: now, Phase1: 2, Groups: []control.KSGroup{{
		Name: "red", ID: 7, SAs: []control.SA{sa}, Members: []control.KSMember{
			{Identity: "10.0.0.2", Address: "10.0.0.2:848", Registered: now, SIDs: []uint32{1}, Acked: 3, EverAcked: true},
			{Identity: "10.0.0.3", Address: "10.0.0.3:848"}}}}})
	want = `key server ks1 at 2026-01-02 03:04:05: 2 Phase 1 SAs, 0 half open

group red (7): no rekey
┌──────────┬──────────┬──────────────┬─────────┐
│ SPI      │ selector │ cipher       │ ends in │
├──────────┼──────────┼──────────────┼─────────┤
│ 0000abcd │ a -> b   │ aes128-gcm16 │ 1m30s   │
└──────────┴──────────┴──────────────┴─────────┘
┌──────────┬──────────────┬─────────────────────┬──────────────┬────────────┐
│ member   │ address      │ registered          │ acknowledged │ sender IDs │
├──────────┼──────────────┼─────────────────────┼──────────────┼────────────┤
│ 10.0.0.2 │ 10.0.0.2:848 │ 2026-01-02 03:04:05 │ 3            │ 1          │
│ 10.0.0.3 │ 10.0.0.3:848 │ -                   │ never        │            │
└──────────┴──────────────┴─────────────────────┴──────────────┴────────────┘
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// TestEveryCommandIsDescribed keeps the help complete.
func TestEveryCommandIsDescribed(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s has no description", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(keyServer.command())
	walk(groupMember.command())
}
