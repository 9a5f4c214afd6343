package ssh

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"github.com/gdoilab/gdoilab/reference/control"
)

// maxLine is the length of the longest line in octets.
const maxLine = 1 << 12

// session is one conversation.
type session struct {
	channel  ssh.Channel
	answer   Answer
	mode     string
	terminal *term.Terminal // nil without one
}

// serve waits for what the client wants: a shell, with or without a terminal, or a single command.
func (s *session) serve(ctx context.Context, asked <-chan *ssh.Request) {
	var conversation sync.WaitGroup
	defer conversation.Wait()
	defer s.channel.Close()
	begun := false
	for r := range asked {
		ok := false
		switch {
		case r.Type == "pty-req":
			ok = s.openTerminal(r.Payload)
		case r.Type == "window-change" && s.terminal != nil && len(r.Payload) >= 8:
			ok = s.resize(r.Payload)
		case (r.Type == "shell" || r.Type == "exec") && !begun:
			ok, begun = true, true
			_ = r.Reply(true, nil)
			conversation.Go(func() { s.begin(ctx, r) }) // it closes the channel, which ends the requests
			continue
		}
		_ = r.Reply(ok, nil)
	}
}

// openTerminal has lines edited as they are typed (RFC 4254 §6.2).
func (s *session) openTerminal(payload []byte) bool {
	var request struct {
		Name                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}
	if ssh.Unmarshal(payload, &request) != nil {
		return false
	}
	s.terminal = term.NewTerminal(s.channel, "")
	s.terminal.AutoCompleteCallback = s.question
	_ = s.terminal.SetSize(int(min(request.Columns, 1000)), int(min(request.Rows, 1000)))
	return true
}

func (s *session) resize(payload []byte) bool {
	columns, rows := binary.BigEndian.Uint32(payload), binary.BigEndian.Uint32(payload[4:])
	return s.terminal.SetSize(int(min(columns, 1000)), int(min(rows, 1000))) == nil
}

// question shows at once what may follow when somebody types "?", and leaves the line as it was.
func (s *session) question(line string, at int, key rune) (string, int, bool) {
	if key != '?' || at != len(line) || s.mode == control.ConsolePassword {
		return "", 0, false
	}
	r, err := s.answer(context.Background(), control.ConsoleArgs{Line: line + "?", Mode: s.mode})
	if err != nil {
		return "", 0, false
	}
	_, err = io.WriteString(s.terminal, r.Text)
	return line, at, err == nil
}

// begin holds the conversation, and tells the client how it ended.
func (s *session) begin(ctx context.Context, r *ssh.Request) {
	defer s.channel.Close()
	status := uint32(0)
	var command struct{ Line string }
	switch {
	case r.Type == "shell":
		s.converse(ctx)
	case ssh.Unmarshal(r.Payload, &command) != nil:
		status = 1
	default:
		for _, line := range strings.Split(command.Line, "\n") {
			if _, err := s.typed(ctx, line, s.channel); err != nil {
				fmt.Fprintln(s.channel.Stderr(), err)
				status = 1
			}
		}
	}
	_, _ = s.channel.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, status))
}

// converse answers line after line until the operator leaves.
func (s *session) converse(ctx context.Context) {
	in := bufio.NewReaderSize(s.channel, maxLine)
	prompt, err := s.prompt(ctx)
	for err == nil && s.mode != control.ConsoleClosed {
		var line string
		var out io.Writer = s.channel
		switch {
		case s.terminal == nil:
			fmt.Fprint(s.channel, prompt)
			line, err = readLine(in)
		case s.mode == control.ConsolePassword:
			out = s.terminal
			line, err = s.terminal.ReadPassword(prompt)
		default:
			out = s.terminal
			s.terminal.SetPrompt(prompt)
			line, err = s.terminal.ReadLine()
		}
		if err != nil {
			return
		}
		prompt, err = s.typed(ctx, line, out)
	}
}

// readLine reads a line without its end; one that is too long ends the conversation.
func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// prompt is the first one.
func (s *session) prompt(ctx context.Context) (string, error) {
	r, err := s.answer(ctx, control.ConsoleArgs{Mode: s.mode})
	return r.Prompt, err
}

// typed does what a line asks for, and returns the next prompt.
func (s *session) typed(ctx context.Context, line string, out io.Writer) (prompt string, err error) {
	r, err := s.answer(ctx, control.ConsoleArgs{Line: line, Mode: s.mode})
	if err != nil {
		return "", err
	}
	s.mode = r.Mode
	_, err = io.WriteString(out, r.Text)
	return r.Prompt, err
}
