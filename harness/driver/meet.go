package driver

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Invented is a capability that nobody has. A driver that says it has it says so of everything.
const Invented = "gdoilab:invented-to-see-who-says-yes"

// Meet greets a driver, agrees on the version, and sees whether its answers about capabilities mean anything.
func Meet(ctx context.Context, d Driver, harness string) (Identity, error) {
	i, err := d.Hello(ctx, Greeting{Versions: []int{Version}, Harness: harness})
	if err != nil {
		return i, err
	}
	if i.Version != Version {
		return i, fault(i, MethodHello, fmt.Sprintf("it speaks version %d of the contract, and this program version %d", i.Version, Version))
	}
	if i.Name == "" {
		return i, fault(i, MethodHello, "it has no name")
	}
	answers, err := Ask(ctx, d, Invented)
	if err == nil && answers[Invented] == Supported {
		err = fault(i, MethodCapabilities, "it says that it has "+Invented+", which nobody has")
	}
	return i, err
}

// Ask asks for capabilities. An answer that is missing, or none of the three, is an error.
func Ask(ctx context.Context, d Driver, names ...string) (map[string]Answer, error) {
	answers, err := d.Capabilities(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		switch a, ok := answers[name]; {
		case !ok:
			return nil, fault(Identity{}, MethodCapabilities, "it does not answer for "+name)
		case a != Supported && a != NotSupported && a != Unknown:
			return nil, fault(Identity{}, MethodCapabilities, fmt.Sprintf("it answers %q for %s; the answers are supported, unsupported, unknown", a, name))
		}
	}
	return answers, nil
}

// Lacking is the first of the capabilities that a driver does not say it has, with its answer; "" if it has all.
func Lacking(ctx context.Context, d Driver, names ...string) (string, error) {
	answers, err := Ask(ctx, d, names...)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(names, func(name string) bool { return answers[name] != Supported })
	if i < 0 {
		return "", nil
	}
	return fmt.Sprintf("%s: %s", names[i], answers[names[i]]), nil
}

// fault is an error of a driver that answers, but not as the contract has it.
func fault(i Identity, method, message string) error {
	name := strings.TrimSpace(i.Name)
	if name == "" {
		name = "a driver"
	}
	return &Error{Driver: name, Method: method, Err: ErrProtocol, Message: message}
}
