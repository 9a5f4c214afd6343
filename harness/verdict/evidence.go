package verdict

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// The files of an evidence folder. Those of the second group are not written when a run is redacted.
const (
	FileCapture  = "capture.pcapng"
	FileMessages = "messages.json"
	FileSpec     = "spec.json"
	FileSyslog   = "syslog.log"
	FileControl  = "control.jsonl"

	FileDevice  = "device" // folder: the configuration of each device
	FilePhase1  = "phase1.pcapng"
	FileKeys    = "keys.json"
	FileProfile = "wireshark"
)

// Evidence is what stands behind one verdict.
type Evidence struct {
	Spec    Spec
	Seed    string
	Frames  []capture.Frame
	Keys    []keylog.Entry
	Nodes   map[string]string // address -> name of the node, for diagrams; may be nil
	Syslog  []string          // lines, RFC 5424
	Control []string          // requests and answers, one JSON object a line
	Peer    *Peer             // the manifest of the device
	Config  []ConfigFile      // what devices were started with
}

// ConfigFile is a file that a device was started with; Path is below the device's own folder.
type ConfigFile struct {
	Node, Path string
	Content    []byte
}

// specFile is the content of spec.json.
type specFile struct {
	Spec
	Peer     *Peer  `json:"peer,omitempty"`
	Seed     string `json:"seed"`
	Redacted bool   `json:"redacted"`
	Frames   int    `json:"frames"`
}

// Write writes the evidence into dir, which is made if it is missing: the capture, its view for readers that know only
// the IPsec DOI, the keys, a Wireshark profile, the decoded conversation, syslog lines, control answers, the devices'
// configurations and the spec.
// With redact, nothing that holds a key is written, and no other file shows one.
func (e *Evidence) Write(dir string, redact bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("verdict: %w", err)
	}
	shown := *e
	if redact {
		shown = e.redacted()
	}
	talk := capture.Conversation{Messages: capture.Decode(shown.Frames, e.Keys)}
	talk.Nodes = capture.Nodes(talk.Messages, e.Nodes)
	if redact {
		talk.Messages = capture.Redact(talk.Messages)
	}
	for name, write := range shown.files(talk, redact) {
		mode := fs.FileMode(0o644)
		if name == FileKeys {
			mode = 0o600
		}
		if err := writeFile(filepath.Join(dir, name), mode, write); err != nil {
			return err
		}
	}
	if redact {
		return removeSecrets(dir)
	}
	if err := e.writeConfig(filepath.Join(dir, FileDevice)); err != nil {
		return err
	}
	return capture.WriteProfile(filepath.Join(dir, FileProfile), e.Keys)
}

// writeConfig writes what devices were started with, a folder for each. There are pre-shared keys in it.
func (e *Evidence) writeConfig(dir string) error {
	for _, f := range e.Config {
		path := filepath.Join(dir, f.Node, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("verdict: %w", err)
		}
		err := writeFile(path, 0o600, func(w io.Writer) error { _, err := w.Write(f.Content); return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// removeSecrets removes what an earlier run without redaction left in the folder.
func removeSecrets(dir string) error {
	for _, name := range []string{FilePhase1, FileKeys, FileProfile, FileDevice} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("verdict: %w", err)
		}
	}
	return nil
}

// files are the files to be written and their writers.
func (e *Evidence) files(talk capture.Conversation, redact bool) map[string]func(io.Writer) error {
	files := map[string]func(io.Writer) error{
		FileCapture:  func(w io.Writer) error { return capture.Write(w, e.Frames) },
		FileMessages: func(w io.Writer) error { return capture.WriteJSON(w, talk) },
		FileSyslog:   func(w io.Writer) error { return writeLines(w, e.Syslog) },
		FileControl:  func(w io.Writer) error { return writeLines(w, e.Control) },
		FileSpec: func(w io.Writer) error {
			return writeIndented(w, specFile{Spec: e.Spec, Peer: e.Peer, Seed: e.Seed, Redacted: redact, Frames: len(e.Frames)})
		},
	}
	if !redact {
		files[FilePhase1] = func(w io.Writer) error { return capture.Write(w, capture.Phase1View(e.Frames)) }
		files[FileKeys] = func(w io.Writer) error { return writeKeys(w, e.Keys) }
	}
	return files
}

// redacted is a copy of the evidence whose texts hold no keys.
func (e *Evidence) redacted() Evidence {
	public := publicNames(e.Keys)
	out := *e
	out.Keys, out.Seed = nil, Withheld
	out.Spec = redactSpec(e.Spec, public)
	out.Syslog, out.Control = redactLines(e.Syslog, public), redactLines(e.Control, public)
	out.Frames = slices.Clone(e.Frames)
	for i := range out.Frames {
		out.Frames[i].Note = scrub(out.Frames[i].Note, public)
	}
	return out
}

func writeLines(w io.Writer, lines []string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

func writeKeys(w io.Writer, keys []keylog.Entry) error {
	return writeIndented(w, struct {
		Entries []keylog.Entry `json:"entries"`
	}{append([]keylog.Entry{}, keys...)})
}
