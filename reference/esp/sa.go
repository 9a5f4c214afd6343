package esp

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	// ErrExhausted means that the SA can protect no further packet: its sequence numbers or its IVs are used up
	// (RFC 4303 §3.3.3, RFC 6054 §5).
	ErrExhausted = errors.New("esp: sequence numbers or IVs are used up")
	// ErrNoSID means that a counter mode has no SID to build its IVs with (RFC 6407 §3.5).
	ErrNoSID = errors.New("esp: no SID for a counter mode")
	// ErrTransform means that the algorithms, or the lengths of their keys, are not among those implemented.
	ErrTransform = errors.New("esp: transform not supported")
	// ErrNoWindow means that an SA has extended sequence numbers, whose upper half is found from a replay window, and that there
	// is none (RFC 4303 §3.4.3).
	ErrNoWindow = errors.New("esp: extended sequence numbers need a replay window")
	// ErrSID means that a SID does not fit into the bits it is said to have.
	ErrSID = errors.New("esp: no such SID")
)

// Values of the Next Header field: an inner IPv4 or IPv6 packet in tunnel mode, and a dummy packet to be dropped quietly
// (RFC 4303 §2.6). In transport mode it is the protocol of what the IP packet carried.
const (
	NextIPv4 uint8 = 4
	NextIPv6 uint8 = 41
	NextNone uint8 = 59
)

const headerLen = 8 // SPI and sequence number

// Options says how an SA is used by this node.
type Options struct {
	SID     uint32 // the sender's ID, in counter modes
	SIDBits int    // its width, 1 to 63
	HasSID  bool
	Rand    io.Reader     // IVs of CBC; it must be unpredictable outside tests
	Window  int           // replay window in packets, rounded up to a multiple of 64; 0: no replay protection
	First   uint64        // the first sequence number, as if those before it had been sent and received; 0 means 1; its lower half counts without ESN
	Resync  policy.Resync // of extended sequence numbers
	Rules   *rule.Switches
}

// SA is one ESP SA, for sending, receiving or both. It is not safe for concurrent use.
type SA struct {
	spi    uint32
	rules  *rule.Switches
	suite  suite
	sizes  sizes
	sent   uint64 // packets, and so the last sequence number
	esn    bool   // the numbers have 64 bits
	replay bool
	window Window
	resync resync
}

// suite is the algorithms of an SA at work. Packets run from the SPI to the ICV; high is the upper half of the sequence
// number, of no concern without extended ones.
type suite interface {
	// iv fills in the IV of the next packet. It is called before anything else of the packet is used up.
	iv(iv []byte) error
	// seal encrypts in place the packet that begins at start, and fills in its ICV at the length that sizes.made says. The octets
	// before it are as they were when it returns.
	seal(out []byte, start int, high uint32)
	// open verifies packet and appends its plaintext to dst. The error is a *rule.Violation.
	open(dst, packet []byte, high uint32) ([]byte, error)
}

// sizes are the lengths in octets that a suite adds; align divides the length of what is encrypted.
type sizes struct {
	iv, align, icv int
	made           int         // what the algorithm makes of an ICV before it is cut to icv
	cut            *rule.Guard // that it is cut so and no shorter
}

// New makes an SA that has neither sent nor received. Errors wrap ErrTransform, ErrNoWindow or ErrSID.
func New(t policy.TrafficSA, o Options) (*SA, error) {
	s, err := newCounters(t, o)
	if err != nil {
		return nil, err
	}
	if s.suite, s.sizes, err = newSuite(t, s.esn, o); err != nil {
		return nil, err
	}
	return s, nil
}

// newCounters makes an SA without algorithms.
func newCounters(t policy.TrafficSA, o Options) (*SA, error) {
	if t.Transform.ESN && o.Window == 0 {
		return nil, fmt.Errorf("%w: SPI %08x", ErrNoWindow, t.SPI)
	}
	s := &SA{spi: t.SPI, rules: o.Rules, esn: t.Transform.ESN == guardESN.Kept(o.Rules), replay: o.Window > 0, window: NewWindow(o.Window),
		resync: newResync(o.Resync)}
	if !s.esn {
		o.First &= math.MaxUint32
	}
	if o.First > 1 {
		s.sent = o.First - 1
		s.window.Mark(s.sent)
	}
	return s, nil
}

// SPI is the SA's Security Parameters Index.
func (s *SA) SPI() uint32 { return s.spi }

// SetSID changes the sender's ID of a counter mode; its SSIV starts afresh, unless the SID has been used on this SA
// before, in which case it goes on (RFC 6407 §5.6.4.3). Other modes have no use for it. The error wraps ErrSID.
func (s *SA) SetSID(sid uint32, bits int) error {
	if c, ok := s.suite.(interface{ setSID(uint32, int) error }); ok {
		return c.setSID(sid, bits)
	}
	return nil
}

// Overhead is how many octets longer the ESP packet of a payload of that length is, without any outer IP header.
func (s *SA) Overhead(payloadLen int) int {
	return headerLen + s.sizes.iv + s.padLen(payloadLen) + trailerLen + s.sizes.icv
}

// MaxPayload is the longest payload whose ESP packet has at most limit octets; below 0 if there is none.
func (s *SA) MaxPayload(limit int) int {
	encrypted := limit - headerLen - s.sizes.iv - s.sizes.icv
	if encrypted < 0 {
		return -1
	}
	return encrypted - encrypted%s.sizes.align - trailerLen
}
