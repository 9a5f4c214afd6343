package iosconfig

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// Running is the configuration that a router goes by: its lines in their modes. The zero value is empty, and copies share nothing
// that an Edit would change.
type Running struct{ lines []*block }

// block is a line, and what stands in the mode that it enters.
type block struct {
	words  []string
	enters bool
	within []*block
}

// Read takes a whole configuration as one that was typed. What no mode knows, and what is wrong with a single line, comes back as an
// error with the line's number; the rest is kept.
func Read(data []byte) (Running, error) {
	e := Running{}.Edit()
	var errs []error
	for _, l := range lines(data) {
		if l.text() == "end" {
			e.leave(0)
		} else if err := e.Type(l.text()); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", l.no, err))
		}
	}
	return e.Running(), errors.Join(errs...)
}

// Text is the configuration as it can be read again: each mode that a line enters is left with "exit".
func (r Running) Text() string {
	var b strings.Builder
	write(&b, r.lines, "")
	return b.String()
}

func write(b *strings.Builder, all []*block, indent string) {
	for _, one := range all {
		fmt.Fprintf(b, "%s%s\n", indent, strings.Join(one.words, " "))
		if one.enters {
			write(b, one.within, indent+" ")
			fmt.Fprintf(b, "%s exit\n", indent)
		}
	}
}

// Has reports whether a line of the outermost mode begins with these words.
func (r Running) Has(words ...string) bool {
	return slices.ContainsFunc(r.lines, func(b *block) bool { return b.begins(words) })
}

// Console is what the configuration says about itself: the name of the router, and who may talk to it.
func (r Running) Console() (hostname string, c policy.Console) {
	reader := newReader("running", Options{Lenient: true})
	reader.read([]byte(r.Text()))
	return reader.doc.hostname, reader.console()
}

func (b *block) begins(words []string) bool {
	return len(b.words) >= len(words) && slices.Equal(b.words[:len(words)], words)
}

// copied is the same with nothing shared.
func copied(all []*block) []*block {
	out := make([]*block, len(all))
	for i, b := range all {
		out[i] = &block{b.words, b.enters, copied(b.within)}
	}
	return out
}

// Edit is an operator's conversation in configuration mode. What was typed is in its Running, and changes nothing else.
type Edit struct {
	running Running
	reader  *reader  // has the modes
	path    []*block // whose modes are open, the outermost first
}

// Edit begins to change the configuration.
func (r Running) Edit() *Edit {
	reader := newReader("terminal", Options{})
	reader.stack = []mode{global}
	return &Edit{running: Running{copied(r.lines)}, reader: reader}
}

// Running is the configuration as it was changed so far.
func (e *Edit) Running() Running { return e.running }

// Mode is the name of the innermost open mode, "" of the outermost.
func (e *Edit) Mode() string {
	if len(e.path) == 0 {
		return ""
	}
	return e.reader.stack[len(e.path)].name
}

// Leave goes back to the mode around the innermost; it reports false if that is the outermost already.
func (e *Edit) Leave() bool {
	if len(e.path) == 0 {
		return false
	}
	e.leave(len(e.path) - 1)
	return true
}

// leave closes the modes that are deeper.
func (e *Edit) leave(depth int) {
	e.path, e.reader.stack = e.path[:depth], e.reader.stack[:depth+1]
}

// ErrUnknown is in the chain of the errors of lines that no mode knows.
var ErrUnknown = errors.New("iosconfig: unknown command")

// Type takes a line. A line that no open mode knows, or that is wrong by itself, is an error and changes nothing. "no" takes away
// the lines of the innermost mode that has any which begin so.
func (e *Edit) Type(text string) error {
	all := lines([]byte(text))
	switch {
	case len(all) == 0:
		return nil
	case len(all) > 1:
		return fmt.Errorf("%w: more than one line", ErrUnknown)
	case all[0].text() == "exit":
		e.Leave()
		return nil
	case all[0].words[0] == "no" && e.remove(all[0].words[1:]):
		_ = e.take(all[0]) // some say more than that something is not there
		return nil
	}
	return e.take(all[0])
}

// remove takes away lines, and reports whether there were any.
func (e *Edit) remove(words []string) bool {
	for depth := len(e.path); depth >= 0 && len(words) > 0; depth-- {
		in := e.within(depth)
		before := len(*in)
		*in = slices.DeleteFunc(*in, func(b *block) bool { return b.begins(words) })
		if len(*in) < before {
			e.leave(depth)
			return true
		}
	}
	return false
}

// within are the lines of the mode at that depth.
func (e *Edit) within(depth int) *[]*block {
	if depth == 0 {
		return &e.running.lines
	}
	return &e.path[depth-1].within
}

// take puts a line where it belongs. One that is there already goes to the end, unless it enters a mode.
func (e *Edit) take(l line) error {
	stack, problems := slices.Clone(e.reader.stack), len(e.reader.problems)
	depth := e.reader.take(l)
	if depth == 0 {
		return fmt.Errorf("%w %q", ErrUnknown, l.text())
	}
	if found := e.reader.problems[problems:]; len(found) > 0 {
		text := found[0].Text
		e.reader.stack, e.reader.problems = stack, e.reader.problems[:problems]
		return errors.New(text)
	}
	e.path = e.path[:depth-1]
	in := e.within(depth - 1)
	enters := len(e.reader.stack) > depth
	at := slices.IndexFunc(*in, func(b *block) bool { return slices.Equal(b.words, l.words) })
	var one *block
	switch {
	case at >= 0 && enters:
		one = (*in)[at]
	case at >= 0:
		one = (*in)[at]
		*in = append(slices.Delete(*in, at, at+1), one)
	default:
		one = &block{words: l.words, enters: enters}
		*in = append(*in, one)
	}
	if enters {
		e.path = append(e.path, one)
	}
	return nil
}
