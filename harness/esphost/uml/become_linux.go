package uml

import (
	"fmt"
	"os"
)

// Env names the variable by which a program that calls BecomeIfAsked is started as one of this package: "boot" or "init".
const Env = "GDOILAB_UML"

// BecomeIfAsked starts a kernel, or is the init of one, and ends the process, if that is what this process was started for. A
// program calls it before anything else.
func BecomeIfAsked() {
	run := map[string]func() error{"boot": boot, "init": beInit}[os.Getenv(Env)]
	if run == nil {
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "uml:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
