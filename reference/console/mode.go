package console

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// The modes of a conversation. A question is one too: what was asked stands behind its word.
const (
	modeUser     = ""                      // may look
	modeExec     = control.ConsoleExec     // may do everything
	modePassword = control.ConsolePassword // the secret of enable is asked for
	modeConfirm  = "confirm:"              // the command behind it waits for yes or no
	modeName     = "name:"                 // the configuration is to be copied, and it is asked whether to the name behind it
	modeClosed   = control.ConsoleClosed
)

const confirmation = "Are you sure you want to proceed ? [yes/no]: "

// prompt is what stands in front of the operator's next line.
func (c *Console) prompt(mode string) string {
	switch {
	case mode == modePassword:
		return "Password: "
	case strings.HasPrefix(mode, modeConfirm):
		return confirmation
	case mode == modeExec:
		return c.opts.Hostname + "#"
	case mode == control.ConsoleConfigure:
		return c.opts.Hostname + "(config)#"
	case strings.HasPrefix(mode, modeName):
		return fmt.Sprintf("Destination filename [%s]? ", bare(mode[len(modeName):]))
	}
	return c.opts.Hostname + ">"
}

// answer is what a line in a mode leads to.
func (c *Console) answer(now time.Time, args control.ConsoleArgs) control.ConsoleResult {
	in := &call{console: c, now: now, mode: args.Mode}
	text := ""
	switch waiting, asked := strings.CutPrefix(args.Mode, modeConfirm); {
	case args.Mode == modeClosed:
	case args.Mode == modePassword:
		text = in.password(args.Line)
	case asked:
		in.mode = modeExec
		text = in.confirm(waiting, args.Line)
	case args.Mode == control.ConsoleConfigure: // the carrier is none that can
		in.mode, text = modeExec, "% The configuration is changed over SSH\n"
	case strings.HasPrefix(args.Mode, modeName):
		in.mode = control.ConsoleSave + cmp.Or(strings.TrimSpace(args.Line), bare(args.Mode[len(modeName):]))
	default:
		text = in.run(args.Line)
	}
	return control.ConsoleResult{Text: text, Mode: in.mode, Prompt: c.prompt(in.mode)}
}

// password lets the operator in who knows the secret.
func (in *call) password(line string) string {
	if line == in.console.opts.Enable {
		in.mode = modeExec
		return ""
	}
	in.mode = modeUser
	return "% Bad secrets\n"
}

// confirm carries out a command that waits for its operator, if it is still wanted.
func (in *call) confirm(waiting, line string) string {
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return ""
	}
	in.sure = true
	return in.run(waiting)
}

func enable(in *call) error {
	if in.mode == modeUser && in.console.opts.Enable != "" {
		in.mode = modePassword
		return nil
	}
	in.mode = modeExec
	return nil
}

func disable(in *call) error { in.mode = modeUser; return nil }

func leave(in *call) error { in.mode = modeClosed; return nil }
