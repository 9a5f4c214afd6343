package member

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gateway"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Options are what a Member takes from whoever runs it.
type Options struct {
	Rand    io.Reader      // cookies, nonces, Message IDs, IVs; required
	Rules   *rule.Switches // altered guards; nil alters nothing
	Tap     core.Tap       // sees every outgoing message; may be nil
	Secrets bool           // hand out key material as core.Secret effects
	// Forwarding has the gateway decrement the TTL of what it forwards, where no kernel around it does.
	Forwarding bool
}

// Member is a group member: a gateway, and a membership in each of its groups. It is not safe for concurrent use.
type Member struct {
	gateway *gateway.Gateway
	host
	first membership // of its groups
	cfg   policy.Member
	ahead time.Duration // the time of day is ahead of that of events
}

var _ core.Core = (*Member)(nil)

// New returns a member that waits for its Start event. It fails if the configuration names no key server, no usable
// address of its own or no pre-shared key for one of its key servers.
func New(cfg policy.Member, o Options) (*Member, error) {
	if o.Rand == nil {
		return nil, errors.New("member: no source of randomness")
	}
	m := &Member{host: host{rand: o.Rand, rules: o.Rules, tap: o.Tap, secrets: o.Secrets}, cfg: cfg}
	m.groups, m.out = m.room.groups[:0], m.room.out[:0]
	if err := m.join(); err != nil {
		return nil, fmt.Errorf("member: %w", err)
	}
	first := m.groups[0].cfg
	first.DataPath.Own = append(ownEntries(first.AccessList, o.Rules), first.DataPath.Own...)
	m.gateway = gateway.New(gateway.Config{
		DataPath: first.DataPath,
		Address:  first.Address.Addr(), Addresses: addresses(first), MTU: first.MTU, FailOpen: first.FailOpen, Inside: first.Inside,
		Profile: first.Profile, FailClose: first.FailClose,
		UDP: first.Phase1.NATTraversal, ReplayWindow: first.ReplayWindow, First: first.FirstSequence, Rand: o.Rand, Rules: o.Rules, Forwarding: o.Forwarding,
		Rollover: rolloverOf(first), Metadata: first.Metadata,
	})
	for _, g := range m.groups {
		g.gateway = m.gateway.Join(g.expected())
	}
	return m, nil
}

// expected is what the group may turn out to protect.
func (m *membership) expected() (all []policy.Selector) {
	for _, f := range m.cfg.Authorised {
		all = append(all, f.Selectors()...)
	}
	return all
}

// join makes the memberships, which have no data path yet.
func (m *Member) join() error {
	seen := make(map[uint32]bool)
	for _, one := range m.cfg.Memberships() {
		one, err := complete(one)
		if err == nil && seen[one.Group] {
			err = errors.New("it is named twice")
		}
		if err != nil && len(m.cfg.Groups) > 0 {
			return fmt.Errorf("group %d: %w", one.Group, err)
		} else if err != nil {
			return err
		}
		credentials, err := one.Phase1.Certificates.Credentials()
		if err != nil {
			return err
		}
		seen[one.Group] = true
		g := &m.first
		if len(m.groups) > 0 {
			g = new(membership)
		}
		*g = membership{host: &m.host, cfg: one, credentials: credentials}
		m.groups = append(m.groups, g)
	}
	return nil
}

// Gateway is the member's data path. A node may hand it packets directly, under the lock that also guards Handle, and
// reports what it refused with Refused.
func (m *Member) Gateway() *gateway.Gateway { return m.gateway }

// Refused takes a packet's refusal by the gateway: it is counted, logged, and acted upon if keys have run out. The
// effects are valid until the next call of Refused or Handle.
func (m *Member) Refused(now time.Time, v *rule.Violation) []core.Effect {
	m.out, m.now = m.out[:0], now
	m.refusedPacket(now, v)
	m.follow(now)
	return m.out
}

// Handle takes one event and returns what is to be done, in order. The effects and the bytes they point to are valid
// until the next call.
func (m *Member) Handle(now time.Time, ev core.Event) []core.Effect {
	m.out, m.now = m.out[:0], now
	switch ev := ev.(type) {
	case *core.Datagram:
		if m.gateway.Hears(ev.From, ev.To) {
			m.onArrival(now, ev)
		}
	case *core.Packet:
		m.onPacket(now, ev)
	case *core.Timer:
		m.onTimer(now)
	case *core.Command:
		m.onCommand(now, ev)
	case *core.Start:
		for _, g := range m.groups {
			g.onStart(now)
		}
		m.joinByHand(nil, m.cfg.Joins)
	}
	if _, traffic := ev.(*core.Packet); !traffic {
		for _, g := range m.groups {
			g.revert(now)
			g.onActiveSA(now)
		}
	}
	m.follow(now)
	return m.out
}

// follow has the tracked objects of all groups follow what was just handled.
func (m *Member) follow(now time.Time) {
	for _, g := range m.groups {
		g.follow(now)
	}
}
