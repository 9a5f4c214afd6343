package verdict

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The files of a matrix, in its folder.
const (
	MatrixHTML     = "interop.html"
	MatrixJSON     = "interop.json"
	MatrixMarkdown = "interop.md"
)

var (
	//go:embed matrix.gohtml
	matrixText string

	matrixPage = template.Must(template.New("matrix").Funcs(template.FuncMap{
		"seconds": seconds, "anchor": anchor, "title": sceneTitle, "outcome": colour, "attention": Expectation.attention,
	}).Parse(matrixText))
)

// sceneTitles are what pages call the scenes.
var sceneTitles = map[string]string{
	ScenePhase1: "Phase 1", SceneRegistration: "Registration", SceneRekey: "Rekey", SceneDataPlane: "Data plane",
}

func sceneTitle(scene string) string { return sceneTitles[scene] }

// Write writes the matrix as a page, as Markdown and as JSON into dir, which is made if it is missing.
func (m *Matrix) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("verdict: %w", err)
	}
	for name, write := range map[string]func(io.Writer) error{
		MatrixJSON:     func(w io.Writer) error { return writeIndented(w, m) },
		MatrixMarkdown: m.WriteMarkdown,
		MatrixHTML:     m.writePage,
	} {
		if err := writeFile(filepath.Join(dir, name), 0o644, write); err != nil {
			return err
		}
	}
	return nil
}

// matrixData is what the template of the page gets.
type matrixData struct {
	*Matrix
	Style    template.CSS
	Failed   bool
	Headline string
	Grids    []matrixGrid
	Scenes   []string
}

// matrixGrid is one fabric: key servers downward, members across.
type matrixGrid struct {
	Fabric string
	GMs    []string
	Rows   []matrixRow
}

type matrixRow struct {
	KS    string
	Cells []*Cell // nil where the two are no pair
}

func (m *Matrix) writePage(w io.Writer) error {
	data := matrixData{Matrix: m, Style: template.CSS(styleText), Failed: m.Exit() != 0, Headline: m.Headline(), Scenes: Scenes}
	for _, fabric := range m.Fabrics {
		data.Grids = append(data.Grids, m.grid(fabric))
	}
	return matrixPage.Execute(w, data)
}

// grid lays the cells of one fabric out. A peer without any cell in a role has no line for it.
func (m *Matrix) grid(fabric string) matrixGrid {
	g := matrixGrid{Fabric: fabric}
	at := make(map[[2]string]*Cell)
	ks, gm := make(map[string]bool), make(map[string]bool)
	for i := range m.Cells {
		if c := &m.Cells[i]; c.Fabric == fabric {
			at[[2]string{c.KS, c.GM}], ks[c.KS], gm[c.GM] = c, true, true
		}
	}
	for _, p := range m.Peers {
		if gm[p.Name] {
			g.GMs = append(g.GMs, p.Name)
		}
	}
	for _, p := range m.Peers {
		if !ks[p.Name] {
			continue
		}
		row := matrixRow{KS: p.Name}
		for _, member := range g.GMs {
			row.Cells = append(row.Cells, at[[2]string{p.Name, member}])
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// Headline says the matrix in one sentence.
func (m *Matrix) Headline() string {
	met, bad := 0, 0
	for i := range m.Cells {
		c := &m.Cells[i]
		if c.Report != "" {
			met++
		}
		if c.Attention() {
			bad++
		}
	}
	var missed []string
	for _, p := range m.Peers {
		if p.Wanted && p.Absent != "" {
			missed = append(missed, p.Name)
		}
	}
	switch {
	case bad > 0:
		return fmt.Sprintf("%d of %d pairs need attention.", bad, len(m.Cells))
	case len(missed) > 0:
		return fmt.Sprintf("Not on this machine: %s.", strings.Join(missed, ", "))
	case met == 0:
		return "No pair has met."
	}
	return fmt.Sprintf("All %d pairs that met did as expected; %d did not meet.", met, len(m.Cells)-met)
}

// WriteMarkdown writes the matrix for where pages of HTML are not shown.
func (m *Matrix) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Interoperation: %s\n\n", m.Headline())
	fmt.Fprintf(&b, "%s %s, seed %s, begun %s, %s. [Page](%s), [JSON](%s).\n", m.Tool, m.Version, m.Seed, m.Start.UTC().Format("2006-01-02 15:04:05 UTC"),
		seconds(m.Seconds), MatrixHTML, MatrixJSON)
	if m.Interrupted {
		b.WriteString("\n**Interrupted** before every pair had met.\n")
	}
	for _, fabric := range m.Fabrics {
		m.markFabric(&b, fabric)
	}
	m.markPeers(&b)
	m.markReasons(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// markFabric writes a line for each pair.
func (m *Matrix) markFabric(b *strings.Builder, fabric string) {
	fmt.Fprintf(b, "\n## Fabric %s\n\n| key server | member |", fabric)
	for _, scene := range Scenes {
		fmt.Fprintf(b, " %s |", sceneTitle(scene))
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(Scenes)) + "\n")
	for i := range m.Cells {
		c := &m.Cells[i]
		if c.Fabric != fabric {
			continue
		}
		fmt.Fprintf(b, "| %s | %s |", c.KS, c.GM)
		for _, s := range c.Scenes {
			fmt.Fprintf(b, " %s |", s.mark(c.Report))
		}
		b.WriteString("\n")
	}
}

// mark is the verdict with how many specs had it, in bold if somebody has to look into it.
func (r SceneResult) mark(report string) string {
	text := string(r.Verdict)
	if total := len(r.Specs); total > 0 {
		text += fmt.Sprintf(" %d/%d", r.Counts[r.Verdict], total)
	}
	if report != "" && len(r.Specs) > 0 {
		text = fmt.Sprintf("[%s](%s)", text, report)
	}
	if r.Verdict.attention() {
		text = "**" + text + "**"
	}
	return text
}

func (m *Matrix) markPeers(b *strings.Builder) {
	b.WriteString("\n## Peers\n\n| peer | kind | roles | version | here |\n|---|---|---|---|---|\n")
	for _, p := range m.Peers {
		here := "yes"
		if p.Absent != "" {
			here = "absent: " + cell(p.Absent)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", p.Name, p.Kind, strings.Join(p.Roles, ", "), cell(p.Version), here)
	}
}

// markReasons writes why something did not simply pass. Reasons that many scenes share stand once.
func (m *Matrix) markReasons(b *strings.Builder) {
	b.WriteString("\n## Reasons\n\n")
	for i := range m.Cells {
		c := &m.Cells[i]
		said := make(map[string]bool)
		for _, s := range c.Scenes {
			for _, line := range s.reasons() {
				if !said[line] {
					said[line] = true
					fmt.Fprintf(b, "- %s as key server, %s as member, %s: %s\n", c.KS, c.GM, c.Fabric, line)
				}
			}
		}
		for _, e := range c.Expectations {
			if e.attention() {
				fmt.Fprintf(b, "- %s as key server, %s as member, %s: **%s**\n", c.KS, c.GM, c.Fabric, cell(e.String()))
			}
		}
	}
}

// reasons are those of the specs that did not pass, or that of a scene of which none was run.
func (r SceneResult) reasons() (lines []string) {
	if len(r.Specs) == 0 {
		return []string{fmt.Sprintf("%s: %s", r.Verdict, cell(r.Reason))}
	}
	for _, s := range r.Specs {
		if s.Verdict != Pass {
			lines = append(lines, fmt.Sprintf("%s: [%s](%s): %s", s.Verdict, s.ID, s.Report, cell(s.Reason)))
		}
	}
	return lines
}

// cell is a text in one line that does not end a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}
