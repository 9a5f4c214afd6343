package daemon

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/gdoilab/gdoilab/reference/control"
)

func printKeyServer(w io.Writer, s *control.KSStatus) {
	fmt.Fprintf(w, "key server %s at %s: %d Phase 1 SAs, %d half open\n", s.Name, clock(s.Time), s.Phase1, s.HalfOpen)
	for _, g := range s.Groups {
		printGroup(w, g, s.Time)
	}
	printCounts(w, "refused", "requirement", s.Rejects)
}

func printGroup(w io.Writer, g control.KSGroup, now time.Time) {
	fmt.Fprintf(w, "\ngroup %s (%d): %s\n", g.Name, g.ID, rekeyLine(g.Rekey, g.Sequence, g.RekeyExpiry, now))
	printSAs(w, g.SAs, now, false)
	t := newTable(w, "member", "address", "registered", "acknowledged", "sender IDs")
	for _, m := range g.Members {
		acked := "never"
		if m.EverAcked {
			acked = strconv.FormatUint(uint64(m.Acked), 10)
		}
		t.AppendRow(table.Row{m.Identity, m.Address, clock(m.Registered), acked, numbers(m.SIDs)})
	}
	t.Render()
}

func printMember(w io.Writer, s *control.GMStatus) {
	if len(s.Groups) == 0 {
		fmt.Fprintf(w, "group member %s at %s: %s, group %d, key server %s\n", s.Name, clock(s.Time), s.State, s.Group, s.KeyServer)
		printMembership(w, s.GMGroup, s.Time)
	} else {
		fmt.Fprintf(w, "group member %s at %s: %d groups\n", s.Name, clock(s.Time), len(s.Groups))
	}
	for _, g := range s.Groups {
		fmt.Fprintf(w, "\ngroup %d: %s, key server %s\n", g.Group, g.State, g.KeyServer)
		printMembership(w, g, s.Time)
	}
	printCounts(w, "packets", "what", s.Counters)
	printCounts(w, "refused", "requirement", s.Rejects)
}

func printMembership(w io.Writer, g control.GMGroup, now time.Time) {
	fmt.Fprintln(w, rekeyLine(g.Rekey, g.Sequence, g.RekeyExpiry, now))
	if len(g.SIDs) > 0 {
		fmt.Fprintln(w, "sender IDs", numbers(g.SIDs))
	}
	printSAs(w, g.SAs, now, true)
}

func rekeyLine(spi string, sequence uint32, expiry, now time.Time) string {
	if spi == "" {
		return "no rekey"
	}
	return fmt.Sprintf("rekey SA %s, sequence %d, ends in %s", spi, sequence, left(expiry, now))
}

func printSAs(w io.Writer, sas []control.SA, now time.Time, sending bool) {
	header := []any{"SPI", "selector", "cipher", "ends in"}
	if sending {
		header = append(header, "sending")
	}
	t := newTable(w, header...)
	for _, sa := range sas {
		row := table.Row{sa.SPI, sa.Selector, sa.Cipher, left(sa.Expiry, now)}
		if sending {
			row = append(row, map[bool]string{true: "yes", false: "no"}[sa.Sending])
		}
		t.AppendRow(row)
	}
	t.Render()
}

// printCounts prints nothing if nothing was counted.
func printCounts(w io.Writer, title, what string, counts map[string]uint64) {
	if len(counts) == 0 {
		return
	}
	t := newTable(w, what, title)
	for _, name := range slices.SortedFunc(maps.Keys(counts), cmp.Compare[string]) {
		t.AppendRow(table.Row{name, counts[name]})
	}
	t.Render()
}

func printRekey(w io.Writer, r control.RekeyResult) {
	fmt.Fprintf(w, "sent rekey %d", r.Sequence)
	if len(r.SPIs) > 0 {
		fmt.Fprintf(w, " with the SAs %s", strings.Join(r.SPIs, ", "))
	}
	fmt.Fprintf(w, "; rekey SA %s\n", r.Rekey)
}

func newTable(w io.Writer, header ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = 0
	t.AppendHeader(table.Row(header))
	return t
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateTime)
}

// left says how long something still lasts, in whole seconds.
func left(end, now time.Time) string {
	if end.IsZero() {
		return "-"
	}
	return end.Sub(now).Round(time.Second).String()
}

func numbers(values []uint32) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = strconv.FormatUint(uint64(v), 10)
	}
	return strings.Join(texts, ", ")
}
