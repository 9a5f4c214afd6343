package peer

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Mutant alters one guard of a device.
type Mutant struct{ Guard, Mutation string }

// Switches turns mutants into the switches of a core: nil, which alters nothing, if there are none.
func Switches(mutants []Mutant) (*rule.Switches, error) {
	if len(mutants) == 0 {
		return nil, nil
	}
	var s rule.Switches
	for _, m := range mutants {
		if err := s.Set(m.Guard, m.Mutation); err != nil {
			return nil, err
		}
	}
	return &s, nil
}

// Place is where a device runs, as templates see it.
type Place struct {
	Program string  // this program's own file
	Dir     string  // the device's own folder
	Here    string  // the folder of the manifest; "" if it is built in
	WAN     string  // its interface to the other nodes
	LAN     string  // its interface to the host behind it; "" if there is none
	LogTo   string  // where the harness receives syslog, "127.0.0.1:514"; "" unless it is to be sent
	Routes  []Route // of a router: the ways to what is behind the other members
}

// Route is a way to a network.
type Route struct {
	To  netip.Prefix
	Via netip.Addr
}

// Subject is a device to be launched: exactly one of KS and GM is set.
type Subject struct {
	Place
	KS      *policy.KeyServer
	GM      *policy.Member
	Mutants []Mutant
}

// Launch is a Process with everything rendered.
type Launch struct {
	At          string // place of the command
	Command     []string
	Environment []string
	Directory   string
	Files       []File
	ReadyFile   string // "" if another thing of Ready tells
	Ready       Ready
	Stop        Stop
	LogFile     string           // of SourceFile
	Control     string           // path of the socket; "" if there is none
	KeyLog      string           // path; "" if there is none
	Console     *Session         // nil: operators type over the control socket, if anywhere
	SNMP        string           // address of the agent with its port; "" if there is none
	Community   string           // that may ask it
	SNMPUser    *policy.SNMPUser // who may, by SNMPv3; nil: the community
	Vessel      *Vessel          // the container that it runs in; nil if it is none
}

// File is a file of a device. In a Launch its path is absolute.
type File struct {
	Path    string
	Mode    uint32
	Content []byte
}

// ErrNoProcess is returned when a device that is no program is to be launched as one.
var ErrNoProcess = errors.New("peer: the manifest describes no process")

// Launch renders everything for one device. An error names the place in the manifest; one that wraps Unsupported is the
// device's own declaration.
func (r *Role) Launch(s Subject) (*Launch, error) {
	p := r.Process()
	if p == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoProcess, r.At)
	}
	w := writer{data: r.data(s)}
	c := r.Container()
	w.anywhere = c != nil
	l := w.launch(p, s.Dir)
	if c != nil {
		l.Vessel = w.vessel(c, l, s.Dir)
	}
	for _, m := range s.Mutants {
		mutant := writer{data: m}
		l.Command = append(l.Command, mutant.all(p.MutantArgs)...)
		w.errs = append(w.errs, mutant.errs...)
	}
	if r.Syslog != nil {
		l.LogFile = w.one(r.Syslog.File)
	}
	if r.Control != nil {
		l.Control = w.one(r.Control.Unix)
	}
	if r.KeyLog != nil {
		l.KeyLog = w.one(r.KeyLog.File)
	}
	l.Console = w.session(r.Console)
	if r.SNMP != nil {
		l.SNMP, l.Community, l.SNMPUser = w.one(r.SNMP.Address), w.one(r.SNMP.Community), w.user(r.SNMP.User)
	}
	return l, errors.Join(w.errs...)
}

// launch renders what a process is started from, with its files in dir.
func (w *writer) launch(p *Process, dir string) *Launch {
	l := &Launch{
		At: p.At, Command: w.all(p.Command), Environment: w.all(p.Environment), Directory: w.one(p.Directory),
		ReadyFile: w.one(p.Ready.File), Ready: p.Ready, Stop: p.Stop,
	}
	for _, f := range p.Files {
		file := File{w.path(f.Path, dir), f.Mode, []byte(w.one(f.Content))}
		if slices.ContainsFunc(l.Files, func(other File) bool { return other.Path == file.Path }) {
			w.errs = append(w.errs, fmt.Errorf("%s: %s is among the files already", f.Path.At, file.Path))
		}
		l.Files = append(l.Files, file)
	}
	if l.Directory == "" && !w.anywhere {
		l.Directory = dir
	}
	return l
}

// data is what the templates of a role see.
func (r *Role) data(s Subject) any {
	s.Here = r.Here
	if s.KS != nil {
		return &keyServerData{*s.KS, s.Place}
	}
	return &memberData{*s.GM, s.Place}
}

// writer renders texts for one device and gathers what goes wrong.
type writer struct {
	data     any
	anywhere bool // files may be outside of the device's folder, since a container goes as a whole
	errs     []error
}

func (w *writer) one(t Text) string {
	s, err := t.render(w.data)
	if err != nil {
		w.errs = append(w.errs, err)
	}
	return s
}

func (w *writer) all(texts []Text) []string {
	all := make([]string, 0, len(texts))
	for _, t := range texts {
		all = append(all, w.one(t))
	}
	return all
}

// user renders a user of SNMPv3.
func (w *writer) user(u *SNMPUser) *policy.SNMPUser {
	if u == nil {
		return nil
	}
	password, err1 := u.Password.Value()
	privacy, err2 := u.Privacy.Value()
	w.errs = append(w.errs, err1, err2)
	return &policy.SNMPUser{Name: w.one(u.Name), Hash: u.Hash, Password: password, Privacy: privacy}
}

// path renders the path of a file below the device's folder. It must not lead out of it, so that nothing is left behind.
func (w *writer) path(t Text, dir string) string {
	path := w.one(t)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if w.anywhere {
		return path
	}
	if below, err := filepath.Rel(dir, path); err != nil || !filepath.IsLocal(below) {
		w.errs = append(w.errs, fmt.Errorf("%s: %s is outside of the device's own folder %s", t.At, path, dir))
	}
	return path
}

// Find returns an *Absent if there is no program of the command's name, and an error if something is missing of which the image of a
// container is made.
func (l *Launch) Find() error {
	if l.Vessel != nil {
		return l.Vessel.find()
	}
	program := l.Command[0]
	if strings.Contains(program, "/") && !filepath.IsAbs(program) {
		program = filepath.Join(l.Directory, program)
	}
	if _, err := exec.LookPath(program); err != nil {
		return &Absent{l.At, fmt.Errorf("the program of the device cannot be started: %w", err)}
	}
	return nil
}
