package peer

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/fixtures"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// broken are manifests with one fault each: what the right one has, what stands there instead, and what is said of it. The
// schema refuses those too that an editor can know of.
var broken = []struct {
	old, by, want string
	schema        bool
}{
	{"name: x", "name: x y", `x.yaml:1:7: name: "x y" is no name; it must have 1 to 48 printable ASCII characters without spaces`, true},
	{"name: x", "nmae: x", "x.yaml:1:1: nmae: unknown field; did you mean name?", true},
	{"features: []", "features: [akc]", `x.yaml:2:12: features[0]: there is no feature "akc"; did you mean ack, ah, lkh?`, false},
	{"features: []", "features: ['phase1:ecp265']", `there is no feature "phase1:ecp265"; did you mean phase1:ecp256`, false},
	{"features: []", "features: ['epss:*']", `x.yaml:2:12: features[0]: no feature begins with "epss:"; docs/peers.md lists them`, false},
	{"features: []", "features: []\nlacks: [{feature: ack}]", `x.yaml:3:9: lacks[0]: the field "why" is missing`, true},
	{"features: []", "features: []\nlacks: [{feature: ipv5, why: x}]", `there is no feature "ipv5"; did you mean ipv6?`, false},
	{"GM:", "GN:", "x.yaml:4:3: roles.GN: unknown field; did you mean GM?", true},
	{"process:", "proces:", "unknown field; did you mean process?", true},
	{"/bin/true", "'{{ .Name'", `x.yaml:6:17: roles.GM.process.command[0]: line 1 of the text that begins in line 6: unclosed action`, false},
	{`[/bin/true, "{{ .Name }}"]`, "\n        - /bin/true\n        - |\n          one\n          {{ nmae .Name }}",
		`x.yaml:8:11: roles.GM.process.command[1]: line 2 of the text that begins in line 9: function "nmae" not defined`, false},
	{`[/bin/true, "{{ .Name }}"]`, "[]", "the list is empty; name at least one word", true},
	{"ready: {file: \"{{ .Dir }}/up\"}", "ready: {within: 3s}", "0 things are to tell that the device is up; name one of file, line, port", true},
	{"ready: {file: \"{{ .Dir }}/up\"}", "ready: {port: udp/848, line: x}", "2 things are to tell", true},
	{"ready: {file: \"{{ .Dir }}/up\"}", "ready: {port: 848/udp}", `"848/udp" is no port; write one such as udp/848 or tcp/22`, true},
	{"ready: {file: \"{{ .Dir }}/up\"}", "ready: {line: '('}", "no regular expression: missing closing )", false},
	{"ready: {file: \"{{ .Dir }}/up\"}", "ready: {line: x, within: 1h}", "1h is out of range; it must be from 1ms to 600s", false},
	{"ready: {file: \"{{ .Dir }}/up\"}", "ready: {line: x}\n      stop: {signal: BOO}", `"BOO" is unknown; known are TERM, INT, QUIT, HUP, KILL`, true},
	{"ready: {file: \"{{ .Dir }}/up\"}", "ready: {line: x}\n      environment: [A]", `"A" is no setting; write NAME=value`, true},
	{"path: a/b.txt,", "path: a/b.txt, mode: '0999',", `"0999" is no mode; write it in octal digits, such as "0600"`, true},
	{"path: a/b.txt,", "path: a/b.txt, mode: 0600,", `is not text for YAML; put it in quotes`, true},
	{"    process:", "    core: reference-mg\n    process:", `there is no core in this program called "reference-mg"; did you mean reference-gm`, false},
	{"    process:", "    core: reference-ks\n    process:", "the core reference-ks cannot play the role GM", false},
	{"    process:", "    syslog: {events: gdoilab}\n    process:", `the field "from" is missing; it says where a process writes its log`, true},
	{"    process:", "    syslog: {from: file, events: gdoilab}\n    process:", "a file is named if, and only if, from is file", true},
	{"    process:", "    syslog: {from: udp, file: x, events: gdoilab}\n    process:", "a file is named if, and only if, from is file", true},
	{"    process:", "    syslog: {from: udp, events: cisco}\n    process:", `"cisco" is unknown; write gdoilab, getvpn, driver, or a mapping`, true},
	{"    process:", "    syslog: {from: udp, events: {REGISTRED: x}}\n    process:", "unknown field; did you mean REGISTERED?", true},
	{"    process:", "    control: {}\n    process:", `the field "unix" is missing; it names the control socket of a process`, true},
	{"    process:", "    control: {unix: x, commands: [rekey]}\n    process:", `there is no command of a GM called "rekey"; known are status, register, clear`, false},
	{"    process:", "    keylog: {}\n    process:", `the field "file" is missing; it names the key log`, true},
	{"    process:", "    snmp: {address: x}\n    process:", `write a community, for SNMPv2c, or a user, for SNMPv3`, true},
	{"features: []", "features: []\nexpected_failures: [{spec: a/b, looks_like: x, why: y, owner: z}]", `the field "until" is missing`, true},
	{"features: []", "features: []\nexpected_failures: [{looks_like: x, why: y, owner: z, until: '2026-12-31'}]", "name either a spec or a requirement", true},
	{"features: []", "features: []\nexpected_failures: [{spec: a/b, looks_like: x, why: y, owner: z, until: soon}]", `until "soon" is no day; write one such as 2026-12-31`, true},
	{"features: []", "features: []\nexpected_failures: [{requirement: RFC6407-4.4-2, looks_like: x, why: y, owner: z, until: '2026-12-31'}]",
		"there is no requirement RFC6407-4.4-2; did you mean RFC6407-4.4-02", false},
	{"features: []", "features: []\nexpected_failures: [{spec: a/b, verdict: error, looks_like: x, why: y, owner: z, until: '2026-12-31'}]",
		`"error" is unknown; known are fail, inconclusive`, true},
	{"features: []", "features: []\nexpected_failures: [{spec: a/b, looks_like: x, why: y, owner: z, until: '2026-12-31'}, {spec: a/b, looks_like: y, why: y, owner: z, until: '2026-12-31'}]",
		"a failure of a/b is expected already (x.yaml:3:", false},
	{"features: []", "features: []\nexpected_failures: [{spec: a/b, as: both, looks_like: x, why: y, owner: z, until: '2026-12-31'}]", `"both" is unknown; known are KS, GM`, true},
	{processText, "name: x\nfeatures: []\nroles: {}\n", "x.yaml:3:8: roles: no role is described; known are KS, GM", true},
	{processText, "name: x\nfeatures: []\nroles:\n  KS:\n    control: {}\n", "nothing says how the device starts; name a core, or describe a process, a container, a driver or a router", true},
	{processText, "", "x.yaml: is empty", false},
}

func TestBroken(t *testing.T) {
	for _, c := range broken {
		text := strings.Replace(processText, c.old, c.by, 1)
		if text == processText {
			t.Fatalf("%q does not stand there", c.old)
		}
		_, err := Parse("x.yaml", []byte(text))
		var problems yamldoc.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n%v\nwant %s", c.by, err, c.want)
		}
		if c.schema && valid(t, []byte(text)) == nil {
			t.Errorf("the schema lets pass: %s", c.by)
		}
	}
}

// valid holds a manifest against the schema.
func valid(t *testing.T, text []byte) error {
	t.Helper()
	s, err := schema.Compile(schema.Peer)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// Every manifest that is built in can be read, is what the schema says, and has its own name.
func TestBuiltin(t *testing.T) {
	if len(Builtin()) < 2 {
		t.Fatalf("%v", Builtin())
	}
	for _, name := range Builtin() {
		m := load(t, name)
		text, err := fixtures.FS.ReadFile("peers/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(t, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if m.Name != name || m.File != "fixtures/peers/"+name+".yaml" || len(m.Digest) != 64 || m.Vendor == "" {
			t.Errorf("%+v", m)
		}
	}
	if err := valid(t, []byte(processText)); err != nil {
		t.Error(err)
	}
}

func TestLoad(t *testing.T) {
	if _, err := Load("nobody"); err == nil || err.Error() !=
		"peer: there is no manifest nobody; name a file, or one that is built in: "+strings.Join(Builtin(), ", ") {
		t.Errorf("%v", err)
	}
	file := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(file, []byte(processText), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Load(file)
	if err != nil || m.Name != "x" || m.File != file || m.KS != nil || m.GM == nil {
		t.Errorf("%+v, %v", m, err)
	}
	if err := os.WriteFile(file, []byte("name: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.HasPrefix(err.Error(), file+":1:") {
		t.Errorf("%v", err)
	}
	if m, err := Default(); err != nil || m.Name != DefaultName {
		t.Errorf("%v, %v", m, err)
	}
}

// What the schema says of events and commands is what the loader knows.
func TestSchemaKnowsTheEvents(t *testing.T) {
	text, err := schema.FS.ReadFile(schema.Peer)
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for _, e := range EventNames {
		if !strings.Contains(string(text), `"`+e.Name+`"`) {
			t.Errorf("the schema does not know the event %s", e.Name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(processText)
	f.Add(drivenText)
	f.Add(containerText)
	for _, c := range broken {
		f.Add(strings.Replace(processText, c.old, c.by, 1))
	}
	for _, name := range Builtin() {
		if text, err := fixtures.FS.ReadFile("peers/" + name + ".yaml"); err == nil {
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse("x.yaml", []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.yaml") {
				t.Errorf("an error that names no file: %v", err)
			}
			return
		}
		if len(m.Roles()) == 0 || m.Name == "" {
			t.Errorf("%+v", m)
		}
	})
}
