package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netns"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/dataplane"
)

// place is where a node stands: its sockets and its data plane in one routing table.
type place struct {
	*Node
	vrf    string // "": the node's own
	udp    *sockets
	device *dataplane.Device // nil without a data plane
	plane  *DataPlane
}

// openPlaces opens the node's own place and its VRFs.
func (n *Node) openPlaces() error {
	err := Inside(n.cfg.Namespace, func() error { return n.openPlace("", n.cfg, n.cfg.DataPlane) })
	if err != nil {
		return err
	}
	for _, v := range n.cfg.VRFs {
		err := Inside(v.Namespace, func() error {
			return n.openPlace(v.Name, Config{Listen: v.Listen, NATT: v.NATT, TTL: n.cfg.TTL}, v.DataPlane)
		})
		if err != nil {
			return fmt.Errorf("VRF %s: %w", v.Name, err)
		}
	}
	return nil
}

func (n *Node) openPlace(vrf string, cfg Config, plane *DataPlane) (err error) {
	p := &place{Node: n, vrf: vrf, plane: plane}
	if p.udp, err = openSockets(cfg); err != nil {
		return err
	}
	n.places = append(n.places, p)
	if plane == nil {
		return nil
	}
	if p.device, err = dataplane.Open(plane.Device); err != nil {
		return err
	}
	return p.shareWithDevice(cfg.NATT)
}

// Inside calls f in the network namespace of that path, "" being that of the calling thread.
func Inside(path string, f func() error) error {
	if path == "" {
		return f()
	}
	handle, err := netns.GetFromPath(path)
	if err != nil {
		return fmt.Errorf("network namespace %s: %w", path, err)
	}
	s := &space{handle}
	return errors.Join(s.do(f), s.close())
}

// place is the one of a VRF, or nil.
func (n *Node) place(vrf string) *place {
	for _, p := range n.places {
		if p.vrf == vrf {
			return p
		}
	}
	return nil
}

// run has its sockets and its data plane be read.
func (p *place) run() {
	p.spawn(func() { p.receive(p.udp.unicast, p.udp.local) })
	for _, s := range p.udp.also {
		p.spawn(func() { p.receive(s.conn, s.at) })
	}
	for _, s := range p.udp.shared {
		p.spawn(func() { p.receiveShared(s) })
	}
	if p.device != nil {
		p.spawn(p.forward)
	}
}

func (p *place) close() error {
	err := p.udp.close()
	if p.device != nil {
		err = errors.Join(err, p.device.Close())
	}
	return err
}

// in is an event that happened here.
func (p *place) in(ev core.Event) core.Event {
	if p.vrf == "" {
		return ev
	}
	return &core.EventIn{VRF: p.vrf, Event: ev}
}

// perform does what the core asks for: what names no VRF here. The caller has the lock.
func (p *place) perform(now time.Time, effects []core.Effect) {
	for _, e := range effects {
		at := p
		if in, ok := e.(*core.EffectIn); ok {
			at, e = p.place(in.VRF), in.Effect
		}
		if at != nil {
			at.do(now, e)
		}
	}
}
