package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// forward moves packets until the device is closed.
func (p *place) forward() {
	if err := p.device.Run(turn{p.Node}, p.packet); err != nil {
		p.fail(fmt.Errorf("data plane: %w", err))
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
func (p *place) packet(from core.Side, packet []byte, emit func(core.Side, []byte)) {
	if !p.running {
		return
	}
	if err := p.plane.Gateway.Handle(p.now, from, packet, emit); err != nil {
		p.refused(p.now, err)
	}
}

// datagram gives a datagram to the data path if it is for it, and otherwise to the core. The caller has its turn.
func (p *place) datagram(d *core.Datagram, emit func(core.Side, []byte)) {
	if !p.running {
		return
	}
	if p.plane != nil && p.plane.Datagram != nil {
		taken, err := p.plane.Datagram(p.now, d, emit)
		if err != nil {
			p.refused(p.now, err)
		}
		if taken {
			return
		}
	}
	p.give(p.now, p.in(d))
}

func (p *place) refused(now time.Time, err error) {
	var v *rule.Violation
	if p.plane.Refused == nil || !errors.As(err, &v) {
		return
	}
	p.perform(now, p.plane.Refused(now, v))
	p.wake()
}
