package pcapdiff

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// shownFrames is how many places of one difference a text lists; JSON has all.
const shownFrames = 6

// Print writes the report as text. A and B are what to call the two captures; summary says what a requirement demands.
func Print(w io.Writer, r *Report, a, b string, summary func(id string) string) error {
	p := bufio.NewWriter(w)
	fmt.Fprintf(p, "A: %s\nB: %s\n", a, b)
	for _, n := range r.Nodes {
		if n.A == n.B {
			fmt.Fprintf(p, "%-4s %s in both\n", n.Role, n.A)
		} else {
			fmt.Fprintf(p, "%-4s %s in A, %s in B\n", n.Role, n.A, n.B)
		}
	}
	for i, d := range r.Differences {
		fmt.Fprintf(p, "\n%d. %s\n", i+1, d.text())
		fmt.Fprintf(p, "   %s\n", d.places())
		for _, id := range d.Requirements {
			fmt.Fprintf(p, "   touches %s: %s\n", id, summary(id))
		}
	}
	fmt.Fprintf(p, "\n%s\n", r.verdict())
	if err := p.Flush(); err != nil {
		return fmt.Errorf("pcapdiff: %w", err)
	}
	return nil
}

// text is the difference in one sentence.
func (d *Difference) text() string {
	switch {
	case d.What == Presence && d.B == "":
		return fmt.Sprintf("%s: only in A: %s", d.Where, d.A)
	case d.What == Presence:
		return fmt.Sprintf("%s: only in B: %s", d.Where, d.B)
	case d.What == Usage && d.A == "":
		return fmt.Sprintf("%s: only in B: %s", d.Where, d.B)
	case d.What == Usage && d.B == "":
		return fmt.Sprintf("%s: only in A: %s", d.Where, d.A)
	case d.What == Identity:
		return fmt.Sprintf("%s: %s in A and %s in B do not name the same thing", d.Where, d.A, d.B)
	case d.What == Order:
		return fmt.Sprintf("%s: the order is %s in A, %s in B", d.Where, d.A, d.B)
	}
	return fmt.Sprintf("%s: %s in A, %s in B", d.Where, d.A, d.B)
}

// places lists the frames.
func (d *Difference) places() string {
	var parts []string
	for _, f := range d.Frames[:min(len(d.Frames), shownFrames)] {
		parts = append(parts, f.text())
	}
	if more := len(d.Frames) - shownFrames; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, "; ")
}

func (f Frames) text() string {
	switch {
	case f.B == 0:
		return fmt.Sprintf("%s in frame %d of A", f.Kind, f.A)
	case f.A == 0:
		return fmt.Sprintf("%s in frame %d of B", f.Kind, f.B)
	}
	text := fmt.Sprintf("%s in frame %d of A, %d of B", f.Kind, f.A, f.B)
	if f.ValueA != "" || f.ValueB != "" {
		text += fmt.Sprintf(" (%s, %s)", f.ValueA, f.ValueB)
	}
	return text
}

// verdict is the last line.
func (r *Report) verdict() string {
	text := fmt.Sprintf("%d differences", len(r.Differences))
	switch len(r.Differences) {
	case 0:
		text = "no difference"
	case 1:
		text = "1 difference"
	}
	text += fmt.Sprintf(" in %d pairs of messages and %d of ESP SAs", r.Compared, r.SAs)
	if r.Closed > 0 {
		text += fmt.Sprintf("; %d pairs stayed closed in both, for want of a key, and were compared by their headers only", r.Closed)
	}
	return text
}
