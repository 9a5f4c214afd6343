package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/pcapdiff"
)

// errNothing means that a capture has nothing that could be compared: to call two of those the same would prove nothing.
var errNothing = errors.New("it has no message of GDOI, IKEv1 or ESP")

func diffCommand() *cobra.Command {
	var keysA, keysB string
	var asJSON bool
	c := &cobra.Command{
		Use: "diff A B", Short: "Say what differs between two captures, in terms of the protocol", Args: cobra.ExactArgs(2),
		Long: `Compare two captures, pcap or pcapng, message by message and field by field. Cookies, nonces, SPIs, keys, times
and Message IDs are matched up, not compared. For each difference it prints both values, the frames and the
requirements that it touches.

A and B are captures, or evidence folders of specs. The keys are taken from keys.json beside a capture unless
--keys-a and --keys-b name others. Exit status: 0 if nothing differs, 1 if something does, 2 if a file cannot be
read to its end or has nothing to compare.`,
		Example: `  gdoilab diff good.pcapng bad.pcapng --keys-a good-keys.json --keys-b bad-keys.json
  gdoilab diff out/monday/specs/SPEC out/tuesday/specs/SPEC`,
		RunE: func(c *cobra.Command, args []string) error {
			return diffFiles(c.OutOrStdout(), diffSide{args[0], keysA}, diffSide{args[1], keysB}, asJSON)
		},
	}
	c.Flags().StringVar(&keysA, "keys-a", "", "file with the keys of A")
	c.Flags().StringVar(&keysB, "keys-b", "", "file with the keys of B")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.MarkFlagFilename("keys-a", "json", "jsonl")
	_ = c.MarkFlagFilename("keys-b", "json", "jsonl")
	return c
}

// diffSide is one of the two captures as the command line names it.
type diffSide struct{ file, keys string }

func diffFiles(out io.Writer, a, b diffSide, asJSON bool) error {
	fields, err := catalog.LoadFields()
	if err != nil {
		return err
	}
	messagesA, err := a.read()
	if err != nil {
		return err
	}
	messagesB, err := b.read()
	if err != nil {
		return err
	}
	report := pcapdiff.Compare(messagesA, messagesB, fields.Touched)
	if asJSON {
		err = writeDiff(out, report)
	} else {
		err = pcapdiff.Print(out, report, a.file, b.file, demand)
	}
	if err == nil && !report.Same() {
		return &exitError{exitFailed}
	}
	return err
}

// read decodes the capture with its keys.
func (s *diffSide) read() ([]capture.Message, error) {
	if info, err := os.Stat(s.file); err == nil && info.IsDir() {
		s.file = filepath.Join(s.file, "capture.pcapng")
	}
	if s.keys == "" {
		if beside := filepath.Join(filepath.Dir(s.file), "keys.json"); isFile(beside) {
			s.keys = beside
		}
	}
	entries, err := readKeys(s.keys)
	if err != nil {
		return nil, err
	}
	frames, err := readCapture(s.file)
	if err != nil {
		return nil, err
	}
	messages := capture.Decode(frames, entries)
	for i := range messages {
		if messages[i].Header != nil || messages[i].Kind == capture.KindESP {
			return messages, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", s.file, errNothing)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// demand is what a requirement says, for people.
func demand(id string) string {
	c, err := catalog.LoadAll()
	if err != nil {
		return err.Error()
	}
	r, err := c.Find(id)
	if err != nil {
		return err.Error()
	}
	return r.Summary
}

func writeDiff(out io.Writer, r *pcapdiff.Report) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Same bool `json:"same"`
		*pcapdiff.Report
	}{r.Same(), r})
}
