package verdict

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Table writes the verdicts by subject, one line a subject and their sum, for a terminal. A verdict that nobody got has
// no column, except pass and fail. The specs that somebody has to look into follow with their reasons, then the readings.
func Table(w io.Writer, r *Run) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header, t.Style().Format.Footer = text.FormatDefault, text.FormatDefault
	total := Tally(r.Specs)
	columns := shown(total)
	header := table.Row{"subject", "specs"}
	var configs []table.ColumnConfig
	for _, v := range columns {
		header = append(header, string(v))
	}
	for i := 2; i <= len(header)+1; i++ {
		configs = append(configs, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(append(header, "seconds"))
	for _, s := range r.Subjects() {
		t.AppendRow(counts(s.Name, len(s.Specs), columns, s.Summary, s.Seconds))
	}
	t.AppendFooter(counts("all", len(r.Specs), columns, total, r.Seconds))
	t.Render()
	named(w, r.Specs)
	for _, e := range r.Expectations {
		if e.attention() {
			fmt.Fprintln(w, e)
		}
	}
	for _, reading := range r.Readings {
		fmt.Fprintln(w, reading)
	}
	if r.Interrupted {
		fmt.Fprintln(w, "The run was interrupted; specs that had not run are missing.")
	}
}

func shown(total map[Verdict]int) []Verdict {
	var columns []Verdict
	for _, v := range Verdicts {
		if total[v] > 0 || v == Pass || v == Fail {
			columns = append(columns, v)
		}
	}
	return columns
}

func counts(name string, specs int, columns []Verdict, of map[Verdict]int, seconds float64) table.Row {
	row := table.Row{name, specs}
	for _, v := range columns {
		if of[v] == 0 {
			row = append(row, "·")
			continue
		}
		row = append(row, of[v])
	}
	return append(row, fmt.Sprintf("%.2f", seconds))
}

// named writes a line for each spec that somebody has to look into, so that they stand at the end of a long run.
func named(w io.Writer, specs []Spec) {
	const most = 20
	n := 0
	for _, s := range specs {
		if !s.Verdict.attention() {
			continue
		}
		if n++; n <= most {
			fmt.Fprintf(w, "%s: %s: %s\n", s.Verdict, s.ID, s.Reason)
		}
	}
	if n > most {
		fmt.Fprintf(w, "and %d more\n", n-most)
	}
}
