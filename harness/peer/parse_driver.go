package peer

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// defaultAnswer is how long a driver has for an answer: starting a device may take it that long.
const defaultAnswer = 30 * time.Second

func driverOf(v yamldoc.Value) *Driver {
	d := &Driver{At: v.Place(), Within: defaultAnswer}
	v.Fields(
		yamldoc.Field{Name: "command", Required: true, Read: func(v yamldoc.Value) {
			d.At, d.Command = v.Place(), yamldoc.Some("word", text)(v)
		}},
		yamldoc.Optional("environment", &d.Environment, yamldoc.List(setting)),
		yamldoc.Optional("directory", &d.Directory, text),
		yamldoc.Optional("settings", &d.Settings, yamldoc.List(setting)),
		yamldoc.Optional("within", &d.Within, moment),
	)
	return d
}

// driven checks what a role with a driver says beside it: the driver knows how the device is asked, so no place is named.
func (r *Role) driven(v yamldoc.Value) {
	if v.Has("process") {
		v.Problem("a device is a process or has a driver, not both")
	}
	switch s := r.Syslog; {
	case s == nil:
	case s.From != "" && s.From != SourceUDP && s.From != SourceTCP:
		v.Problem("the log of a device with a driver comes from the driver, or from udp or tcp; leave out from")
	case s.From != "" && s.Events.Named:
		v.Problem("events that come from the driver need no from")
	}
}
