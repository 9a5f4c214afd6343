package wiretest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a":     "# a comment\n\n  01 02   # one, two\n@sub/b # three\n04\n",
		"sub/b": "03",
		"odd":   "0",
		"loop":  "@loop",
		"lost":  "@nowhere",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name)+".txt")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := load(dir, "a", 0); err != nil || !bytes.Equal(got, []byte{1, 2, 3, 4}) {
		t.Errorf("%x, %v", got, err)
	}
	for _, name := range []string{"odd", "loop", "lost", "nowhere"} {
		if b, err := load(dir, name, 0); err == nil {
			t.Errorf("%s gives %x", name, b)
		}
	}
}

func TestVectorsAreReadable(t *testing.T) {
	dir := root(t)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name, _ := filepath.Rel(dir, file)
		if b := Vector(t, name[:len(name)-len(".txt")]); len(b) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
}
