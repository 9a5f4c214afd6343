package main

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// What is known to fail with a foreign peer names specs that there are.
func TestKnownFailuresOfForeignPeers(t *testing.T) {
	specs, err := kit.List("")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for folder, load := range map[string]func(string) (*peer.Foreign, error){"peers/ike": peer.LoadForeign, "peers/esp": peer.LoadESP} {
		files, err := fs.Glob(fixtures.FS, folder+"/*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			f, err := load(strings.TrimSuffix(path.Base(file), ".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range f.Expected {
				seen++
				if e.Spec != "" && !slices.ContainsFunc(specs, func(s verdict.Spec) bool { return s.ID == e.Spec }) {
					t.Errorf("%s: there is no spec %q", e.At, e.Spec)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("nothing is known to fail")
	}
}
