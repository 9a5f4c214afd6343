package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/suites/kit"
	"github.com/gdoilab/gdoilab/suites/selftest"
)

// words is what every completion gives back; none of them is a file.
func words(list []string) ([]string, cobra.ShellCompDirective) {
	return list, cobra.ShellCompDirectiveNoFileComp
}

func completeFabrics(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return words([]string{"memory\tvirtual clock, no privileges", "netns\tnamespaces and real sockets, as root", "auto\tnetns where it can"})
}

// completeManifests gives the built-in manifests, and otherwise files.
func completeManifests(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return peer.Builtin(), cobra.ShellCompDirectiveDefault
}

func completeSpecs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	specs, err := kit.List("")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, s := range specs {
		ids = append(ids, s.ID+"\t"+s.Name)
	}
	return words(ids)
}

func completeRequirements(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	requirements, err := catalog.LoadAll()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, r := range requirements.All() {
		ids = append(ids, r.ID+"\t"+strings.Join(strings.Fields(r.Summary), " "))
	}
	return words(ids)
}

// completeLabels gives the labels of which a filter is made.
func completeLabels(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	specs, err := kit.List("")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	labels := []string{"negative", "exhaustive"}
	for _, s := range specs {
		labels = append(labels, "subject:"+s.Subject, "dut:"+s.DUT)
		for _, n := range s.Needs {
			labels = append(labels, "needs:"+n)
		}
		for _, n := range s.Features {
			labels = append(labels, "feature:"+n)
		}
		for _, r := range s.Requirements {
			labels = append(labels, "req:"+r)
		}
	}
	slices.Sort(labels)
	return words(slices.Compact(labels))
}

func completeMutants(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var all []string
	for _, m := range selftest.Mutants() {
		all = append(all, m.Name()+"\t"+m.Doc)
	}
	return words(all)
}

func completeGuards(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var all []string
	for _, g := range rule.All() {
		all = append(all, g.Name+"\t"+g.Doc)
	}
	return words(all)
}
