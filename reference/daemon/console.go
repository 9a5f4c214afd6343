package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/node"
	"github.com/gdoilab/gdoilab/reference/ssh"
)

// letOperatorsIn opens the console over SSH, if the configuration has one. The function ends it.
func (o *options) letOperatorsIn(ctx context.Context, n *node.Node) (stop func(), err error) {
	if !o.console.SSH.IsValid() {
		return func() {}, nil
	}
	server, err := ssh.Listen(o.console)
	if err != nil {
		return nil, usageError{fileError{err}}
	}
	if o.failsClose {
		server.Admits = func(local, remote netip.AddrPort) bool { return admitted(ctx, n, local, remote) }
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(ctx, func(ctx context.Context, args control.ConsoleArgs) (control.ConsoleResult, error) {
			return typed(ctx, n, args)
		})
	}()
	return func() {
		_ = server.Close()
		<-done
	}, nil
}

// admitted asks a running member whether a session passes. In doubt it does not: the member is one that fails close.
func admitted(ctx context.Context, n *node.Node, local, remote netip.AddrPort) bool {
	raw, err := json.Marshal(control.SessionArgs{Local: local, Remote: remote})
	if err != nil {
		return false
	}
	var answer control.SessionResult
	response := n.Do(ctx, control.Request{Command: control.Session, Args: raw})
	return response.Error == "" && json.Unmarshal(response.Body, &answer) == nil && answer.Passes
}

// typed has a running node answer a line.
func typed(ctx context.Context, n *node.Node, args control.ConsoleArgs) (r control.ConsoleResult, err error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return r, err
	}
	response := n.Do(ctx, control.Request{Command: control.Console, Args: raw})
	if response.Error != "" {
		return r, errors.New(response.Error)
	}
	return r, json.Unmarshal(response.Body, &r)
}

// consoleCommand talks to the console of a running daemon over its control socket: one command, or line after line from standard
// input.
func consoleCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "console [command ...]", Short: "type commands as at a router; profile getvpn",
		RunE: func(cmd *cobra.Command, args []string) error {
			c := &localConsole{o: o, out: cmd.OutOrStdout(), mode: control.ConsoleExec}
			if len(args) > 0 {
				_, err := c.typed(cmd.Context(), strings.Join(args, " "))
				return err
			}
			return c.converse(cmd.Context(), cmd.InOrStdin())
		},
	}
}

// localConsole is a conversation over a control socket, whose owner may do everything.
type localConsole struct {
	o    *options
	out  io.Writer
	mode string
}

// typed does what a line asks for, and returns the next prompt.
func (c *localConsole) typed(ctx context.Context, line string) (prompt string, err error) {
	var r control.ConsoleResult
	if err := c.o.call(ctx, control.Console, control.ConsoleArgs{Line: line, Mode: c.mode}, &r); err != nil {
		return "", err
	}
	c.mode = r.Mode
	fmt.Fprint(c.out, r.Text)
	return r.Prompt, nil
}

// converse reads line after line. Prompts are for somebody who looks.
func (c *localConsole) converse(ctx context.Context, in io.Reader) error {
	prompt, err := c.typed(ctx, "")
	file, ok := in.(*os.File)
	looks := ok && term.IsTerminal(int(file.Fd()))
	for lines := bufio.NewScanner(in); err == nil && c.mode != control.ConsoleClosed; {
		if looks {
			fmt.Fprint(c.out, prompt)
		}
		if !lines.Scan() {
			return lines.Err()
		}
		prompt, err = c.typed(ctx, lines.Text())
	}
	return err
}
