package lab

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/snmp"
)

var _ notifying = (*memoryNode)(nil)

// notices are lines of the log of a node that may be worth a trap, and the traps.
type notices struct {
	began  time.Time
	teller mib.Teller
	lines  []*core.Log
	sent   [][]byte
}

// notify sends the traps of what was logged, once the core has done what it was about.
func (node *memoryNode) notify() {
	lines := node.notices.lines
	node.notices.lines = nil
	for _, l := range lines {
		table, err := node.table()
		if err != nil {
			return
		}
		n, ok := node.notices.teller.Tell(table.Role(), l)
		if !ok {
			continue
		}
		if message, err := snmp.Trap(node.community(), node.net.now.Sub(node.notices.began), n, table); err == nil {
			node.notices.sent = append(node.notices.sent, message)
		}
	}
}

func (node *memoryNode) table() (mib.Table, error) {
	if node.station.KS != nil {
		return node.tableOfKeyServer()
	}
	return node.tableOfMember()
}

func (node *memoryNode) traps() [][]byte { return slices.Clone(node.notices.sent) }
