package tryout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/harness/peer"
)

// Words are what a driver's program has to say before there is any network: its name, its version, what it can do, and what it does with
// requests that it cannot understand. The program is closed at the end.
func Words(ctx context.Context, p *driver.Program, m *peer.Manifest, r *peer.Role, tell func(Step)) {
	t := &trial{p, tell}
	if t.greet(ctx) {
		t.step("agrees with its manifest", t.agrees(ctx, m, r), "")
		t.step("waits until it is prepared", t.early(ctx), "")
		t.step("refuses what it does not know", t.unknown(ctx, p), "")
	}
	err := p.Close(closing)
	t.step("ends when its input does", err, "")
	if strays := p.Strays(); len(strays) > 0 {
		err := complaint(fmt.Sprintf("%d lines there are no answers, the first: %s", len(strays), strays[0]))
		t.step("writes nothing else to its output", err, "")
	}
}

// closing is how long a driver has to end.
const closing = 10 * time.Second

// greet says hello, and sees what becomes of a version that there is not.
func (t *trial) greet(ctx context.Context) bool {
	i, err := driver.Meet(ctx, t.driver, "gdoilab")
	if !t.step("says hello", err, strings.TrimSpace(fmt.Sprintf("%s %s, version %d of the contract", i.Name, i.Release, i.Version))) {
		return false
	}
	const never = 1 << 20
	i, err = t.driver.Hello(ctx, driver.Greeting{Versions: []int{never}, Harness: "gdoilab"})
	switch {
	case errors.Is(err, driver.ErrDied), errors.Is(err, driver.ErrSilent):
	case err == nil && i.Version == never:
		err = complaint(fmt.Sprintf("it agrees to version %d of the contract, which there is not", never))
	default:
		err = nil
	}
	return t.step("knows its version", err, "")
}

// agrees holds what the manifest declares against what the driver says.
func (t *trial) agrees(ctx context.Context, m *peer.Manifest, r *peer.Role) error {
	for _, c := range r.Capabilities() {
		lacking, err := driver.Lacking(ctx, t.driver, c.Name)
		if err != nil {
			return err
		}
		if lacking != "" {
			return complaint(fmt.Sprintf("the manifest declares %s (%s), and the driver answers %s", c.Declared, c.At, lacking))
		}
	}
	answers, err := driver.Ask(ctx, t.driver, peer.FeatureNames()...)
	if err != nil {
		return err
	}
	for _, feature := range peer.FeatureNames() {
		if answers[feature] == driver.NotSupported && m.LacksFeature(feature) == "" {
			return complaint(fmt.Sprintf("the manifest declares the feature %s, and the driver says that it is unsupported", feature))
		}
	}
	return nil
}

// early asks for what cannot be yet.
func (t *trial) early(ctx context.Context) error {
	_, applies := t.driver.Apply(ctx, driver.Policy{})
	_, knows := t.driver.State(ctx)
	for _, c := range []struct {
		what string
		err  error
	}{
		{"it applies a policy that it was not given", applies},
		{"it starts a device that it was not told of", t.driver.Start(ctx)},
		{"it knows the state of a device that there is not", knows},
	} {
		switch {
		case c.err == nil:
			return complaint(c.what)
		case errors.Is(c.err, driver.ErrDied), errors.Is(c.err, driver.ErrSilent):
			return c.err
		}
	}
	return nil
}

// unknown sends a method that there is not and a line that is no request. After both the driver has to answer.
func (t *trial) unknown(ctx context.Context, p *driver.Program) error {
	err := p.Call(ctx, "gdoilab:no-such-method", nil, nil)
	switch {
	case err == nil:
		return complaint("it answers a method that there is not")
	case !errors.Is(err, driver.ErrUnsupported):
		return complaint(fmt.Sprintf("a method that there is not has to be refused with the code %d: %v", driver.CodeNoMethod, err))
	}
	if err := p.Write(ctx, []byte("a line that is no request")); err != nil {
		return err
	}
	if _, err := p.Hello(ctx, driver.Greeting{Versions: []int{driver.Version}, Harness: "gdoilab"}); err != nil {
		return complaint("after a line that is no request it does not go on: " + err.Error())
	}
	return nil
}

// eventNames are those that a line may tell of.
func eventNames() []string {
	names := make([]string, len(peer.EventNames))
	for i, e := range peer.EventNames {
		names[i] = e.Name
	}
	return names
}
