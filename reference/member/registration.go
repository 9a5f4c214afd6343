package member

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// registration is what the member knows about getting into the group, apart from the exchange that is going on.
type registration struct {
	at     time.Time // next attempt; zero if none is planned
	server int       // index of the key server to ask
	done   bool      // the last attempt succeeded and nothing has been forgotten since
	reused bool      // the attempt going on runs under a Phase 1 SA from an earlier one
	failed int       // attempts in a row, each with another key server
}

// The states that an operator sees.
const (
	stateIdle       = "idle"
	statePhase1     = "phase1"
	statePull       = "pull"
	stateRegistered = "registered"
)

func (m *membership) state() string {
	switch {
	case m.exchange != nil:
		return statePhase1
	case m.pull != nil:
		return statePull
	case m.registration.done:
		return stateRegistered
	}
	return stateIdle
}

func (m *membership) onStart(now time.Time) {
	m.log(core.Info, "STARTED", "group member started", "group", m.groupText())
	m.tellStart()
	if !m.cfg.OnDemand {
		m.register(now)
	}
}

// register begins an attempt unless one is going on. What is installed stays and keeps working meanwhile.
func (m *membership) register(now time.Time) {
	m.registration.at = time.Time{}
	if m.exchange != nil || m.pull != nil {
		return
	}
	if missing := m.missing(); missing != "" && m.cfg.Profile == policy.ProfileGETVPN {
		m.tell(getvpn.GMIncompleteCfg, getvpn.Field("missing", missing))
		return
	}
	m.log(core.Info, "REGISTRATION_START", "registration begins", "key_server", m.server().String(), "group", m.groupText())
	m.counts.attempts++
	m.tell(getvpn.GMRegister)
	m.registration.reused = m.phase1Usable(now)
	if m.registration.reused {
		m.startPull(now)
		return
	}
	m.phase1 = nil
	m.startPhase1(now)
}

// phase1Usable reports whether an older Phase 1 SA with this key server lasts for another PULL with all its repetitions
// (RFC 6407 §3 lets one Phase 1 SA serve several).
func (m *membership) phase1Usable(now time.Time) bool {
	return m.phase1 != nil && m.asks(m.server()) &&
		m.phase1.Expiry().Sub(now) > 2*m.patience()
}

// patience is how long a message is repeated before the member gives up.
func (m *membership) patience() time.Duration {
	return m.cfg.Phase1.Retransmit * (1<<(m.cfg.Phase1.Retries+1) - 1)
}

// fail ends an attempt. The next one asks the next key server after a pause; but if an older Phase 1 SA was relied on,
// which the key server may have lost, the same one is asked again at once with a new Phase 1.
func (m *membership) fail(now time.Time, reason string) {
	m.log(core.Warning, "REGISTRATION_FAILED", reason, "key_server", m.server().String(), "group", m.groupText())
	m.exchange, m.pull, m.phase1 = nil, nil, nil
	if m.registration.reused {
		m.registration.reused = false
		m.registration.at = now
		return
	}
	m.registration.server = (m.registration.server + 1) % len(m.cfg.KeyServers)
	m.registration.at = now.Add(m.cfg.RetryDelay)
	m.registration.failed++
}

// refusePhase1 ends an attempt whose key server is not acceptable or offers what is not: the key server is told by a
// Delete of the Phase 1 SA (RFC 6407 §3.3).
func (m *membership) refusePhase1(now time.Time, reason string) {
	m.sendPhase1Delete()
	m.registration.reused = false
	m.fail(now, reason)
}

// renew registers again as soon as it can, keeping what is installed.
func (m *membership) renew(now time.Time, why string) {
	if m.exchange != nil || m.pull != nil {
		return
	}
	m.log(core.Notice, "REREGISTRATION", why, "group", m.groupText())
	m.tell(getvpn.GMReRegister)
	m.register(now)
}

// ikeConfig is what Phase 1 takes from the member's configuration.
func (m *membership) ikeConfig() ike.Config {
	return ike.Config{
		Rules: m.rules, Role: rule.GM, Rand: m.rand, Tap: m.see, Local: m.cfg.Address, DOI: gdoi.DOI,
		Lifetime: m.cfg.Phase1.Lifetime, Retransmit: m.cfg.Phase1.Retransmit, Retries: m.cfg.Phase1.Retries,
		PSK: m.cfg.Phase1.PSK, Suites: ike.Suites(m.cfg.Phase1.Proposals), NATT: m.cfg.Phase1.NATTraversal, Mode: m.cfg.Phase1.Mode, ClearProof: m.cfg.Phase1.ClearProof,
		Kilobytes: uint64(m.cfg.Phase1.Kilobytes), DPD: m.cfg.Phase1.DPD,
		Identity: m.cfg.Phase1.Identity, Expect: m.cfg.Phase1.Expects, Credentials: m.credentials,
		AnySituation: m.cfg.Phase1.AnySituation, TransformsFromZero: m.cfg.Phase1.TransformsFromZero,
	}
}
