package yamldoc

import (
	"strconv"
	"strings"
)

// longest is the length in octets of what is quoted in a problem.
const longest = 60

// quote puts a value of the file into quotes and shortens it, so that a problem stays one line.
func quote(s string) string {
	if len(s) > longest {
		s = s[:longest] + "..."
	}
	return strconv.Quote(s)
}

// label returns a field's name as it stands in a path: as it is if it looks like a name, and else in quotes.
func label(name string) string {
	strange := func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if name == "" || len(name) > longest || strings.ContainsFunc(name, strange) {
		return quote(name)
	}
	return name
}

func list(names []string) string { return strings.Join(names, ", ") }

func names(fields []Field) string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Name
	}
	return list(all)
}

// suggestion names the field that was probably meant, or else every known one.
func suggestion(name string, fields []Field) string {
	best, least := "", 3
	for _, f := range fields {
		if d := distance(name, f.Name); d < least && 2*d <= len(name) {
			best, least = f.Name, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "known are " + names(fields)
}

// distance is the number of insertions, deletions and replacements between two names; long ones are far from everything.
func distance(a, b string) int {
	if len(a) > longest {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above+1, row[j]+1, diagonal+cost)
			diagonal = above
		}
	}
	return row[len(b)]
}
