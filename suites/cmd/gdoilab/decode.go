package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

func decodeCommand() *cobra.Command {
	var keys string
	var asJSON, redact bool
	c := &cobra.Command{
		Use: "decode FILE", Short: "Print the protocol messages of a capture", Args: cobra.ExactArgs(1),
		Long: `Print every GDOI, IKEv1 and ESP message of a pcap or pcapng file, field by field, with the offset and the length of
each field in octets.

With --keys, a keys.json from a spec's evidence or a key log of gdoi-ks and gdoi-gm, messages are decrypted and
their HASH, SIG and ICV checked. Of a file that breaks off, what can be read is printed; the exit status is then 2.`,
		Example: `  gdoilab decode out/latest/specs/SPEC/capture.pcapng --keys out/latest/specs/SPEC/keys.json`,
		RunE: func(c *cobra.Command, args []string) error {
			return decodeFile(c.OutOrStdout(), args[0], keys, asJSON, redact)
		},
	}
	c.Flags().StringVar(&keys, "keys", "", "file with the keys")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&redact, "redact", false, "leave keys and secrets out")
	_ = c.MarkFlagFilename("keys", "json", "jsonl")
	return c
}

func decodeFile(out io.Writer, file, keyFile string, asJSON, redact bool) error {
	entries, err := readKeys(keyFile)
	if err != nil {
		return err
	}
	frames, broken := readCapture(file)
	if len(frames) == 0 && broken != nil {
		return broken
	}
	messages := capture.Decode(frames, entries)
	if redact {
		messages = capture.Redact(messages)
	}
	if asJSON {
		err = capture.WriteJSON(out, capture.Conversation{Nodes: capture.Nodes(messages, nil), Messages: messages})
	} else {
		err = capture.Print(out, messages)
	}
	return errors.Join(err, broken)
}

// readCapture returns what can be read of a capture, and what is wrong with it.
func readCapture(file string) ([]capture.Frame, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	frames, err := capture.Read(f)
	if err != nil {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return frames, err
}

func readKeys(file string) ([]keylog.Entry, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	entries, err := keylog.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return entries, nil
}
