package verdict

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// What the pieces of a page cost, in octets; see draw.
const (
	pageBudget = 2_300_000 // for the conversations of all specs
	specBudget = 120_000   // for one at most
	specFloor  = 6_000     // for one at least, however many there are
	rowCost    = 330       // of an arrow without its fields
	minRows    = 24
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
		out[i] = min(specBudget, max(specFloor, pageBudget/total)*weight(s))
	}
	return out
}

// fillFields writes the decoded fields into the arrows while the budget lasts: of what a tester touched or what proved
// wrong first, then from the last message to the first, since a conversation begins with what every one begins with.
func fillFields(arrows []arrow, from []row, budget int) {
	order := make([]int, len(arrows))
	for i := range order {
		order[i] = len(arrows) - 1 - i
	}
	special := func(i int) int {
		if m := from[i].first; m.Note != "" || m.Err != "" || arrows[i].Mark == string(capture.Bad) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b int) int { return special(b) - special(a) })
	for _, i := range order {
		text := fieldsHTML(from[i])
		if len(text) > budget {
			continue
		}
		budget -= len(text)
		arrows[i].Fields = text
	}
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
	if h := m.Header; h != nil {
		fmt.Fprintf(&b, "<i>   0</i> <b>HDR</b> cookies %v %v, %v, flags %v, M-ID %08x, length %d\n", h.InitiatorCookie, h.ResponderCookie,
			h.Exchange, h.Flags, h.MessageID, h.Length)
	}
	for _, l := range m.Lines() {
		fmt.Fprintf(&b, "<i>%4d</i> %s<b>%s</b> %s\n", l.Offset, strings.Repeat("  ", l.Depth), escape(l.Name), escape(l.Short()))
	}
	return template.HTML(b.String()) // every value went through escape
}

func escape(s string) string { return template.HTMLEscapeString(s) }
