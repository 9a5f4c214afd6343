// The program gdoi-ks is a GDOI key server; see gdoi-ks --help.
package main

import (
	"context"
	"os"

	"github.com/gdoilab/gdoilab/reference/daemon"
)

func main() { os.Exit(daemon.KS(context.Background(), os.Args[1:], os.Stderr)) }
