package ike

import (
	"bytes"
	"slices"
)

// history is what tells a repeated message from a new one.
type history struct {
	handled [][]byte // datagrams that were accepted, in order
	last    sent     // the reply to the last of them
}

// add notes that a datagram was accepted. Copies of the history are not affected.
func (h *history) add(data []byte) { h.handled = append(slices.Clip(h.handled), data) }

// find reports whether the datagram was accepted before, and whether it was the latest.
func (h *history) find(data []byte) (known, latest bool) {
	i := slices.IndexFunc(h.handled, func(had []byte) bool { return bytes.Equal(had, data) })
	return i >= 0, i >= 0 && i == len(h.handled)-1
}
