package catalog

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/fixtures"
)

// KeptFile is the name in fixtures.FS of the list of what was tested once of a catalogue. That of an overview has none: specs name what follows
// from it in the RFCs.
func KeptFile(catalogue string) string { return "tested-" + catalogue + ".txt" }

// Kept lists the halves of requirements that specs test, "RFC6407-4.4-02 GM", in the order of the catalogue.
func Kept(rows []Covered) []string {
	var kept []string
	for _, row := range rows {
		for _, role := range row.Requirement.Halves() {
			if !slices.Contains(row.Untested, role) {
				kept = append(kept, row.Requirement.ID+" "+role)
			}
		}
	}
	return kept
}

// Lost lists what specs tested when the list of the catalogue was made, and no longer do.
func Lost(catalogue string, rows []Covered) ([]string, error) {
	text, err := fs.ReadFile(fixtures.FS, KeptFile(catalogue))
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	kept := make(map[string]bool)
	for _, line := range Kept(rows) {
		kept[line] = true
	}
	var lost []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !kept[line] {
			lost = append(lost, line)
		}
	}
	return lost, nil
}
