package member

import (
	"encoding/binary"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// The times of profile getvpn.
const (
	rollover    = 30 * time.Second  // GETVPN-REKEY-11: before the end of a TEK the next one takes over
	reRegister  = 60 * time.Second  // GETVPN-REKEY-12: and before that, without a next one, the member registers again
	kekEarliest = 190 * time.Second // GETVPN-KEK-09: before the end of a KEK without a next one it registers again, some time
	kekLatest   = 40 * time.Second  // between these
	kekAfter    = 80 * time.Second  // GETVPN-KEK-14: and once it has ended, within that time
	kekSoonest  = 2 * time.Second   // but not at once: lifetimes are told in whole seconds, and the key server's own ends up to two later
)

var (
	guardReRegisterAt = rule.Timer("member.getvpn.re_register", "GETVPN-REKEY-12", rule.GM, 10*time.Second,
		"a member that has got no new TEK registers again 60 s before the old one ends")
	guardKEKWindow = rule.Timer("member.getvpn.kek_window", "GETVPN-KEK-09", rule.GM, kekEarliest-kekLatest,
		"a member that has got no new KEK registers again 190 to 40 s before the old one ends")
	guardKEKSpread = rule.Duty("member.getvpn.kek_spread", "GETVPN-REKEY-07", rule.GM,
		"members that have got no new KEK register again at different moments")
	guardKEKSame = rule.Duty("member.getvpn.kek_same", "GETVPN-KEK-13", rule.GM,
		"a member that has registered for a new KEK and got the old one waits until that ends")
	guardKEKAfter = rule.Timer("member.getvpn.kek_after", "GETVPN-KEK-14", rule.GM, kekAfter,
		"a member whose KEK has ended registers again within 80 s")
	guardKEKKept = rule.Duty("member.getvpn.kek_kept", "GETVPN-KEK-03", rule.GM,
		"a member of the old behaviour keeps its KEK until another comes")
)

var guardAdviceWrap = rule.Duty("member.advice.wrap", "GETVPN-CBAR-05", rule.GM,
	"an operator is told of an SA that lives longer than its sequence numbers suffice")

// advise tells an operator of an SA whose sequence numbers end before it does, at the rate of packets that is configured.
func (m *membership) advise(sa policy.TrafficSA) {
	if !m.getvpn() {
		return
	}
	if line := policy.WrapAdvice(m.cfg.PacketRate, sa.Lifetime, sa.Transform.ESN); line != "" && guardAdviceWrap.Kept(m.rules) {
		m.log(core.Warning, "LIFETIME_ADVICE", line, groupField, m.groupText(), "spi", policy.FormatSPI(sa.SPI))
	}
}

func (m *membership) getvpn() bool { return m.cfg.Profile == policy.ProfileGETVPN }

// rolloverOf is how long before the end of a TEK the next one takes over at a member.
func rolloverOf(cfg policy.Member) time.Duration {
	if cfg.Profile == policy.ProfileGETVPN {
		return rollover
	}
	return 0
}

// watch arranges for what happens before the end of a Rekey SA that has come now. A KEK with less than 190 s left is that of a key
// server which replaces KEKs as they end, and so there will be another then (GETVPN-KEK-13).
func (m *membership) watch(now time.Time, sa *rekeySA) {
	switch {
	case !m.getvpn() || sa.expiry.IsZero():
	case m.cfg.Rekey.KEKBehaviour == policy.KEKOld:
		if guardKEKKept.Kept(m.rules) {
			sa.expiry = time.Time{}
		}
	case sa.Lifetime > kekEarliest:
		sa.renew = sa.expiry.Add(-guardKEKWindow.Delay(m.rules, m.between(kekLatest, kekEarliest)))
	case !guardKEKSame.Kept(m.rules):
		sa.renew = now.Add(sa.Lifetime / 2)
	}
}

// between draws a time.
func (m *membership) between(least, most time.Duration) time.Duration {
	if !guardKEKSpread.Kept(m.rules) {
		return (least + most) / 2
	}
	drawn := binary.BigEndian.Uint64(m.random(8)) % uint64(most-least+1)
	return least + time.Duration(drawn)
}

// renewKEK registers again for the KEK that ought to have come.
func (m *membership) renewKEK(now time.Time) {
	if m.rekey != nil && due(now, m.rekey.renew) {
		m.rekey.renew = time.Time{}
		m.tellMissed()
		m.renew(now, "no rekey has come, and the Rekey SA ends soon")
	}
	if due(now, m.kekGone) {
		m.kekGone = time.Time{}
		m.renew(now, "the Rekey SA has ended")
	}
}

// tellMissed tells of a rekey that has not come, if the operator wants to know: devices are said not to tell it.
func (m *membership) tellMissed() {
	if m.cfg.Rekey.TellMissed {
		m.tell(getvpn.GMRekeyNotRecd)
	}
}

// kekEnds takes a Rekey SA out that has outlived its lifetime. By RFC 6407 the member registers again at once; in profile getvpn after
// a time of its own, so that not all ask at the same moment.
func (m *membership) kekEnds(now time.Time) {
	m.log(core.Notice, "SA_REMOVED", "the Rekey SA has ended", "rekey", m.rekeyText())
	m.tell(getvpn.GMDeleteExpiredKEK)
	m.setRekey(nil)
	if m.getvpn() {
		m.kekGone = now.Add(guardKEKAfter.Delay(m.rules, m.between(kekSoonest, kekAfter)))
		return
	}
	m.renew(now, "the Rekey SA has ended")
}
