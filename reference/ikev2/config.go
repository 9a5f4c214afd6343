package ikev2

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
)

// What a zero field of Config stands for.
const (
	DefaultRetransmit = time.Second
	DefaultRetries    = 4
)

const (
	nonceLen   = 32
	maxRestart = 5 // answers with a cookie or another group, before an initiator gives up
)

var (
	// ErrTimeout means that a request was not answered, or that an initiator did not go on.
	ErrTimeout = errors.New("ikev2: timed out")
	// ErrClosed means that the SA is deleted or was given up.
	ErrClosed = errors.New("ikev2: the SA is closed")
	// ErrBusy means that the answer to the request before is still awaited: the window is one (RFC 7296 §2.3).
	ErrBusy = errors.New("ikev2: a request is under way")
	// ErrCookie means that an initiator was asked for a cookie; of its request nothing is kept (RFC 7296 §2.6).
	ErrCookie = errors.New("ikev2: asked for a cookie")
	// ErrRepeated means that a message was handled before. If it was the last request, the last response goes out again.
	ErrRepeated = errors.New("ikev2: handled before")
)

// Config is what all SAs of one node share. It is only read.
type Config struct {
	Rand       io.Reader       // SPIs, nonces, private values, IVs; must not fail
	Local      netip.AddrPort  // its address is the identity, unless there is another
	Identity   policy.Identity // the own one; zero: that of Local
	Suites     []Suite         // offered and accepted, in this order; at least one
	Retransmit time.Duration   // first interval, doubled each time; 0 means DefaultRetransmit
	Retries    int             // repetitions before giving up; 0 means DefaultRetries
	// PSK finds the key that is shared with a peer, by its address and who it says it is.
	PSK func(peer netip.Addr, claimed policy.Identity) (policy.PSK, bool)
	// Expect says whether a peer may have an identity; nil: any.
	Expect func(id policy.Identity) bool
	// Signed has the own side sign, and expect a signature, with the Credentials; otherwise both know a key.
	Signed      bool
	Credentials *policy.Credentials
	NATT        bool   // NATs are looked for, and the SA moves to port 4500 if there is one (RFC 7296 §2.23)
	FirstGroup  uint16 // that an initiator makes a public value of; 0: that of the first suite
	CookieKey   []byte // a responder asks for a cookie that it makes with this key; none: it does not ask (RFC 7296 §2.6)
}

// Suite is what one proposal has to offer.
type Suite struct {
	keymat.IKEv2Suite
	Group uint16 // the Diffie-Hellman group
}

// Datagram is a message to be sent. On port 4500 the non-ESP marker still has to be put in front of it (RFC 7296 §2.23).
type Datagram struct {
	From, To netip.AddrPort
	Data     []byte
}

// Notified is the error that the other side has told.
type Notified struct {
	Type ikev2.NotifyType
	Data []byte
}

// Error says which it was.
func (n *Notified) Error() string { return "ikev2: peer notifies " + n.Type.String() }

func (c Config) withDefaults() *Config {
	if c.Retransmit == 0 {
		c.Retransmit = DefaultRetransmit
	}
	if c.Retries == 0 {
		c.Retries = DefaultRetries
	}
	if c.Credentials == nil {
		c.Credentials = new(policy.Credentials)
	}
	return &c
}

func (c *Config) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.Rand, b); err != nil {
		panic("ikev2: the source of randomness failed: " + err.Error())
	}
	return b
}

// spi makes an SPI that is not zero.
func (c *Config) spi() (s [8]byte) {
	copy(s[:], c.random(len(s)))
	if s == ([8]byte{}) {
		s[0] = 1
	}
	return s
}

// private makes a private value of a group.
func (c *Config) private(group uint16) (keymat.PrivateKey, error) {
	g, ok := keymat.DHGroup(group)
	if !ok {
		return nil, fmt.Errorf("ikev2: no group %d", group)
	}
	return g.NewKey(c.Rand)
}
