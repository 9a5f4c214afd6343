package peer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// other is the reference under another name, with texts replaced.
func other(t *testing.T, oldNew ...string) *Manifest {
	t.Helper()
	text, err := fixtures.FS.ReadFile("peers/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse("other.yaml", []byte(strings.NewReplacer(append(oldNew, "name: reference", "name: other")...).Replace(string(text))))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPair(t *testing.T) {
	ks, gm := other(t, `features: ["*"]`, "features: ['*']\nlacks: [{feature: multicast, why: a reason}]"), load(t, DefaultName)
	m, err := Pair(ks, gm)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "other with reference" || m.KS.Device != "other" || m.GM.Device != "reference" || m.Part(rule.KS) != ks || m.Part(rule.GM) != gm ||
		len(m.Parts()) != 2 || len(m.Digest) != 64 {
		t.Errorf("%+v", m)
	}
	if why := m.LacksFeature("multicast"); !strings.HasPrefix(why, "other lacks the feature multicast: a reason (other.yaml:") || m.LacksFeature("unicast") != "" {
		t.Errorf("%q", why)
	}
	if same, err := Pair(gm, gm); same != gm || err != nil || gm.Part(rule.KS) != gm || gm.Parts() != nil {
		t.Errorf("beside itself: %v, %v", same, err)
	}
	var declared *Unsupported
	if _, err := Pair(manifest(t, processText), gm); !errors.As(err, &declared) || declared.Declaration != "x does not play the role KS (x.yaml)" {
		t.Errorf("a key server that is none: %v", err)
	}
}

// Two devices use what one of them is used to and the other can.
func TestPairAgrees(t *testing.T) {
	usual := load(t, DefaultName)
	slow := []string{"phase1: aes128-cbc sha256 ecp256\nsignature: ecdsa-256", "phase1: 3des sha1 modp1024"}
	for _, c := range []struct {
		name      string
		ks, gm    *Manifest
		phase1    string
		signature policy.SigAlgorithm
	}{
		{"the key server's", other(t, slow...), usual, "3des sha1 modp1024", policy.SigRSA},
		{"the members', which the key server can", other(t, slow...),
			other(t, "features: [\"*\"]", "features: ['*']\nlacks: [{feature: 'phase1:3des', why: x}, {feature: 'sig:rsa', why: x}]"), "aes128-cbc sha256 ecp256", policy.SigECDSA256},
	} {
		m, err := Pair(c.ks, c.gm)
		if err != nil {
			t.Fatal(err)
		}
		if m.Usual.Phase1.String() != c.phase1 || m.Usual.Signature != c.signature || m.KS.Usual != m.Usual || m.GM.Usual != m.Usual {
			t.Errorf("%s: %+v", c.name, m.Usual)
		}
	}
}

// expectations are three of one device: everywhere, beside the reference, and as a key server beside it.
const expectations = `expected_failures:
  - {spec: a/b, looks_like: x, why: y, owner: z, until: "2030-12-31"}
  - {spec: a/c, with: reference, looks_like: x, why: y, owner: z, until: "2030-12-31"}
  - {spec: a/d, with: reference, as: KS, looks_like: x, why: y, owner: z, until: "2030-12-31"}
`

func known(m *Manifest) (specs string) {
	for _, e := range m.Known() {
		specs += e.Spec + " "
	}
	return specs
}

func TestKnownBeside(t *testing.T) {
	m, reference := other(t, "vendor: gdoilab\n", "vendor: gdoilab\n"+expectations), load(t, DefaultName)
	asKS, err := Pair(m, reference)
	if err != nil {
		t.Fatal(err)
	}
	asGM, err := Pair(reference, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		m    *Manifest
		want string
	}{{m, "a/b "}, {asKS, "a/b a/c a/d "}, {asGM, "a/b a/c "}} {
		if got := known(c.m); got != c.want {
			t.Errorf("%s: %q, want %q", c.m.Name, got, c.want)
		}
	}
}

// What is expected may stand in a file of its own, beside the manifest.
func TestExpectedFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	named := processText + "expected_failures_file: known.yaml\n"
	if err := valid(t, []byte(named)); err != nil {
		t.Error(err)
	}
	file := write("x.yaml", named)
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "x.yaml: expected_failures_file: open ") {
		t.Errorf("a file that is not there: %v", err)
	}
	at := write("known.yaml", expectations)
	m, err := Load(file)
	if err != nil || len(m.Expected) != 3 || m.Expected[0].At != at+":2:5" {
		t.Errorf("%v, %v", m, err)
	}
	write("known.yaml", "expected_failures: [{spec: a/b}]\n")
	if _, err := Load(file); err == nil || !strings.HasPrefix(err.Error(), at+":1:") {
		t.Errorf("a file with a fault: %v", err)
	}
	if _, err := Parse("x.yaml", []byte(named+expectations)); err == nil || !strings.Contains(err.Error(), "not in both") {
		t.Errorf("in both: %v", err)
	}
}

func TestAbsent(t *testing.T) {
	m := manifest(t, strings.Replace(processText, "/bin/true", "/no/such/program", 1))
	l, err := m.GM.Launch(Subject{Place: place(""), GM: member()})
	var absent *Absent
	if err != nil || !errors.As(l.Find(), &absent) || !errors.Is(absent, os.ErrNotExist) || !strings.Contains(absent.Error(), "/no/such/program") {
		t.Errorf("%v, %v", err, absent)
	}
}
