package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/gdoilab/gdoilab/harness/catalog"
)

// isMessage reports whether a name can only be that of a message, as no id of a requirement has an underscore or a percent sign.
func isMessage(name string) bool {
	if strings.ContainsAny(name, "_%") {
		return true
	}
	messages, err := catalog.LoadMessages()
	if err != nil {
		return false
	}
	_, err = messages.Find(name)
	return err == nil
}

// explainMessage shows a message: in JSON as docs/schema/messages.schema.json has its items.
func explainMessage(w io.Writer, name string, asJSON bool) error {
	messages, err := catalog.LoadMessages()
	if err != nil {
		return err
	}
	m, err := messages.Find(name)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, m)
	}
	printMessage(w, m)
	return nil
}

var tellers = map[string]string{
	"KS": "a key server", "GM": "a member", "both": "key server and member", "COOP": "a key server among others of one group",
}

func printMessage(w io.Writer, m catalog.Message) {
	fmt.Fprintf(w, "%s   facility %s   severity %d%s   told by %s\n\n%s\n\n", m.Mnemonic, m.Facility, m.Severity, proposed(m.SeverityKnown),
		tellers[m.Role], wrap(w, m.Cause))
	fmt.Fprintf(w, "Its words%s:\n  %s\n", proposed(m.FormatKnown), m.Format)
	for _, variant := range m.Variants {
		fmt.Fprintf(w, "  %s\n", variant)
	}
	if m.Example != "" {
		fmt.Fprintf(w, "\nA line of a device:\n  %s\n", m.Example)
	}
	fmt.Fprintf(w, "\nRead from any device by:\n  %s\n", m.Match)
	if m.Hostile {
		fmt.Fprintf(w, "\nIt may tell of an attack.\n")
	}
	if m.Note != "" {
		fmt.Fprintf(w, "\nNote:\n%s\n", wrap(w, m.Note))
	}
}

func proposed(known bool) string {
	if known {
		return ""
	}
	return " (proposed)"
}
