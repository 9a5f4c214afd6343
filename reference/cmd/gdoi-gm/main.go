// The program gdoi-gm is a GDOI group member; see gdoi-gm --help.
package main

import (
	"context"
	"os"

	"github.com/gdoilab/gdoilab/reference/daemon"
)

func main() { os.Exit(daemon.GM(context.Background(), os.Args[1:], os.Stderr)) }
