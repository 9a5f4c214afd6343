package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gdoilab/gdoilab/docs/schema"
)

// asCommand makes the test binary the command itself, so that what is tested is a process of its own.
const asCommand = "GDOILAB_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// said is what the command printed, and its exit code.
type said struct {
	out, err string
	code     int
}

// call runs the command in this process. Specs run once in a process, so it is for everything but "run".
func call(args ...string) said {
	var out, errOut bytes.Buffer
	code := execute(args, &out, &errOut)
	return said{out.String(), errOut.String(), code}
}

// command is the command as a process, in that folder.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), asCommand+"=1")
	cmd.WaitDelay = time.Minute
	return cmd
}

// start runs the command as a process until it ends.
func start(t *testing.T, dir string, args ...string) said {
	t.Helper()
	cmd := command(t.Context(), dir, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return said{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// validate holds a JSON text against its schema.
func validate(t *testing.T, name, text string) {
	t.Helper()
	s, err := schema.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v: %.200s", name, err, text)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// decode reads a JSON text.
func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
	return v
}

// read reads a file below a folder.
func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// empty reports whether a folder has nothing in it.
func empty(t *testing.T, dir string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) == 0
}
