package tryout

import (
	"context"
	"errors"

	"github.com/gdoilab/gdoilab/harness/driver"
	"github.com/gdoilab/gdoilab/harness/peer"
)

// Step is one thing that was tried, and what came of it. An Err that wraps driver.ErrUnsupported, or is a peer.Unsupported, is no fault.
type Step struct {
	What   string
	Err    error
	Detail string
}

// Fault reports whether the step says that something is wrong.
func (s Step) Fault() bool { return s.Err != nil && !Declared(s.Err) }

// Declared reports whether an error is a declaration that something cannot be done.
func Declared(err error) bool {
	return errors.Is(err, driver.ErrUnsupported) || errors.As(err, new(*peer.Unsupported))
}

// Declaration is what such an error says of the device.
func Declaration(err error) string {
	var typed *driver.Error
	if errors.As(err, &typed) && typed.Message != "" {
		return typed.Message
	}
	return err.Error()
}

// complaint is what is wrong with a driver, in a plain line.
type complaint string

func (c complaint) Error() string { return string(c) }

// trial is one at work.
type trial struct {
	driver driver.Driver
	tell   func(Step)
}

// step tells what came of one, and reports whether it went well.
func (t *trial) step(what string, err error, detail string) bool {
	t.tell(Step{what, err, detail})
	return err == nil
}

// wrong is a step's error from what is wrong, "" being nothing.
func wrong(err error, why string) error {
	if err == nil && why != "" {
		return complaint(why)
	}
	return err
}

// optional is a method that a driver may lack. What it says of that and what it does have to agree.
func (t *trial) optional(ctx context.Context, capability string, err error) error {
	answers, asking := driver.Ask(ctx, t.driver, capability)
	if asking != nil {
		return asking
	}
	says, has := answers[capability], !errors.Is(err, driver.ErrUnsupported)
	switch {
	case says == driver.Supported && !has:
		return complaint("it says that it has " + capability + ", and then that it has not: " + err.Error())
	case says != driver.Supported && err == nil:
		return complaint("it says of " + capability + " that it is " + string(says) + ", and then does it")
	}
	return err
}
