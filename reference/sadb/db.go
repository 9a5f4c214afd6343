package sadb

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Flow is what a selector is compared with.
type Flow struct {
	Source, Destination         netip.Addr
	Protocol                    uint8
	SourcePort, DestinationPort uint16
	Ports                       bool // the ports are known
	Fragment                    bool // a later fragment: it has ports, but does not show them
}

// Entry is one installed SA.
type Entry struct {
	Policy   policy.TrafficSA
	SA       *esp.SA
	SendFrom time.Time // it sends from then on
	SendTill time.Time // and no longer from then on; zero: as long as it lives
	Expiry   time.Time // it is gone from then on

	generation uint64
}

// Options says how an SA is installed.
type Options struct {
	ESP        esp.Options
	SendFrom   time.Time // RFC 5374 §4.2.1; zero: at once
	Generation uint64    // of SAs for the same flow the highest generation counts as the newest
}

// DB is the SAs of one member. It is not safe for concurrent use.
type DB struct {
	rules   *rule.Switches
	entries []*Entry
}

// New makes an empty DB.
func New(rules *rule.Switches) *DB { return &DB{rules: rules} }

// Install adds an SA.
func (db *DB) Install(now time.Time, t policy.TrafficSA, o Options) (*Entry, error) { return nil, nil }

// LookupInbound finds the SA of a received packet.
func (db *DB) LookupInbound(now time.Time, spi uint32, dst, src netip.Addr) (*Entry, bool) {
	return nil, false
}

// SelectOutbound finds the SA under which a packet is to be sent.
func (db *DB) SelectOutbound(now time.Time, f Flow) (*Entry, bool) { return nil, false }
