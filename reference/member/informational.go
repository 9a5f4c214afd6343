package member

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var guardTell = rule.Duty("member.policy.delete", "RFC6407-3.3-02", rule.GM,
	"a key server whose policy is not acceptable is told by a Delete of the Phase 1 SA")

// firstStatus is the first notify type that reports no error (RFC 2408 §3.14.1).
const firstStatus isakmp.NotifyType = 16384

// onInformational takes a protected Informational: HASH(1), N or D.
func (m *membership) onInformational(now time.Time, d *core.Datagram) {
	o, err := m.phase1.OpenInformational(d.Data)
	if err != nil {
		m.refuse(now, err, d.From)
		return
	}
	o.Commit()
	m.track(now, d)
	deleted, err := m.phase1.Deleted(o)
	if err != nil {
		m.refuse(now, err, d.From)
	}
	if deleted {
		m.onPhase1Deleted(now)
		return
	}
	answers, err := m.phase1.Liveness(now, o, m.rand)
	if err != nil {
		m.refuse(now, err, d.From)
	}
	m.send(answers...)
	n, _, ok := isakmp.Find[isakmp.Notify](o.Payloads)
	if !ok || n.NotifyType == isakmp.NotifyRUThere || n.NotifyType == isakmp.NotifyRUThereACK {
		return
	}
	m.log(core.Notice, "NOTIFIED", "the key server notifies "+n.NotifyType.String(), "from", d.From.String())
	if m.pull != nil && n.NotifyType < firstStatus {
		m.fail(now, "the key server notifies "+n.NotifyType.String())
	}
}

// onPhase1Deleted ends a PULL that is going on; the Rekey SA outlives Phase 1 (RFC 6407 §3).
func (m *membership) onPhase1Deleted(now time.Time) {
	m.phase1 = nil
	m.log(core.Info, "PHASE1_DOWN", "the key server deleted Phase 1", "key_server", m.server().String())
	if m.pull != nil {
		m.fail(now, "the key server deleted Phase 1")
	}
}

// sendPhase1Delete tells the key server that Phase 1 is over.
func (m *membership) sendPhase1Delete() {
	if m.phase1 == nil || !guardTell.Kept(m.rules) {
		return
	}
	d, err := m.phase1.SealDelete(m.rand)
	if err == nil {
		m.send(d)
	}
}
