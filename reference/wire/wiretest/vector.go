package wiretest

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Vector returns the octets of fixtures/vectors/NAME.txt. Each line has octets in hexadecimal, with spaces wherever
// they read better, and after a # what they are; @other stands for the octets of another vector.
func Vector(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := load(root(tb), name, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Hex returns the octets of a string in hexadecimal, which may have spaces.
func Hex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := parseHex(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// maxDepth is how deep vectors can stand in one another; more means that one contains itself.
const maxDepth = 8

func load(dir, name string, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("vector %s contains itself", name)
	}
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)+".txt"))
	if err != nil {
		return nil, err
	}
	var b []byte
	for i, line := range strings.Split(string(text), "\n") {
		part, err := parseLine(dir, line, depth)
		if err != nil {
			return nil, fmt.Errorf("vector %s, line %d: %w", name, i+1, err)
		}
		b = append(b, part...)
	}
	return b, nil
}

func parseLine(dir, line string, depth int) ([]byte, error) {
	octets, _, _ := strings.Cut(line, "#")
	octets = strings.TrimSpace(octets)
	if other, ok := strings.CutPrefix(octets, "@"); ok {
		return load(dir, other, depth+1)
	}
	return parseHex(octets)
}

func parseHex(s string) ([]byte, error) { return hex.DecodeString(strings.Join(strings.Fields(s), "")) }

// root finds fixtures/vectors above the directory that the test runs in.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		vectors := filepath.Join(dir, "fixtures", "vectors")
		if _, err := os.Stat(vectors); err == nil {
			return vectors
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("there is no fixtures/vectors above the test's directory")
		}
		dir = parent
	}
}
