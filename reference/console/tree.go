package console

import (
	"fmt"
	"slices"
	"strings"
)

// word is a place in the tree of commands: a keyword, or a parameter that takes any text that fits.
type word struct {
	name string // a keyword, or how help shows the parameter: <name>
	help string
	fits func(string) bool // of a parameter; nil: a keyword
	next []*word
	do   func(*call) error // nil: the line may not end here
	exec bool              // not in user mode
}

// keyword is a word with what may follow it.
func keyword(name, help string, next ...*word) *word {
	return &word{name: name, help: help, next: next}
}

// command is a word with which a line may end.
func command(name, help string, do func(*call) error, next ...*word) *word {
	return &word{name: name, help: help, do: do, next: next}
}

// parameter takes any text that fits.
func parameter(name, help string, fits func(string) bool, do func(*call) error, next ...*word) *word {
	return &word{name: name, help: help, fits: fits, do: do, next: next}
}

// privileged is a word that operators in user mode do not have.
func privileged(w *word) *word {
	w.exec = true
	return w
}

func anything(string) bool { return true }

// either is the same under the older and the newer name of the commands.
func either(help string, do func(*call) error, next ...*word) []*word {
	return []*word{command("gdoi", help, do, next...), command("gkm", help, do, next...)}
}

// piece is a word of a line and where it stands.
type piece struct {
	text string
	at   int
}

func split(line string) (all []piece) {
	for at := 0; at < len(line); {
		if isSpace(line[at]) {
			at++
			continue
		}
		end := at
		for end < len(line) && !isSpace(line[end]) {
			end++
		}
		all = append(all, piece{line[at:end], at})
		at = end
	}
	return all
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// reply is an error that is the whole answer.
type reply string

// Error returns the answer.
func (r reply) Error() string { return string(r) }

// find goes down the tree along the words of a line, and notes the parameters.
func (in *call) find(words []piece) (*word, error) {
	at := &word{next: in.console.root}
	for _, w := range words {
		found := in.match(at.next, w.text)
		switch {
		case len(found) == 0:
			return nil, reply(in.invalid(w.at))
		case len(found) > 1:
			return nil, reply(fmt.Sprintf("%% Ambiguous command:  %q\n", strings.TrimSpace(in.line)))
		}
		at = found[0]
		if at.fits != nil {
			in.args = append(in.args, w.text)
		}
	}
	if at.do == nil {
		return nil, reply("% Incomplete command.\n\n")
	}
	return at, nil
}

// match are the words that a text may stand for: the keyword itself, or all that begin so, or else the parameters that it fits.
func (in *call) match(among []*word, text string) (all []*word) {
	fold := strings.ToLower(text)
	for _, w := range in.allowed(among) {
		switch {
		case w.fits == nil && w.name == fold:
			return []*word{w}
		case w.fits == nil && strings.HasPrefix(w.name, fold):
			all = append(all, w)
		}
	}
	if len(all) > 0 {
		return all
	}
	for _, w := range in.allowed(among) {
		if w.fits != nil && w.fits(text) {
			return []*word{w}
		}
	}
	return nil
}

// allowed are the words that the operator has in this mode.
func (in *call) allowed(words []*word) []*word {
	return slices.DeleteFunc(slices.Clone(words), func(w *word) bool { return w.exec && in.mode == modeUser })
}

// help says what may follow a line, or how its last word may go on.
func (in *call) help(line string) string {
	words := split(line)
	last := ""
	if len(words) > 0 && !isSpace(line[len(line)-1]) {
		last, words = words[len(words)-1].text, words[:len(words)-1]
	}
	at := &word{next: in.console.root}
	for _, w := range words {
		found := in.match(at.next, w.text)
		switch {
		case len(found) == 0:
			return in.invalid(w.at)
		case len(found) > 1:
			return fmt.Sprintf("%% Ambiguous command:  %q\n", strings.TrimSpace(line))
		}
		at = found[0]
	}
	return in.choices(at, last)
}

// choices lists what may stand behind a word and begins so.
func (in *call) choices(at *word, begun string) string {
	var text strings.Builder
	for _, w := range in.allowed(at.next) {
		if begun == "" || w.fits == nil && strings.HasPrefix(w.name, strings.ToLower(begun)) || w.fits != nil && w.fits(begun) {
			fmt.Fprintf(&text, "  %-16s  %s\n", w.name, w.help)
		}
	}
	if at.do != nil && begun == "" {
		text.WriteString("  |                 Output modifiers\n  <cr>\n")
	}
	if text.Len() == 0 {
		return "% Unrecognized command\n"
	}
	return text.String() + "\n"
}
