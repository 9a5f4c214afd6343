package policy

import "net/netip"

// Authorization says who may register with a group of GET VPN, instead of the list of members. An identity that is an address is
// looked for among the addresses only, any other among the identities only, so that a list which is not there asks nothing of its
// kind: who wants names alone gives an empty list of addresses.
type Authorization struct {
	Addresses  *[]netip.Prefix // nil: every address may register
	Identities *[]Identity     // nil: every name may register
}

// FailClose is what a member of GET VPN does with the packets of its hosts as long as it has no policy of its group. Without it they
// pass in clear.
type FailClose struct {
	Activate   bool // nothing of this counts before
	AccessList []FailCloseEntry
	Revert     bool // the group's policy goes with its last SA if no key server can be reached
}

// FailCloseEntry is an entry of the access list that counts then. The first that takes a packet decides, and what none takes is
// dropped. It is written as the member sends: packets that come in are compared with source and destination swapped.
type FailCloseEntry struct {
	Selector Selector
	Action   ACLAction
}

// ACLAction is what an entry of an access list says of encryption.
type ACLAction uint8

// The values of ACLAction: a packet that is denied encryption travels in clear.
const (
	ACLDeny ACLAction = iota + 1
	ACLPermit
)
