package peer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Ability is something that a device can do for whoever tests it, beside its protocol. What a role's control, syslog,
// keylog and snmp say decides about it.
type Ability string

// The abilities.
const (
	ControlStatus  Ability = "control.status"
	ControlRekey   Ability = "control.rekey"
	ControlExclude Ability = "control.exclude"
	ControlReadmit Ability = "control.readmit"
	// ControlConfigure is to go by another policy while it runs.
	ControlConfigure Ability = "control.configure"
	ControlRegister  Ability = "control.register"
	ControlClear     Ability = "control.clear"
	ControlAttach    Ability = "control.attach"
	ControlDetach    Ability = "control.detach"
	ControlReceive   Ability = "control.receive-only"
	ControlDirect    Ability = "control.direction"
	ControlConsole   Ability = "control.console"
	ControlClock     Ability = "control.clock"
	ReadKeys         Ability = "keylog"
	ReadLog          Ability = "syslog"
	ReadSNMP         Ability = "snmp"
	Mutants          Ability = "mutants"
	// ReadState is to show its state: the status of control, or what an operator of a router sees of it.
	ReadState Ability = "state"
)

const controlPrefix = "control."

// commands are those of the control protocol that each role knows.
var commands = map[rule.Role][]string{
	rule.KS: {control.Status, control.Rekey, control.Exclude, control.Readmit, control.Configure, control.Clear, control.ReceiveOnly, control.Console, control.Clock},
	rule.GM: {control.Status, control.Register, control.Clear, control.ClearReplay, control.Configure, control.Attach, control.Detach, control.Direction, control.Console, control.Clock},
}

// Unsupported is the error of what a device cannot do by its own declaration.
type Unsupported struct{ Declaration string }

// Error returns the declaration.
func (u *Unsupported) Error() string { return u.Declaration }

// Lacks returns the declaration by which the device cannot do it, or "" if it can.
func (r *Role) Lacks(a Ability) string {
	command, isCommand := strings.CutPrefix(string(a), controlPrefix)
	switch {
	case a == ControlConsole && r.Console != nil:
		return ""
	case isCommand && r.Control == nil:
		return r.declares(r.At, "no control")
	case isCommand && !slices.Contains(r.Control.Commands, command):
		return r.declares(r.Control.At, "no control command "+command)
	case a == ReadKeys && r.KeyLog == nil:
		return r.declares(r.At, "no keylog")
	case a == ReadLog && r.Syslog == nil:
		return r.declares(r.At, "no syslog")
	case a == ReadSNMP && r.SNMP == nil:
		return r.declares(r.At, "no snmp")
	case a == ReadState && !r.shows():
		return r.Lacks(ControlStatus)
	case a == Mutants && !r.alterable():
		return r.declares(r.At, "no core and no mutant_args")
	}
	return ""
}

// LacksEvent returns the declaration by which the device's log does not tell of an event, or "" if it does.
func (r *Role) LacksEvent(name string) string {
	if why := r.Lacks(ReadLog); why != "" {
		return why
	}
	if !r.Syslog.Events.tell(name) {
		return r.declares(r.Syslog.At, "no line of its log for the event "+name)
	}
	return ""
}

func (r *Role) declares(at, what string) string {
	return fmt.Sprintf("%s as %s declares %s (%s)", r.Device, r.Is, what, at)
}

func (r *Role) alterable() bool {
	if p := r.Process(); p != nil && len(p.MutantArgs) > 0 {
		return true
	}
	_, ok := r.Core()
	return ok
}
