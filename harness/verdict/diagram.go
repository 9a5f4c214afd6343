package verdict

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// arrow is one row of a sequence diagram as the template draws it.
type arrow struct {
	ID, Class     string
	Frame, Time   string
	Line          string // path of the shaft
	Heads         string // path of the arrow heads
	Cross         string // path of the cross on a message that was withheld
	X             int    // middle of the texts
	Title         string
	Content       string
	Note          string
	Mark, MarkTip string // ok, bad or unchecked, and what was checked
	Fields        template.HTML
}

// diagram is the conversation of one spec.
type diagram struct {
	stage
	Arrows        []arrow
	Elided        int // messages left out in the middle, before the arrow at ElidedAt
	ElidedAt      int
	Shown, Frames int
}

// draw makes the diagram of a conversation within about that many octets of page.
func draw(id string, talk capture.Conversation, budget int) *diagram {
	all := rows(talk.Messages)
	kept, at, skipped := elide(all, max(minRows, budget/2/rowCost))
	d := &diagram{stage: lanes(talk.Nodes, kept), Elided: skipped, ElidedAt: at, Frames: len(talk.Messages)}
	d.Shown = d.Frames - skipped
	for i, r := range kept {
		a := d.arrow(r, talk.Messages[0].At)
		a.ID = fmt.Sprintf("%s-%d", id, i+1)
		d.Arrows = append(d.Arrows, a)
	}
	fillFields(d.Arrows, kept, budget-rowCost*len(kept))
	return d
}

func (d *diagram) arrow(r row, start time.Time) arrow {
	m := r.first
	a := arrow{Class: class(m), Frame: fmt.Sprintf("#%d", m.Frame), Time: since(m.At.Sub(start)),
		Title: title(r), Content: content(r), Note: m.Note}
	a.Mark, a.MarkTip = worst(m), checks(m.Checks)
	if a.Mark == "" && m.Err != "" {
		a.Mark, a.MarkTip = string(capture.Bad), m.Err
	}
	from, to := d.span(m)
	if len(to) == 0 {
		a.X = (laneLeft + laneRight) / 2
		return a
	}
	left, right := min(from, slices.Min(to)), max(from, slices.Max(to))
	if left == right { // sender and receiver share a lane
		right = left + 60
		to = []int{right}
	}
	a.Line = fmt.Sprintf("M%d %dH%d", left, arrowY, right)
	for _, x := range to {
		a.Heads += head(from, x)
	}
	if strings.Contains(m.Note, "withheld") || strings.Contains(m.Note, "dropped") {
		a.Cross = fmt.Sprintf("M%d %dl12 12m0 -12l-12 12", (left+right)/2-6, arrowY-6)
	}
	a.X = clampText((left+right)/2, max(len(a.Title), len(a.Content)+len(a.Note)))
	return a
}

// head is an arrow head at x that points away from from.
func head(from, x int) string {
	if x < from {
		return fmt.Sprintf("M%d %dl9 -4v8z", x, arrowY)
	}
	return fmt.Sprintf("M%d %dl-9 -4v8z", x, arrowY)
}

// clampText keeps a text of n characters around x inside the lanes.
func clampText(x, n int) int {
	half := n * 7 / 2
	left, right := laneLeft-40+half, laneRight+40-half
	if left > right {
		return (laneLeft + laneRight) / 2
	}
	return min(max(x, left), right)
}

// class is the colour of a message.
func class(m *capture.Message) string {
	switch {
	case strings.HasPrefix(m.Kind, "MM"), strings.HasPrefix(m.Kind, "AM"):
		return "p1"
	case strings.HasPrefix(m.Kind, "PULL"):
		return "pull"
	case strings.HasPrefix(m.Kind, "PUSH"):
		return "push"
	case m.Kind == capture.KindESP, m.Kind == capture.KindAH:
		return "esp"
	case isData(m):
		return "clear"
	}
	return "info"
}

// names spells out the kinds.
var names = map[string]string{
	"MM1": "Main Mode 1", "MM2": "Main Mode 2", "MM3": "Main Mode 3", "MM4": "Main Mode 4", "MM5": "Main Mode 5",
	"MM6": "Main Mode 6", "AM1": "Aggressive Mode 1", "AM2": "Aggressive Mode 2", "AM3": "Aggressive Mode 3", "PULL1": "GROUPKEY-PULL 1", "PULL2": "GROUPKEY-PULL 2", "PULL3": "GROUPKEY-PULL 3",
	"PULL4": "GROUPKEY-PULL 4", "PUSH": "GROUPKEY-PUSH", "PUSH-ACK": "GROUPKEY-PUSH ACK", "INFO": "Informational",
}

// title is the upper text of an arrow: what it is, how many of it, and where.
func title(r row) string {
	m := r.first
	text := m.Kind
	if long, ok := names[m.Kind]; ok {
		text = long
	}
	if spi := spiOf(m); spi != "" {
		text += " " + spi
	}
	if m.To.Addr().IsMulticast() {
		text += " → " + m.To.Addr().String()
	}
	if m.Repeats > 0 && len(r.messages) == 1 {
		text += fmt.Sprintf(" (same as #%d)", m.Repeats)
	}
	if n := len(r.messages); n > 1 {
		text = fmt.Sprintf("%d × %s", n, text)
	}
	if isData(m) && m.Link != "" {
		text += " on " + m.Link
	}
	return text
}

// content is the lower text of an arrow: what is in it.
func content(r row) string {
	text := short(r.first)
	if n := len(r.messages); n > 1 && spiOf(r.first) != "" {
		text += " … " + short(r.messages[n-1])
	}
	const most = 84
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}

// short is the summary of a message without what its arrow says anyway; of ESP the sequence number.
func short(m *capture.Message) string {
	if spi := spiOf(m); spi != "" {
		text, _, _ := strings.Cut(strings.TrimPrefix(m.Summary, "SPI "+spi+" "), ",")
		return text
	}
	return m.Summary
}

// spiOf is the SPI of a packet of ESP or AH.
func spiOf(m *capture.Message) string {
	if m.Kind != capture.KindESP && m.Kind != capture.KindAH {
		return ""
	}
	for _, f := range m.Payloads {
		if f.Name == "SPI" {
			return f.Value
		}
	}
	return ""
}

// checks says what was checked, for the tip of a mark.
func checks(all []capture.Check) string {
	var parts []string
	for _, c := range all {
		parts = append(parts, c.String())
	}
	return strings.Join(parts, "; ")
}

// since is the time since the conversation began.
func since(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.3f s", d.Seconds())
	case d < 10*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d:%02d:%04.1f", int(d.Hours()), int(d.Minutes())%60, d.Truncate(100*time.Millisecond).Seconds()-float64(int(d.Minutes())*60))
}
