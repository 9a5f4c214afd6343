package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo terminal of that width.
func terminal(t *testing.T, width uint16) (near, far *os.File) {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	t.Cleanup(func() { near.Close() })
	if err := unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	far, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	if err := unix.IoctlSetWinsize(int(far.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: width}); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// onTerminal runs the command with all its output on a terminal and returns what came there.
func onTerminal(t *testing.T, width uint16, args ...string) (string, int) {
	t.Helper()
	near, far := terminal(t, width)
	cmd := command(t.Context(), t.TempDir(), args...)
	cmd.Stdout, cmd.Stderr = far, far
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	far.Close()
	var screen bytes.Buffer
	_, _ = io.Copy(&screen, near) // ends with an error when the last writer is gone
	_ = cmd.Wait()
	return strings.ReplaceAll(screen.String(), "\r\n", "\n"), cmd.ProcessState.ExitCode()
}

// On a terminal the progress is one line that is written over; what did not pass stays, with its reason.
func TestProgressOnTerminal(t *testing.T) {
	screen, code := onTerminal(t, 60, "run", "--filter", "subject:sequence")
	progress, _, _ := strings.Cut(screen, "\n\n")
	if code != 0 || strings.Count(progress, "\n") != 0 || strings.Count(progress, "\r\x1b[K") < 3 {
		t.Errorf("exit %d: %q", code, progress)
	}
	for _, line := range strings.Split(progress, "\r\x1b[K") {
		if widest(line) >= 60 {
			t.Errorf("wider than the terminal: %q", line)
		}
	}
	screen, code = onTerminal(t, 60, "run", "--filter", "subject:sequence", "--mutant", "member.push.seq=off")
	if code != 1 || !strings.Contains(screen, "fail         sequence/") || !strings.Contains(screen, "\n        ") {
		t.Errorf("exit %d: %q", code, screen)
	}
}

func TestListOnTerminal(t *testing.T) {
	screen, code := onTerminal(t, 72, "list", "--filter", "subject:sequence")
	if code != 0 || widest(screen) > 72 || !strings.Contains(screen, " specs\n") {
		t.Errorf("exit %d, %d columns: %s", code, widest(screen), screen)
	}
}
