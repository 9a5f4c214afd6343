package keyserver

import (
	"crypto"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/reject"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// What stands for a zero in the configuration.
const (
	defaultPort       = 848 // RFC 6407 §2.2
	defaultHalfOpen   = 1000
	defaultPerAddress = 100
	defaultStanding   = 32 // a member of several groups has an SA for each
)

// Options are what a key server gets from whoever runs it.
type Options struct {
	Rand    io.Reader      // all keys, cookies and nonces come from it; must not fail
	Rules   *rule.Switches // guards that are altered; nil: none
	Tap     core.Tap       // sees and may change each message on its way out; nil: none
	Secrets bool           // hand out key material as core.Secret
}

// KeyServer is a key server for one or more groups. It is not safe for concurrent use.
type KeyServer struct {
	cfg      policy.KeyServer
	opts     Options
	signing  crypto.Signer   // RSA or ECDSA; nil if no group has a rekey
	signers  []crypto.Signer // those before it, under whose Rekey SAs there are members
	twofold  bool            // the signing key is that of Phase 1, too
	unsigned []string        // groups that have no rekeys, since there is no key to sign them
	phase1   ike.Config

	started  bool
	ahead    time.Duration // the time of day is ahead of that of events
	groups   []*carried
	byID     map[uint32]*carried
	byRekey  map[cookies]*carried // Rekey SAs in force, and those whose acknowledgements may still come
	sessions sessions
	floats   floats
	keepers  keepers
	engine   engine
	sentNr   []byte // in the last message 2, as it left
	refused  reject.Log
	acked    []isakmp.Decoded // the last acknowledgement, where the next one is read
	now      time.Time        // of the event that is being handled
	out      []core.Effect    // of it
}

var _ core.Core = (*KeyServer)(nil)

// cookies are the first 16 octets of a message: the initiator's and the responder's cookie. They name a Phase 1 SA or,
// being its SPI, a Rekey SA.
type cookies [16]byte

// New makes a key server. It fails if the configuration cannot work. The groups begin to live with the first event.
func New(cfg policy.KeyServer, o Options) (*KeyServer, error) {
	if !cfg.Address.Addr().IsValid() || cfg.Address.Addr().IsUnspecified() {
		return nil, fmt.Errorf("keyserver %s: it needs an address of its own", cfg.Name)
	}
	if err := cfg.Phase1.CheckProposals(); err != nil {
		return nil, fmt.Errorf("keyserver %s: %w", cfg.Name, err)
	}
	credentials, err := cfg.Phase1.Certificates.Credentials()
	if err != nil {
		return nil, fmt.Errorf("keyserver %s: %w", cfg.Name, err)
	}
	cfg.Router.Interfaces = slices.Clone(cfg.Router.Interfaces)
	for i, other := range cfg.Router.Interfaces {
		if other.Address.Port() == 0 {
			cfg.Router.Interfaces[i].Address = netip.AddrPortFrom(other.Address.Addr(), defaultPort)
		}
	}
	if cfg.Address.Port() == 0 {
		cfg.Address = netip.AddrPortFrom(cfg.Address.Addr(), defaultPort)
	}
	if cfg.Phase1.HalfOpen.Total == 0 {
		cfg.Phase1.HalfOpen.Total = defaultHalfOpen
	}
	if cfg.Phase1.HalfOpen.PerAddress == 0 {
		cfg.Phase1.HalfOpen.PerAddress = defaultPerAddress
	}
	if !guardRandom.Kept(o.Rules) {
		o.Rand = keymat.Seeded(cfg.Name, "at each start")
	}
	if cfg.Phase1.Established == 0 {
		cfg.Phase1.Established = defaultStanding
	}
	k := &KeyServer{cfg: cfg, opts: o, byID: make(map[uint32]*carried), byRekey: make(map[cookies]*carried)}
	k.sessions = newSessions(cfg.Phase1.HalfOpen, cfg.Phase1.Established, o.Rules)
	k.phase1 = k.phase1Config(credentials)
	if err := k.loadSigningKey(credentials); err != nil {
		return nil, err
	}
	return k, k.validateGroups()
}

func (k *KeyServer) phase1Config(credentials *policy.Credentials) ike.Config {
	p := k.cfg.Phase1
	return ike.Config{
		Rules: k.opts.Rules, Role: rule.KS, Rand: k.opts.Rand, Tap: k.tap(), Local: k.cfg.Address,
		Lifetime: p.Lifetime, Retransmit: p.Retransmit, Retries: p.Retries, PSK: p.PSK, Suites: ike.Suites(p.Proposals), NATT: p.NATTraversal,
		Mode: p.Mode, Prefer: p.Prefer, Kilobytes: uint64(p.Kilobytes), DPD: p.DPD,
		Identity: p.Identity, Expect: p.Expects, Credentials: credentials,
		AnySituation: p.AnySituation, TransformsFromZero: p.TransformsFromZero,
	}
}

func (k *KeyServer) validateGroups() error {
	seen := make(map[uint32]bool)
	for _, g := range k.cfg.Groups {
		if err := group.Validate(g); err != nil {
			return fmt.Errorf("keyserver %s: %w", k.cfg.Name, err)
		}
		if err := g.CheckLifetimes(k.cfg.Profile); err != nil {
			return fmt.Errorf("keyserver %s: group %s: %w", k.cfg.Name, g.Name, err)
		}
		if seen[g.ID] {
			return fmt.Errorf("keyserver %s: there are two groups %d", k.cfg.Name, g.ID)
		}
		seen[g.ID] = true
	}
	if len(seen) == 0 {
		return fmt.Errorf("keyserver %s: there is no group", k.cfg.Name)
	}
	return nil
}

// Handle takes one event; see core.Core.
func (k *KeyServer) Handle(now time.Time, ev core.Event) []core.Effect {
	clear(k.out)
	k.now, k.out = now, k.out[:0]
	if !k.started {
		k.start(now)
	}
	switch ev := ev.(type) {
	case *core.Datagram:
		k.onDatagram(now, ev)
	case *core.Timer:
		k.onTimer(now)
	case *core.Command:
		k.onCommand(now, ev)
	}
	return k.out
}

// start brings the groups to life.
func (k *KeyServer) start(now time.Time) {
	k.started = true
	k.log(core.Notice, "STARTED", "key server is up", field("name", k.cfg.Name), field("address", k.cfg.Address))
	k.tellStart()
	k.tellUnsigned()
	k.adviseKey()
	if k.twofold {
		k.log(core.Warning, "SIGNING_KEY_SHARED", "rekeys are signed with the key of Phase 1, for which there should be another (RFC 6407 §4.1)")
	}
	o := k.groupOptions()
	for _, cfg := range k.cfg.Groups {
		for _, c := range k.found(now, cfg, o) {
			k.groups = append(k.groups, c)
			k.byID[cfg.ID] = c
		}
	}
}

// Deadline is when the key server wants to be woken; see core.Core.
func (k *KeyServer) Deadline() (time.Time, bool) {
	first, ok := k.sessions.deadline()
	for _, c := range k.groups {
		if t, has := c.Deadline(); has && (!ok || t.Before(first)) {
			first, ok = t, true
		}
	}
	if a := k.keepers.first(); a != nil && (!ok || a.at.Before(first)) {
		first, ok = a.at, true
	}
	return first, ok
}

// onTimer does what is due: lifetimes of Phase 1, the schedules of the groups and keepalives.
func (k *KeyServer) onTimer(now time.Time) {
	for s := k.sessions.due(now); s != nil; s = k.sessions.due(now) {
		k.onSessionTimer(now, s)
	}
	for _, c := range k.groups {
		plans, err := c.Due(now)
		k.carry(c, plans...)
		if err != nil {
			k.fail("group "+c.Name(), err)
		}
	}
	k.sendKeepalives()
}
