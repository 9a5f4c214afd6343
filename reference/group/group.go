package group

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What stands for a zero in the configuration.
const (
	defaultKEKLifetime = 86400 * time.Second
	defaultTEKLifetime = 3600 * time.Second
	defaultInterval    = 10 * time.Second // RFC 8263 §6
	defaultSIDBits     = 8
)

// Errors of a registration. In both cases the candidate can register again.
var (
	// ErrMoved means that the group has changed since the offer was made.
	ErrMoved = errors.New("group: the offer is no longer in force")
	// ErrSIDsExhausted means that fewer SIDs were left than asked for; the group has been made anew.
	ErrSIDsExhausted = errors.New("group: the SIDs were used up")
)

// ErrNoRekey means that the group has no Rekey SA and so cannot do what was asked.
var ErrNoRekey = errors.New("group: the group has no rekey")

// Options are what a group gets from its carrier.
type Options struct {
	Rand   io.Reader                // keys and SPIs
	Rules  *rule.Switches           // of the node
	Source netip.AddrPort           // where its PUSH messages come from
	Replay *policy.ReplayAttributes // profile getvpn: the numbers under which SAs tell of anti-replay; nil: RFC 6407 alone

	// Of the key that signs PUSH messages; not needed without rekey.
	PublicKey    []byte // SubjectPublicKeyInfo, DER
	SigAlgorithm policy.SigAlgorithm
	SigKeyBits   int

	Profile policy.Profile // of the key server
}

// Group is one group of a key server.
type Group struct {
	cfg  policy.Group
	opts Options

	epoch    *epoch // in force
	prepared *epoch // made ahead for when the SIDs are used up; not in force
	heir     *heir  // made ahead for who joins; not in force
	former   formers
	retired  []*rekeySA
	usedSPIs map[uint32]used // of Data-Security SAs, until they expire

	nextSID     uint64
	members     []*member // in the order of their first registration
	byIdentity  map[policy.Identity]*member
	byAddress   map[netip.Addr]*member
	byPlace     map[netip.AddrPort]*member // those that have proven no address
	outstanding []*outstanding
	rounds      []*round
	excluded    map[policy.Identity]struct{}
	changes     Changes
	counts      counts

	clock  pseudotime.Clock
	synced time.Time // when the members were told the pseudotime last
}

// used is what is remembered of an SPI.
type used struct {
	expires  time.Time
	protocol policy.Protocol
}

// New makes a group with its first keys. It fails if the configuration cannot work or Rand fails.
func New(cfg policy.Group, o Options, now time.Time) (*Group, error) {
	if err := Validate(cfg); err != nil {
		return nil, err
	}
	g := &Group{cfg: completed(cfg), opts: o, usedSPIs: make(map[uint32]used),
		byIdentity: make(map[policy.Identity]*member), byAddress: make(map[netip.Addr]*member), byPlace: make(map[netip.AddrPort]*member),
		excluded: make(map[policy.Identity]struct{})}
	first, err := g.newEpoch()
	if err != nil {
		return nil, err
	}
	g.adopt(now, first)
	g.nextSID = g.firstSID()
	if !guardClockStart.Kept(g.opts.Rules) {
		g.startClock(now)
	}
	return g, nil
}

// completed is a policy with what stands for its zeros.
func completed(cfg policy.Group) policy.Group {
	if cfg.SIDBits == 0 {
		cfg.SIDBits = defaultSIDBits
	}
	if cfg.Rekey.Interval == 0 {
		cfg.Rekey.Interval = defaultInterval
	}
	return cfg
}

// ID is the group identifier.
func (g *Group) ID() uint32 { return g.cfg.ID }

// Name is the group's name in the configuration.
func (g *Group) Name() string { return g.cfg.Name }

// Policy is what the group goes by now.
func (g *Group) Policy() policy.Group { return g.cfg }

// Authorised reports whether a peer may join that has proven this identity: an address that is listed, or another identity or a
// certificate that is (RFC 6407 §3.1). Recorded is the identity by which the group would know it: that of an excluded member is let
// in no more.
func (g *Group) Authorised(id netip.Addr, recorded policy.Identity, proven policy.Peer) bool {
	_, excluded := g.excluded[recorded.Folded()]
	return guardAuthorised.Holds(g.opts.Rules, !excluded && g.listed(id.Unmap(), proven))
}

// Unauthorised is the violation to report of a peer that is not Authorised.
func (g *Group) Unauthorised(id netip.Addr, proven policy.Peer) *rule.Violation {
	guard := guardAuthorised
	if !g.listed(id, proven) {
		guard = g.listing(id)
	}
	if !id.IsValid() {
		return guard.Violated("%v is not on the list of the group's members", proven.Identity)
	}
	return guard.Violated("%v is not on the list of the group's members", id)
}

// IsUnauthorised reports whether that is what a violation says.
func IsUnauthorised(v *rule.Violation) bool {
	return v.Guard == guardAuthorised || v.Guard == guardByAddress || v.Guard == guardByIdentity
}

func (g *Group) listed(id netip.Addr, proven policy.Peer) bool {
	if a := g.cfg.Authorization; a != nil {
		return g.authorized(*a, id, proven)
	}
	for _, prefix := range g.cfg.Members {
		if prefix.Contains(id) {
			return true
		}
	}
	return slices.ContainsFunc(g.cfg.Identities, func(known policy.Identity) bool { return known.Admits(proven) })
}

// Changes is what a carrier has to know of a group beyond the plans it sends.
type Changes struct {
	Rekeys []policy.RekeySA   // made and in force, or for a while still to be listened to
	SAs    []policy.TrafficSA // made and in force
	Ended  []policy.RekeySPI  // no longer listened to
	Left   []netip.AddrPort   // where members were that are no longer counted
}

// Changes returns what has changed since it was last called, and at first everything.
func (g *Group) Changes() Changes {
	c := g.changes
	g.changes = Changes{}
	return c
}
