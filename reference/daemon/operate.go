package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/operator"
)

// command makes a subcommand that talks to a running daemon.
type command func(*options) *cobra.Command

// statusCommand shows a node's state, as a table or as the JSON that came.
func statusCommand[T any](print func(io.Writer, *T)) command {
	return func(o *options) *cobra.Command {
		var raw bool
		cmd := &cobra.Command{Use: "status", Short: "show what a running daemon knows", Args: noArguments}
		cmd.Flags().BoolVar(&raw, "json", false, "print the answer as JSON")
		cmd.RunE = func(cmd *cobra.Command, _ []string) error {
			var body json.RawMessage
			if err := o.call(cmd.Context(), control.Status, nil, &body); err != nil {
				return err
			}
			if raw {
				return printJSON(cmd.OutOrStdout(), body)
			}
			status := new(T)
			if err := json.Unmarshal(body, status); err != nil {
				return fmt.Errorf("the answer cannot be read: %w", err)
			}
			print(cmd.OutOrStdout(), status)
			return nil
		}
		return cmd
	}
}

func rekeyCommand(o *options) *cobra.Command {
	var args control.RekeyArgs
	var raw bool
	cmd := &cobra.Command{
		Use: "rekey", Short: "replace, delete or announce keys of a group now", Args: noArguments,
		Long: `rekey replaces the traffic keys of a group, and with --kek also the key that protects rekey messages.

What is deleted has a successor, which members get when they register. The others drop the traffic that it was for until they
are told: by --tek or --announce, in the same message or later. --announce tells the SAs in force once more, with the keys that
they have and what is left of their lifetime, or less of it with --lifetime.`,
	}
	f := cmd.Flags()
	f.Uint32Var(&args.Group, "group", 0, "group `id`; needed if the key server has several")
	f.BoolVar(&args.KEK, "kek", false, "replace the KEK too")
	f.BoolVar(&args.KEKOnly, "kek-only", false, "replace the KEK and leave the traffic keys")
	f.BoolVar(&args.TEK, "tek", false, "replace the traffic keys beside what the other flags do")
	f.StringSliceVar(&args.DeleteTEKs, "delete-tek", nil, "delete the SA with this `SPI`, in hexadecimal; may be repeated; 0 deletes all")
	f.BoolVar(&args.DeleteKEK, "delete-kek", false, "delete the KEK; members register again for another")
	f.BoolVar(&args.DeleteAll, "delete-all", false, "delete all keys; members register again")
	f.BoolVar(&args.Replace, "replace", false, "replace the traffic keys and let those before live on only as long as it takes to go over (profile getvpn)")
	f.BoolVar(&args.Announce, "announce", false, "tell the SAs in force once more")
	f.IntVar(&args.Lifetime, "lifetime", 0, "with --announce: `seconds` that the SAs live from now on")
	f.BoolVar(&raw, "json", false, "print the answer as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		args.KEK = args.KEK || args.KEKOnly
		var body json.RawMessage
		if err := o.call(cmd.Context(), control.Rekey, args, &body); err != nil {
			return err
		}
		if raw {
			return printJSON(cmd.OutOrStdout(), body)
		}
		var result control.RekeyResult
		if err := json.Unmarshal(body, &result); err != nil {
			return fmt.Errorf("the answer cannot be read: %w", err)
		}
		printRekey(cmd.OutOrStdout(), result)
		return nil
	}
	return cmd
}

// groupCommand sends a command about a group, or about all, whose answer says nothing but that it was done.
func groupCommand(name, short string) command {
	return func(o *options) *cobra.Command {
		var args control.GroupArgs
		cmd := &cobra.Command{Use: name, Short: short, Args: noArguments, RunE: func(cmd *cobra.Command, _ []string) error {
			return o.call(cmd.Context(), name, args, nil)
		}}
		cmd.Flags().Uint32Var(&args.Group, "group", 0, "group `id` (default: every group)")
		return cmd
	}
}

func (o *options) call(ctx context.Context, name string, args, answer any) error {
	if o.control == "" {
		return usageError{errors.New("the flag --control is missing; it names the control socket of the running daemon")}
	}
	c, err := operator.Dial(ctx, o.control)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Call(ctx, name, args, answer)
}

func printJSON(w io.Writer, body json.RawMessage) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(body)
}
