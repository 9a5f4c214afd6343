package peer

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds a text against a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, text, want)
	}
}

// The reference's own manifest writes the policy as the reference reads it, and starts this program as a daemon.
func TestReference(t *testing.T) {
	m := load(t, DefaultName)
	ks := keyServer(t)
	l, err := m.KS.Launch(Subject{Place: place(""), KS: ks, Mutants: []Mutant{{"a.guard", "off"}, {"another", "up"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := "/bin/gdoilab --config /tmp/x/config.yaml --control /tmp/x/control --keylog /tmp/x/keys.jsonl --log stderr " +
		"--mutant a.guard=off --mutant another=up"
	if got := strings.Join(l.Command, " "); got != want || !slices.Equal(l.Environment, []string{"GDOILAB_DAEMON=ks"}) || l.Directory != "/tmp/x" {
		t.Errorf("%s, %v in %s", got, l.Environment, l.Directory)
	}
	if l.ReadyFile != "/tmp/x/control" || l.Control != "/tmp/x/control" || l.KeyLog != "/tmp/x/keys.jsonl" || l.Stop.Signal != syscall.SIGTERM {
		t.Errorf("%+v", l)
	}
	if len(l.Files) != 2 || l.Files[0].Path != "/tmp/x/config.yaml" || l.Files[1].Path != "/tmp/x/signing.pem" || l.Files[0].Mode != 0o600 {
		t.Fatalf("%+v", l.Files)
	}
	read, err := policy.ParseKeyServer("config.yaml", l.Files[0].Content, func(string) ([]byte, error) { return l.Files[1].Content, nil })
	if err != nil || read.Groups[0].ID != ks.Groups[0].ID || string(read.SigningKey) != string(ks.SigningKey) {
		t.Errorf("%+v, %v", read, err)
	}
	l, err = m.GM.Launch(Subject{Place: place(""), GM: member()})
	if err != nil {
		t.Fatal(err)
	}
	if read, err := policy.ParseMember("config.yaml", l.Files[0].Content); err != nil || read.Group != 1234 {
		t.Errorf("%+v, %v", read, err)
	}
	if core, ok := m.KS.Core(); !ok || core.Name != "reference-ks" || core.KeyServer == nil {
		t.Errorf("%+v", core)
	}
}

// A device with another language gets its own text of the same policy.
func TestExampleCLI(t *testing.T) {
	m := load(t, "example-cli")
	l, err := m.KS.Launch(Subject{Place: place(""), KS: keyServer(t)})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "example-cli-ks.cfg", string(l.Files[0].Content))
	if l.Files[0].Mode != 0o640 || l.LogFile != "/tmp/x/messages" || l.Ready.Port != (Port{"udp", 848}) || l.Ready.Within != time.Minute ||
		l.Stop != (Stop{syscall.SIGINT, 30 * time.Second}) {
		t.Errorf("%+v", l)
	}
	l, err = m.GM.Launch(Subject{Place: place("127.0.0.1:514"), GM: member()})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "example-cli-gm.cfg", string(l.Files[0].Content))
}

// What the language of a device has no word for is the device's declaration, and no fault.
func TestTemplateSaysUnsupported(t *testing.T) {
	ks := keyServer(t)
	ks.Groups[0].SAs[0].Transform.Cipher = policy.Cipher3DES
	_, err := load(t, "example-cli").KS.Launch(Subject{Place: place(""), KS: ks})
	var declared *Unsupported
	if !errors.As(err, &declared) || !strings.HasPrefix(declared.Declaration, "no word for the transform ") {
		t.Errorf("%v", err)
	}
}

// process is a manifest of one role with a process, to be altered.
const processText = `name: x
features: []
roles:
  GM:
    process:
      command: [/bin/true, "{{ .Name }}"]
      files:
        - {path: a/b.txt, content: "{{ .Group }}"}
      ready: {file: "{{ .Dir }}/up"}
`

// What goes wrong while a text is made, names its place in the manifest.
func TestLaunchErrors(t *testing.T) {
	for _, c := range []struct{ old, by, want string }{
		{"{{ .Group }}", "{{ .SigningKey }}", "x.yaml:8:36: line 1 of the text that begins in line 8: at <.SigningKey>: can't evaluate field SigningKey"},
		{"{{ .Name }}", "{{ index .KeyServers 7 }}", "x.yaml:6:28: "},
		{"a/b.txt", "../b.txt", "x.yaml:8:18: /tmp/b.txt is outside of the device's own folder /tmp/x"},
		{"a/b.txt", "/etc/passwd", "x.yaml:8:18: /etc/passwd is outside of the device's own folder /tmp/x"},
		{`"{{ .Group }}"}`, "x}\n        - {path: './a/b.{{ print `txt` }}', content: y}", "x.yaml:9:18: /tmp/x/a/b.txt is among the files already"},
		{"{{ .Group }}", "{{ netmask .Address }}", "x.yaml:8:36: "},
	} {
		m := manifest(t, strings.Replace(processText, c.old, c.by, 1))
		if _, err := m.GM.Launch(Subject{Place: place(""), GM: member()}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", c.by, err, c.want)
		}
	}
	m := manifest(t, strings.Replace(processText, "/bin/true", "/no/such/program", 1))
	l, err := m.GM.Launch(Subject{Place: place(""), GM: member()})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Find(); err == nil || !strings.HasPrefix(err.Error(), "x.yaml:6:") {
		t.Errorf("%v", err)
	}
	if string(l.Files[0].Content) != "1234" || l.Files[0].Path != "/tmp/x/a/b.txt" || l.Command[1] != "gm1" {
		t.Errorf("%+v", l)
	}
	m = manifest(t, "name: x\nfeatures: []\nroles: {KS: {core: reference-ks}}\n")
	if _, err := m.KS.Launch(Subject{Place: place(""), KS: keyServer(t)}); !errors.Is(err, ErrNoProcess) {
		t.Errorf("%v", err)
	}
}

// Certificates and keys are written as PEM, each block for itself.
func TestTemplateWritesPEM(t *testing.T) {
	m := manifest(t, strings.Replace(processText, `"{{ .Group }}"`, `'{{ .Phase1.Certificates.Chain | pem "CERTIFICATE" }}{{ .Phase1.Certificates.Key | pem "PRIVATE KEY" }}'`, 1))
	gm := member()
	gm.Phase1.Certificates = policy.Certificates{Chain: [][]byte{{1}, {2}}, Key: []byte{3}}
	l, err := m.GM.Launch(Subject{Place: place(""), GM: gm})
	if err != nil {
		t.Fatal(err)
	}
	want := "-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAg==\n-----END CERTIFICATE-----\n" +
		"-----BEGIN PRIVATE KEY-----\nAw==\n-----END PRIVATE KEY-----\n"
	if got := string(l.Files[0].Content); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	m = manifest(t, strings.Replace(processText, "{{ .Group }}", "{{ .Group | pem `KEY` }}", 1))
	if _, err := m.GM.Launch(Subject{Place: place(""), GM: member()}); err == nil || !strings.Contains(err.Error(), "uint32 cannot be written as PEM") {
		t.Errorf("%v", err)
	}
}
