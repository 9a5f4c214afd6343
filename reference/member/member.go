package member

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gateway"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/reject"
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

// Member is a group member. It is not safe for concurrent use.
type Member struct {
	cfg     policy.Member
	rand    io.Reader
	rules   *rule.Switches
	tap     core.Tap
	secrets bool

	gateway *gateway.Gateway
	rejects reject.Log
	out     []core.Effect // of the Handle in progress
	sealed  []byte        // the message that ike has just made, before a tap saw it

	registration registration
	exchange     *ike.Exchange // Phase 1 in progress
	phase1       *ike.SA       // Phase 1 established
	pull         *pull         // GROUPKEY-PULL in progress

	rekey    *rekeySA        // nil without a KEK
	replaced policy.RekeySPI // the Rekey SA before this one; its last PUSH may still be repeated
	recent   recentPushes
	sids     *policy.SIDs
	leases   leases
}

var _ core.Core = (*Member)(nil)

// New returns a member that waits for its Start event. It fails if the configuration names no key server, no usable
// address of its own or no pre-shared key for one of its key servers.
func New(cfg policy.Member, o Options) (*Member, error) {
	if o.Rand == nil {
		return nil, errors.New("member: no source of randomness")
	}
	cfg, err := complete(cfg)
	if err != nil {
		return nil, fmt.Errorf("member: %w", err)
	}
	return &Member{
		cfg: cfg, rand: o.Rand, rules: o.Rules, tap: o.Tap, secrets: o.Secrets,
		gateway: gateway.New(gateway.Config{
			DataPath: cfg.DataPath,
			Address:  cfg.Address.Addr(), Addresses: addresses(cfg), MTU: cfg.MTU, FailOpen: cfg.FailOpen, Inside: cfg.Inside,
			Expected:     cfg.Authorised,
			ReplayWindow: cfg.ReplayWindow, First: cfg.FirstSequence, Rand: o.Rand, Rules: o.Rules, Forwarding: o.Forwarding,
		}),
	}, nil
}

// Gateway is the member's data path. A node may hand it packets directly, under the lock that also guards Handle, and
// reports what it refused with Refused.
func (m *Member) Gateway() *gateway.Gateway { return m.gateway }

// Refused takes a packet's refusal by the gateway: it is counted, logged, and acted upon if keys have run out. The
// effects are valid until the next call of Refused or Handle.
func (m *Member) Refused(now time.Time, v *rule.Violation) []core.Effect {
	m.out = m.out[:0]
	m.refusedPacket(now, v)
	return m.out
}

// Handle takes one event and returns what is to be done, in order. The effects and the bytes they point to are valid
// until the next call.
func (m *Member) Handle(now time.Time, ev core.Event) []core.Effect {
	m.out = m.out[:0]
	switch ev := ev.(type) {
	case *core.Datagram:
		if m.gateway.Hears(ev.From, ev.To) {
			m.onDatagram(now, ev)
		}
	case *core.Packet:
		m.onPacket(now, ev)
	case *core.Timer:
		m.onTimer(now)
	case *core.Command:
		m.onCommand(now, ev)
	case *core.Start:
		m.onStart(now)
	}
	return m.out
}

// emit appends effects to the answer of the event at hand.
func (m *Member) emit(effects ...core.Effect) { m.out = append(m.out, effects...) }

// send emits datagrams of the registration, except those that a tap withheld.
func (m *Member) send(datagrams ...ike.Datagram) {
	for _, d := range datagrams {
		if d.Data != nil {
			m.emit(&core.Send{From: m.cfg.Address, To: d.To, Data: d.Data, Kind: d.Kind})
		}
	}
}

// server is the key server that the current registration asks.
func (m *Member) server() netip.AddrPort { return m.cfg.KeyServers[m.registration.server] }
