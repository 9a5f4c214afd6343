package tryout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Scene is where a device is tried: its place in a network, beside a tester.
type Scene struct {
	Place  driver.Preparation
	Policy driver.Policy
	Named  bool // the driver names the events of the log
	// Now is the time in that network.
	Now func() time.Time
	// Together waits until the tester knows that it and the device have found together.
	Together func(ctx context.Context) error
	// Wait waits until something is so, and reports whether it came to be before patience ran out.
	Wait func(ctx context.Context, so func() bool) bool
	// SPIs are those of the SAs that the tester knows.
	SPIs func(ctx context.Context) []string
	// Left are the processes in the device's namespace.
	Left func() []string
}

// Device has a driver bring a device up, asks and tells it everything, and stops it again.
func Device(ctx context.Context, d driver.Driver, s Scene, tell func(Step)) {
	t := &deviceTrial{trial{d, tell}, s}
	if !t.up(ctx) {
		return
	}
	if t.step("finds together with a tester", s.Together(ctx), "") {
		t.state(ctx)
		t.events(ctx)
		t.clock(ctx)
		t.secrets(ctx)
		t.traffic(ctx)
		t.triggers(ctx)
		t.collect(ctx)
	}
	t.down(ctx)
	t.reset(ctx)
}

type deviceTrial struct {
	trial
	Scene
}

func (t *deviceTrial) role() string { return t.Place.Role }

// up prepares, applies and starts.
func (t *deviceTrial) up(ctx context.Context) bool {
	if !t.step("is prepared", t.driver.Prepare(ctx, t.Place), "") {
		return false
	}
	applied, err := t.driver.Apply(ctx, t.Policy)
	if err == nil {
		err = wrong(err, applied.Fault())
	}
	var files []string
	for _, f := range applied.Files {
		files = append(files, fmt.Sprintf("%s (%d octets)", f.Name, len(f.Content)))
	}
	if Declared(err) { // the default group is what every device has to know
		err = complaint("it does not support the default group: " + err.Error())
	}
	if !t.step("makes a configuration", err, strings.Join(files, ", ")) {
		return false
	}
	begin := time.Now()
	err = t.driver.Start(ctx)
	return t.step("starts", err, fmt.Sprintf("in %.1f s", time.Since(begin).Seconds()))
}

func (t *deviceTrial) state(ctx context.Context) {
	var s driver.State
	var spis []string
	var err error
	// The tester knows of a registration once it has sent its last message, which the device has to read yet.
	t.Wait(ctx, func() bool {
		s, spis, err = t.asked(ctx)
		return err != nil || len(spis) > 0
	})
	if err == nil {
		err = wrong(err, t.strange(ctx, spis))
	}
	t.step("tells its state", t.optional(ctx, driver.MethodState, err), fmt.Sprintf("%d SAs, from %s", len(spis), s.Source))
}

// asked is the device's state, and the SPIs of the SAs in it.
func (t *deviceTrial) asked(ctx context.Context) (driver.State, []string, error) {
	s, err := t.driver.State(ctx)
	if err == nil {
		err = wrong(err, s.Fault(t.role()))
	}
	if err != nil {
		return s, nil, err
	}
	return s, spisOf(t.role(), s.Status), nil
}

// strange says that there is no SA, or which of the SAs the tester has never heard of.
func (t *deviceTrial) strange(ctx context.Context, spis []string) string {
	if len(spis) == 0 {
		return "it has no SA, though the device has found together with a tester"
	}
	known := t.SPIs(ctx)
	for _, spi := range spis {
		if !slices.Contains(known, spi) {
			return fmt.Sprintf("it has an SA with the SPI %s, and the tester knows only %s", spi, strings.Join(known, ", "))
		}
	}
	return ""
}

// spisOf are the SPIs of the SAs in a status.
func spisOf(role string, status json.RawMessage) []string {
	var sas []control.SA
	if role == rule.KS.String() {
		var ks control.KSStatus
		_ = json.Unmarshal(status, &ks) // it was read before
		for _, g := range ks.Groups {
			sas = append(sas, g.SAs...)
		}
	} else {
		var gm control.GMStatus
		_ = json.Unmarshal(status, &gm)
		for _, g := range gm.Memberships() {
			sas = append(sas, g.SAs...)
		}
	}
	spis := make([]string, len(sas))
	for i, sa := range sas {
		spis[i] = sa.SPI
	}
	return spis
}

func (t *deviceTrial) events(ctx context.Context) {
	e, err := t.driver.Events(ctx, 0)
	if err == nil {
		err = t.eventFault(ctx, e)
	}
	t.step("its log is read", t.optional(ctx, driver.MethodEvents, err), told(e))
}

func (t *deviceTrial) eventFault(ctx context.Context, e driver.Events) error {
	named := func(e driver.Event) bool { return e.Name != "" }
	switch why := e.Fault(0, eventNames()); {
	case why != "":
		return complaint(why)
	case t.Named && !slices.ContainsFunc(e.Events, named):
		return complaint("events are to come from the driver, and no line has the name of one")
	}
	more, err := t.driver.Events(ctx, e.Next)
	return wrong(err, more.Fault(e.Next, eventNames()))
}

// told says how many lines tell of which event.
func told(e driver.Events) string {
	all := []string{fmt.Sprintf("%d lines", len(e.Events))}
	for _, name := range eventNames() {
		n := 0
		for _, event := range e.Events {
			if event.Name == name {
				n++
			}
		}
		if n > 0 {
			all = append(all, fmt.Sprintf("%s %d", name, n))
		}
	}
	return strings.Join(all, ", ")
}

func (t *deviceTrial) clock(ctx context.Context) {
	c, err := t.driver.Clock(ctx)
	if err == nil {
		err = wrong(err, c.Fault())
	}
	t.step("tells its time", t.optional(ctx, driver.MethodClock, err), fmt.Sprintf("%.1f s from ours", c.Time.Sub(t.Now()).Seconds()))
}

// kinds are those of the entries of a key log.
var kinds = []string{keylog.KindPhase1, keylog.KindRekey, keylog.KindTraffic, keylog.KindSIDs, keylog.KindAH, keylog.KindIEC}

func (t *deviceTrial) secrets(ctx context.Context) {
	s, err := t.driver.Secrets(ctx)
	strange := slices.IndexFunc(s.Keys, func(e keylog.Entry) bool { return !slices.Contains(kinds, e.Kind) })
	switch {
	case err != nil:
	case len(s.Keys) == 0:
		err = complaint("it has no keys, though the device has found together with a tester")
	case strange >= 0:
		err = complaint(fmt.Sprintf("there are no keys of the kind %q; known are %s", s.Keys[strange].Kind, strings.Join(kinds, ", ")))
	}
	t.step("gives its keys", t.optional(ctx, driver.MethodSecrets, err), fmt.Sprintf("%d entries", len(s.Keys)))
}

func (t *deviceTrial) traffic(ctx context.Context) {
	f, err := t.driver.Traffic(ctx)
	if err == nil {
		err = wrong(err, f.Fault())
	}
	t.step("counts its traffic", t.optional(ctx, driver.MethodTraffic, err), fmt.Sprintf("%d counters", len(f.Counters)))
}

func (t *deviceTrial) collect(ctx context.Context) {
	c, err := t.driver.Collect(ctx)
	if err == nil {
		err = wrong(err, c.Fault())
	}
	t.step("gives what else there is", t.optional(ctx, driver.MethodCollect, err), fmt.Sprintf("%d files", len(c.Files)))
}

// tried are the triggers that harm nothing.
var tried = map[string][]string{
	rule.KS.String(): {control.Rekey},
	rule.GM.String(): {control.Register, control.Clear},
}

// triggers has the device do what harms nothing, and what there is not.
func (t *deviceTrial) triggers(ctx context.Context) {
	for _, name := range tried[t.role()] {
		answer, err := t.driver.Trigger(ctx, driver.Trigger{Name: name})
		detail := ""
		if err == nil && t.role() == rule.KS.String() {
			detail, err = sent(answer)
		}
		t.step("takes the trigger "+name, t.optional(ctx, driver.TriggerCapability(name), err), detail)
	}
	err := t.refuses(ctx, driver.Invented)
	if answers, asking := driver.Ask(ctx, t.driver, driver.TriggerCapability(driver.TriggerRoleChange)); err == nil && asking == nil &&
		answers[driver.TriggerCapability(driver.TriggerRoleChange)] != driver.Supported {
		err = t.refuses(ctx, driver.TriggerRoleChange)
	}
	t.step("refuses other triggers", err, "")
}

func (t *deviceTrial) refuses(ctx context.Context, name string) error {
	_, err := t.driver.Trigger(ctx, driver.Trigger{Name: name})
	switch {
	case err == nil:
		return complaint("it takes the trigger " + name)
	case !errors.Is(err, driver.ErrUnsupported):
		return complaint("it has to refuse the trigger " + name + " as unsupported: " + err.Error())
	}
	return nil
}

// sent reads what a key server says that it sent.
func sent(answer json.RawMessage) (string, error) {
	var r control.RekeyResult
	if err := json.Unmarshal(answer, &r); err != nil {
		return "", complaint(fmt.Sprintf("the answer to a rekey is of another form: %v", err))
	}
	if r.Sequence == 0 {
		return "", complaint("a rekey without a sequence number")
	}
	return fmt.Sprintf("sequence number %d", r.Sequence), nil
}

// down stops the device, looks for what is left, and sees whether it can be started again.
func (t *deviceTrial) down(ctx context.Context) {
	if t.step("stops", t.driver.Stop(ctx), "") {
		t.step("runs no longer", t.stopped(ctx), "")
		err := t.driver.Start(ctx)
		if err == nil {
			err = t.driver.Stop(ctx)
		}
		t.step("starts and stops again", err, "")
	}
}

func (t *deviceTrial) stopped(ctx context.Context) error {
	if left := t.Left(); len(left) > 0 {
		return complaint("it has stopped, and still there is process " + strings.Join(left, ", "))
	}
	if _, err := t.driver.State(ctx); err == nil {
		return complaint("it has stopped, and still it tells its state")
	}
	answers, err := driver.Ask(ctx, t.driver, driver.MethodEvents)
	if err != nil || answers[driver.MethodEvents] != driver.Supported {
		return err
	}
	e, err := t.driver.Events(ctx, 0)
	if err == nil && len(e.Events) == 0 {
		err = complaint("it has stopped, and its log is gone")
	}
	return err
}

// reset has the driver forget everything, and sees whether it has.
func (t *deviceTrial) reset(ctx context.Context) {
	if t.step("is reset", t.driver.Reset(ctx), "") {
		t.step("has forgotten everything", t.forgotten(ctx), "")
	}
}

func (t *deviceTrial) forgotten(ctx context.Context) error {
	if s, err := t.driver.Secrets(ctx); err == nil && len(s.Keys) > 0 {
		return complaint(fmt.Sprintf("it was reset, and still has %d keys", len(s.Keys)))
	}
	if e, err := t.driver.Events(ctx, 0); err == nil && len(e.Events) > 0 {
		return complaint(fmt.Sprintf("it was reset, and still has %d lines of the log", len(e.Events)))
	}
	if _, err := t.driver.State(ctx); err == nil {
		return complaint("it was reset, and still tells its state")
	}
	if t.Place.Dir != "" {
		if left, err := os.ReadDir(t.Place.Dir); err == nil && len(left) > 0 {
			return complaint("it was reset, and left " + left[0].Name() + " in its folder")
		}
	}
	if t.driver.Start(ctx) == nil {
		return errors.Join(complaint("it was reset, and starts all the same"), t.driver.Stop(ctx))
	}
	return nil
}
