package console

import (
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/control"
)

// withConfiguration adds the words about the configuration. What they change is the carrier's: it is told by the mode.
func withConfiguration(root []*word) []*word {
	showing := privileged(command("running-config", "Current operating configuration", func(in *call) error {
		for _, line := range strings.Split(strings.TrimRight(in.console.opts.Running(), "\n"), "\n") {
			in.page.put(0, line)
		}
		return nil
	}))
	root = slices.Clone(root)
	for i, w := range root {
		if w.name == "show" {
			show := *w
			show.next = append(slices.Clone(w.next), showing)
			root[i] = &show
		}
	}
	replace := func(in *call) error { in.mode = control.ConsoleReplace + bare(in.args[0]); return nil }
	return append(root,
		privileged(keyword("configure", "Enter configuration mode",
			command("terminal", "Configure from the terminal", func(in *call) error {
				in.mode = control.ConsoleConfigure
				in.page.put(0, "Enter configuration commands, one per line.  End with CNTL/Z.")
				return nil
			}),
			keyword("replace", "Replace the running configuration", parameter("WORD", "Name of a copy", anything, replace,
				command("force", "Without asking", replace))))),
		privileged(keyword("copy", "Copy the configuration", keyword("running-config", "Current operating configuration",
			parameter("WORD", "Name of the copy", anything, func(in *call) error { in.mode = modeName + in.args[0]; return nil })))))
}

// bare is the name of a copy without the place where routers keep it.
func bare(name string) string {
	_, after, found := strings.Cut(name, ":")
	if !found {
		return name
	}
	return strings.TrimPrefix(after, "/")
}
