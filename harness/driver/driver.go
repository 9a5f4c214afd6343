package driver

import (
	"context"
	"encoding/json"
)

// Version is the version of the contract. It counts up when an old driver would be misunderstood; what is merely new leaves it as it is.
const Version = 1

// Driver drives one device in one role. Its methods are called one after the other:
//
//	Hello, Capabilities, Prepare, Apply, Start, then Trigger, State, Events, Clock, Secrets and Traffic, then Stop, Collect and Reset
//
// After Stop the device can be started again as it was applied. After Reset the driver is as it was after Hello. What a device cannot do is
// an error that wraps ErrUnsupported, what is asked at the wrong time one that wraps ErrNotNow.
type Driver interface {
	// Hello says who is there and agrees on the version.
	Hello(ctx context.Context, g Greeting) (Identity, error)
	// Capabilities says of each name whether the device has it. A name that the driver has never heard of is Unknown.
	Capabilities(ctx context.Context, names []string) (map[string]Answer, error)
	// Prepare says where the device is to be: its role, its place in the network and the secrets that it is to own.
	Prepare(ctx context.Context, p Preparation) error
	// Apply makes the device's own configuration of the group's policy and returns it as the device gets it. A policy for which the device
	// has no word is an error that wraps ErrUnsupported.
	Apply(ctx context.Context, p Policy) (Applied, error)
	// Start brings the device up; when it returns, the device takes part in the protocol.
	Start(ctx context.Context) error
	// Stop ends the device as an operator would. Nothing of it runs afterwards; what it has logged can still be asked for.
	Stop(ctx context.Context) error
	// Reset takes everything away that Prepare, Apply and the device's own work have left, running or not.
	Reset(ctx context.Context) error
	// Trigger has the device do something now, and returns what it answers.
	Trigger(ctx context.Context, t Trigger) (json.RawMessage, error)
	// State says what the device knows of its groups.
	State(ctx context.Context) (State, error)
	// Events returns what the device has logged beyond the first lines, as many as are named.
	Events(ctx context.Context, after int) (Events, error)
	// Clock says what time it is for the device.
	Clock(ctx context.Context) (Clock, error)
	// Secrets returns the keys that the device has used so far, so that captures can be read.
	Secrets(ctx context.Context) (Secrets, error)
	// Traffic counts what the device's data path has done.
	Traffic(ctx context.Context) (Traffic, error)
	// Collect returns what else is worth to be kept with a verdict.
	Collect(ctx context.Context) (Collected, error)
}

// The methods, as they are called on the wire.
const (
	MethodHello        = "hello"
	MethodCapabilities = "capabilities"
	MethodPrepare      = "prepare"
	MethodApply        = "apply"
	MethodStart        = "start"
	MethodStop         = "stop"
	MethodReset        = "reset"
	MethodTrigger      = "trigger"
	MethodState        = "state"
	MethodEvents       = "events"
	MethodClock        = "clock"
	MethodSecrets      = "secrets"
	MethodTraffic      = "traffic"
	MethodCollect      = "collect"
)

// Optional are the methods that a driver may answer with "unsupported". Their names are capabilities.
var Optional = []string{MethodState, MethodEvents, MethodClock, MethodSecrets, MethodTraffic, MethodCollect}

// Unsupported answers every method with ErrUnsupported. A driver that can do less than all embeds it.
type Unsupported struct{}

var _ Driver = Unsupported{}

// Hello answers with nothing but the version.
func (Unsupported) Hello(context.Context, Greeting) (Identity, error) {
	return Identity{Version: Version}, nil
}

// Capabilities knows none.
func (Unsupported) Capabilities(_ context.Context, names []string) (map[string]Answer, error) {
	answers := make(map[string]Answer, len(names))
	for _, name := range names {
		answers[name] = Unknown
	}
	return answers, nil
}

// Prepare is not supported.
func (Unsupported) Prepare(context.Context, Preparation) error { return ErrUnsupported }

// Apply is not supported.
func (Unsupported) Apply(context.Context, Policy) (Applied, error) { return Applied{}, ErrUnsupported }

// Start is not supported.
func (Unsupported) Start(context.Context) error { return ErrUnsupported }

// Stop is not supported.
func (Unsupported) Stop(context.Context) error { return ErrUnsupported }

// Reset is not supported.
func (Unsupported) Reset(context.Context) error { return ErrUnsupported }

// Trigger is not supported.
func (Unsupported) Trigger(context.Context, Trigger) (json.RawMessage, error) {
	return nil, ErrUnsupported
}

// State is not supported.
func (Unsupported) State(context.Context) (State, error) { return State{}, ErrUnsupported }

// Events is not supported.
func (Unsupported) Events(context.Context, int) (Events, error) { return Events{}, ErrUnsupported }

// Clock is not supported.
func (Unsupported) Clock(context.Context) (Clock, error) { return Clock{}, ErrUnsupported }

// Secrets is not supported.
func (Unsupported) Secrets(context.Context) (Secrets, error) { return Secrets{}, ErrUnsupported }

// Traffic is not supported.
func (Unsupported) Traffic(context.Context) (Traffic, error) { return Traffic{}, ErrUnsupported }

// Collect is not supported.
func (Unsupported) Collect(context.Context) (Collected, error) { return Collected{}, ErrUnsupported }
