package console

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// cutPipe separates a command from what stands behind its "|".
func cutPipe(line string) (command, pipe string) {
	command, pipe, _ = strings.Cut(line, "|")
	return command, strings.TrimSpace(pipe)
}

var errFilter = errors.New("no such filter")

// filters are what may stand behind a "|" with a regular expression.
var filters = map[string]func(lines []string, by *regexp.Regexp) []string{
	"include": func(lines []string, by *regexp.Regexp) []string { return keep(lines, by.MatchString) },
	"exclude": func(lines []string, by *regexp.Regexp) []string {
		return keep(lines, func(l string) bool { return !by.MatchString(l) })
	},
	"begin": begin, "section": section, "count": count,
}

// parseFilter reads what stands behind the "|". Without anything the page is shown as it is.
func parseFilter(pipe string) (func(page) string, error) {
	if pipe == "" {
		return page.text, nil
	}
	word, pattern, _ := strings.Cut(pipe, " ")
	word, pattern = strings.ToLower(word), strings.TrimSpace(pattern)
	if strings.HasPrefix("json", word) {
		return page.json, nil
	}
	by, err := regexp.Compile(pattern)
	if err != nil || pattern == "" {
		return nil, errFilter
	}
	for name, filter := range filters { // no two begin alike
		if strings.HasPrefix(name, word) {
			return func(p page) string {
				lines := strings.SplitAfter(p.text(), "\n")
				return strings.Join(filter(lines[:len(lines)-1], by), "")
			}, nil
		}
	}
	return nil, errFilter
}

func keep(lines []string, wanted func(string) bool) (kept []string) {
	for _, l := range lines {
		if wanted(strings.TrimSuffix(l, "\n")) {
			kept = append(kept, l)
		}
	}
	return kept
}

// begin shows everything from the first line that matches.
func begin(lines []string, by *regexp.Regexp) []string {
	for i, l := range lines {
		if by.MatchString(l) {
			return lines[i:]
		}
	}
	return nil
}

// section shows each line that matches with the lines below it that are indented more.
func section(lines []string, by *regexp.Regexp) (kept []string) {
	within := -1
	for _, l := range lines {
		depth := len(l) - len(strings.TrimLeft(l, " "))
		switch {
		case by.MatchString(l):
			within = depth
		case depth <= within:
			within = -1
		}
		if within >= 0 {
			kept = append(kept, l)
		}
	}
	return kept
}

func count(lines []string, by *regexp.Regexp) []string {
	n := len(keep(lines, by.MatchString))
	return []string{fmt.Sprintf("Number of lines which match regexp = %d\n", n)}
}
