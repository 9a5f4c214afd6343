package router

import (
	"regexp"
	"strings"
)

// sequences are those by which a terminal is told to move or to colour (ECMA-48), and those that set its title.
var sequences = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[()][0-9A-Za-z]|[=>78DEHMc])")

// clean is what stands on the terminal after a text was written to it, line by line: without what moves the cursor, and without
// what was taken back by a backspace.
func clean(text string) string {
	text = sequences.ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var out []rune
	for _, r := range text {
		switch {
		case r == '\b' && len(out) > 0 && out[len(out)-1] != '\n':
			out = out[:len(out)-1]
		case r == '\b', r == '\r', r == 0, r == 7:
		default:
			out = append(out, r)
		}
	}
	return string(out)
}

// lastLine is the text behind the last line feed.
func lastLine(text string) string { return text[strings.LastIndexByte(text, '\n')+1:] }

// withoutEcho is an answer without the line that the router has echoed, or the end of one that it has not, and without the prompt
// behind it.
func withoutEcho(text, typed string) string {
	text = text[:strings.LastIndexByte(text, '\n')+1]
	first, rest, found := strings.Cut(text, "\n")
	first, typed = strings.TrimSpace(first), strings.TrimSpace(typed)
	if found && (first == "" || strings.HasSuffix(first, typed)) {
		return rest
	}
	return text
}
