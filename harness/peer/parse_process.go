package peer

import (
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// What stands for a time that a manifest leaves out.
const (
	defaultReady = 15 * time.Second
	defaultStop  = 15 * time.Second
)

func process(v yamldoc.Value) *Process {
	p := &Process{At: v.Place(), Ready: Ready{Within: defaultReady}, Stop: Stop{syscall.SIGTERM, defaultStop}}
	v.Fields(
		yamldoc.Field{Name: "command", Required: true, Read: func(v yamldoc.Value) {
			p.At, p.Command = v.Place(), yamldoc.Some("word", text)(v)
		}},
		yamldoc.Optional("mutant_args", &p.MutantArgs, yamldoc.List(text)),
		yamldoc.Optional("environment", &p.Environment, yamldoc.List(setting)),
		yamldoc.Optional("directory", &p.Directory, text),
		yamldoc.Optional("files", &p.Files, yamldoc.List(fileText)),
		yamldoc.Field{Name: "ready", Required: true, Read: p.Ready.read},
		yamldoc.Field{Name: "stop", Read: p.Stop.read},
	)
	return p
}

// setting is NAME=value.
func setting(v yamldoc.Value) Text {
	if s, ok := v.Text(); ok && strings.Index(s, "=") < 1 {
		v.Problem("%q is no setting; write NAME=value", s)
	}
	return text(v)
}

const (
	defaultMode = 0o600
	maxMode     = 0o777
)

func fileText(v yamldoc.Value) FileText {
	f := FileText{Mode: defaultMode}
	v.Fields(
		yamldoc.Required("path", &f.Path, text),
		yamldoc.Optional("mode", &f.Mode, mode),
		yamldoc.Required("content", &f.Content, text),
	)
	return f
}

// mode reads the permissions of a file in octal, in quotes, since YAML has several minds about numbers that begin with 0.
func mode(v yamldoc.Value) uint32 {
	s, ok := v.Text()
	if !ok {
		return 0
	}
	m, err := strconv.ParseUint(s, 8, 32)
	if err != nil || m > maxMode {
		v.Problem("%q is no mode; write it in octal digits, such as \"0600\"", s)
	}
	return uint32(m)
}

// read takes exactly one thing that tells.
func (r *Ready) read(v yamldoc.Value) {
	v.Fields(
		yamldoc.Optional("file", &r.File, text),
		yamldoc.Optional("line", &r.Line, expression),
		yamldoc.Optional("port", &r.Port, port),
		yamldoc.Optional("within", &r.Within, moment),
	)
	if told := oneGiven(v, "file", "line", "port"); told != 1 {
		v.Problem("%d things are to tell that the device is up; name one of file, line, port", told)
	}
}

func port(v yamldoc.Value) Port {
	s, ok := v.Text()
	if !ok {
		return Port{}
	}
	protocol, digits, _ := strings.Cut(s, "/")
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 || protocol != "udp" && protocol != "tcp" {
		v.Problem("%q is no port; write one such as udp/848 or tcp/22", s)
	}
	return Port{protocol, uint16(n)}
}

var signals = yamldoc.Names[syscall.Signal]{
	{"TERM", syscall.SIGTERM}, {"INT", syscall.SIGINT}, {"QUIT", syscall.SIGQUIT}, {"HUP", syscall.SIGHUP}, {"KILL", syscall.SIGKILL},
}

func (s *Stop) read(v yamldoc.Value) {
	v.Fields(yamldoc.Optional("signal", &s.Signal, signals.Read), yamldoc.Optional("within", &s.Within, moment))
}
