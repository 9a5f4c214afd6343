package router

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Manner is how a router talks.
type Manner struct {
	Prompt  *regexp.Regexp // of the line in which it waits for the next one
	Answers []Answer
	Refused []*regexp.Regexp // of lines by which it says that it has not taken what was typed
	Within  time.Duration    // for an answer
}

// Answer is what is typed when the router asks.
type Answer struct {
	To     *regexp.Regexp // of the line in which it waits
	With   string
	Secret bool // it stands in no transcript
}

// The bounds of a conversation.
const (
	terminalWidth  = 1000
	terminalHeight = 512
	mostText       = 4 << 20 // octets of an answer
	mostAnswers    = 8       // to one line
)

// Session is a conversation with a router. It is safe for concurrent use; lines follow each other.
type Session struct {
	manner  Manner
	client  *ssh.Client
	session *ssh.Session
	in      io.WriteCloser
	turn    sync.Mutex // held from a line to the end of its answer

	mu         sync.Mutex
	arrived    chan struct{} // closed and replaced whenever something has come
	text       []byte        // since the last line
	ended      error         // why nothing comes any more
	transcript strings.Builder
}

// Refusal is the error of a line that the router does not take.
type Refusal struct{ Line, Text string }

func (r *Refusal) Error() string {
	return fmt.Sprintf("router: it refuses %q: %s", r.Line, r.Text)
}

// ErrSilent is in the chain of errors of a router that gives no prompt in time.
var ErrSilent = errors.New("router: no prompt")

// Open logs in and waits for the first prompt.
func Open(ctx context.Context, l Login, m Manner) (*Session, error) {
	client, err := l.dial(ctx, m.Within)
	if err != nil {
		return nil, err
	}
	s := &Session{manner: m, client: client, arrived: make(chan struct{})}
	if err := s.shell(); err != nil {
		return nil, errors.Join(fmt.Errorf("router: %w", err), client.Close())
	}
	if _, err := s.await(ctx, "", false); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// shell opens one on a terminal that is so large that the router need not wrap or page.
func (s *Session) shell() (err error) {
	if s.session, err = s.client.NewSession(); err != nil {
		return err
	}
	if err := s.session.RequestPty("vt100", terminalHeight, terminalWidth, ssh.TerminalModes{ssh.ECHO: 1}); err != nil {
		return err
	}
	if s.in, err = s.session.StdinPipe(); err != nil {
		return err
	}
	out, err := s.session.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.session.Shell(); err != nil {
		return err
	}
	go s.read(out)
	return nil
}

// read gathers what comes until the connection ends.
func (s *Session) read(out io.Reader) {
	buffer := make([]byte, 1<<15)
	for {
		n, err := out.Read(buffer)
		s.mu.Lock()
		s.text = append(s.text, buffer[:n]...)
		if len(s.text) > mostText {
			err = fmt.Errorf("router: an answer of more than %d octets", mostText)
		}
		s.ended = err
		close(s.arrived)
		s.arrived = make(chan struct{})
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Type types a line and returns what the router says to it, without the echo and the next prompt. A line that it does not take is
// a *Refusal, beside the text.
func (s *Session) Type(ctx context.Context, line string) (string, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.send(line, line); err != nil {
		return "", err
	}
	text, err := s.await(ctx, line, true)
	if err != nil {
		return text, err
	}
	for _, said := range strings.Split(text, "\n") {
		for _, pattern := range s.manner.Refused {
			if pattern.MatchString(said) {
				return text, &Refusal{line, strings.TrimSpace(said)}
			}
		}
	}
	return text, nil
}

// send writes a line; shown stands for it in the transcript.
func (s *Session) send(line, shown string) error {
	s.mu.Lock()
	s.text = nil
	fmt.Fprintf(&s.transcript, "%s> %s\n", time.Now().UTC().Format(time.RFC3339), shown)
	s.mu.Unlock()
	if _, err := io.WriteString(s.in, line+"\r"); err != nil {
		return fmt.Errorf("router: typing %q: %w", shown, err)
	}
	return nil
}

// await waits for the prompt, and answers questions on the way. Before it there has to be a line end, which the router echoes, unless
// nothing was typed.
func (s *Session) await(ctx context.Context, line string, typed bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.manner.Within)
	defer cancel()
	all, echo := "", line
	for answered := 0; ; {
		s.mu.Lock()
		text, arrived, ended := clean(string(s.text)), s.arrived, s.ended
		s.mu.Unlock()
		last := lastLine(text)
		complete := !typed || strings.Contains(text, "\n")
		switch question := s.question(last); {
		case complete && s.manner.Prompt.MatchString(last):
			return all + s.told(withoutEcho(text, echo)), nil
		case complete && question != nil && answered < mostAnswers:
			answered++
			all += s.told(withoutEcho(text, echo))
			if err := s.reply(question); err != nil {
				return all, err
			}
			echo = question.With
			continue
		case ended != nil:
			return all + text, fmt.Errorf("router: the conversation has ended: %w; it said last %q", ended, last)
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return all + text, fmt.Errorf("%w after %q within %s; it said last %q", ErrSilent, line, s.manner.Within, last)
		}
	}
}

func (s *Session) question(last string) *Answer {
	for i := range s.manner.Answers {
		if s.manner.Answers[i].To.MatchString(last) {
			return &s.manner.Answers[i]
		}
	}
	return nil
}

func (s *Session) reply(a *Answer) error {
	shown := a.With
	if a.Secret {
		shown = "********"
	}
	return s.send(a.With, shown)
}

// told enters what the router has said into the transcript.
func (s *Session) told(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transcript.WriteString(text)
	return text
}

// Transcript is what was typed, with the time, and what came back. Secrets that answered a question are not in it.
func (s *Session) Transcript() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transcript.String()
}

// Close hangs up.
func (s *Session) Close() error {
	err := s.client.Close()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
