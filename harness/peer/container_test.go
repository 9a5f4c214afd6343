package peer

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

const containerText = `name: x
features: []
roles:
  GM:
    container:
      image: "vendor/groupd:{{ .Group }}"
      files: [{path: /etc/groupd.conf, content: "{{ .Document }}"}]
      capabilities: [NET_ADMIN]
      devices: [/dev/net/tun]
      writable: [/proc/sys]
      ready: {port: udp/848}
      collect: ["/var/{{ .WAN }}.log"]
`

func TestContainer(t *testing.T) {
	m, err := Parse("x.yaml", []byte(containerText))
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, []byte(containerText)); err != nil {
		t.Error(err)
	}
	if m.GM.Container() == nil || m.GM.Process() != &m.GM.Container().Process {
		t.Fatalf("%+v", m.GM.Starts)
	}
	l, err := m.GM.Launch(Subject{Place: Place{Dir: "/gdoilab", WAN: "wan0"}, GM: member()})
	if err != nil {
		t.Fatal(err)
	}
	v := l.Vessel
	if v == nil || v.Image != "vendor/groupd:1234" || !slices.Equal(v.Collect, []string{"/var/wan0.log"}) || !slices.Equal(v.Capabilities, []string{"NET_ADMIN"}) ||
		!slices.Equal(v.Devices, []string{"/dev/net/tun"}) || !slices.Equal(v.Writable, []string{"/proc/sys"}) {
		t.Errorf("%+v", v)
	}
	if l.Files[0].Path != "/etc/groupd.conf" || len(l.Command) != 0 || l.Directory != "" || l.Find() != nil || v.Origin() != "vendor/groupd:1234" {
		t.Errorf("%+v: %v", l, l.Find())
	}
}

// The reference in containers is the reference: only its form of start differs.
func TestReferenceContainer(t *testing.T) {
	m, reference := load(t, "reference-container"), load(t, DefaultName)
	for i, r := range m.Roles() {
		c, p := r.Container(), reference.Roles()[i].Process()
		if len(c.Build) != 1 || len(c.Command) != len(p.Command) || len(c.Files) != len(p.Files) || len(c.MutantArgs) != len(p.MutantArgs) {
			t.Errorf("%+v", c)
		}
	}
	l, err := m.KS.Launch(Subject{Place: place(""), KS: keyServer(t), Mutants: []Mutant{{"a.guard", "off"}}})
	if err != nil {
		t.Fatal(err)
	}
	if b := l.Vessel.Build[0]; b.Path != "/gdoi-ks" || b.From != place("").Program || b.Mode != 0o755 || l.Directory != place("").Dir || l.Vessel.Origin() != "made of "+b.From {
		t.Errorf("%+v in %s", b, l.Directory)
	}
	if got := strings.Join(l.Command, " "); !strings.HasPrefix(got, "/gdoi-ks --config ") || !strings.HasSuffix(got, " --mutant a.guard=off") {
		t.Error(got)
	}
}

func TestBrokenContainers(t *testing.T) {
	const image = `image: "vendor/groupd:{{ .Group }}"`
	for _, c := range []struct{ old, by, want string }{
		{image, "command: [x]", "0 things say where the image comes from; name one of image, build, context"},
		{image, "image: x\n      context: y", "2 things say where the image comes from"},
		{image, "build: [{path: /x, from: y}]", `the field "command" is missing; an image that is built of files has none of its own`},
		{image, "image: x\n      mutant_args: [y]", `the field "command" is missing`},
		{image, "build: []\n      command: [x]", "file"},
		{"NET_ADMIN", "net_admin", `"net_admin" is no capability; write one such as NET_ADMIN`},
		{"/dev/net/tun", "tun", `"tun" is no device; write one such as /dev/net/tun`},
		{"/proc/sys", "/proc/syst", `there is no path that is read-only in containers called "/proc/syst"; did you mean /proc/sys?`},
		{"    container:", "    process: {command: [x], ready: {line: x}}\n    container:", "a device is a process or a container; for both there are two manifests"},
	} {
		text := strings.Replace(containerText, c.old, c.by, 1)
		_, err := Parse("x.yaml", []byte(text))
		if !errors.As(err, new(yamldoc.Problems)) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n%v\nwant %s", c.by, err, c.want)
		}
		if valid(t, []byte(text)) == nil {
			t.Errorf("the schema lets pass: %s", c.by)
		}
	}
}

// What an image is to be made of has to be there.
func TestFindIngredients(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		v     Vessel
		there bool
	}{
		{Vessel{Image: "x"}, true},
		{Vessel{Context: dir}, false},
		{Vessel{Build: []Copy{{"/x", dir, 0o755}}}, false},
		{Vessel{Build: []Copy{{"/x", filepath.Join(dir, "none"), 0o755}}}, false},
	} {
		c.v.At = "x.yaml:5:7"
		err := (&Launch{Vessel: &c.v}).Find()
		if (err == nil) != c.there || err != nil && !strings.HasPrefix(err.Error(), "x.yaml:5:7: the image of the device cannot be made: ") {
			t.Errorf("%+v: %v", c.v, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&Launch{Vessel: &Vessel{Context: dir}}).Find(); err != nil {
		t.Error(err)
	}
}
