package main

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// prose is how wide sentences are where no terminal says how wide it is.
const prose = 100

// columns is the width of the terminal that w is, or what COLUMNS says, or 0 if nothing limits a line.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	width, _ := strconv.Atoi(os.Getenv("COLUMNS"))
	return max(0, width)
}

// wrap breaks sentences to the width of w.
func wrap(w io.Writer, sentences string) string {
	width := columns(w)
	if width == 0 {
		width = prose
	}
	lines := strings.Split(text.WrapSoft(strings.TrimSpace(sentences), width), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

// grid is a table of texts. Where a terminal is too narrow, the column Wide gives way.
type grid struct {
	Header []string
	Rows   [][]string
	Wide   int
}

// gap is what the style of our tables puts around each cell.
const gap = 2

// narrowest is the least that the wide column is left with.
const narrowest = 20

func (g *grid) add(cells ...string) { g.Rows = append(g.Rows, cells) }

// fits reports whether the grid can stand on w without a line broken.
func (g *grid) fits(w io.Writer) bool {
	width := columns(w)
	return width == 0 || g.others()+g.natural(g.Wide)+gap <= width
}

// others is the room that all columns but the wide one take.
func (g *grid) others() int {
	sum := 0
	for i := range g.Header {
		if i != g.Wide {
			sum += g.natural(i) + gap
		}
	}
	return sum
}

// natural is the width of a column's longest line.
func (g *grid) natural(column int) int {
	longest := text.LongestLineLen(g.Header[column])
	for _, row := range g.Rows {
		longest = max(longest, text.LongestLineLen(row[column]))
	}
	return longest
}

func (g *grid) render(w io.Writer) {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.Options{SeparateHeader: true}
	t.Style().Format.Header = text.FormatDefault
	t.SuppressTrailingSpaces()
	t.AppendHeader(cells(g.Header))
	for _, row := range g.Rows {
		t.AppendRow(cells(row))
	}
	if !g.fits(w) {
		room := max(narrowest, columns(w)-g.others()-gap)
		t.SetColumnConfigs([]table.ColumnConfig{{Number: g.Wide + 1, WidthMax: room, WidthMaxEnforcer: fold}})
	}
	_, _ = io.WriteString(w, t.Render()+"\n")
}

// fold breaks lines that are wider than max: behind a blank, a hyphen or a slash if there is one.
func fold(lines string, max int) string {
	var out []string
	for _, line := range strings.Split(lines, "\n") {
		runes := []rune(line)
		for len(runes) > max {
			at := max
			for i := max; i > max/2; i-- {
				if strings.ContainsRune(" -/", runes[i-1]) {
					at = i
					break
				}
			}
			out = append(out, strings.TrimRight(string(runes[:at]), " "))
			runes = runes[at:]
		}
		out = append(out, string(runes))
	}
	return strings.Join(out, "\n")
}

func cells(texts []string) table.Row {
	row := make(table.Row, len(texts))
	for i, s := range texts {
		row[i] = s
	}
	return row
}
