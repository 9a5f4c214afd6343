package dataplane

import "github.com/gdoilab/gdoilab/reference/core"

// Outlet is the way to the kernel of somebody who emits many packets. It keeps packets back until Flush, as long as more may come that
// can leave together with them. It is not safe for concurrent use; several outlets of a device are.
type Outlet struct{ sides [2]merger }

// NewOutlet makes an outlet.
func (d *Device) NewOutlet() *Outlet {
	o := new(Outlet)
	for side := range o.sides {
		tun := d.tuns[side]
		o.sides[side] = merger{write: tun.write, takesUDP: tun.segmentsUDP}
	}
	o.sides[core.Outside].completes = d.udpChecksum
	return o
}

// Emit takes a packet as Device.Emit does, if not at once.
func (o *Outlet) Emit(to core.Side, packet []byte) { o.sides[to].add(packet) }

// Flush gives the kernel what was kept back.
func (o *Outlet) Flush() {
	for side := range o.sides {
		o.sides[side].flush()
	}
}
