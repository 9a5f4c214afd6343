package dataplane

import (
	"encoding/binary"
	"errors"
)

// vnetHeader stands in front of every packet that a device gives or takes (IFF_VNET_HDR; virtio 1.2 §5.1.6.1). With it one packet
// may stand for many: for the segments of a TCP stream, or for datagrams of the same length, that the kernel moves as one, and
// whose checksums it leaves to whoever takes them apart.
type vnetHeader struct {
	flags, kind uint8
	headersLen  uint16 // of the headers that all segments have
	size        uint16 // of what each segment holds behind them
	from, at    uint16 // a checksum runs from an octet on, and its place is behind that
}

const (
	vnetLen = 10

	flagChecksum = 1 // the checksum is still to be made, and its place holds the sum over the pseudo-header

	kindNone = 0
	kindTCP4 = 1
	kindTCP6 = 4
	kindUDP  = 5
	kindECN  = 0x80 // beside that of TCP: the first segment has CWR
)

var errVnet = errors.New("a header of the device that does not fit its packet")

// parseVnet takes the header off what a device gave.
func parseVnet(b []byte) (h vnetHeader, packet []byte, err error) {
	if len(b) < vnetLen {
		return vnetHeader{}, nil, errVnet
	}
	order := binary.NativeEndian
	h = vnetHeader{flags: b[0], kind: b[1], headersLen: order.Uint16(b[2:]), size: order.Uint16(b[4:]),
		from: order.Uint16(b[6:]), at: order.Uint16(b[8:])}
	return h, b[vnetLen:], nil
}

// put writes the header to the beginning of b.
func (h vnetHeader) put(b []byte) {
	order := binary.NativeEndian
	b[0], b[1] = h.flags, h.kind
	order.PutUint16(b[2:], h.headersLen)
	order.PutUint16(b[4:], h.size)
	order.PutUint16(b[6:], h.from)
	order.PutUint16(b[8:], h.at)
}
