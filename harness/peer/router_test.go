package peer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// routerText is a manifest of a router that knows little.
const routerText = `name: r
features: ["*"]
roles:
  KS:
    router:
      ssh: {address: "192.0.2.1:22", user: lab, password: {environment: R_PASSWORD}, host_key: "ssh-ed25519 AAAA"}
      ports: {wan: {interface: eth1, vlan: 7}}
      interfaces: {wan: ge0}
      prompt: '^r>$'
      answers: [{to: 'sure', with: "yes"}, {to: 'word', secret: {environment: R_PASSWORD}}]
      refused: ['^no']
      begin: [hello]
      configuration: {enter: [configure], lines: "name {{ .Name }}\n\n group {{ range .Groups }}{{ .ID }}{{ end }}\n", leave: [end], undo: [back]}
      ready: {command: "show {{ .Name }}", line: up}
      commands: {rekey: ["rekey{{ if .KEK }} all{{ end }} {{ .GroupName }}"]}
      status: [{command: show, rules: [{line: 'group (?P<group>\d+)', begins: group}]}]
    syslog: {from: udp, listen: "192.0.2.9:514", events: {STARTED: up}}
`

func keyServerSubject() Subject {
	return Subject{KS: &policy.KeyServer{Name: "ks", Groups: []policy.Group{{Name: "one", ID: 1}, {Name: "two", ID: 2}}}}
}

// A router's manifest is rendered for a device, and what it says nothing of is unsupported.
func TestVisit(t *testing.T) {
	t.Setenv("R_PASSWORD", "sesame")
	r := manifest(t, routerText).KS
	v, err := r.Visit(keyServerSubject())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(v.Lines, "|"); got != "name ks| group 12" || v.Ready != "show ks" || len(v.Views) != 1 || v.Manner.Answers[1].With != "sesame" || !v.Manner.Answers[1].Secret || v.Manner.Answers[0].Secret {
		t.Errorf("%q %+v", got, v)
	}
	login, err := r.Router().Reach()
	if err != nil || login.Password != "sesame" || login.Address != "192.0.2.1:22" || login.Key != nil {
		t.Errorf("%+v, %v", login, err)
	}
	for _, c := range []struct {
		args any
		want string
		why  string
	}{
		{control.RekeyArgs{Group: 2}, "rekey two", ""}, {control.RekeyArgs{Group: 1, KEK: true}, "rekey all one", ""},
		{control.RekeyArgs{DeleteAll: true}, "", "r as KS declares no line for rekey that mentions DeleteAll"}, {nil, "rekey ", ""}, {control.GroupArgs{Group: 1}, "rekey one", ""},
	} {
		lines, err := v.Tell(control.Rekey, c.args)
		var declared *Unsupported
		if c.why != "" && (!errors.As(err, &declared) || !strings.Contains(declared.Declaration, c.why)) || c.why == "" && (err != nil || strings.Join(lines, "|") != c.want) {
			t.Errorf("%+v: %q, %v", c.args, lines, err)
		}
	}
	if r.Lacks(ControlRekey) != "" || r.Lacks(ControlConsole) != "" || r.Lacks(ReadState) != "" || r.Lacks(ControlStatus) == "" || r.Lacks(ControlClear) == "" || r.Lacks(Mutants) == "" || r.Lacks(ReadKeys) == "" {
		t.Error("what it can do")
	}
	other := keyServerSubject()
	other.KS.Phase1.DPD = 5
	if why := r.Ignores(other, keyServerSubject()); !strings.Contains(why, "no template that mentions KeyServer.Phase1.DPD") {
		t.Errorf("%q", why)
	}
	altered := keyServerSubject()
	altered.Mutants = []Mutant{{"x", "off"}}
	if _, err := r.Visit(altered); err == nil {
		t.Error("a router is altered")
	}
	if _, err := r.Launch(keyServerSubject()); !errors.Is(err, ErrNoProcess) {
		t.Error(err)
	}
	if _, err := manifest(t, processText).GM.Visit(Subject{GM: &policy.Member{}}); !errors.Is(err, ErrNoRouter) {
		t.Error(err)
	}
}

// What is not there yet is an error with its place.
func TestGiven(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("R_THERE", "from the environment")
	for _, c := range []struct {
		given      Given
		want, fail string
	}{
		{Given{Text: "as it is"}, "as it is", ""}, {Given{Environment: "R_THERE", Text: "default"}, "from the environment", ""}, {Given{Environment: "R_NOT", Text: "default"}, "default", ""},
		{Given{At: "m:1:2", Environment: "R_NOT"}, "", "m:1:2: the environment has no variable R_NOT"}, {Given{File: file}, "from a file", ""}, {Given{At: "m:1:2", File: file + "x"}, "", "m:1:2: open "}, {Given{}, "", ""},
	} {
		if got, err := c.given.Value(); got != c.want || (err == nil) != (c.fail == "") || err != nil && !strings.HasPrefix(err.Error(), c.fail) {
			t.Errorf("%+v: %q, %v", c.given, got, err)
		}
	}
}

func TestBrokenRouters(t *testing.T) {
	for _, c := range []struct{ old, by, want string }{
		{`password: {environment: R_PASSWORD}`, `password: sesame`, "a secret does not stand in a manifest"},
		{`password: {environment: R_PASSWORD}`, `password: {environment: A, default: b}`, "a secret does not stand in a manifest"},
		{`password: {environment: R_PASSWORD}, `, ``, "nothing proves who logs in"},
		{`interface: eth1`, `interface: {file: a, environment: b}`, "write a text, {environment: NAME} or {file: PATH}"},
		{`interface: eth1`, `interface: {file: a, default: b}`, "a default is for a variable"},
		{`vlan: 7`, `vlan: 5000`, "4094"}, {`with: "yes"`, `with: "yes", secret: {environment: A}`, "write what to answer with"}, {`'^r>$'`, `'('`, "no regular expression"},
		{`, undo: [back]`, ``, "undo"}, {`commands: {rekey`, `commands: {register`, "register: unknown field"}, {`(?P<group>`, `(?P<groop>`, `there is no field "groop"`},
		{`begins: group`, `begins: herd`, `"herd" is unknown`}, {`, listen: "192.0.2.9:514"`, ``, "listen is an address"}, {`from: udp`, `from: stderr`, "a router sends its log"},
		{"    syslog:", "    control: {unix: x}\n    syslog:", "a router has no control"}, {"    syslog:", "    console: {ssh: {address: a, user: b, password: {file: x}, host_key: c}, prompt: x}\n    syslog:", "only a process has a console of its own"},
		{"    syslog:", "    keylog: {file: x}\n    syslog:", "a router has no keylog"},
		{"      status: [{command: show, rules: [{line: 'group (?P<group>\\d+)', begins: group}]}]\n", "", "rekey needs status, which says what it was"},
		{`begins: group}`, `begins: group, means: {group: [nothing]}}`, `"nothing" says not what it means`},
	} {
		if !strings.Contains(routerText, c.old) {
			t.Fatalf("%q does not stand there", c.old)
		}
		if _, err := Parse("r.yaml", []byte(strings.Replace(routerText, c.old, c.by, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.by, err, c.want)
		}
	}
}
