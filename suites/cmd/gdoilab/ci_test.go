package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The examples for machines that run shards are right in form, and what they call is what there is.

const ciFolder = "../../../ci"

// documents reads a file of YAML.
func documents(t *testing.T, name string) (docs []any) {
	t.Helper()
	for _, text := range strings.Split(read(t, ciFolder, name), "\n---\n") {
		asJSON, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		docs = append(docs, doc)
	}
	return docs
}

func TestKubernetesJob(t *testing.T) {
	c := jsonschema.NewCompiler()
	s, err := c.Compile("testdata/kubernetes-job.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	docs := documents(t, "kubernetes.yaml")
	if len(docs) != 2 {
		t.Fatalf("%d documents", len(docs))
	}
	for _, doc := range docs {
		if err := s.Validate(doc); err != nil {
			t.Error(err)
		}
	}
	spec := docs[0].(map[string]any)["spec"].(map[string]any)
	if n := fmt.Sprint(spec["completions"]); spec["completionMode"] != "Indexed" || !strings.Contains(read(t, ciFolder, "kubernetes.yaml"), "+ 1))/"+n) {
		t.Errorf("the Job has %s completions, of mode %v", n, spec["completionMode"])
	}
	spec["completionmode"] = "Indexed"
	if s.Validate(docs[0]) == nil {
		t.Error("the schema lets a field pass that nobody knows")
	}
}

// fill puts in what the machines put in: the second shard of four.
var fill = strings.NewReplacer("${{ matrix.shard }}", "2", "$CI_NODE_INDEX", "2", "$CI_NODE_TOTAL", "4", "$((JOB_COMPLETION_INDEX + 1))", "2", `"`, "")

var calls = regexp.MustCompile(`(?m)\b(?:bin/)?gdoilab ((?:run|merge) .*)$`)

// Every call of the program in the examples is one that it takes, and the shards of an example are as many as it says.
func TestShardsOfExamples(t *testing.T) {
	for name, of := range map[string]string{"kubernetes.yaml": "8", "github-shards.yml": "4", "gitlab-shards.yml": "4"} {
		documents(t, name)
		found := calls.FindAllStringSubmatch(read(t, ciFolder, name), -1)
		if len(found) != 2 {
			t.Fatalf("%s: %q", name, found)
		}
		for _, call := range found {
			words := strings.Fields(fill.Replace(call[1]))
			c, rest, err := root().Find(words)
			if err == nil {
				err = c.ParseFlags(rest)
			}
			if err != nil || c.Flag("out").Value.String() == "" {
				t.Errorf("%s: %q: %v", name, words, err)
			}
			if words[0] == "run" && c.Flag("shard").Value.String() != "2/"+of {
				t.Errorf("%s: %q", name, words)
			}
		}
	}
	if shards := documents(t, "github-shards.yml")[0].(map[string]any)["jobs"].(map[string]any)["shard"].(map[string]any)["strategy"].(map[string]any)["matrix"].(map[string]any)["shard"].([]any); len(shards) != 4 {
		t.Errorf("%v", shards)
	}
}

// Every script of the folder is one that the shell can read and that can be started.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(ciFolder, "*.sh"))
	if err != nil || !slices.Contains(scripts, filepath.Join(ciFolder, "isolation.sh")) {
		t.Fatalf("%v, %v", scripts, err)
	}
	for _, script := range scripts {
		if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", script, err, out)
		}
		if info, err := os.Stat(script); err != nil || info.Mode()&0o111 == 0 {
			t.Errorf("%s cannot be started: %v", script, err)
		}
	}
}
