package pcapdiff_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/harness/pcapdiff"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// FuzzCompare compares captures with damaged copies of themselves: whatever is in them, the comparison ends, an undamaged copy
// is the same, and swapping the sides finds as much.
func FuzzCompare(f *testing.F) {
	fields, err := catalog.LoadFields()
	if err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob("../../pcaps/*/capture.pcapng")
	if err != nil || len(files) == 0 {
		f.Fatal(err, files)
	}
	keys := make(map[string][]keylog.Entry)
	captures := make(map[string][]byte)
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "keys.json"))
		if err != nil {
			f.Fatal(err)
		}
		if keys[file], err = keylog.Read(text); err != nil {
			f.Fatal(err)
		}
		if captures[file], err = os.ReadFile(file); err != nil {
			f.Fatal(err)
		}
	}
	for i := range files {
		f.Add(uint8(i), uint32(700+300*i), byte(1))
		f.Add(uint8(i), uint32(0), byte(0))
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint32, change byte) {
		file := files[int(which)%len(files)]
		damaged := bytes.Clone(captures[file])
		damaged[int(at)%len(damaged)] ^= change
		good, err := capture.Read(bytes.NewReader(captures[file]))
		if err != nil {
			t.Fatal(err)
		}
		frames, _ := capture.Read(bytes.NewReader(damaged))
		a, b := capture.Decode(good, keys[file]), capture.Decode(frames, keys[file])
		forth, back := pcapdiff.Compare(a, b, fields.Touched), pcapdiff.Compare(b, a, fields.Touched)
		if change == 0 && !forth.Same() {
			t.Errorf("a capture differs from itself: %+v", forth.Differences)
		}
		if forth.Same() != back.Same() {
			t.Errorf("%d differences one way, %d the other", len(forth.Differences), len(back.Differences))
		}
	})
}
