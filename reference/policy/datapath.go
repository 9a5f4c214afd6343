package policy

import (
	"net/netip"
	"time"
)

// DataPath is how a member carries the packets of its hosts, as far as that is its own affair and not the group's. The zero
// value is what the RFCs take for granted.
type DataPath struct {
	// Transport has the member take SAs in transport mode, as hosts may. Without it they are refused: a security gateway
	// uses tunnel mode (RFC 5374 §3). A gateway that sets it protects transit traffic under the IP headers of its hosts.
	Transport bool
	Peers     []TunnelPeer  // for SAs that do not preserve the destination; the longest prefix wins
	DF        DFPolicy      // of the outer header (RFC 4301 §8.1)
	Fragment  Fragmentation // of IPv4 packets that are too big and may be fragmented (RFC 4301 §8.2.1)
	DSCP      *uint8        // of the outer header; nil: that of the inner one
	TTL       int           // of the outer header, or its hop limit; 0 means 64
	PMTUAge   time.Duration // after which the MTU of a path is no longer believed (RFC 4301 §8.2.2); 0 means 10 min
	Resync    Resync
	TFC       TFC
	Own       []OwnEntry // the member's own policy, which comes before that of its groups
}

// TFC is what a member does against those who learn from the lengths and times of its packets (RFC 4303 §2.6, §2.7).
type TFC struct {
	PadTo      int // packets in tunnel mode are filled up to a multiple of so many octets, as far as the path carries them; 0: not
	DummyAfter int // a dummy packet follows every so many packets; 0: none does
}

// OwnEntry is an entry of a member's own policy: what it says of the flow is done without any SA (RFC 5374 §4.1.1, RFC 4301
// §4.4.1). The selector describes packets as they travel, so that both ways of a conversation take two entries or a selector of
// both.
type OwnEntry struct {
	Selector  Selector
	Action    OwnAction
	Direction Direction // sender-only: of packets that leave; receiver-only: of packets that come in; otherwise of both
}

// OwnAction is what becomes of the packets of an OwnEntry.
type OwnAction uint8

// The values of OwnAction.
const (
	OwnBypass OwnAction = iota + 1
	OwnDiscard
)

// Resync says how a receiver finds the upper half of extended sequence numbers again after it has lost 2^32 packets or more
// (RFC 4303 appendix A3).
type Resync struct {
	Failures int // packets in a row that are not authentic, before it is looked for; 0 means 32
	Cycles   int // how many higher upper halves are tried then; 0 means 4
}

// TunnelPeer is the gateway in front of a network (RFC 5374 §5.1).
type TunnelPeer struct {
	Network netip.Prefix
	Gateway netip.Addr
}

// DFPolicy says what becomes of the DF bit in the outer header (RFC 4301 §8.1).
type DFPolicy uint8

// The values of DFPolicy.
const (
	DFCopy DFPolicy = iota
	DFSet
	DFClear
)

// Fragmentation says when a packet is fragmented (RFC 4301 §8.2.1).
type Fragmentation uint8

// The values of Fragmentation. Before encryption the receiving gateway has nothing to put together; SAs that name ports and
// those in transport mode cannot carry fragments, and are always fragmented after it.
const (
	FragmentBefore Fragmentation = iota
	FragmentAfter
)
