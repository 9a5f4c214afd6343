package control

import "time"

// The commands of GET VPN about directions.
const (
	ReceiveOnly = "receive-only" // of a key server; arguments: ReceiveOnlyArgs; answer: RekeyResult
	Direction   = "direction"    // of a member; arguments: DirectionArgs; answer: {}
)

// ReceiveOnlyArgs says whether the SAs of a group are for receiving only from now on.
type ReceiveOnlyArgs struct {
	Group uint32 `json:"group"` // 0: the only one
	On    bool   `json:"on"`
}

// DirectionArgs says in which directions a member uses the SAs of a group until the next rekey.
type DirectionArgs struct {
	Group     uint32 `json:"group,omitempty"` // 0: all of them
	Direction string `json:"direction"`       // both, inbound-optional
}

// Modes is what a member of GET VPN shows of a group beside its SAs.
type Modes struct {
	Direction string    `json:"direction"`               // both, inbound-optional, receive-only
	FailClose bool      `json:"fail_close"`              // the list for the time without a policy is activated
	Closed    bool      `json:"closed"`                  // it counts now
	Revert    bool      `json:"fail_close_revert"`       // the group's policy goes with its last SA
	Removal   time.Time `json:"policy_removal,omitzero"` // when that will be, unless a key server can be reached before
	ActiveSA  bool      `json:"active_sa"`               // there is an SA to protect traffic with
}
