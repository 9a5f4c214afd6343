package iosconfig

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// Options say how to read.
type Options struct {
	Open    policy.ReadFile // of keys and certificates
	Lenient bool            // what is not known, or has no field, is a warning
	// Resolve finds the address of a key server that has a name which is not in the configuration; nil knows none.
	Resolve func(name string) (netip.Addr, error)
}

// line is a command with its place.
type line struct {
	no    int
	words []string
}

func (l line) text() string { return strings.Join(l.words, " ") }

// lines are the commands of a file. Remarks are left out, and gkm is gdoi.
func lines(data []byte) (all []line) {
	for i, text := range strings.Split(string(data), "\n") {
		words := strings.Fields(text)
		if len(words) == 0 || strings.HasPrefix(words[0], "!") {
			continue
		}
		for j, w := range words {
			if w == "gkm" && j > 0 && j < 3 {
				words[j] = "gdoi"
			}
		}
		all = append(all, line{i + 1, words})
	}
	return all
}

// reader goes through a file.
type reader struct {
	file     string
	opts     Options
	doc      document
	stack    []mode // the global one first
	problems yamldoc.Problems
	warnings yamldoc.Problems
}

// mode is a set of commands, with what they are about.
type mode struct {
	name     string
	commands []syntax
}

// syntax is a command: words as they stand, <parameters>, and [words] that may be left out from there on.
type syntax struct {
	pattern []string
	do      func(r *reader, l line, args []string)
}

// on makes a syntax of its pattern.
func on(pattern string, do func(r *reader, l line, args []string)) syntax {
	return syntax{strings.Fields(pattern), do}
}

// match returns the parameters of a line if it follows the pattern; "..." takes all that is left.
func (s syntax) match(words []string) (args []string, ok bool) {
	for i, p := range s.pattern {
		switch {
		case p == "...":
			return append(args, words[i:]...), true
		case i >= len(words):
			return nil, false
		case strings.HasPrefix(p, "<"):
			args = append(args, words[i])
		case p != words[i]:
			return nil, false
		}
	}
	return args, len(words) == len(s.pattern)
}

// problem notes that something is wrong with a line.
func (r *reader) problem(l line, format string, args ...any) {
	r.problems = append(r.problems, yamldoc.Problem{File: r.file, Line: l.no, Column: 1, Text: fmt.Sprintf(format, args...)})
}

// lacking notes what is not wrong but has no effect.
func (r *reader) lacking(l line, format string, args ...any) {
	if !r.opts.Lenient {
		r.problem(l, format, args...)
		return
	}
	r.warn(l, format, args...)
}

// warn notes what is read otherwise than it stands there.
func (r *reader) warn(l line, format string, args ...any) {
	r.warnings = append(r.warnings, yamldoc.Problem{File: r.file, Line: l.no, Column: 1, Text: fmt.Sprintf(format, args...)})
}

// read takes every line to the mode that knows it.
func (r *reader) read(data []byte) {
	r.stack = []mode{global}
	for _, l := range lines(data) {
		switch {
		case l.text() == "exit":
			r.stack = r.stack[:max(1, len(r.stack)-1)]
		case l.text() == "end":
			r.stack = r.stack[:1]
		case r.take(l) == 0:
			r.lacking(l, "unknown command %q", l.text())
		}
	}
}

// take finds the innermost mode that knows a line, which is the mode from then on unless the line enters another one. It returns
// how deep that mode is, from 1, and 0 if no mode knows the line.
func (r *reader) take(l line) (depth int) {
	for depth = len(r.stack); depth > 0; depth-- {
		for _, s := range r.stack[depth-1].commands {
			if args, ok := s.match(l.words); ok {
				r.stack = r.stack[:depth]
				s.do(r, l, args)
				return depth
			}
		}
	}
	return 0
}

// enter goes into a mode.
func (r *reader) enter(name string, commands ...syntax) {
	r.stack = append(r.stack, mode{name, commands})
}

// end sorts what was found by its place.
func (r *reader) end() (yamldoc.Problems, error) {
	for _, ps := range []yamldoc.Problems{r.problems, r.warnings} {
		slices.SortStableFunc(ps, func(a, b yamldoc.Problem) int { return cmp.Compare(a.Line, b.Line) })
	}
	if len(r.problems) > 0 {
		return r.warnings, r.problems
	}
	return r.warnings, nil
}
