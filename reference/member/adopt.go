package member

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardGiven = rule.Duty("member.pull4.given", "RFC6407-3.2-15", rule.GM,
		"the sequence number given at registration counts as seen")
	guardStale = rule.Duty("member.pull4.stale", "RFC6407-3.3-05", rule.GM,
		"a registration does not take back what a later PUSH has brought")
	guardNoSID = rule.Check("member.push.no_sid", "RFC6407-4.4-07", rule.GM,
		"counter-mode SAs that come by PUSH are installed only if the member has a Sender-ID")
)

// finishPull takes over what a registration brought. If a PUSH has changed the group since message 2, the policy of the
// registration may be older than that of the PUSH: then the member asks again instead of going back.
func (m *membership) finishPull(now time.Time, p gdoimap.Policy, number uint32, sids *policy.SIDs) {
	overtaken, offered := m.pull.overtaken, m.pull.offered
	m.pull = nil
	m.registration.reused = false
	if overtaken && guardStale.Kept(m.rules) {
		m.renew(now, "a rekey has overtaken the registration")
		return
	}
	before, first := m.rekey, !m.registration.done
	m.takeRekey(now, p.Rekey, number)
	m.sids = orNone(sids)
	m.leases.clear()
	m.takeAccess(p.Access)
	m.synchronise(offered, p.SAs)
	m.install(now, m.listening(m.directed(now, m.authorised(p.SAs))), p.Activation)
	if len(p.SAs) > 0 {
		m.gateway.Forget() // flows that are no longer the group's
	}
	m.registration.done, m.registration.at, m.registration.failed = true, time.Time{}, 0
	m.counts.registered()
	m.secretSIDs()
	m.log(core.Notice, "REGISTERED", "registered", "key_server", m.server().String(), "group", m.groupText(),
		"rekey", m.rekeyText(), "sequence", m.sequenceText(), "spis", spiText(p.SAs), "sids", m.sidText())
	m.tellRegistered(before, first, p.SAs)
}

// takeRekey makes the SAK of a registration the Rekey SA in force.
func (m *membership) takeRekey(now time.Time, r *policy.RekeySA, number uint32) {
	if r == nil {
		m.setRekey(nil)
		return
	}
	if !guardGiven.Kept(m.rules) {
		number = 0
	}
	m.setRekey(m.newRekeySA(now, *r, number))
	m.secretRekey()
}

// install hands SAs to the gateway; those they replace end by the activation's delays (RFC 6407 §5.4.1). What the gateway
// cannot use is refused, and its flows are protected all the same: they are dropped.
func (m *membership) install(now time.Time, sas []policy.TrafficSA, a policy.Activation) {
	packets, keys := carried(sas)
	if err := m.gateway.Install(now, packets, a, m.sids, true); err != nil {
		m.log(core.Error, "INSTALL_FAILED", err.Error())
	}
	m.outlet.take(now, keys, a, m.rules)
	sas = those(sas, func(sa *policy.TrafficSA) bool {
		err := m.accepts(*sa)
		if err != nil {
			m.refuse(now, err, m.server())
			m.tellNoEngine(err)
		}
		return err == nil
	})
	m.leases.add(now, sas, m.margin, m.gateway.Flow)
	if m.getvpn() && len(sas) > 0 {
		m.received.note(now, sas)
	}
	for i := range sas {
		sa := &sas[i]
		m.log(core.Info, "SA_INSTALLED", "Data-Security SA installed", "spi", policy.FormatSPI(sa.SPI), "selector", sa.Selector.String(),
			"lifetime", strconv.Itoa(int(sa.Lifetime.Seconds())))
		m.advise(*sa)
		if m.secrets {
			m.emit(&core.Secret{Traffic: sa, Group: m.cfg.Group})
		}
	}
}

// those are the SAs that are wanted: the slice itself if all are. Nobody may write to it.
func those(sas []policy.TrafficSA, wanted func(*policy.TrafficSA) bool) []policy.TrafficSA {
	for i := range sas {
		if wanted(&sas[i]) {
			continue
		}
		rest := slices.Clone(sas[:i])
		for j := i + 1; j < len(sas); j++ {
			if wanted(&sas[j]) {
				rest = append(rest, sas[j])
			}
		}
		return rest
	}
	return sas
}

// usable leaves out counter-mode SAs if the member has no Sender-ID to build their IVs with. They came by PUSH, which
// never brings one (RFC 6407 §4.4).
func (m *membership) usable(sas []policy.TrafficSA) (usable, unusable []policy.TrafficSA) {
	usable = those(sas, func(sa *policy.TrafficSA) bool {
		good := guardNoSID.Holds(m.rules, m.sids != nil || !sa.Transform.CounterMode())
		if !good {
			unusable = append(unusable, *sa)
		}
		return good
	})
	return usable, unusable
}

// orNone returns nil if there is no Sender-ID to send with.
func orNone(sids *policy.SIDs) *policy.SIDs {
	if sids == nil || len(sids.Values) == 0 {
		return nil
	}
	return sids
}

// listening makes counter-mode SAs receiver-only if the registration brought no Sender-ID: one from before may belong to
// somebody else by now (RFC 6407 §3.5).
func (m *membership) listening(sas []policy.TrafficSA) []policy.TrafficSA {
	if m.sids != nil {
		return sas
	}
	sas = slices.Clone(sas)
	for i := range sas {
		if sas[i].Transform.CounterMode() {
			sas[i].Transform.Direction = policy.DirectionReceiverOnly
		}
	}
	return sas
}

func (m *membership) secretRekey() {
	if m.secrets {
		r := m.rekey.RekeySA
		m.emit(&core.Secret{Rekey: &r, Group: m.cfg.Group})
	}
}

func (m *membership) secretSIDs() {
	if m.secrets && m.sids != nil {
		m.emit(&core.Secret{SIDs: m.sids, Group: m.cfg.Group})
	}
}

func spiText(sas []policy.TrafficSA) string {
	if len(sas) == 1 {
		return policy.FormatSPI(sas[0].SPI)
	}
	spis := make([]string, len(sas))
	for i, sa := range sas {
		spis[i] = policy.FormatSPI(sa.SPI)
	}
	return strings.Join(spis, ",")
}

func (m *membership) rekeyText() string {
	if m.rekey == nil {
		return ""
	}
	return m.rekey.name
}

func (m *membership) sequenceText() string {
	if m.rekey == nil {
		return ""
	}
	return strconv.FormatUint(uint64(m.rekey.last), 10)
}

func (m *membership) sidText() string {
	if m.sids == nil {
		return ""
	}
	texts := make([]string, len(m.sids.Values))
	for i, v := range m.sids.Values {
		texts[i] = strconv.FormatUint(uint64(v), 10)
	}
	return strings.Join(texts, ",")
}
