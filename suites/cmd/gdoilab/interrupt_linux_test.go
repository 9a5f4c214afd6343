package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/verdict"
)

// running is a run that a test interferes with. Its processes are known by a mark in their environment, its folders by a
// place for temporary files of its own.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	dir    string
	mark   string
	pids   map[int]bool // every process that the run had
	lines  *bufio.Reader
	stdout bytes.Buffer
}

const markEnv = "GDOILAB_TEST_MARK"

// begin starts a run in that folder and waits until it has said n lines of progress.
func begin(t *testing.T, dir string, n int, args ...string) *running {
	t.Helper()
	temporary := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, dir: dir, mark: fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano()), pids: make(map[int]bool)}
	r.cmd = command(t.Context(), dir, append([]string{"run", "--out", "o"}, args...)...)
	r.cmd.Env = append(r.cmd.Env, "TMPDIR="+temporary, markEnv+"="+r.mark)
	r.cmd.Stdout = &r.stdout
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.lines = bufio.NewReader(stderr)
	for range n {
		if line, err := r.lines.ReadString('\n'); err != nil {
			t.Fatalf("the run ended too soon: %v: %s%s", err, line, r.stdout.String())
		}
	}
	r.look()
	return r
}

// look remembers and returns the processes of the run that there are now.
func (r *running) look() []int {
	var found []int
	entries, err := os.ReadDir("/proc")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		environ, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err == nil && slices.Contains(strings.Split(string(environ), "\x00"), markEnv+"="+r.mark) {
			found = append(found, pid)
			r.pids[pid] = true
		}
	}
	return found
}

// end reads what the run still has to say and returns its exit code.
func (r *running) end() int {
	r.t.Helper()
	_, _ = io.Copy(io.Discard, r.lines)
	_ = r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode()
}

// left lists what is still there of the run: processes, network namespaces and folders.
func (r *running) left() []string {
	var left []string
	for _, pid := range r.look() {
		left = append(left, fmt.Sprintf("process %d", pid))
	}
	for _, dir := range []string{"/run/netns", filepath.Join(r.dir, "tmp")} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			for pid := range r.pids {
				if strings.HasPrefix(e.Name(), fmt.Sprintf("gdoilab-%d-", pid)) {
					left = append(left, filepath.Join(dir, e.Name()))
				}
			}
		}
	}
	return left
}

// nothingLeft waits a little for processes that are on their way out, and then wants nothing of the run to be there.
func (r *running) nothingLeft() {
	r.t.Helper()
	var left []string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if left = r.left(); len(left) == 0 {
			return
		}
		pause()
	}
	r.t.Errorf("left behind: %v", left)
}

// pause lets other processes run.
func pause() { <-time.After(20 * time.Millisecond) }

// interrupted wants the report of a run that was interrupted: whole by its schema, with what had been done by then.
func (r *running) interrupted(code int) {
	r.t.Helper()
	if code != 1 {
		r.t.Errorf("exit %d: %s", code, r.stdout.String())
	}
	text := read(r.t, r.dir, "o", verdict.ReportJSON)
	validate(r.t, schema.Report, text)
	report := decode[verdict.Report](r.t, text)
	if !report.Interrupted || len(report.Specs) == 0 {
		r.t.Errorf("interrupted %v, %d specs", report.Interrupted, len(report.Specs))
	}
	if !strings.Contains(r.stdout.String(), "The run was interrupted") {
		r.t.Errorf("not a word of the interrupt: %s", r.stdout.String())
	}
	for _, s := range report.Specs {
		if s.Verdict == verdict.Fail {
			r.t.Errorf("an interrupt is the device's fault: %+v", s)
		}
	}
}

// signals are what ends a run in order.
var signals = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}

func TestInterruptMemory(t *testing.T) {
	for _, sig := range signals {
		for _, workers := range []string{"1", "2"} {
			t.Run(sig.String()+" with workers "+workers, func(t *testing.T) {
				r := begin(t, t.TempDir(), 3, "--workers", workers)
				if err := r.cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				r.interrupted(r.end())
				r.nothingLeft()
			})
		}
	}
}

// needRoot skips a test that makes network namespaces.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the netns fabric needs root")
	}
	if err := needed([]finding{{OK: fabric("netns").OK, Needed: true, Name: "netns"}}); err != nil {
		t.Skip(fabric("netns").Found)
	}
}

func TestInterruptNamespaces(t *testing.T) {
	needRoot(t)
	for _, sig := range signals {
		t.Run(sig.String(), func(t *testing.T) {
			r := begin(t, t.TempDir(), 1, "--fabric", "netns", "--filter", "subject:rekey && dut:GM")
			if err := r.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			r.interrupted(r.end())
			r.nothingLeft()
		})
	}
	t.Run("twice", func(t *testing.T) {
		r := begin(t, t.TempDir(), 1, "--fabric", "netns", "--filter", "subject:rekey && dut:GM")
		for range 2 {
			if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			pause()
		}
		r.interrupted(r.end())
		r.nothingLeft()
	})
}

// A run that is killed leaves namespaces and daemons behind; the next run removes them and passes.
func TestKillNamespaces(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	r := begin(t, dir, 1, "--fabric", "netns", "--filter", "subject:rekey && dut:GM", "--workers", "1")
	for len(r.left()) < 4 { // the process itself, a daemon, a namespace, a folder
		pause()
	}
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	r.end()
	if len(r.left()) == 0 {
		t.Fatal("nothing was left behind: this test shows nothing")
	}
	next := command(t.Context(), dir, "run", "--fabric", "netns", "--spec", oneSpec, "--out", "next")
	next.Env = append(next.Env, "TMPDIR="+filepath.Join(dir, "tmp"))
	if text, err := next.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	r.nothingLeft()
}

// Workers whose run was killed end by themselves, in order.
func TestKillWorkers(t *testing.T) {
	needRoot(t)
	r := begin(t, t.TempDir(), 1, "--fabric", "netns", "--filter", "subject:rekey && dut:GM", "--workers", "2")
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	r.end()
	r.nothingLeft()
}

// An interrupted selftest prints what was found out by then and ends with 1.
func TestInterruptSelftest(t *testing.T) {
	dir := t.TempDir()
	cmd := command(t.Context(), dir, "selftest", "--workers", "1", "--out", "m.json")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, lines)
	_ = cmd.Wait()
	text := read(t, dir, "m.json")
	validate(t, schema.Selftest, text)
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(text, `"interrupted": true`) {
		t.Errorf("exit %d: %.300s", code, text)
	}
}
