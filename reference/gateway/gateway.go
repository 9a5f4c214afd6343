package gateway

import (
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

// Config is what a gateway needs to know about its node.
type Config struct {
	Address      netip.Addr     // its own: key management to and from it is never protected; source of its ICMP errors
	MTU          int            // of the outside link; 0 means 1500
	FailOpen     bool           // without an SA, protected traffic passes in clear
	Inside       []netip.Prefix // networks behind it: only they are told of packets that are too big; empty: anybody
	ReplayWindow int            // packets; 0 switches replay protection off, as multi-sender SAs need (RFC 4303 §3.4.3)
	Forwarding   bool           // the gateway forwards by itself and so decrements the TTL; false: a kernel around it does
	ForwardESP   bool           // ESP of an SPI that is not installed is forwarded untouched, for a gateway further inside (RFC 5374 §5.2)
	Rand         io.Reader      // IVs of CBC
	Rules        *rule.Switches
}

// Gateway is the data path. It is not safe for concurrent use.
type Gateway struct{ cfg Config }

// New makes a gateway that protects nothing yet.
func New(cfg Config) *Gateway { return &Gateway{cfg: cfg} }

// Install adds the SAs of a registration or a rekey.
func (g *Gateway) Install(now time.Time, sas []policy.TrafficSA, a policy.Activation, sids *policy.SIDs, replace bool) error {
	return nil
}

// Delete removes the SAs of an SPI at once; 0 removes all. Their flows stay protected: see Forget.
func (g *Gateway) Delete(now time.Time, spi uint32) {}

// Forget ends the protection of flows for which there is no SA.
func (g *Gateway) Forget() {}

// Protects reports whether policy wants the flow protected, with or without an SA for it.
func (g *Gateway) Protects(f sadb.Flow) bool { return false }

// Handle takes one IPv4 packet that arrived from a side and emits what becomes of it. The error is a *rule.Violation when
// a requirement refused the packet.
func (g *Gateway) Handle(now time.Time, from core.Side, packet []byte, emit func(to core.Side, packet []byte)) error {
	return nil
}

// Expire removes what has come to its end.
func (g *Gateway) Expire(now time.Time) {}

// Deadline is when Expire has something to do.
func (g *Gateway) Deadline() (time.Time, bool) { return time.Time{}, false }

// SAs describes the installed SAs, newest first.
func (g *Gateway) SAs(now time.Time) []control.SA { return nil }

// Counters returns packets encrypted, decrypted, bypassed and dropped.
func (g *Gateway) Counters() map[string]uint64 { return nil }
