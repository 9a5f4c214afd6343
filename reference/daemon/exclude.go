package daemon

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/reference/control"
)

// excludeCommand takes a member out of a group.
func excludeCommand(o *options) *cobra.Command {
	var args control.ExcludeArgs
	cmd := &cobra.Command{
		Use: "exclude MEMBER", Short: "take a member out of a group whose KEK is managed by LKH", Args: oneMember("exclude"),
		Long: `exclude takes the member with that identity out of a group. A first rekey message replaces the KEK so that the member cannot
read what follows, a second one the traffic keys. The member is not let in again until readmit names it.`,
	}
	cmd.Flags().Uint32Var(&args.Group, "group", 0, "group `id`; needed if the key server has several")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		args.Member = words[0]
		var result control.RekeyResult
		if err := o.call(cmd.Context(), control.Exclude, args, &result); err != nil {
			return err
		}
		printRekey(cmd.OutOrStdout(), result)
		return nil
	}
	return cmd
}

// readmitCommand undoes what excludeCommand has done.
func readmitCommand(o *options) *cobra.Command {
	var args control.ExcludeArgs
	cmd := &cobra.Command{
		Use: "readmit MEMBER", Short: "let a member register again that was excluded", Args: oneMember("readmit"),
		Long: `readmit lets the member with that identity register again after exclude has taken it out. It has no keys until it does.`,
	}
	cmd.Flags().Uint32Var(&args.Group, "group", 0, "group `id`; needed if the key server has several")
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		args.Member = words[0]
		return o.call(cmd.Context(), control.Readmit, args, &struct{}{})
	}
	return cmd
}

func oneMember(command string) cobra.PositionalArgs {
	return func(_ *cobra.Command, words []string) error {
		if len(words) != 1 {
			return usageError{errors.New(command + " wants the identity of one member: an address, or one such as fqdn:gm1.example")}
		}
		return nil
	}
}
