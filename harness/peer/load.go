package peer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gdoilab/gdoilab/fixtures"
)

// DefaultName is the manifest that is taken when none is named.
const DefaultName = "reference"

const (
	fixturesFolder = "fixtures"
	builtinFolder  = "peers"
	extension      = ".yaml"
)

// Load reads the manifest of that name: a file, or one of Builtin. What is wrong with the content comes back as a
// yamldoc.Problems with a line for each fault.
func Load(name string) (*Manifest, error) {
	if !slices.Contains(Builtin(), name) {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("peer: there is no manifest %s; name a file, or one that is built in: %s", name, strings.Join(Builtin(), ", "))
		}
		if err != nil {
			return nil, fmt.Errorf("peer: %w", err)
		}
		return whole(name, text, parseIn, os.ReadFile)
	}
	file := path.Join(builtinFolder, name+extension)
	text, err := fixtures.FS.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	return whole(path.Join(fixturesFolder, file), text, Parse, readBuiltin)
}

// whole parses a manifest and what it says stands in a file beside it.
func whole(name string, text []byte, parse func(string, []byte) (*Manifest, error), read func(string) ([]byte, error)) (*Manifest, error) {
	m, err := parse(name, text)
	if err != nil || m.ExpectedFile == "" {
		return m, err
	}
	beside := m.ExpectedFile
	if !filepath.IsAbs(beside) {
		beside = filepath.Join(filepath.Dir(name), beside)
	}
	known, err := read(beside)
	if err != nil {
		return nil, fmt.Errorf("%s: expected_failures_file: %w", name, err)
	}
	m.Expected, err = readExpected(beside, known)
	return m, err
}

// readBuiltin reads a file of fixtures by the name that errors show.
func readBuiltin(name string) ([]byte, error) {
	return fixtures.FS.ReadFile(strings.TrimPrefix(filepath.ToSlash(name), fixturesFolder+"/"))
}

// parseIn is Parse of a file whose folder is there.
func parseIn(name string, text []byte) (*Manifest, error) {
	here, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	m, err := Parse(name, text)
	if err != nil {
		return nil, err
	}
	for _, r := range m.Roles() {
		r.Here = here
	}
	return m, nil
}

// Builtin lists the manifests that are built into this program.
func Builtin() []string { return described(builtinFolder) }

// described lists what a folder of fixtures describes.
func described(folder string) []string {
	files, _ := fs.Glob(fixtures.FS, path.Join(folder, "*"+extension))
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(path.Base(f), extension)
	}
	return names
}

// Default returns the manifest of DefaultName.
var Default = sync.OnceValues(func() (*Manifest, error) { return Load(DefaultName) })

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
