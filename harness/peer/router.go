package peer

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/router"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Router is a device that is there already, and is configured and asked by an operator's lines over SSH.
type Router struct {
	At       string
	SSH      SSH
	Ports    Ports
	WAN, LAN Given // its own names of its interfaces
	Talk
	Begin         []Text // what is typed first
	Configuration Configuration
	Ready         RouterReady
	Commands      map[string][]Text // by the words of control
	Views         []RouterView
}

func (*Router) start() {}

// SSH is where a device lets operators in, and as whom.
type SSH struct {
	At            string
	Address, User Given
	Password, Key Given // at least one
	HostKey       Given // of the device, as in a known_hosts file without the name
	Old           bool  // it knows only algorithms that are no longer thought secure
}

// Ports are the interfaces of this machine to which a router's are wired.
type Ports struct{ WAN, LAN Port8021Q }

// Port8021Q is an interface, or a VLAN on it.
type Port8021Q struct {
	Interface Given
	VLAN      int // 0: none
}

// Configuration is how a router gets its configuration, and goes back to the one that it had.
type Configuration struct {
	Save, Enter []Text
	Lines       Text // typed one by one
	Leave, Undo []Text
	Abandon     []Text // in the place of Leave if a line was refused
}

// RouterReady tells when a router has taken its configuration: a line of the answer to a command matches. Without a command it has at once.
type RouterReady struct {
	Command Text
	Line    *regexp.Regexp
	Within  time.Duration
}

// RouterView is a command that shows a router's state, and how its answer is read.
type RouterView struct {
	Command Text
	Rules   []router.Rule
}

// Router returns the router that the device is, nil if it is none.
func (r *Role) Router() *Router {
	for _, s := range r.Starts {
		if one, ok := s.(*Router); ok {
			return one
		}
	}
	return nil
}

// Visit is a Router with everything rendered for one device.
type Visit struct {
	At          string
	Login       router.Login
	Manner      router.Manner
	Begin       []string
	Save, Enter []string
	Lines       []string
	Leave, Undo []string
	Abandon     []string
	Ready       string // a command
	ReadyLine   *regexp.Regexp
	ReadyWithin time.Duration
	Views       []router.View
	SNMP        string
	Community   string
	SNMPUser    *policy.SNMPUser
	role        *Role
	groups      map[uint32]string // names by numbers
}

// ErrNoRouter is returned when a device that is no router is to be visited.
var ErrNoRouter = errors.New("peer: the manifest describes no router")

// Reach is where the router is and how it is entered. An error says what this lab has yet to tell.
func (r *Router) Reach() (router.Login, error) { return r.SSH.Reach() }

// Visit renders everything for one device. An error names the place in the manifest; one that wraps Unsupported is the device's own
// declaration.
func (r *Role) Visit(s Subject) (*Visit, error) {
	one := r.Router()
	if one == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoRouter, r.At)
	}
	if len(s.Mutants) > 0 {
		return nil, errors.New("peer: a router's guards cannot be altered: " + one.At)
	}
	w := writer{data: r.data(s)}
	v := &Visit{
		At: one.At, Begin: w.all(one.Begin), Save: w.all(one.Configuration.Save), Enter: w.all(one.Configuration.Enter),
		Lines: typed(w.one(one.Configuration.Lines)), Leave: w.all(one.Configuration.Leave), Undo: w.all(one.Configuration.Undo),
		Abandon: w.all(one.Configuration.Abandon),
		Ready:   w.one(one.Ready.Command), ReadyLine: one.Ready.Line, ReadyWithin: one.Ready.Within,
		Manner: w.manner(one.Talk), role: r, groups: groupNames(s),
	}
	for _, view := range one.Views {
		v.Views = append(v.Views, router.View{Command: w.one(view.Command), Rules: view.Rules})
	}
	if r.SNMP != nil {
		v.SNMP, v.Community, v.SNMPUser = w.one(r.SNMP.Address), w.one(r.SNMP.Community), w.user(r.SNMP.User)
	}
	return v, errors.Join(w.errs...)
}

// typed are the lines of a configuration; those without a word are for whoever reads it.
func typed(text string) (lines []string) {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimRight(line, " \t\r"); strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// routerArguments are what the lines of a command see: the arguments, whichever command has them, and the name of the group.
type routerArguments struct {
	control.RekeyArgs
	GroupName string
}

// Tell are the lines that a command of control is for this router. What its arguments ask for and no line mentions is unsupported.
func (v *Visit) Tell(command string, args any) ([]string, error) {
	var data routerArguments
	switch a := args.(type) {
	case control.RekeyArgs:
		data.RekeyArgs = a
	case control.GroupArgs:
		data.Group = a.Group
	}
	data.GroupName = v.groups[data.Group]
	texts := v.role.Router().Commands[command]
	if why := v.role.ignoresArguments(command, texts, data); why != "" {
		return nil, &Unsupported{why}
	}
	w := writer{data: data}
	lines := w.all(texts)
	return lines, errors.Join(w.errs...)
}

// groupNames are those of the groups of a policy, by their numbers.
func groupNames(s Subject) map[uint32]string {
	names := make(map[uint32]string)
	if s.KS != nil {
		for _, g := range s.KS.Groups {
			names[g.ID] = g.Name
		}
		return names
	}
	for _, m := range s.GM.Memberships() {
		names[m.Group] = m.GroupName
	}
	return names
}

// shows reports whether the router shows its state.
func (r *Role) shows() bool { return r.Router() != nil && len(r.Router().Views) > 0 }

// routerCommands are the words of control that a router can have lines for.
var routerCommands = map[rule.Role][]string{
	rule.KS: {control.Rekey, control.Clear}, rule.GM: {control.Register, control.Clear, control.ClearReplay},
}
