package control

import (
	"encoding/json"
	"net/netip"
	"time"
)

// The commands. A key server knows Status, Rekey, Exclude, Readmit and Configure; a member knows Status, Register,
// Clear, ClearReplay and Configure.
const (
	Status  = "status"  // answer: KSStatus or GMStatus
	Rekey   = "rekey"   // arguments: RekeyArgs; answer: RekeyResult
	Exclude = "exclude" // arguments: ExcludeArgs; answer: RekeyResult, of the last PUSH
	Readmit = "readmit" // arguments: ExcludeArgs; the member may register again; answer: {}
	// Configure has a key server go by another policy. Arguments: ConfigureArgs; answer: ConfigureResult. A member takes other
	// pre-shared keys by it, and other streams to be joined by hand; answer: {}.
	Configure = "configure"
	Register  = "register" // arguments: GroupArgs; register again now, keeping what is installed; answer: {}
	Clear     = "clear"    // arguments: GroupArgs; forget all SAs and register afresh; answer: {}

	ClearReplay = "clear-replay" // profile getvpn, arguments: GroupArgs; forget what was counted of repeated packets; answer: {}
	Session     = "session"      // profile getvpn, of a member, arguments: SessionArgs; may an operator's session go on; answer: SessionResult
	Clock       = "clock"        // arguments: ClockArgs; the time of day is another, by which nothing but log lines goes; answer: {}
)

// Request is one line to a node.
type Request struct {
	ID      uint64          `json:"id"`
	Command string          `json:"command"`
	VRF     string          `json:"vrf,omitempty"` // of the member that is meant, of a device with several; "": all of them
	Args    json.RawMessage `json:"args,omitempty"`
}

// Response is one line from a node. Exactly one of Body and Error is set.
type Response struct {
	ID    uint64          `json:"id"`
	Body  json.RawMessage `json:"body,omitempty"`
	Error string          `json:"error,omitempty"`
}

// GroupArgs says which group of a member a command is about.
type GroupArgs struct {
	Group uint32 `json:"group,omitempty"` // 0: all of them
}

// ClockArgs says what time of day it is.
type ClockArgs struct {
	Time time.Time `json:"time"`
}

// SessionArgs are the ends of a TCP session with the node itself.
type SessionArgs struct {
	Local  netip.AddrPort `json:"local"`
	Remote netip.AddrPort `json:"remote"`
}

// SessionResult says whether its packets pass.
type SessionResult struct {
	Passes bool `json:"passes"`
}

// RekeyArgs says what a PUSH is to do. With nothing but a group the TEKs are replaced. What is deleted has a successor, but by
// itself a deletion brings the members none; beside something else it comes first.
type RekeyArgs struct {
	Group      uint32   `json:"group"`                 // 0: the only one
	TEK        bool     `json:"tek,omitempty"`         // replace the TEKs: to be said beside a deletion
	KEK        bool     `json:"kek"`                   // replace the KEK, and the TEKs with it unless KEKOnly
	KEKOnly    bool     `json:"kek_only"`              // with KEK: leave the TEKs
	DeleteAll  bool     `json:"delete_all"`            // delete all TEKs and the KEK; members register again
	DeleteTEKs []string `json:"delete_teks,omitempty"` // delete the SAs with these SPIs, in hexadecimal; 0: all
	DeleteKEK  bool     `json:"delete_kek,omitempty"`  // delete the KEK; members register again
	Replace    bool     `json:"replace,omitempty"`     // replace the TEKs; those before live on as long as it takes to go over to them
	Announce   bool     `json:"announce,omitempty"`    // tell the SAs in force once more, with the keys that they have
	Lifetime   int      `json:"lifetime,omitempty"`    // with Announce: seconds that they live from now on, fewer than they would
}

// ExcludeArgs says which member is to leave a group whose KEK is managed by LKH, and not to come back until it is readmitted.
type ExcludeArgs struct {
	Group  uint32 `json:"group"`  // 0: the only one
	Member string `json:"member"` // its identity
}

// ConfigureArgs is a whole policy in the place of the present one.
type ConfigureArgs struct {
	Config string `json:"config"` // the document, with its keys in it
}

// ConfigureResult says what the groups told their members at once.
type ConfigureResult struct {
	Rekeys []RekeyResult `json:"rekeys"` // of each group that had to: the last message
}

// RekeyResult says what was sent.
type RekeyResult struct {
	Sequence uint32   `json:"sequence"` // of the PUSH, the last one if it took several
	SPIs     []string `json:"spis"`     // of the Data-Security SAs in it, eight hexadecimal digits each
	Rekey    string   `json:"rekey"`    // SPI of the Rekey SA in force from now on
}

// KSStatus is what a key server shows.
type KSStatus struct {
	Role     string            `json:"role"` // "KS"
	Name     string            `json:"name"`
	Time     time.Time         `json:"time"`
	Address  string            `json:"address"`   // its own, with the port
	Phase1   int               `json:"phase1"`    // established Phase 1 SAs
	HalfOpen int               `json:"half_open"` // unfinished Phase 1 exchanges
	Groups   []KSGroup         `json:"groups"`
	Rejects  map[string]uint64 `json:"rejects"` // requirement id -> messages refused for it
}

// KSGroup is one group of a key server.
type KSGroup struct {
	Name        string     `json:"name"`
	ID          uint32     `json:"id"`
	Rekey       string     `json:"rekey"`    // SPI of the Rekey SA, 32 hexadecimal digits; empty without rekey
	Sequence    uint32     `json:"sequence"` // last PUSH number used
	RekeyExpiry time.Time  `json:"rekey_expiry"`
	SAs         []SA       `json:"sas"`
	Members     []KSMember `json:"members"`
	NextSID     uint32     `json:"next_sid"`
	Direction   string     `json:"direction,omitempty"`  // of GET VPN: both, receive-only
	Pseudotime  string     `json:"pseudotime,omitempty"` // seconds; of a group with time-based anti-replay in which somebody is or was
	KEK         *KEK       `json:"kek,omitempty"`
	RekeyCounts
}

// KSMember is one registered member as the key server knows it.
type KSMember struct {
	Identity   string    `json:"identity"`
	Address    string    `json:"address"`
	Registered time.Time `json:"registered"`
	SIDs       []uint32  `json:"sids,omitempty"`
	Acked      uint32    `json:"acked"` // highest sequence number acknowledged
	EverAcked  bool      `json:"ever_acked"`
	MemberCounts
}

// SA is one Data-Security SA without its keys.
type SA struct {
	SPI      string    `json:"spi"` // eight hexadecimal digits
	Selector string    `json:"selector"`
	Cipher   string    `json:"cipher"`
	Expiry   time.Time `json:"expiry"`
	Sending  bool      `json:"sending"`          // members: new packets leave under it
	Replay   *Replay   `json:"replay,omitempty"` // profile getvpn
	Detail   SADetail  `json:"detail,omitzero"`
}

// GMStatus is what a group member shows. In JSON the fields of its group stand among its own.
type GMStatus struct {
	Role    string    `json:"role"` // "GM"
	Name    string    `json:"name"`
	Time    time.Time `json:"time"`
	Address string    `json:"address"` // its own, with the port
	GMGroup
	Groups   []GMGroup         `json:"groups,omitempty"` // all of them, of a member of several; then GMGroup is the first
	Counters map[string]uint64 `json:"counters"`         // data plane: encrypted, decrypted, bypassed, dropped
	Rejects  map[string]uint64 `json:"rejects"`
}

// Memberships are the groups that the member is in, be they one or several.
func (s GMStatus) Memberships() []GMGroup {
	if len(s.Groups) > 0 {
		return s.Groups
	}
	return []GMGroup{s.GMGroup}
}

// GMGroup is one group as a member of it knows it.
type GMGroup struct {
	VRF         string      `json:"vrf,omitempty"` // of a device with several
	Group       uint32      `json:"group"`
	State       string      `json:"state"` // idle, phase1, pull, registered
	KeyServer   string      `json:"key_server"`
	Rekey       string      `json:"rekey"`
	Sequence    uint32      `json:"sequence"` // last PUSH number accepted, or the one given at registration
	RekeyExpiry time.Time   `json:"rekey_expiry"`
	SAs         []SA        `json:"sas"`
	Expired     []SA        `json:"expired,omitempty"` // of GET VPN: those that came last and have ended, without another in their place
	SIDs        []uint32    `json:"sids,omitempty"`
	Modes       Modes       `json:"modes,omitzero"`       // of GET VPN
	Pseudotime  *Pseudotime `json:"pseudotime,omitempty"` // of a group with time-based anti-replay
	KEK         *KEK        `json:"kek,omitempty"`
	Track       string      `json:"track,omitempty"` // of the tracked object of GET VPN: up or down; empty without
	GMCounts
}
