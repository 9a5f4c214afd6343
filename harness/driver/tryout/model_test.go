package tryout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// model is a driver of a member that is not there, and does everything right.
type model struct {
	place            *driver.Preparation
	applied, running bool
	lines            int
	keys             int
}

var has = []string{driver.MethodState, driver.MethodEvents, driver.MethodClock, driver.MethodSecrets, driver.MethodTraffic, driver.MethodCollect,
	driver.TriggerCapability(control.Register), driver.TriggerCapability(control.Clear), driver.TriggerCapability(control.Rekey)}

func notNow(what string) error { return fmt.Errorf("%w: %s", driver.ErrNotNow, what) }

func (m *model) Hello(context.Context, driver.Greeting) (driver.Identity, error) {
	return driver.Identity{Version: driver.Version, Name: "model", Release: "1"}, nil
}

func (m *model) Capabilities(_ context.Context, names []string) (map[string]driver.Answer, error) {
	answers := make(map[string]driver.Answer)
	for _, name := range names {
		switch {
		case slices.Contains(has, name):
			answers[name] = driver.Supported
		case strings.HasPrefix(name, driver.TriggerCapability("")), name == "lkh":
			answers[name] = driver.NotSupported
		default:
			answers[name] = driver.Unknown
		}
	}
	return answers, nil
}

func (m *model) Prepare(_ context.Context, p driver.Preparation) error { m.place = &p; return nil }

func (m *model) Apply(context.Context, driver.Policy) (driver.Applied, error) {
	if m.place == nil {
		return driver.Applied{}, notNow("nothing is prepared")
	}
	m.applied = true
	return driver.Applied{Files: []driver.File{{Name: "a.cfg", Content: "group 1"}}}, nil
}

func (m *model) Start(context.Context) error {
	if !m.applied || m.running {
		return notNow("nothing is applied")
	}
	m.running, m.lines, m.keys = true, m.lines+1, 1
	return nil
}

func (m *model) Stop(context.Context) error {
	if !m.running {
		return notNow("it does not run")
	}
	m.running = false
	return nil
}

func (m *model) Reset(context.Context) error { *m = model{}; return nil }

func (m *model) Trigger(_ context.Context, t driver.Trigger) (json.RawMessage, error) {
	if !slices.Contains(has, driver.TriggerCapability(t.Name)) {
		return nil, fmt.Errorf("%w: no trigger %s", driver.ErrUnsupported, t.Name)
	}
	return json.RawMessage(`{"sequence":1}`), nil
}

func (m *model) State(context.Context) (driver.State, error) {
	if !m.running {
		return driver.State{}, notNow("it does not run")
	}
	return driver.State{Time: time.Unix(1, 0), Source: "a table", Status: json.RawMessage(`{"group":1,"sas":[{"spi":"00000abc"}]}`)}, nil
}

func (m *model) Events(_ context.Context, after int) (driver.Events, error) {
	e := driver.Events{Next: m.lines}
	for i := after; i < m.lines; i++ {
		e.Events = append(e.Events, driver.Event{Text: "up", Name: "STARTED"})
	}
	return e, nil
}

func (m *model) Clock(context.Context) (driver.Clock, error) {
	return driver.Clock{Time: time.Unix(1, 0), Source: "a clock"}, nil
}

func (m *model) Secrets(context.Context) (driver.Secrets, error) {
	return driver.Secrets{Keys: slices.Repeat([]keylog.Entry{{Kind: keylog.KindTraffic}}, m.keys)}, nil
}

func (m *model) Traffic(context.Context) (driver.Traffic, error) {
	return driver.Traffic{Time: time.Unix(1, 0), Source: "a table", Counters: map[string]uint64{"encrypted": 1}}, nil
}

func (m *model) Collect(context.Context) (driver.Collected, error) {
	return driver.Collected{Files: []driver.File{{Name: "tech.txt", Content: "x"}}}, nil
}

// bent is a model with some methods replaced.
type bent struct {
	model
	hello   func(driver.Greeting) (driver.Identity, error)
	answers map[string]driver.Answer
	missing string // of the answers
	prepare error
	apply   func() (driver.Applied, error)
	start   func() error
	stop    func() error
	reset   func() error
	trigger func(driver.Trigger) (json.RawMessage, error)
	state   func() (driver.State, error)
	events  func(after int) (driver.Events, error)
	clock   func() (driver.Clock, error)
	secrets func() (driver.Secrets, error)
	traffic func() (driver.Traffic, error)
	collect func() (driver.Collected, error)
}

func (b *bent) Hello(ctx context.Context, g driver.Greeting) (driver.Identity, error) {
	if b.hello != nil {
		return b.hello(g)
	}
	return b.model.Hello(ctx, g)
}

func (b *bent) Capabilities(ctx context.Context, names []string) (map[string]driver.Answer, error) {
	answers, err := b.model.Capabilities(ctx, names)
	for name, answer := range b.answers {
		if slices.Contains(names, name) {
			answers[name] = answer
		}
	}
	delete(answers, b.missing)
	return answers, err
}

func (b *bent) Prepare(ctx context.Context, p driver.Preparation) error {
	if b.prepare != nil {
		return b.prepare
	}
	return b.model.Prepare(ctx, p)
}

// or calls what replaces a method, or else the method.
func or[T any](f func() (T, error), ctx context.Context, method func(context.Context) (T, error)) (T, error) {
	if f != nil {
		return f()
	}
	return method(ctx)
}

func orErr(f func() error, ctx context.Context, method func(context.Context) error) error {
	if f != nil {
		return f()
	}
	return method(ctx)
}

func (b *bent) Apply(ctx context.Context, p driver.Policy) (driver.Applied, error) {
	return or(b.apply, ctx, func(ctx context.Context) (driver.Applied, error) { return b.model.Apply(ctx, p) })
}
func (b *bent) Start(ctx context.Context) error { return orErr(b.start, ctx, b.model.Start) }
func (b *bent) Stop(ctx context.Context) error  { return orErr(b.stop, ctx, b.model.Stop) }
func (b *bent) Reset(ctx context.Context) error { return orErr(b.reset, ctx, b.model.Reset) }
func (b *bent) Trigger(ctx context.Context, t driver.Trigger) (json.RawMessage, error) {
	if b.trigger != nil {
		return b.trigger(t)
	}
	return b.model.Trigger(ctx, t)
}
func (b *bent) State(ctx context.Context) (driver.State, error) {
	return or(b.state, ctx, b.model.State)
}
func (b *bent) Events(ctx context.Context, after int) (driver.Events, error) {
	if b.events != nil {
		return b.events(after)
	}
	return b.model.Events(ctx, after)
}
func (b *bent) Clock(ctx context.Context) (driver.Clock, error) {
	return or(b.clock, ctx, b.model.Clock)
}
func (b *bent) Secrets(ctx context.Context) (driver.Secrets, error) {
	return or(b.secrets, ctx, b.model.Secrets)
}
func (b *bent) Traffic(ctx context.Context) (driver.Traffic, error) {
	return or(b.traffic, ctx, b.model.Traffic)
}
func (b *bent) Collect(ctx context.Context) (driver.Collected, error) {
	return or(b.collect, ctx, b.model.Collect)
}
