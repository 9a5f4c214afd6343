package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/node"
	"github.com/gdoilab/gdoilab/reference/policy"
)

var errNoConfig = errors.New("the flag --config is missing; it names the configuration file")

// document is the configuration file of a key server with everything in it that it names.
func (o *options) document() (control.ConfigureArgs, error) {
	if o.config == "" {
		return control.ConfigureArgs{}, usageError{errNoConfig}
	}
	cfg, _, err := o.loadKeyServer()
	if err != nil {
		return control.ConfigureArgs{}, usageError{fileError{err}}
	}
	doc, err := policy.MarshalKeyServer(cfg, string(policy.SigningKeyPEM(cfg)))
	return control.ConfigureArgs{Config: string(doc)}, err
}

// reloadCommand has a running key server go by the policy in a file.
func reloadCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "reload", Short: "have a running key server go by another policy (profile getvpn)", Args: noArguments,
		Long: `reload gives a running key server the policy in a file, as SIGHUP does with the file that it was started with. What the change calls for
is told to the members at once by one rekey a group; the rest waits for the next rekey, the next KEK or who registers next.`,
	}
	cmd.Flags().StringVar(&o.config, "config", "", "configuration `file`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		args, err := o.document()
		if err != nil {
			return err
		}
		var result control.ConfigureResult
		if err := o.call(cmd.Context(), control.Configure, args, &result); err != nil {
			return err
		}
		if len(result.Rekeys) == 0 {
			fmt.Fprintln(cmd.OutOrStdout(), "nothing had to be told at once")
		}
		for _, r := range result.Rekeys {
			printRekey(cmd.OutOrStdout(), r)
		}
		return nil
	}
	return cmd
}

// memberReloadCommand has a running member take the pre-shared keys in a file, and the streams that are to be joined by hand.
func memberReloadCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "reload", Short: "have a running member take other pre-shared keys, or join other streams by hand", Args: noArguments,
		Long: `reload gives a running member the pre-shared keys in a file and the multicast streams (joins), which has to be as the one that it was started with for the rest. What the
member has of its groups stays; the keys count when it next speaks to a key server in Phase 1.`,
	}
	cmd.Flags().StringVar(&o.config, "config", "", "configuration `file`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.config == "" {
			return usageError{errNoConfig}
		}
		cfg, _, err := o.loadMember()
		if err != nil {
			return usageError{fileError{err}}
		}
		doc, err := policy.MarshalMember(cfg)
		if err != nil {
			return err
		}
		return o.call(cmd.Context(), control.Configure, control.ConfigureArgs{Config: string(doc)}, nil)
	}
	return cmd
}

// reloading has a key server read its configuration again with each SIGHUP until stop is called. What is wrong is written to stderr, and
// the key server goes on as it was.
func (o *options) reloading(ctx context.Context, n *node.Node, stderr io.Writer) (stop func()) {
	hangups, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
				if err := o.reload(ctx, n); err != nil {
					fmt.Fprintln(stderr, describe("gdoi-ks: reload", err))
				}
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		cancel()
		<-ended
	}
}

func (o *options) reload(ctx context.Context, n *node.Node) error {
	args, err := o.document()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	if r := n.Do(ctx, control.Request{Command: control.Configure, Args: raw}); r.Error != "" {
		return errors.New(r.Error)
	}
	return nil
}
