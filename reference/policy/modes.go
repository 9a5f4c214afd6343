package policy

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

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

// Usage says in which directions a member of GET VPN uses the SAs of a group.
type Usage uint8

// The usages. Of receive-only traffic leaves in clear; with the other but both, clear traffic may come in beside ESP.
const (
	UsageBoth            Usage = iota
	UsageInboundOptional       // packets leave in ESP
	UsageReceiveOnly           // packets leave in clear
)

var usages = yamldoc.Names[Usage]{{"both", UsageBoth}, {"inbound-optional", UsageInboundOptional}, {"receive-only", UsageReceiveOnly}}

// String returns the word of a command or a status.
func (u Usage) String() string {
	name, _ := usages.Of(u)
	return name
}

// ParseUsage reads what an operator may ask a member for: what its key server says of directions is not the operator's to set.
func ParseUsage(word string) (Usage, error) {
	return usages[:2].Named(word)
}
