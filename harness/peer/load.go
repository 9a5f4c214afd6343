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
	builtinFolder = "peers"
	extension     = ".yaml"
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
		return parseIn(filepath.Dir(name), name, text)
	}
	file := path.Join(builtinFolder, name+extension)
	text, err := fixtures.FS.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	return Parse(path.Join("fixtures", file), text)
}

// parseIn is Parse of a file in a folder.
func parseIn(folder, name string, text []byte) (*Manifest, error) {
	here, err := filepath.Abs(folder)
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
func Builtin() []string {
	files, _ := fs.Glob(fixtures.FS, path.Join(builtinFolder, "*"+extension))
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
