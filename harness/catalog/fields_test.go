package catalog_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/catalog"
)

func TestFieldsTouchRequirements(t *testing.T) {
	fields, err := catalog.LoadFields()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ kind, path, want string }{
		{"PULL2", "SA/SAK/KEK_KEY_LENGTH", "RFC6407-5.3.3-01"},
		{"PUSH", "SA/SAK/KEK_KEY_LENGTH", "RFC6407-5.3.3-01"},
		{"PULL2", "SA/SAK/KEK attribute(77)", "RFC6407-5.2.1-02"}, // its nearest ancestor's
		{"MM2", "SA/DOI", "RFC6407-2.1-02"},
		{"PULL2", "SA/DOI", "RFC6407-5.2-05"},
		{"PUSH-ACK", "SEQ", "RFC8263-3.3-01"},
		{"PUSH-ACK", "HDR/Version", "RFC8263-3.1-03"},
		{"PUSH-ACK", "HDR/Flags", "RFC8263-3.1-03"},
		{"PUSH", "HDR/Version", "RFC6407-4.2-02"},
		{"PUSH", "SEQ", "RFC6407-4.3-01"},
		{"ESP", "outer source", "RFC5374-3.1-02"},
	} {
		if got := fields.Touched(c.kind, c.path); !slices.Contains(got, c.want) {
			t.Errorf("%s %s touches %v, want %s among them", c.kind, c.path, got, c.want)
		}
	}
}

// Every field of every capture that comes with the project touches something.
func TestFieldsAreComplete(t *testing.T) {
	fields, err := catalog.LoadFields()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../pcaps/*/messages.json")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := capture.ReadJSON(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range c.Messages {
			if m.Header != nil {
				touchesAll(t, fields, m.Kind, "", m.Payloads)
			}
		}
	}
}

func touchesAll(t *testing.T, fields *catalog.Fields, kind, path string, fs []capture.Field) {
	t.Helper()
	for _, f := range fs {
		at := f.Name
		if path != "" {
			at = path + "/" + f.Name
		}
		if len(fields.Touched(kind, at)) == 0 {
			t.Errorf("%s %s touches no requirement", kind, at)
		}
		touchesAll(t, fields, kind, at, f.Children)
	}
}
