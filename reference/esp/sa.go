package esp

import (
	"errors"
	"io"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	// ErrExhausted means that the SA can protect no further packet: its sequence numbers or its IVs are used up.
	ErrExhausted = errors.New("esp: sequence numbers or IVs are used up")
	// ErrNoSID means that a counter mode has no SID to build its IVs with (RFC 6407 §3.5).
	ErrNoSID = errors.New("esp: no SID for a counter mode")
	// ErrTransform means that the algorithms, or the lengths of their keys, are not among those implemented.
	ErrTransform = errors.New("esp: transform not supported")
)

// Options says how an SA is used by this node.
type Options struct {
	SID     uint32 // the sender's ID, in counter modes
	SIDBits int    // its width, 1 to 32
	HasSID  bool
	Rand    io.Reader // IVs of CBC
	Window  int       // replay window in packets, rounded up to a multiple of 64; 0: no replay protection
	Rules   *rule.Switches
}

// SA is one ESP SA, for sending, receiving or both. It is not safe for concurrent use.
type SA struct {
	spi uint32
}

// New makes an SA. Errors wrap ErrTransform.
func New(t policy.TrafficSA, o Options) (*SA, error) { return &SA{spi: t.SPI}, nil }

// SPI is the SA's Security Parameters Index.
func (s *SA) SPI() uint32 { return s.spi }

// SetSID changes the sender's ID; its SSIV starts afresh (RFC 6407 §5.6.4.3).
func (s *SA) SetSID(sid uint32, bits int) error { return nil }

// Overhead is how many octets longer the ESP packet of a payload of that length is.
func (s *SA) Overhead(payloadLen int) int { return 0 }

// MaxPayload is the longest payload whose ESP packet has at most limit octets; below 0 if there is none.
func (s *SA) MaxPayload(limit int) int { return 0 }

// Seal appends to dst the ESP packet that protects payload.
func (s *SA) Seal(dst, payload []byte, next uint8) ([]byte, error) { return dst, nil }

// Open checks an ESP packet and appends its payload to dst.
func (s *SA) Open(dst, packet []byte) (payload []byte, next uint8, err error) { return dst, 0, nil }
