package gdoi

import (
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// attributeSlab is an array that the attribute lists of a whole message are cut from, to allocate once.
type attributeSlab []wire.Attribute

// read reads attributes to the end of r. When the slab is full it grows into a new array; lists cut before stay where
// they are.
func (s *attributeSlab) read(r *wire.Reader) []wire.Attribute {
	start := len(*s)
	*s = wire.ReadAttributes(*s, r)
	if end := len(*s); end > start {
		return (*s)[start:end:end]
	}
	return nil
}

// saRoom is what an SA of ordinary size (one SAK, one GAP, a few SATs) is decoded into, in one allocation. A larger one
// outgrows the arrays.
type saRoom struct {
	payloads   [8]isakmp.Payload
	esps       [4]SATESP
	attributes [40]wire.Attribute
}

// satRoom is that of a small one: a rekey that brings one SAT.
type satRoom struct {
	payloads   [2]isakmp.Payload
	esps       [1]SATESP
	attributes [6]wire.Attribute
}

// satRoomFor is the length in octets up to which a chain is taken to fit there.
const satRoomFor = 128

// newSAChain is one with room for what so many octets hold.
func newSAChain(octets int) saChain {
	if octets <= satRoomFor {
		room := new(satRoom)
		return saChain{room.payloads[:0], room.esps[:0], room.attributes[:0]}
	}
	room := new(saRoom)
	return saChain{room.payloads[:0], room.esps[:0], room.attributes[:0]}
}
