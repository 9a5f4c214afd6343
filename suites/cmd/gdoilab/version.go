package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// versionJSON is the JSON of "version": docs/schema/version.schema.json.
type versionJSON struct {
	Tool     string `json:"tool"`
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Long: "Print the version, the Go that built the program and the platform that it was built for.",
		RunE: func(c *cobra.Command, _ []string) error {
			v := versionJSON{"gdoilab", version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if asJSON {
				return printJSON(c.OutOrStdout(), v)
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), v.Tool, v.Version, v.Go, v.Platform)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
