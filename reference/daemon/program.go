package daemon

import (
	"errors"
	"fmt"

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
	if o.config == "" {
		return usageError{errors.New("the flag --config is missing; it names the configuration file")}
	}
	cfg, err := p.build(o)
	if err != nil {
		return err
	}
	outputs, err := o.open(cmd.ErrOrStderr(), &cfg)
	if err != nil {
		return err
	}
	defer outputs.Close()
	n, err := node.Open(cfg)
	if err != nil {
		return err
	}
	stop, err := o.letOperatorsIn(cmd.Context(), n)
	if err != nil {
		return errors.Join(err, n.Close())
	}
	defer stop()
	beside, err := accompany(n, o.beside)
	if err != nil {
		return errors.Join(err, n.Close())
	}
	defer beside.Close()
	if p.reloads {
		defer o.reloading(cmd.Context(), n, cmd.ErrOrStderr())()
	}
	return n.Run(cmd.Context())
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
