package daemon

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/reference/control"
)

// receiveOnlyCommand makes the SAs of a group of GET VPN receive-only, or ends that.
func receiveOnlyCommand(o *options) *cobra.Command {
	var args control.ReceiveOnlyArgs
	words := map[string]bool{"on": true, "off": false}
	cmd := &cobra.Command{
		Use: "receive-only on|off", Short: "have a group of GET VPN be for receiving only, or no longer", Args: oneWord(words, "on or off"),
		Long: `receive-only makes the SAs of a group anew, on for receiving only or off for both directions, and tells the members by a rekey.
As long as it is on they send in clear and take both.`,
	}
	cmd.Flags().Uint32Var(&args.Group, "group", 0, "group `id`; needed if the key server has several")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		args.On = words[given[0]]
		var result control.RekeyResult
		if err := o.call(cmd.Context(), control.ReceiveOnly, args, &result); err != nil {
			return err
		}
		printRekey(cmd.OutOrStdout(), result)
		return nil
	}
	return cmd
}

// directionCommand has a member of GET VPN use the SAs of a group in other directions.
func directionCommand(o *options) *cobra.Command {
	var args control.DirectionArgs
	words := map[string]bool{"both": true, "inbound-optional": true}
	cmd := &cobra.Command{
		Use: "direction both|inbound-optional", Short: "use the SAs of GET VPN in these directions until the next rekey",
		Args: oneWord(words, "both or inbound-optional"),
	}
	cmd.Flags().Uint32Var(&args.Group, "group", 0, "group `id` (default: every group of the member)")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		args.Direction = given[0]
		return o.call(cmd.Context(), control.Direction, args, &struct{}{})
	}
	return cmd
}

// oneWord asks for one of some words.
func oneWord(words map[string]bool, they string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if len(given) == 1 {
			if _, known := words[given[0]]; known {
				return nil
			}
		}
		return usageError{fmt.Errorf("%s wants %s", cmd.Name(), they)}
	}
}
