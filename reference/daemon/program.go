package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/reference/node"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// program is what gdoi-ks and gdoi-gm do not have in common.
type program struct {
	name, short, long, example string
	flags                      func(*cobra.Command, *options)
	build                      func(*options) (node.Config, error) // of the core, from the configuration file
	commands                   []command
	reloads                    bool // SIGHUP has it read its configuration again
}

func (p program) command() *cobra.Command {
	o := new(options)
	root := &cobra.Command{
		Use: p.name, Short: p.short, Long: p.long, Example: p.example,
		Args: noArguments, SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd, o) },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.DisableDefaultCmd = true
	o.register(root)
	if p.flags != nil {
		p.flags(root, o)
	}
	for _, make := range p.commands {
		root.AddCommand(make(o))
	}
	return root
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command %q", args[0])}
	}
	return nil
}

// serve runs the daemon until its context ends.
func (p program) serve(cmd *cobra.Command, o *options) error {
	switch {
	case o.config == "":
		return usageError{errors.New("the flag --config is missing; it names the configuration file")}
	case o.operators != "":
		return p.serveRouter(cmd, o)
	case o.hostKey != "":
		return usageError{errors.New("--host-key is for the console that --operators opens")}
	}
	w, err := p.open(o, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	stop, err := o.letOperatorsIn(cmd.Context(), w.node)
	if err != nil {
		return errors.Join(err, w.close())
	}
	defer stop()
	if p.reloads {
		defer o.reloading(cmd.Context(), w.node, cmd.ErrOrStderr())()
	}
	return w.run(cmd.Context())
}

// work is a node that is open, with what belongs to it.
type work struct {
	node            *node.Node
	outputs, beside closers
}

// open makes a node of the configuration, with its log and what accompanies it.
func (p program) open(o *options, stderr io.Writer) (*work, error) {
	cfg, err := p.build(o)
	if err != nil {
		return nil, err
	}
	w := new(work)
	if w.outputs, err = o.open(stderr, &cfg); err != nil {
		return nil, err
	}
	if w.node, err = node.Open(cfg); err != nil {
		return nil, errors.Join(err, w.outputs.Close())
	}
	if w.beside, err = accompany(w.node, o.beside); err != nil {
		return nil, errors.Join(err, w.node.Close(), w.outputs.Close())
	}
	return w, nil
}

// run has the node work until ctx ends, and closes everything.
func (w *work) run(ctx context.Context) error {
	err := w.node.Run(ctx)
	_ = w.beside.Close()
	_ = w.outputs.Close()
	return err
}

// close is for a node that is never run.
func (w *work) close() error {
	return errors.Join(w.beside.Close(), w.node.Close(), w.outputs.Close())
}

// describe makes the last lines of a failed run. The faults of a configuration file stand alone, one a line.
func describe(name string, err error) string {
	var faults yamldoc.Problems
	if errors.As(err, &faults) {
		return faults.Error()
	}
	text := name + ": " + err.Error()
	if exitCode(err) == exitUsage && !errors.As(err, new(fileError)) {
		text += "\n" + name + " --help tells more"
	}
	return text
}

// fileError is a usageError that more reading of the help would not mend.
type fileError struct{ error }

func (e fileError) Unwrap() error { return e.error }
