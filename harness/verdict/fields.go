package verdict

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// What the pieces of a page cost, in octets; see draw.
const (
	pageBudget = 2_300_000 // for the conversations of all specs
	specBudget = 120_000   // for one at most
	rowCost    = 800       // of an arrow without its fields
	minRows    = 12
	packets    = 6 // packets of a row that are listed
)

// budgets shares the page among the specs: those that ask for attention get four times as much.
func budgets(specs []Spec) []int {
	weight := func(s Spec) int {
		if s.Verdict.attention() {
			return 4
		}
		return 1
	}
	total := 0
	for _, s := range specs {
		total += weight(s)
	}
	out := make([]int, len(specs))
	for i, s := range specs {
		out[i] = min(specBudget, pageBudget/total*weight(s))
	}
	return out
}

// fillFields writes the decoded fields into the arrows while the budget lasts: key management first and Phase 1 last,
// since it is the same in nearly every spec.
func fillFields(arrows []arrow, from []row, budget int) {
	order := make([]int, len(arrows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return importance(arrows[b].Class) - importance(arrows[a].Class) })
	for _, i := range order {
		text := fieldsHTML(from[i])
		if len(text) > budget {
			arrows[i].Fields = "Left out here to keep the page small; see messages.json."
			continue
		}
		budget -= len(text)
		arrows[i].Fields = text
	}
}

func importance(class string) int {
	switch class {
	case "pull", "push", "info":
		return 2
	case "p1":
		return 0
	}
	return 1
}

// fieldsHTML is the inside of a row: of one message everything, of several their first lines.
func fieldsHTML(r row) template.HTML {
	var b strings.Builder
	if len(r.messages) > 1 {
		for _, m := range r.messages[:min(packets, len(r.messages))] {
			fmt.Fprintf(&b, "<i>#%d</i> %s\n", m.Frame, escape(m.Summary))
		}
		if more := len(r.messages) - packets; more > 0 {
			fmt.Fprintf(&b, "and %d more, the last of them #%d\n", more, r.messages[len(r.messages)-1].Frame)
		}
		b.WriteByte('\n')
	}
	m := r.first
	for _, c := range m.Checks {
		fmt.Fprintf(&b, "<u class=%s>%s</u>\n", c.Result, escape(c.String()))
	}
	switch {
	case m.Err != "":
		fmt.Fprintf(&b, "<u class=bad>%s</u>\n", escape(m.Err))
	case m.Encrypted && !m.Decrypted:
		b.WriteString("<u class=unchecked>encrypted; no key opens it</u>\n")
	}
	if m.Repeats > 0 && !isData(m) {
		fmt.Fprintf(&b, "The same octets as frame %d.\n", m.Repeats)
		return template.HTML(b.String())
	}
	for _, l := range m.Lines() {
		fmt.Fprintf(&b, "<i>%4d</i> %s<b>%s</b> %s\n", l.Offset, strings.Repeat("  ", l.Depth), escape(l.Name), escape(l.Short()))
	}
	return template.HTML(b.String()) // every value went through escape
}

func escape(s string) string { return template.HTMLEscapeString(s) }
