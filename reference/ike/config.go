package ike

import (
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// What a zero field of Config stands for.
const (
	DefaultLifetime   = 24 * time.Hour
	DefaultRetransmit = time.Second
	DefaultRetries    = 4
	DefaultDOI        = 2 // GDOI (RFC 6407 §2.1)
)

var (
	// ErrTimeout means that an exchange was given up: the peer answered no copy, or did not go on.
	ErrTimeout = errors.New("ike: phase 1 timed out")
	// ErrOver means that an exchange is established or given up and takes no more messages.
	ErrOver = errors.New("ike: phase 1 is over")
)

// Config is what all exchanges of one node share. It is only read.
type Config struct {
	Rules      *rule.Switches
	Role       rule.Role       // of the node; which side of Main Mode it takes follows from Initiate and Respond
	Rand       io.Reader       // cookies, nonces, private values; must not fail
	Tap        core.Tap        // sees and alters every outgoing message
	Local      netip.AddrPort  // its address is the Phase 1 identity, unless there is another
	Identity   policy.Identity // the own one; zero: that of Local
	Lifetime   time.Duration   // offered, and the longest that is kept; 0 means DefaultLifetime
	Retransmit time.Duration   // first interval, doubled each time; 0 means DefaultRetransmit
	Retries    int             // repetitions before giving up; 0 means DefaultRetries
	// PSK finds the pre-shared key of a peer by its address and, in Aggressive Mode, by who it says it is (RFC 2409 §5.4). In Main
	// Mode that is the zero value.
	PSK func(peer netip.Addr, claimed policy.Identity) (policy.PSK, bool)
	// Expect says whether a peer may have an identity; nil: any.
	Expect func(id policy.Identity) bool
	// Credentials are what signatures are made and checked with. They may be nil if no suite asks for them.
	Credentials *policy.Credentials
	NATT        bool                // NAT traversal is announced and, if the peer does the same, used (RFC 3947)
	DOI         uint32              // of the SA payload; 0 means DefaultDOI
	Suites      []Suite             // offered in this order; none means that of policy.DefaultProposal
	Prefer      policy.Preference   // a responder's: whose order decides between several transforms
	Kilobytes   uint64              // offered, and the most that one SA protects; 0: any number
	DPD         time.Duration       // silence after which the peer is asked for a sign of life (RFC 3706); 0: never
	Mode        policy.ExchangeMode // how an initiator begins, and what a responder takes
	ClearProof  bool                // the initiator's: Aggressive Mode 3 is not encrypted

	// AnySituation has SA payloads be taken that are of the DOI of GDOI or of IPsec, in situation 0 or 1, and a responder answer in what
	// the offer had; TransformsFromZero has an offer's first transform be number 0. Both are for daemons older than RFC 6407.
	AnySituation, TransformsFromZero bool

	Elsewhere bool // the node has several addresses: messages leave from Local, and say so

	// ReplyAsIPsec has an initiator take a reply in the DOI of IPsec to an offer in another one: IKE daemons that know no
	// further DOI answer so. It is against RFC 2408 §5.4, and off unless asked for.
	ReplyAsIPsec bool
}

// withDefaults fills in the zero fields.
func (c Config) withDefaults() *Config {
	if c.Lifetime == 0 {
		c.Lifetime = DefaultLifetime
	}
	if c.Retransmit == 0 {
		c.Retransmit = DefaultRetransmit
	}
	if c.Retries == 0 {
		c.Retries = DefaultRetries
	}
	if c.DOI == 0 {
		c.DOI = DefaultDOI
	}
	if c.Credentials == nil {
		c.Credentials = new(policy.Credentials)
	}
	if len(c.Suites) == 0 {
		c.Suites = defaultSuites
	}
	return &c
}

// random takes n octets from the node's source.
func (c *Config) random(n int) []byte { return random(c.Rand, n) }

func random(r io.Reader, n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		panic("ike: the source of randomness failed: " + err.Error())
	}
	return b
}

// Datagram is a message to be sent.
type Datagram struct {
	Kind core.Kind
	From netip.AddrPort // not valid: the node's own address and port
	To   netip.AddrPort
	Data []byte // nil if a tap withheld it
}

// Notified is the error for a notification in clear from the peer during Phase 1. Nobody has proven it, so the exchange
// goes on (RFC 2409 §5.7).
type Notified struct {
	Type isakmp.NotifyType
	Data []byte
}

// Error says which notification it was.
func (n *Notified) Error() string { return "ike: peer notifies " + n.Type.String() }
