package console

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Options are what a console knows beside its core.
type Options struct {
	Hostname  string // in prompts
	Enable    string // the secret that enable asks for; "" none
	Interface string // the outside one of a member; "" means outside
	Rules     *rule.Switches
	Running   func() string // the configuration that an operator may change; nil: there is none
	KeyServer *policy.KeyServer
	Member    *policy.Member // one of these two
}

// Console is a core that an operator can talk to. It is not safe for concurrent use.
type Console struct {
	inner  core.Core
	opts   Options
	root   []*word
	trace  trace // of the events
	buffer trace // of everything that has been told
	debug  debugging
	ahead  time.Duration // the time of day is ahead of that of events
	out    []core.Effect // of the command in progress
}

var _ core.Core = (*Console)(nil)

// New puts a console in front of a core.
func New(inner core.Core, o Options) *Console {
	if o.Interface == "" {
		o.Interface = "outside"
	}
	c := &Console{inner: inner, opts: o}
	if o.KeyServer != nil {
		c.root = keyServerCommands()
	} else {
		c.root = memberCommands()
	}
	if o.Running != nil {
		c.root = withConfiguration(c.root)
	}
	return c
}

// Configurable has a core with a console show and change the configuration that is running. A core without one stays as it is.
func Configurable(c core.Core, running func() string) core.Core {
	console, ok := c.(*Console)
	if !ok || running == nil {
		return c
	}
	o := console.opts
	o.Running = running
	return New(console.inner, o)
}

// KeyServer is a key server's core with a console in front of it, if the profile has one.
func KeyServer(inner core.Core, cfg policy.KeyServer, rules *rule.Switches) core.Core {
	if cfg.Profile != policy.ProfileGETVPN {
		return inner
	}
	return New(inner, Options{Hostname: cfg.Name, Enable: cfg.Console.Enable, Rules: rules, KeyServer: &cfg})
}

// Member is a member's core with a console in front of it, if the profile has one. The device is its outside interface, as far as
// it is known.
func Member(inner core.Core, cfg policy.Member, device string, rules *rule.Switches) core.Core {
	if cfg.Profile != policy.ProfileGETVPN {
		return inner
	}
	return New(inner, Options{Hostname: cfg.Name, Enable: cfg.Console.Enable, Interface: device, Rules: rules, Member: &cfg})
}

// Deadline is that of the core.
func (c *Console) Deadline() (time.Time, bool) { return c.inner.Deadline() }

// Handle answers the command control.Console, and passes everything else to the core.
func (c *Console) Handle(now time.Time, ev core.Event) []core.Effect {
	if command, ok := ev.(*core.Command); ok && command.Name == control.Console {
		return c.onLine(now, command)
	}
	effects := c.inner.Handle(now, ev)
	if command, ok := ev.(*core.Command); ok {
		c.reconfigured(command, effects)
	}
	return c.watch(now, ev, effects)
}

// onLine does what a line asks for.
func (c *Console) onLine(now time.Time, command *core.Command) []core.Effect {
	c.out = c.stamps()
	var args control.ConsoleArgs
	if err := json.Unmarshal(command.Args, &args); err != nil {
		return []core.Effect{&core.Reply{ID: command.ID, Err: fmt.Sprintf("arguments of %s: %v", command.Name, err)}}
	}
	body, err := json.Marshal(c.answer(now, args))
	reply := &core.Reply{ID: command.ID, Body: body}
	if err != nil {
		reply = &core.Reply{ID: command.ID, Err: err.Error()}
	}
	return append(c.out, reply)
}

// reconfigured follows a key server that goes by another policy now.
func (c *Console) reconfigured(command *core.Command, effects []core.Effect) {
	if c.opts.KeyServer == nil || command.Name != control.Configure || slices.ContainsFunc(effects, refuses) {
		return
	}
	var args control.ConfigureArgs
	if json.Unmarshal(command.Args, &args) != nil {
		return
	}
	cfg, err := policy.ParseKeyServer("configuration", []byte(args.Config), func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	if err == nil {
		c.opts.KeyServer = &cfg
	}
}

func refuses(e core.Effect) bool {
	r, ok := e.(*core.Reply)
	return ok && r.Err != ""
}

// ask has the core do something. What the core wants done besides answering is done with the line.
func (c *Console) ask(now time.Time, name string, args, answer any) error {
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	command := &core.Command{Name: name, Args: raw}
	var reply *core.Reply
	for _, e := range c.watch(now, command, c.inner.Handle(now, command)) {
		switch e := e.(type) {
		case *core.Reply:
			reply = e
		case *core.Send:
			kept := *e
			kept.Data = append([]byte(nil), e.Data...) // it is valid until the next call only
			c.out = append(c.out, &kept)
		default:
			c.out = append(c.out, e)
		}
	}
	switch {
	case reply == nil:
		return fmt.Errorf("the node does not answer %s", name)
	case reply.Err != "":
		return fmt.Errorf("%s", reply.Err)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(reply.Body, answer)
}

// tell puts a message of the console's own into the log.
func (c *Console) tell(now time.Time, m getvpn.Message, fields ...core.Field) {
	l := getvpn.Event(m, fields...)
	c.note(now, l)
	c.out = append(c.out, l)
}
