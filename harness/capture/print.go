package capture

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Print writes the messages as text: a line for each message with frame number, time since the first, kind, sender and
// receiver; below it, indented, the header, the fields with offset and length in octets, and the checks.
func Print(w io.Writer, messages []Message) error {
	b := bufio.NewWriter(w)
	for i := range messages {
		if i > 0 {
			b.WriteByte('\n')
		}
		m := &messages[i]
		fmt.Fprintf(b, "frame %d  %.6f s  %s\n", m.Frame, m.At.Sub(messages[0].At).Seconds(), m.title())
		for _, line := range m.remarks() {
			fmt.Fprintf(b, "    %s\n", line)
		}
		if m.Repeats > 0 {
			continue
		}
		lines := m.Lines()
		if m.Header != nil {
			lines = append(appendLines(nil, 0, []Field{headerField(*m.Header)}), lines...)
		}
		for _, l := range lines {
			fmt.Fprintf(b, "    %5d %5d  %s%s\n", l.Offset, l.Length, strings.Repeat("  ", l.Depth), l.Text())
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}

// title is the message in a few words: "wan  192.0.2.1:848 -> 192.0.2.10:848  PULL1  HDR*, HASH(1), Ni, ID".
func (m *Message) title() string {
	var parts []string
	if m.Link != "" {
		parts = append(parts, m.Link)
	}
	if m.From.IsValid() {
		parts = append(parts, endpoint(m.From)+" -> "+endpoint(m.To))
	}
	parts = append(parts, m.Kind)
	if m.Summary != "" {
		parts = append(parts, m.Summary)
	}
	return strings.Join(parts, "  ")
}

// remarks are the lines between a message's title and its fields.
func (m *Message) remarks() []string {
	var lines []string
	if m.Note != "" {
		lines = append(lines, "note: "+m.Note)
	}
	if m.Repeats > 0 {
		lines = append(lines, fmt.Sprintf("the same octets as frame %d", m.Repeats))
	}
	if m.Encrypted && !m.Decrypted {
		lines = append(lines, "encrypted; no key opens it")
	}
	for _, c := range m.Checks {
		lines = append(lines, c.String())
	}
	if m.Err != "" {
		lines = append(lines, "error: "+m.Err)
	}
	return lines
}

// String returns the check as "HASH(1): ok" with the detail behind it.
func (c Check) String() string {
	if c.Detail == "" {
		return fmt.Sprintf("%s: %s", c.Name, c.Result)
	}
	return fmt.Sprintf("%s: %s (%s)", c.Name, c.Result, c.Detail)
}

// Line is one field with its depth in the tree, 0 for payloads.
type Line struct {
	Depth int
	Field
}

// Lines returns the fields of the payloads in the order of their octets.
func (m *Message) Lines() []Line { return appendLines(nil, 0, m.Payloads) }

func appendLines(lines []Line, depth int, fields []Field) []Line {
	for _, f := range fields {
		lines = append(lines, Line{Depth: depth, Field: f})
		lines = appendLines(lines, depth+1, f.Children)
	}
	return lines
}

// Text is the field without its place: "SPI: c0c1c2c3". A long value is cut, and its length told.
func (f Field) Text() string {
	if f.Value == "" {
		return f.Name
	}
	return f.Name + ": " + f.Short()
}

// longValue is how many characters of a value are shown in texts; JSON has all.
const longValue = 80

// Short is the value, cut if it is long.
func (f Field) Short() string {
	if len(f.Value) <= longValue {
		return f.Value
	}
	cut := strings.ToValidUTF8(f.Value[:longValue-16], "")
	return fmt.Sprintf("%s… (%d octets)", cut, f.Length)
}
