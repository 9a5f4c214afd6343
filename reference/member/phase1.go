package member

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var guardServer = rule.Check("member.gpad.identity", "RFC6407-3.1-02", rule.GM,
	"the identity that the key server proved in Phase 1 is the one that may serve the group")

// startPhase1 begins Phase 1 with the key server.
func (m *membership) startPhase1(now time.Time) {
	exchange, datagrams := ike.Initiate(m.ikeConfig(), now, m.server())
	m.exchange = exchange
	m.send(datagrams...)
}

// onPhase1 takes a message of the Phase 1 in progress.
func (m *membership) onPhase1(now time.Time, d *core.Datagram) {
	datagrams, sa, err := m.exchange.HandleAt(now, d.From, d.To, d.Data)
	if err != nil {
		m.refuse(now, err, d.From)
	}
	m.send(datagrams...)
	if sa != nil {
		m.exchange = nil
		m.onPhase1Up(now, sa)
	}
}

// onPhase1Up asks for the group, if the key server is who it should be.
func (m *membership) onPhase1Up(now time.Time, sa *ike.SA) {
	m.phase1 = sa
	m.keep(now)
	i, r := sa.Cookies()
	m.log(core.Info, "PHASE1_UP", "Phase 1 established", "key_server", sa.Peer().String(),
		"cookies", i.String()+r.String())
	if m.secrets {
		secret := sa.Secret()
		m.emit(&core.Secret{Phase1: &secret})
	}
	if !guardServer.Holds(m.rules, m.isServer(sa)) {
		m.refuse(now, guardServer.Violated("identity %x is not that of key server %s", sa.PeerID().Data, m.server().Addr()),
			sa.Peer())
		m.refusePhase1(now, "the key server has another identity")
		return
	}
	m.startPull(now)
}

// isServer is the member's GPAD: a key server is known by its address, unless the configuration has the identities of peers
// (RFC 5374 §4.1.3.5).
func (m *membership) isServer(sa *ike.SA) bool {
	if known := m.cfg.Phase1.Peers; len(known) > 0 {
		return slices.ContainsFunc(known, func(i policy.Identity) bool { return i.Admits(sa.PeerName()) })
	}
	id, server := sa.PeerID(), m.server().Addr()
	return id.IDType == addressType(server) && bytes.Equal(id.Data, server.AsSlice())
}

// addressType is the type of an identity that is that address: ID_IPV4_ADDR or ID_IPV6_ADDR (RFC 2407 §4.6.2).
func addressType(a netip.Addr) uint8 {
	if a.Is4() {
		return isakmp.IDIPv4Addr
	}
	return isakmp.IDIPv6Addr
}

// phase1Timeout repeats the last message of Phase 1, or gives up.
func (m *membership) phase1Timeout(now time.Time) {
	datagrams, err := m.exchange.Timeout(now)
	if err != nil {
		m.log(core.Warning, "PHASE1_FAILED", err.Error(), "key_server", m.server().String())
		m.fail(now, "no Phase 1 with the key server")
		return
	}
	m.send(datagrams...)
}

// onPhase1Timer ends a Phase 1 SA whose lifetime is over or whose key server is silent, and asks a key server that may be. What
// was registered stays: the Rekey SA outlives Phase 1 (RFC 6407 §3).
func (m *membership) onPhase1Timer(now time.Time) {
	datagrams, ending := m.phase1.Timer(now, m.rand)
	m.send(datagrams...)
	switch ending {
	case ike.Alive:
		return
	case ike.Dead:
		m.log(core.Notice, "PHASE1_DEAD", "the key server gives no sign of life", "key_server", m.server().String())
	case ike.Expired:
		m.log(core.Info, "PHASE1_EXPIRED", "the lifetime of Phase 1 is over", "key_server", m.server().String())
	}
	m.phase1 = nil
	if m.pull != nil {
		m.fail(now, "Phase 1 has ended")
	}
}

// onProven notes that the key server has proven a message of the PULL, and ends an SA that has protected as much as it may.
func (m *membership) onProven(now time.Time) {
	if m.phase1 == nil {
		return
	}
	m.phase1.Heard(now)
	if m.pull == nil && m.phase1.Exhausted() {
		if d, err := m.phase1.SealDelete(m.rand); err == nil {
			m.send(d)
		}
		m.phase1 = nil
		m.log(core.Info, "PHASE1_EXPIRED", "Phase 1 has protected as much as it may", "key_server", m.server().String())
	}
}
