package member

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var guardServer = rule.Check("member.gpad.identity", "RFC6407-3.1-02", rule.GM,
	"the identity that the key server proved in Phase 1 is the one that may serve the group")

func (m *membership) pskOf(peer netip.Addr) ([]byte, bool) {
	return preSharedKey(m.cfg.Phase1.PSKs, peer)
}

// startPhase1 begins Main Mode with the key server.
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
	if !guardServer.Holds(m.rules, isServer(sa.PeerID(), m.server().Addr())) {
		m.refuse(now, guardServer.Violated("identity %x is not that of key server %s", sa.PeerID().Data, m.server().Addr()),
			sa.Peer())
		m.refusePhase1(now, "the key server has another identity")
		return
	}
	m.startPull(now)
}

// isServer is the member's GPAD: a key server is known by its address (RFC 5374 §4.1.3.5).
func isServer(id isakmp.ID, server netip.Addr) bool {
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
