package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/harness/driver/refdriver"
)

func driverCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "driver", Short: "Look after the driver of a device under test",
		Long: `A driver is a program that brings a device up, tells and asks it, by a contract that docs/peers.md explains: JSON-RPC
over standard input and output. A manifest names it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(driverCheckCommand(), driverReferenceCommand())
	return c
}

func driverReferenceCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reference", Short: "Be the driver of the reference", Args: cobra.NoArgs,
		Long: `Drive the reference's own key server or group member by the contract, with requests from standard input and answers to
standard output, until the input ends. It is a model for drivers, and what fixtures/peers/reference-driver.yaml names.`,
		Example: `  gdoilab run --dut reference-driver --fabric netns`,
		RunE: func(c *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			return driver.Serve(c.Context(), refdriver.New(program, version), c.InOrStdin(), c.OutOrStdout())
		},
	}
}
