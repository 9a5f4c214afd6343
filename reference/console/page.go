package console

import (
	"fmt"
	"strings"
)

// page is what a command shows, as text and as fields at once.
type page struct{ lines []line }

// line is one line of a page. A heading has no cells and a depth less than those of the lines below it.
type line struct {
	text  string
	depth int // below which heading its cells belong
	cells []cell
	head  string // of a heading: its name among the fields
	row   bool   // of a table: its cells are a record
}

// cell is a field.
type cell struct{ label, value string }

// gap is an empty line.
func (p *page) gap() { p.lines = append(p.lines, line{depth: -1}) }

// head is a heading, indented so.
func (p *page) head(depth int, indent, text string) {
	p.lines = append(p.lines, line{text: indent + text, depth: depth, head: strings.TrimRight(strings.TrimSpace(text), " :")})
}

// field is a line "label : value" with the colon in its column.
func (p *page) field(depth int, indent, label string, value any) {
	text := fmt.Sprint(value)
	p.lines = append(p.lines, line{
		text: fmt.Sprintf("%s%-*s: %s", indent, max(25-len(indent)+4, len(label)), label, text), depth: depth, cells: []cell{{label, text}},
	})
}

// pairs is a line of several fields "label : value", as wide as they are.
func (p *page) pairs(depth int, indent string, labelsAndValues ...any) {
	l := line{text: indent, depth: depth}
	for i := 0; i+1 < len(labelsAndValues); i += 2 {
		c := cell{fmt.Sprint(labelsAndValues[i]), fmt.Sprint(labelsAndValues[i+1])}
		if i > 0 {
			l.text += "   "
		}
		l.text += c.label + " : " + c.value
		l.cells = append(l.cells, c)
	}
	p.lines = append(p.lines, l)
}

// put is a line that looks so and has these fields: pairs of label and value.
func (p *page) put(depth int, text string, labelsAndValues ...string) {
	l := line{text: text, depth: depth}
	for i := 0; i+1 < len(labelsAndValues); i += 2 {
		l.cells = append(l.cells, cell{labelsAndValues[i], labelsAndValues[i+1]})
	}
	p.lines = append(p.lines, l)
}

// record is a line that stands for one of several things alike.
func (p *page) record(depth int, text string, labelsAndValues ...string) {
	p.put(depth, text, labelsAndValues...)
	p.lines[len(p.lines)-1].row = true
}

// text is the page as it stands on a terminal.
func (p page) text() string {
	var b strings.Builder
	for _, l := range p.lines {
		b.WriteString(strings.TrimRight(l.text, " "))
		b.WriteByte('\n')
	}
	return b.String()
}
