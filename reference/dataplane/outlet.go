package dataplane

import "github.com/gdoilab/gdoilab/reference/core"

// outlet is the way to both devices of somebody who emits. It keeps packets back until flush, as long as more may come that can leave
// with them.
type outlet [2]merger

func (d *Device) newOutlet() *outlet {
	o := new(outlet)
	for side := range o {
		tun := d.tuns[side]
		o[side] = merger{write: tun.write, takesUDP: tun.segmentsUDP}
	}
	return o
}

// emit takes a packet for the kernel to route on, as one that comes out of the gateway on that side.
func (o *outlet) emit(to core.Side, packet []byte) { o[to].add(packet) }

func (o *outlet) flush() {
	for side := range o {
		o[side].flush()
	}
}
