package peer

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

const defaultIngredientMode = 0o755

// container reads a container: what a process has, and where its image comes from.
func container(v yamldoc.Value) *Container {
	c := &Container{Process: Process{At: v.Place(), Ready: Ready{Within: defaultReady}, Stop: Stop{syscall.SIGTERM, defaultStop}}}
	v.Fields(
		yamldoc.Optional("image", &c.Image, text),
		yamldoc.Optional("build", &c.Build, yamldoc.Some("file", ingredient)),
		yamldoc.Optional("context", &c.Context, text),
		yamldoc.Field{Name: "command", Read: func(v yamldoc.Value) { c.At, c.Command = v.Place(), yamldoc.Some("word", text)(v) }},
		yamldoc.Optional("mutant_args", &c.MutantArgs, yamldoc.List(text)),
		yamldoc.Optional("environment", &c.Environment, yamldoc.List(setting)),
		yamldoc.Optional("directory", &c.Directory, text),
		yamldoc.Optional("files", &c.Files, yamldoc.List(fileText)),
		yamldoc.Optional("capabilities", &c.Capabilities, yamldoc.List(capability)),
		yamldoc.Optional("devices", &c.Devices, yamldoc.List(deviceFile)),
		yamldoc.Optional("writable", &c.Writable, yamldoc.List(readOnly)),
		yamldoc.Field{Name: "ready", Required: true, Read: c.Ready.read},
		yamldoc.Field{Name: "stop", Read: c.Stop.read},
		yamldoc.Optional("collect", &c.Collect, yamldoc.List(text)),
	)
	if n := oneGiven(v, "image", "build", "context"); n != 1 {
		v.Problem("%d things say where the image comes from; name one of image, build, context", n)
	}
	if !v.Has("command") && (v.Has("build") || v.Has("mutant_args")) {
		v.Problem("the field %q is missing; an image that is built of files has none of its own, and mutant_args follow one", "command")
	}
	return c
}

// oneGiven counts which of the fields are there.
func oneGiven(v yamldoc.Value, names ...string) int {
	n := 0
	for _, name := range names {
		if v.Has(name) {
			n++
		}
	}
	return n
}

func ingredient(v yamldoc.Value) Ingredient {
	i := Ingredient{Mode: defaultIngredientMode}
	v.Fields(
		yamldoc.Required("path", &i.Path, text),
		yamldoc.Required("from", &i.From, text),
		yamldoc.Optional("mode", &i.Mode, mode),
	)
	return i
}

var capabilityName = regexp.MustCompile(`^[A-Z][A-Z_]+$`)

func capability(v yamldoc.Value) string {
	s, ok := v.Text()
	if ok && !capabilityName.MatchString(s) {
		v.Problem("%q is no capability; write one such as NET_ADMIN", s)
	}
	return s
}

func deviceFile(v yamldoc.Value) string {
	s, ok := v.Text()
	if ok && (!strings.HasPrefix(s, "/dev/") || path.Clean(s) != s) {
		v.Problem("%q is no device; write one such as /dev/net/tun", s)
	}
	return s
}

// ReadOnly are the paths that container engines let nobody write unless asked.
var ReadOnly = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}

func readOnly(v yamldoc.Value) string {
	s, ok := v.Text()
	if ok && !slices.Contains(ReadOnly, s) {
		v.Problem("%s", unknown("path that is read-only in containers", s, ReadOnly))
	}
	return s
}
