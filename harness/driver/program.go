package driver

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Program is a driver that is a program of its own, of which we have the input, the output and what it prints on standard error.
type Program struct {
	*Client
	cmd    *exec.Cmd
	stderr *tail
	exited chan struct{}
	state  error // how it ended, once it has
	once   sync.Once
}

// Run starts a driver's program, in a process group of its own, and speaks with it over its standard input and output. Name stands in errors;
// within is how long it has for an answer, 0 for DefaultWithin.
func Run(name string, cmd *exec.Cmd, within time.Duration) (*Program, error) {
	p := &Program{cmd: cmd, stderr: &tail{ended: make(chan struct{})}, exited: make(chan struct{})}
	ours, theirs, err := pipes()
	if err != nil {
		return nil, fmt.Errorf("driver: %s: %w", name, err)
	}
	// Files, not pipes of exec's own: what the program leaves running may hold them, and must not keep us.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs[0], theirs[1], theirs[2]
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	err = cmd.Start()
	theirs.close()
	if err != nil {
		ours.close()
		return nil, fmt.Errorf("driver: %s: %w", name, err)
	}
	go p.stderr.read(ours[2])
	p.Client = NewClient(name, ours[1], ours[0], within)
	p.last = p.lastWords
	go p.wait(ours)
	return p, nil
}

// ends are three ends of pipes: of standard input, output and error.
type ends [3]*os.File

func (e ends) close() {
	for _, f := range e {
		if f != nil {
			_ = f.Close()
		}
	}
}

func pipes() (ours, theirs ends, err error) {
	for i := range ours {
		r, w, err := os.Pipe()
		if err != nil {
			ours.close()
			theirs.close()
			return ours, theirs, err
		}
		if ours[i], theirs[i] = r, w; i == 0 {
			ours[i], theirs[i] = w, r
		}
	}
	return ours, theirs, nil
}

// lastGasp is how long what an ended program has written is still read, if something that it started holds its outputs open.
const lastGasp = 2 * time.Second

// wait waits for the program's end. What it has written by then is in the pipes.
func (p *Program) wait(ours ends) {
	p.state = p.cmd.Wait()
	for _, f := range ours[1:] {
		_ = f.SetReadDeadline(time.Now().Add(lastGasp))
	}
	<-p.stderr.ended
	close(p.exited)
	<-p.ended
	ours.close()
}

// lastWords are what the program printed last, and how it ended if that is why they are asked for.
func (p *Program) lastWords(why error) []string {
	if !errors.Is(why, ErrDied) {
		return p.stderr.last(fewLines)
	}
	select {
	case <-p.exited:
	case <-time.After(2 * lastGasp):
		return append(p.stderr.last(fewLines), "it has closed its output, and lives")
	}
	how := "exit status 0"
	if p.state != nil {
		how = p.state.Error()
	}
	return append(p.stderr.last(fewLines), how)
}

// fewLines is how much of standard error stands in an error.
const fewLines = 5

// Stderr returns what the program has printed on standard error, line by line.
func (p *Program) Stderr() []string { return p.stderr.last(mostTail) }

// Close tells the program that no more requests come, and waits for its end. After the time it is killed with all of its process group,
// which is an error.
func (p *Program) Close(within time.Duration) (err error) {
	p.once.Do(func() {
		_ = p.Hangup()
		select {
		case <-p.exited:
		case <-time.After(within):
			err = fmt.Errorf("driver: %s did not end within %s of the end of its input", p.name, within)
		}
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // and whom it left behind
		<-p.exited
		<-p.ended
		var exit *exec.ExitError
		if err == nil && errors.As(p.state, &exit) {
			err = &Error{Driver: p.name, Method: "its end", Err: exit, Last: p.stderr.last(fewLines)}
		}
	})
	return err
}

// Pid is the program's process number.
func (p *Program) Pid() int { return p.cmd.Process.Pid }

// mostTail is how many lines of standard error are kept.
const mostTail = 10000

// tail keeps the last lines of what a program prints.
type tail struct {
	mu    sync.Mutex
	lines []string
	ended chan struct{} // closed once nothing more comes
}

func (t *tail) read(f *os.File) {
	defer close(t.ended)
	lines := newLineReader(f)
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return
		}
		t.add(strings.ToValidUTF8(string(line), "?"))
	}
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines = append(t.lines, line); len(t.lines) > mostTail {
		t.lines = t.lines[len(t.lines)-mostTail:]
	}
}

// last returns the last n lines.
func (t *tail) last(n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines[max(0, len(t.lines)-n):]...)
}
