package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// printVectors writes the numbers of a requirement, a line for each row of a table.
func printVectors(w io.Writer, vectors any) {
	rows, many := vectors.([]any)
	switch {
	case vectors == nil:
		return
	case !many:
		rows = []any{vectors}
	}
	fmt.Fprintln(w, "\nNumbers of the text:")
	for _, row := range rows {
		if line, err := json.Marshal(row); err == nil {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
}
