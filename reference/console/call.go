package console

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// call is one line on its way through the console.
type call struct {
	console *Console
	now     time.Time
	mode    string
	line    string
	args    []string // parameters in the order of the line
	sure    bool     // it has been confirmed
	page    page     // what comes of it
}

// errNoGroup is what the console says of a group that the node does not have.
var errNoGroup = errors.New("% The group does not exist")

// run does a command of one of the ordinary modes and returns the text that it leads to.
func (in *call) run(line string) string {
	in.line = line
	if before, asks := strings.CutSuffix(strings.TrimRight(line, " "), "?"); asks {
		return in.help(before)
	}
	words, pipe := cutPipe(line)
	filter, err := parseFilter(pipe)
	if err != nil {
		return in.invalid(strings.Index(line, "|") + 1)
	}
	fields := split(words)
	if len(fields) == 0 || strings.HasPrefix(fields[0].text, "!") {
		return ""
	}
	found, err := in.find(fields)
	if err != nil {
		return err.Error()
	}
	if err := found.do(in); err != nil {
		return err.Error() + "\n"
	}
	return filter(in.page)
}

// invalid marks a place of the line as IOS does, below the prompt and the line that stand on the terminal.
func (in *call) invalid(at int) string {
	return fmt.Sprintf("%s^\n%% Invalid input detected at '^' marker.\n\n", strings.Repeat(" ", len(in.console.prompt(in.mode))+at))
}

// keyServer is what the key server knows now.
func (in *call) keyServer() (s control.KSStatus, err error) {
	err = in.console.ask(in.now, control.Status, nil, &s)
	return s, err
}

// member is what the member knows now.
func (in *call) member() (s control.GMStatus, err error) {
	err = in.console.ask(in.now, control.Status, nil, &s)
	return s, err
}

// confirmed reports whether the operator is sure; if not yet, the next line tells.
func (in *call) confirmed() bool {
	if !in.sure {
		in.mode = modeConfirm + in.line
	}
	return in.sure
}

// args0 is the first parameter of the line, or what stands for none.
func (in *call) args0(otherwise string) string {
	if len(in.args) > 0 {
		return in.args[0]
	}
	return otherwise
}
