package driver

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// script starts a driver that is a script.
func script(t *testing.T, text string, within time.Duration) *Program {
	t.Helper()
	p, err := Run("it", exec.Command("sh", "-c", text), within)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Close(0)
		end := time.Now().Add(10 * time.Second)
		for alive(p.Pid()) && time.Now().Before(end) {
			time.Sleep(time.Millisecond) // a kill takes its time
		}
		if alive(p.Pid()) {
			t.Error("something of it still runs")
		}
	})
	return p
}

// alive reports whether somebody of a process group still runs.
func alive(group int) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	return slices.ContainsFunc(files, func(file string) bool {
		stat, err := os.ReadFile(file)
		_, after, _ := strings.Cut(string(stat), ") ") // state, parent, group
		fields := strings.Fields(after)
		return err == nil && len(fields) > 2 && fields[0] != "Z" && fields[2] == strconv.Itoa(group)
	})
}

const answered = `echo '{"jsonrpc":"2.0","id":1,"result":{"time":"2026-01-02T03:04:05Z","source":"x","status":{}}}'`

// A program is spoken with, and ends when nobody asks any more.
func TestProgram(t *testing.T) {
	p := script(t, "read line; echo the line is $line >&2; "+answered+"; cat", 0)
	if s, err := p.State(t.Context()); err != nil || s.Source != "x" {
		t.Errorf("%+v, %v", s, err)
	}
	if err := p.Close(10 * time.Second); err != nil {
		t.Error(err)
	}
	if said := p.Stderr(); len(said) != 1 || !strings.HasPrefix(said[0], "the line is {") {
		t.Errorf("%q", said)
	}
	if _, err := p.State(t.Context()); !errors.Is(err, ErrDied) {
		t.Errorf("%v", err)
	}
}

// A program that ends while it is asked says in the error how, and what it printed last, even if something of it lives on.
func TestDeath(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"at once", "echo no licence >&2; exit 3", "driver: it: state: the driver ended; it printed last: no licence; exit status 3"},
		{"in the middle", "read line; echo giving up >&2; kill -9 $$", "driver: it: state: the driver ended; it printed last: giving up; signal: killed"},
		{"half an answer", `read line; printf '{"jsonrpc'`, "it wrote what is no answer: the line has no end: {\"jsonrpc; it printed last: exit status 0"},
		{"with a child", "sleep 100 & read line; echo gone >&2; exit 1", "it printed last: gone; exit status 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := script(t, c.text, 0).State(t.Context())
			if !errors.Is(err, ErrDied) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// A program that neither reads nor answers is given up, and one that does not end is killed.
func TestStubborn(t *testing.T) {
	p := script(t, "echo thinking >&2; exec sleep 100 0<&-", 100*time.Millisecond)
	err := p.Prepare(t.Context(), Preparation{Dir: strings.Repeat("x", 1<<20)})
	if !errors.Is(err, ErrSilent) && !errors.Is(err, ErrDied) {
		t.Errorf("%v", err)
	}
	p = script(t, "trap '' TERM; while :; do sleep 1; done", 100*time.Millisecond)
	if err := p.Prepare(t.Context(), Preparation{Dir: strings.Repeat("x", 1<<20)}); !errors.Is(err, ErrSilent) {
		t.Errorf("%v", err)
	}
	if err := p.Close(time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not end within 1ms") {
		t.Errorf("%v", err)
	}
	if _, err := Run("it", exec.Command("/no/such/program"), 0); err == nil || !strings.HasPrefix(err.Error(), "driver: it: ") {
		t.Errorf("%v", err)
	}
}

// How a program ends is part of what it says.
func TestBadEnd(t *testing.T) {
	p := script(t, "cat >/dev/null; echo no room >&2; exit 4", 0)
	if err := p.Close(10 * time.Second); err == nil || err.Error() != "driver: it: its end: exit status 4; it printed last: no room" {
		t.Errorf("%v", err)
	}
}
