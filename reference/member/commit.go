package member

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	guardDeleteAll = rule.Duty("member.push.delete_all", "RFC6407-5.9-07", rule.GM,
		"a Delete of SPI 0 removes all SAs of its protocol")
	guardReplace = rule.Duty("member.push.replace", "RFC6407-4-05", rule.GM,
		"a SAK in a PUSH replaces the Rekey SA")
	guardCreate = rule.Duty("member.push.create", "RFC6407-4-06", rule.GM,
		"a SAT in a PUSH creates a Data-Security SA")
	guardReRegister = rule.Duty("member.push.re_register", "RFC6407-3.5-12", rule.GM,
		"a member whose Rekey SA is deleted forgets its Sender-IDs and registers again")
)

// commitPush carries out a PUSH that has passed every check: the number, the deletions, the new SAs, the acknowledgement.
func (m *membership) commitPush(now time.Time, p *push, d *core.Datagram) {
	under := m.rekey
	under.last = p.seq
	if m.pull != nil && (p.policy != nil || len(p.deletes) > 0) {
		m.pull.overtaken = true
	}
	for _, del := range p.deletes {
		m.carryOut(now, del)
	}
	m.counts.rekeyed(now, d.From.Addr())
	unusable := m.takePolicy(now, p, d)
	m.log(core.Notice, "REKEY_ACCEPTED", "rekey accepted", "sequence", strconv.FormatUint(uint64(p.seq), 10),
		"under", under.name, "rekey", m.rekeyText(), "spis", p.spiText(), "from", d.From.String())
	m.tellRekey(p, under, d)
	m.acknowledge(p, under, d)
	switch {
	case m.rekey == nil && guardReRegister.Kept(m.rules):
		m.renewAfterDelete(now)
	case unusable:
		m.renew(now, "Data-Security SAs need a Sender-ID")
	}
}

// takePolicy installs what SA and KD brought. It reports whether SAs were left out for want of a Sender-ID.
func (m *membership) takePolicy(now time.Time, p *push, d *core.Datagram) (unusable bool) {
	if p.policy == nil {
		return false
	}
	if sids := orNone(p.sids); sids != nil {
		m.sids = sids
	}
	if p.policy.Rekey != nil && guardReplace.Kept(m.rules) {
		m.setRekey(m.newRekeySA(now, *p.policy.Rekey, 0))
		m.secretRekey()
	}
	m.followTime(now, p)
	for _, v := range m.unauthorised(p.policy.SAs) {
		m.refuse(now, v, d.From)
	}
	m.takeAccess(p.policy.Access)
	sas, without := m.usable(m.directed(now, m.authorised(p.policy.SAs)))
	for _, sa := range without {
		m.refuse(now, guardNoSID.Violated("SPI %08x is of a counter mode, and there is no Sender-ID", sa.SPI), d.From)
	}
	if len(sas) > 0 && guardCreate.Kept(m.rules) {
		m.install(now, sas, p.policy.Activation)
	}
	return len(without) > 0
}

// carryOut does what one Delete says (RFC 6407 §5.9). SPIs that are not installed are of no concern.
func (m *membership) carryOut(now time.Time, d isakmp.Delete) {
	for _, spi := range d.SPIs {
		switch {
		case d.Protocol == protocolESP && len(spi) == 4:
			m.deleteSA(now, policy.ProtocolESP, binary.BigEndian.Uint32(spi))
		case d.Protocol == protocolAH && len(spi) == 4:
			m.deleteSA(now, policy.ProtocolAH, binary.BigEndian.Uint32(spi))
		case d.Protocol == protocolIEC && len(spi) == 4:
			m.deleteIEC(binary.BigEndian.Uint32(spi))
		case d.Protocol == protocolKEK && m.isRekey(spi):
			m.log(core.Notice, "SA_REMOVED", "the key server deleted the Rekey SA", "rekey", m.rekeyText())
			m.setRekey(nil)
		}
	}
}

func (m *membership) deleteSA(now time.Time, p policy.Protocol, spi uint32) {
	if spi == 0 && !guardDeleteAll.Kept(m.rules) {
		return
	}
	m.gateway.Delete(now, p, spi)
	m.leases.remove(p, spi)
	m.log(core.Info, "SA_REMOVED", "the key server deleted Data-Security SAs", "spi", policy.FormatSPI(spi))
}

// isRekey reports whether an SPI in the Delete of a KEK means the Rekey SA in force: its own, or zero for any.
func (m *membership) isRekey(spi []byte) bool {
	if m.rekey == nil {
		return false
	}
	zero := policy.RekeySPI{}
	return string(spi) == string(m.rekey.SPI[:]) || string(spi) == string(zero[:min(len(spi), len(zero))])
}

// renewAfterDelete registers again at once: without a Rekey SA the member would miss what follows, and its Sender-IDs may
// belong to somebody else soon (RFC 6407 §3.5).
func (m *membership) renewAfterDelete(now time.Time) {
	m.sids = nil
	m.renew(now, "the Rekey SA was deleted")
}

func (p *push) spiText() string {
	if p.policy == nil {
		return ""
	}
	return spiText(p.policy.SAs)
}
