package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// forward moves packets until the device is closed.
func (n *Node) forward() {
	if err := n.device.Run(turn{n}, n.packet); err != nil {
		n.fail(fmt.Errorf("data plane: %w", err))
	}
}

// turn is the lock of the core for a while in which the data plane gets several packets. They all arrived now.
type turn struct{ *Node }

func (t turn) Lock() {
	t.mu.Lock()
	t.now = time.Now()
}

func (t turn) Unlock() { t.mu.Unlock() }

// packet gives one packet to the gateway. The caller has its turn.
func (n *Node) packet(from core.Side, packet []byte, emit func(core.Side, []byte)) {
	if !n.running {
		return
	}
	if err := n.cfg.DataPlane.Gateway.Handle(n.now, from, packet, emit); err != nil {
		n.refused(n.now, err)
	}
}

// datagram gives a datagram to the data path if it is for it, and otherwise to the core. The caller has its turn.
func (n *Node) datagram(d *core.Datagram, emit func(core.Side, []byte)) {
	if !n.running {
		return
	}
	if n.cfg.DataPlane != nil && n.cfg.DataPlane.Datagram != nil {
		taken, err := n.cfg.DataPlane.Datagram(n.now, d, emit)
		if err != nil {
			n.refused(n.now, err)
		}
		if taken {
			return
		}
	}
	n.give(n.now, d)
}

func (n *Node) refused(now time.Time, err error) {
	var v *rule.Violation
	if n.cfg.DataPlane.Refused == nil || !errors.As(err, &v) {
		return
	}
	n.perform(now, n.cfg.DataPlane.Refused(now, v))
	n.wake()
}
