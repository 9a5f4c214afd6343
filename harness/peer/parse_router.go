package peer

import (
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/router"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// defaultWithin is how long the answer to a line may take.
const defaultWithin = 30 * time.Second

// routerOf reads a router of a role, and what can be said to it as if it had a control socket.
func routerOf(v yamldoc.Value, r *Role) *Router {
	one := &Router{At: v.Place(), Talk: Talk{Within: defaultWithin}, Ready: RouterReady{Within: defaultReady}, Commands: make(map[string][]Text)}
	v.Fields(append(one.fields(),
		yamldoc.Field{Name: "ssh", Required: true, Read: one.SSH.read},
		yamldoc.Field{Name: "ports", Required: true, Read: one.Ports.read},
		yamldoc.Field{Name: "interfaces", Required: true, Read: func(v yamldoc.Value) {
			v.Fields(yamldoc.Required("wan", &one.WAN, given), yamldoc.Optional("lan", &one.LAN, given))
		}},
		yamldoc.Optional("begin", &one.Begin, yamldoc.List(text)),
		yamldoc.Field{Name: "configuration", Required: true, Read: one.Configuration.read},
		yamldoc.Field{Name: "ready", Read: one.Ready.read},
		yamldoc.Field{Name: "commands", Read: func(v yamldoc.Value) { one.readCommands(v, r.Is) }},
		yamldoc.Optional("status", &one.Views, yamldoc.Some("view", routerView)),
	)...)
	if one.Commands[control.Rekey] != nil && one.Views == nil {
		v.Problem("rekey needs status, which says what it was")
	}
	r.Control = &Control{At: v.Place(), Commands: []string{control.Console}}
	for _, command := range routerCommands[r.Is] {
		if one.Commands[command] != nil {
			r.Control.Commands = append(r.Control.Commands, command)
		}
	}
	return one
}

func (s *SSH) read(v yamldoc.Value) {
	s.At = v.Place()
	v.Fields(
		yamldoc.Required("address", &s.Address, given), yamldoc.Required("user", &s.User, given),
		yamldoc.Optional("password", &s.Password, secret), yamldoc.Optional("key", &s.Key, secret),
		yamldoc.Required("host_key", &s.HostKey, given), yamldoc.Optional("old_algorithms", &s.Old, yamldoc.Value.Bool),
	)
	if !v.Has("password") && !v.Has("key") {
		v.Problem("nothing proves who logs in; write a password or a key")
	}
}

func (p *Ports) read(v yamldoc.Value) {
	v.Fields(yamldoc.Required("wan", &p.WAN, port8021Q), yamldoc.Optional("lan", &p.LAN, port8021Q))
}

// mostVLAN is the highest number of a VLAN (IEEE 802.1Q).
const mostVLAN = 4094

func port8021Q(v yamldoc.Value) (p Port8021Q) {
	v.Fields(
		yamldoc.Required("interface", &p.Interface, given),
		yamldoc.Optional("vlan", &p.VLAN, func(v yamldoc.Value) int { return int(v.Uint(1, mostVLAN)) }),
	)
	return p
}

func (c *Configuration) read(v yamldoc.Value) {
	v.Fields(
		yamldoc.Optional("save", &c.Save, yamldoc.List(text)), yamldoc.Optional("enter", &c.Enter, yamldoc.List(text)),
		yamldoc.Required("lines", &c.Lines, text),
		yamldoc.Optional("leave", &c.Leave, yamldoc.List(text)), yamldoc.Optional("abandon", &c.Abandon, yamldoc.List(text)),
		yamldoc.Field{Name: "undo", Required: true, Read: func(v yamldoc.Value) {
			c.Undo = yamldoc.Some("line", text)(v)
		}},
	)
}

func (r *RouterReady) read(v yamldoc.Value) {
	v.Fields(yamldoc.Required("command", &r.Command, text), yamldoc.Required("line", &r.Line, expression), yamldoc.Optional("within", &r.Within, moment))
}

func (one *Router) readCommands(v yamldoc.Value, is rule.Role) {
	fields := make([]yamldoc.Field, 0, len(routerCommands[is]))
	for _, command := range routerCommands[is] {
		fields = append(fields, yamldoc.Field{Name: command, Read: func(v yamldoc.Value) { one.Commands[command] = yamldoc.Some("line", text)(v) }})
	}
	v.Fields(fields...)
}

func routerView(v yamldoc.Value) (view RouterView) {
	v.Fields(yamldoc.Required("command", &view.Command, text), yamldoc.Field{Name: "rules", Required: true, Read: func(v yamldoc.Value) {
		view.Rules = yamldoc.Some("rule", routerRule)(v)
	}})
	return view
}

// kinds are the things that rules find.
var kinds = yamldoc.Names[router.Kind]{{Name: "group", Value: router.Group}, {Name: "sa", Value: router.SA}, {Name: "member", Value: router.Member}}

func routerRule(v yamldoc.Value) (r router.Rule) {
	v.Fields(
		yamldoc.Required("line", &r.Line, expression),
		yamldoc.Optional("begins", &r.Begins, kinds.Read),
		yamldoc.Optional("in", &r.In, yamldoc.List(words)),
		yamldoc.Optional("then", &r.Then, words),
		yamldoc.Optional("sets", &r.Sets, func(v yamldoc.Value) map[string]string { return ofFields(v, words) }),
		yamldoc.Optional("means", &r.Means, func(v yamldoc.Value) map[string]map[string]string { return ofFields(v, meanings) }),
	)
	if err := r.Check(); err != nil {
		v.Problem("%v", err)
	}
	return r
}

// meanings reads what texts mean: THEIRS=ours.
func meanings(v yamldoc.Value) map[string]string {
	means := make(map[string]string)
	v.Items(func(_ int, v yamldoc.Value) {
		s, ok := v.Text()
		if theirs, ours, found := strings.Cut(s, "="); found {
			means[strings.TrimSpace(theirs)] = strings.TrimSpace(ours)
		} else if ok {
			v.Problem("%q says not what it means; write THEIRS=ours", s)
		}
	})
	return means
}

// ofFields reads a mapping whose names are fields that rules find.
func ofFields[T any](v yamldoc.Value, read func(yamldoc.Value) T) map[string]T {
	out := make(map[string]T)
	var fields []yamldoc.Field
	for _, name := range router.Fields("") {
		fields = append(fields, yamldoc.Field{Name: name, Read: func(v yamldoc.Value) { out[name] = read(v) }})
	}
	v.Fields(fields...)
	return out
}
