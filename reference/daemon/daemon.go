package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// KS runs the program gdoi-ks with its arguments (without the program's name) and returns its exit code. It ends when ctx
// does, or with SIGINT or SIGTERM. Answers to an operator's commands go to standard output.
func KS(ctx context.Context, args []string, stderr io.Writer) int {
	return run(ctx, keyServer, args, os.Stdout, stderr)
}

// GM runs the program gdoi-gm; see KS.
func GM(ctx context.Context, args []string, stderr io.Writer) int {
	return run(ctx, groupMember, args, os.Stdout, stderr)
}

func run(ctx context.Context, p program, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once, should the clean end hang
	root := p.command()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, describe(p.name, err))
	return exitCode(err)
}

// usageError is a mistake in the command line or in a file that it names.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailed
}
