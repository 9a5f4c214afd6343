package control

import "time"

// Replay is how packets of an SA are known that are repeated, what they carry for that and beside it, and what became of them.
type Replay struct {
	Method    string `json:"method"`           // counter, time or none
	Window    string `json:"window,omitempty"` // packets, or a duration such as 100s
	In        uint64 `json:"in"`               // members: packets that were taken
	Out       uint64 `json:"out"`
	InErrors  uint64 `json:"in_errors"` // refused as repeated, or without a pseudotime
	OutErrors uint64 `json:"out_errors"`

	Tag  string            `json:"tag"`            // how packets carry the tag of their security group: cts sgt, or disabled
	Tags map[uint16]uint64 `json:"tags,omitempty"` // members: packets that were taken, by their tags
}

// Pseudotime is what a member knows of the pseudotime of its group. Pseudotimes are in seconds with two decimals.
type Pseudotime struct {
	Value      string        `json:"value"`
	SyncErrors uint64        `json:"sync_errors"`      // times that the key server was further away than it may be
	MaxDelta   string        `json:"max_delta"`        // the furthest
	Errors     []ReplayError `json:"errors,omitempty"` // the last ones, oldest first; of many in a minute ten
}

// ReplayError is a packet that was refused for its pseudotime.
type ReplayError struct {
	Time     time.Time `json:"time"`
	Source   string    `json:"source"`
	SPI      string    `json:"spi"`
	Sequence uint32    `json:"sequence"`
	Own      string    `json:"own"`
	Peer     string    `json:"peer"`
}
