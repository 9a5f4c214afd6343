package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// vendors are words by which code would know whose router it talks to.
var vendors = regexp.MustCompile(`(?i)cisco|juniper|junos|\bios\b|ios-xe|iosxe|nx-?os|arista|huawei|nokia|fortinet|\bcrypto (gdoi|gkm|isakmp)\b|group-vpn`)

// What a router says and wants is of its manifest: the code that configures and asks routers knows none of them.
func TestNoVendorInCode(t *testing.T) {
	var files []string
	err := filepath.WalkDir(filepath.Join(root, "harness/router"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "routertest" {
			return filepath.SkipDir // it has the reference be one
		}
		if err == nil && !d.IsDir() && strings.HasSuffix(p, ".go") {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"peer/router.go", "peer/parse_router.go", "peer/given.go", "lab/router.go", "lab/netns_router_linux.go", "lab/netns_wiring_linux.go"} {
		files = append(files, filepath.Join(root, "harness", name))
	}
	if len(files) < 10 {
		t.Fatalf("only %d files were found", len(files))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			if word := vendors.FindString(line); word != "" {
				t.Errorf("%s:%d: %q is of one vendor; it belongs into a manifest", file, i+1, word)
			}
		}
	}
}
