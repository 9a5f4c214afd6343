package peer

import (
	"fmt"
	"os"
	"strings"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// Given is a text that stands in a manifest, in a file or in the environment of this program, so that what one lab alone knows, or
// nobody may see, need not be in the manifest.
type Given struct {
	At          string
	Text        string
	Environment string // name of a variable; Text is what stands for it if it is not set
	File        string
}

// Set reports whether the manifest has the text, or says where it is.
func (g Given) Set() bool { return g != Given{} }

// Value is the text. An error says what has to be set, or which file cannot be read.
func (g Given) Value() (string, error) {
	switch {
	case g.File != "":
		data, err := os.ReadFile(g.File)
		if err != nil {
			return "", fmt.Errorf("%s: %w", g.At, err)
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	case g.Environment == "":
		return g.Text, nil
	}
	if value, ok := os.LookupEnv(g.Environment); ok {
		return value, nil
	}
	if g.Text == "" {
		return "", fmt.Errorf("%s: the environment has no variable %s", g.At, g.Environment)
	}
	return g.Text, nil
}

// given reads a text, or where it is.
func given(v yamldoc.Value) Given {
	g := Given{At: v.Place()}
	if v.IsText() {
		g.Text, _ = v.Text()
		return g
	}
	v.Fields(
		yamldoc.Optional("environment", &g.Environment, sentence),
		yamldoc.Optional("file", &g.File, sentence),
		yamldoc.Optional("default", &g.Text, words),
	)
	if v.Has("environment") == v.Has("file") {
		v.Problem("write a text, {environment: NAME} or {file: PATH}")
	}
	if v.Has("default") && !v.Has("environment") {
		v.Problem("a default is for a variable of the environment that is not set")
	}
	return g
}

// secret reads where a text is that must not be in a manifest.
func secret(v yamldoc.Value) Given {
	if v.IsText() || v.Has("default") {
		v.Problem("a secret does not stand in a manifest; write {environment: NAME} or {file: PATH}")
		return Given{}
	}
	return given(v)
}
