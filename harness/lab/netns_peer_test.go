package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// foreign is a manifest of a member that is a script.
const foreign = `name: foreign
features: ["*"]
roles:
  GM:
    process:
      command: [bash, "{{ .Dir }}/device.sh"]
      environment: ["FACE={{ .WAN }}"]
      files:
        - {path: device.sh, content: 'SCRIPT'}
      ready: READY
      stop: {within: 300ms}
    syslog: SYSLOG
`

// device makes a manifest of a script.
func device(t *testing.T, script, ready, log string) *peer.Manifest {
	t.Helper()
	text := strings.NewReplacer("SCRIPT", script, "READY", ready, "SYSLOG", log).Replace(foreign)
	m, err := peer.Parse("foreign.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// open makes a network for the device; it is closed with the test, which must go well unless it is said how not.
func open(t *testing.T, m *peer.Manifest, closing string) *Lab {
	t.Helper()
	needKernel(t)
	l, err := New(context.Background(), Env{Fabric: Namespaces{}, Seed: "1", Device: m}, Setup{Device: rule.GM})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); closing == "" && err != nil || closing != "" && (err == nil || !strings.Contains(err.Error(), closing)) {
			t.Errorf("closing: %v; want %q", err, closing)
		}
		if left := ours(t); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return l
}

const up = `{line: "^up"}`

// The log of a device is found wherever its manifest says.
func TestLogSources(t *testing.T) {
	for _, c := range []struct{ source, script, ready string }{
		{"from: stdout", "echo up on $FACE; echo said REGISTERED here; exec sleep 100", up},
		{"from: stderr", "echo up on $FACE; echo said REGISTERED here >&2; exec sleep 100", up},
		{"from: file, file: '{{ .Dir }}/log'", "echo said REGISTERED here >log; echo -n unfinished >>log; touch there; exec sleep 100", "{file: '{{ .Dir }}/there'}"},
		{"from: tcp", "echo said REGISTERED here >/dev/tcp/{{ slice .LogTo 0 9 }}/514; exec sleep 100", "{line: REGISTERED}"},
		{"from: udp", "echo said REGISTERED here >/dev/udp/{{ slice .LogTo 0 9 }}/514; exec sleep 100", "{line: REGISTERED}"},
	} {
		t.Run(c.source, func(t *testing.T) {
			ctx := t.Context()
			l := open(t, device(t, c.script, c.ready, "{"+c.source+", events: {REGISTERED: \"said (?P<what>[A-Z]+) here\"}}"), "")
			gm := l.GM[0]
			if err := gm.Start(ctx); err != nil {
				t.Fatal(err)
			}
			if err := gm.AwaitRegistered(ctx); err != nil {
				t.Error(err)
			}
			if err := gm.Stop(); err != nil {
				t.Error(err)
			}
			lines := gm.Logged("REGISTERED")
			if len(lines) != 1 || lines[0].Fields["what"] != "REGISTERED" || strings.Contains(strings.Join(gm.Log(), ""), "unfinished") {
				t.Errorf("%+v of %q", lines, gm.Log())
			}
			shown, err := gm.Show()
			if err != nil || len(shown.Config) != 1 || shown.Config[0].Path != "device.sh" {
				t.Errorf("%+v, %v", shown.Config, err)
			}
		})
	}
}

// A device that is dead, or never comes up, is an error of everybody who waits for it.
func TestDeadProcesses(t *testing.T) {
	const log = "{from: stdout, events: {REGISTERED: registered}}"
	for _, c := range []struct{ name, script, ready, want string }{
		{"ends at once", "echo no licence >&2; exit 3", up, "gm1 did not come up: no licence"},
		{"never ready", "exec sleep 100", "{port: udp/848, within: 100ms}", "gm1 did not come up: "},
		{"a template that fails", "{{ index .KeyServers 3 }}", up, "foreign.yaml:9:38: line 1 of the text"},
		{"says nothing", "echo up; exec sleep 100", up, "the log of gm1 does not say that it is registered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := open(t, device(t, c.script, c.ready, log), "")
			err := l.GM[0].Start(t.Context())
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				err = l.GM[0].AwaitRegistered(ctx)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %s", err, c.want)
			}
		})
	}
}

// A program that is not there is an error that names the line, before anything runs and when it is started all the same.
func TestNoSuchProgram(t *testing.T) {
	m, err := peer.Parse("m.yaml", []byte("name: x\nfeatures: ['*']\nroles:\n  GM:\n    process: {command: [/no/such/program], ready: {line: x}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := (Namespaces{}).Check(m); err == nil || !strings.HasPrefix(err.Error(), "m.yaml:5:24: the program of the device cannot be started: ") {
		t.Errorf("%v", err)
	}
	l := open(t, m, "")
	if err := l.GM[0].Start(t.Context()); err == nil || !strings.Contains(err.Error(), "starting gm1 (m.yaml:5:24): ") {
		t.Errorf("%v", err)
	}
}

// A device that does not heed its signal is killed, and that is said. So is what it started.
func TestStubbornProcess(t *testing.T) {
	l := open(t, device(t, `trap "" TERM; sleep 100 & echo up; wait; wait`, up, "{from: stdout, events: gdoilab}"), "gm1 did not stop within 300ms of signal 15")
	if err := l.GM[0].Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What a device cannot be asked is not asked: whoever made the lab is told of the declaration, and the asking fails.
func TestUnsupportedIsTold(t *testing.T) {
	var told []string
	m, err := peer.Parse("m.yaml", []byte("name: x\nfeatures: ['*']\nroles:\n  GM: {core: reference-gm}\n"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	env := Env{Fabric: Memory{}, Seed: "1", Device: m, Unsupported: func(d string) { told = append(told, d) }}
	l, err := New(ctx, env, Setup{Device: rule.GM})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	gm := l.GM[0]
	_ = l.KS.Start(ctx)
	if err := gm.Start(ctx); err != nil {
		t.Fatal(err)
	}
	l.Pass(ctx, time.Second)
	if _, err := gm.GMStatus(ctx); !errors.As(err, new(*peer.Unsupported)) {
		t.Errorf("%v", err)
	}
	if gm.Keys() != nil || gm.Log() != nil || gm.Logged("REGISTERED") != nil || gm.Refused(ctx, "RFC6407-4.4-02") != 0 {
		t.Error("a device tells what it does not declare")
	}
	want := []string{"no control", "no keylog", "no syslog", "no syslog", "no control"}
	if len(told) != len(want) {
		t.Fatalf("%q", told)
	}
	for i, w := range want {
		if told[i] != fmt.Sprintf("x as GM declares %s (m.yaml:4:7)", w) {
			t.Errorf("%q, want %s", told[i], w)
		}
	}
	if keys := l.Keys(); len(keys) == 0 || keys[0].Node != KeyServerName {
		t.Errorf("the tester's keys: %+v", keys)
	}
	if _, err := New(ctx, env, Setup{Device: rule.Both}); !errors.As(err, new(*peer.Unsupported)) {
		t.Errorf("%v", err)
	}
}

// A policy that asks for what the device does not declare makes no network.
func TestDemandsAreGated(t *testing.T) {
	text, err := fixtures.FS.ReadFile("peers/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := peer.Parse("m.yaml", append(text, "lacks: [{feature: multicast, why: a reason}]\n"...))
	if err != nil {
		t.Fatal(err)
	}
	env := Env{Fabric: Memory{}, Seed: "1", Device: m}
	for _, c := range []struct {
		setup Setup
		fits  bool
	}{{Setup{Device: rule.GM}, true}, {Setup{Device: rule.GM, Group: Multicast}, false}, {Setup{Group: Multicast}, true}} {
		l, err := New(t.Context(), env, c.setup)
		if (err == nil) != c.fits || err != nil && !strings.Contains(err.Error(), "lacks the feature multicast: a reason") {
			t.Errorf("%v", err)
		}
		if err == nil {
			_ = l.Close()
		}
	}
}

// Of two devices each is held against what it declares itself.
func TestPairIsGated(t *testing.T) {
	text, err := fixtures.FS.ReadFile("peers/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reference, err := peer.Default()
	if err != nil {
		t.Fatal(err)
	}
	lacking := strings.Replace(string(text), "name: reference", "name: other", 1) + "lacks: [{feature: fail-open, why: a reason}]\n"
	other, err := peer.Parse("m.yaml", []byte(lacking))
	if err != nil {
		t.Fatal(err)
	}
	failOpen := Setup{Device: rule.Both, Member: func(_ int, c *policy.Member) { c.FailOpen = true }}
	for _, c := range []struct {
		ks, gm *peer.Manifest
		fits   bool
	}{{other, reference, true}, {reference, other, false}} {
		m, err := peer.Pair(c.ks, c.gm)
		if err != nil {
			t.Fatal(err)
		}
		l, err := New(t.Context(), Env{Fabric: Memory{}, Seed: "1", Device: m}, failOpen)
		if (err == nil) != c.fits || err != nil && !strings.Contains(err.Error(), "other lacks the feature fail-open: a reason") {
			t.Errorf("%s: %v", m.Name, err)
		}
		if err == nil {
			_ = l.Close()
		}
	}
}

// The reference as a program can also be waited for by its port.
func TestReadyByPort(t *testing.T) {
	text, err := fixtures.FS.ReadFile("peers/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := peer.Parse("m.yaml", []byte(strings.ReplaceAll(string(text), `file: "{{ .Dir }}/control"`, "port: udp/848")))
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, m, "")
	if err := l.GM[0].Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !l.GM[0].AwaitLog(t.Context(), "STARTED", 0, Patience) {
		t.Errorf("%q", l.GM[0].Log())
	}
}
