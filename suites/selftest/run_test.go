package selftest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

// blind is a worker that notices nothing, and leaves evidence where it is told to.
const blind = `#!/bin/sh
while [ $# -gt 0 ]; do
	if [ "$1" = --out ]; then mkdir -p "$2" && echo '{}' >"$2/report.json"; exit 0; fi
	shift
done
echo '{"spec":{"id":"a/b","verdict":"pass"}}'
echo '{"done":true}'
`

// sees is a worker whose first spec fails.
const sees = `#!/bin/sh
echo '{"spec":{"id":"a/b","verdict":"fail"}}'
echo '{"done":true}'
`

func worker(t *testing.T, script string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "worker")
	if err := os.WriteFile(name, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// A mutant that no spec notices survives, and only of such is there evidence.
func TestSurvivors(t *testing.T) {
	for script, want := range map[string]verdict.Fate{blind: verdict.Survived, sees: verdict.Killed} {
		dir := t.TempDir()
		s, err := Run(t.Context(), Options{Program: worker(t, script), Workers: 2, Guards: []string{"keyserver.half-open.total"}, Evidence: dir})
		if err != nil || s.Mutants != 3 || s.OK() != (want == verdict.Killed) {
			t.Fatalf("%+v, %v", s, err)
		}
		for _, r := range s.Results {
			if r.Fate != want || r.Reason != "" {
				t.Errorf("%s: %s %s", r.Name(), r.Fate, r.Reason)
			}
			if left := r.Evidence == filepath.Join(dir, r.Name()); left != (want == verdict.Survived) {
				t.Errorf("%s: evidence %q", r.Name(), r.Evidence)
			}
		}
	}
}

// A worker that breaks off is an error, never a mutant that was killed or survived.
func TestBrokenWorker(t *testing.T) {
	s, err := Run(t.Context(), Options{Program: worker(t, "#!/bin/sh\necho broken >&2\nexit 3\n"), Guards: []string{"keyserver.half-open.total"}})
	if err != nil || s.Errors != 3 || s.OK() || !strings.Contains(s.Results[0].Reason, "broken") {
		t.Errorf("%+v, %v", s, err)
	}
}
