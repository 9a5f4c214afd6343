package lab

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gdoilab/gdoilab/reference/control"
)

var _ tabled = (*kernelNet)(nil)

// Namespace is the path of a node's.
func (n *kernelNet) Namespace(node string) string {
	return filepath.Join(netnsDir, n.spaceName(node))
}

// Table is the place of a process in this network: it opens its sockets here itself, where its configuration names the namespace.
func (n *kernelNet) Table(device Node, name, vrf string) (Node, error) {
	p, ok := device.(*process)
	if !ok {
		return nil, fmt.Errorf("lab: %s: %w", name, errNoVRF)
	}
	return processTable{p, vrf}, nil
}

// processTable is the place of a device in a VRF, as specs see it: its commands are for the member there, and what it logs is the device's.
type processTable struct {
	*process
	vrf string
}

// Do asks the member in the VRF.
func (t processTable) Do(ctx context.Context, command string, args any) (control.Response, error) {
	return t.process.ask(ctx, t.vrf, command, args)
}

// Stop leaves it to whoever has started the device.
func (processTable) Stop() error { return nil }
