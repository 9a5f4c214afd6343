package lab

import (
	"context"
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/control"
)

// Together waits until a tester knows of the registration between it and a device, the key server or the first member: a member of its own,
// a key server of that of the device.
func (l *Lab) Together(ctx context.Context, device *Peer) error {
	if device == l.KS {
		return l.GM[0].AwaitRegistered(ctx)
	}
	registered := func(m control.KSMember) bool { return m.Address == device.Addr().String() }
	known := l.Wait(ctx, Patience, func() bool {
		status, err := l.KS.KSStatus(ctx)
		return err == nil && slices.ContainsFunc(status.Groups[0].Members, registered)
	})
	if !known {
		return fmt.Errorf("the tester's key server knows of no member %s after %s", device.Addr(), Patience)
	}
	return nil
}
