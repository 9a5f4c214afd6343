package lab

import (
	"fmt"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

var _ tabled = (*memoryNet)(nil)

// Namespace says that there are none here.
func (n *memoryNet) Namespace(string) string { return "" }

// Table is the place of a device in this network.
func (n *memoryNet) Table(device Node, name, vrf string) (Node, error) {
	node, ok := device.(*memoryNode)
	if !ok || node.placeIn(vrf) == nil || node.placeIn(vrf).net != n {
		return nil, fmt.Errorf("lab: %s: %w", name, errNoVRF)
	}
	return memoryTable{node.placeIn(vrf)}, nil
}

// standIn has a device that has not begun yet stand in another network, too.
func (node *memoryNode) standIn(t Table) error {
	other, ok := t.Net.(*memoryNet)
	if !ok {
		return errNoVRF
	}
	s := node.station
	for _, one := range node.station.GM.VRFs {
		if one.VRF == t.VRF {
			s.GM = &one
		}
	}
	place := other.newNode(s)
	place.device, place.vrf = node, t.VRF
	node.tables = append(node.tables, place)
	return other.settle(place)
}

// placeIn is the node's place in a VRF, or nil.
func (node *memoryNode) placeIn(vrf string) *memoryNode {
	for _, t := range node.tables {
		if t.vrf == vrf {
			return t
		}
	}
	return nil
}

// memoryTable is the place of a device in a VRF, as specs see it: its commands are for the member there, and what it logs is the device's.
type memoryTable struct{ *memoryNode }

func (t memoryTable) Log() []string                { return t.device.Log() }
func (t memoryTable) Keys() []keylog.Entry         { return t.device.Keys() }
func (t memoryTable) Config() ([]peer.File, error) { return t.device.Config() }
func (t memoryTable) Stop() error                  { return nil }

// asTable is a command for the member in the device's own VRF alone, where it has others; on its console an operator sees all.
func (node *memoryNode) asTable(c *core.Command) core.Event {
	if len(node.tables) == 0 || c.Name == control.Console {
		return c
	}
	return &core.EventIn{VRF: node.station.GM.VRF, Event: c}
}
