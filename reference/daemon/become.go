package daemon

import (
	"context"
	"io"
	"os"
)

// Env names the variable by which a program that calls BecomeIfAsked is started as a daemon: "ks" or "gm".
const Env = "GDOILAB_DAEMON"

// BecomeIfAsked runs a key server or group member and ends the process, if that is what this process was started for, so
// that one static binary is enough. A program calls it before anything else.
func BecomeIfAsked() {
	run := map[string]func(context.Context, []string, io.Writer) int{"ks": KS, "gm": GM}[os.Getenv(Env)]
	if run != nil {
		os.Exit(run(context.Background(), os.Args[1:], os.Stderr))
	}
}
