package member

import (
	"cmp"
	"errors"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// tell tells the operator a message of GET VPN, if the member follows that profile. Group, key server and the member itself go without
// saying.
func (m *membership) tell(what getvpn.Message, fields ...core.Field) {
	if m.cfg.Profile != policy.ProfileGETVPN || !what.Told(m.rules) {
		return
	}
	m.emit(getvpn.Event(what, append(fields, what.Own(
		getvpn.Field("group", cmp.Or(m.cfg.GroupName, m.groupText())),
		getvpn.Field("ks_addr", m.server().Addr()),
		getvpn.Field("gm_addr", m.cfg.Address.Addr()),
	)...)...))
}

// attached tells that the policy of the group is on the interface from now on.
func (m *membership) attached() { m.tell(getvpn.GMCMAttach) }

// tellStart tells what a member is that has just started.
func (m *membership) tellStart() {
	if m == m.groups[0] {
		m.tell(getvpn.ISAKMPOnOff, getvpn.Field("state", "ON"))
		m.tell(getvpn.GDOIOnOff, getvpn.Field("state", "ON"))
	}
	m.attached()
	m.tellLists()
}

// tellRegistered tells of a registration that has replaced a Rekey SA and brought Data-Security SAs; first says that the member had
// nothing of the group before.
func (m *membership) tellRegistered(before *rekeySA, first bool, sas []policy.TrafficSA) {
	m.tellTransport(before)
	m.tellInstalled(m.rekey != nil, len(sas) > 0)
	if first {
		m.tell(getvpn.GMEnableGDOICM)
	}
	m.tell(getvpn.GMRegsCompl)
}

// tellRekey tells of a PUSH that was carried out.
func (m *membership) tellRekey(p *push, under *rekeySA, d *core.Datagram) {
	if !m.getvpn() {
		return
	}
	from := getvpn.Field("ks_addr", d.From.Addr().Unmap())
	m.tell(getvpn.GMRecvRekey, from, getvpn.Field("dst_addr", d.To.Addr().Unmap()), getvpn.Field("seq", p.seq))
	if m.rekey == nil {
		m.tell(getvpn.GMRecvDelete, from)
	}
	if p.policy != nil {
		m.tellTransport(under)
		m.tellInstalled(p.policy.Rekey != nil, len(p.policy.SAs) > 0)
	}
}

// tellInstalled tells what a registration or a rekey has brought.
func (m *membership) tellInstalled(kek, teks bool) {
	if kek {
		m.tell(getvpn.SAKEKUpdated)
	}
	if teks {
		m.tell(getvpn.SATEKUpdated)
	}
	m.tell(getvpn.GMInstallPoliciesSuccess)
}

// tellTransport tells that rekeys come another way than under the Rekey SA before, or that they begin to come to the member itself.
func (m *membership) tellTransport(before *rekeySA) {
	switch {
	case m.rekey == nil:
	case !m.rekey.group().IsValid() && (before == nil || before.group().IsValid()):
		m.tell(getvpn.GMRekeyTransToUni)
	case m.rekey.group().IsValid() && before != nil && !before.group().IsValid():
		m.tell(getvpn.GMRekeyTransToMulti)
	}
}

// tellRefusedPull tells of a message of the PULL that nobody can have made who knows Phase 1.
func (m *membership) tellRefusedPull(err error) {
	if broke(err, guardHash2) || broke(err, guardHash4) {
		m.tell(getvpn.GMHashFail)
	}
}

// tellTEKProtocol tells of SATs that are not of ESP, the only protocol of GET VPN.
func (m *membership) tellTEKProtocol(sa gdoi.SA) {
	for _, p := range sa.Attributes {
		if sat, ok := isakmp.Unwrap(p).(gdoi.SAT); ok && sat.ProtocolID != gdoi.ProtoIPsecESP {
			m.tell(getvpn.UnsupportedTEKProto, getvpn.Field("proto", sat.ProtocolID))
		}
	}
}

// signatureKey is the requirement by which a public key is refused that is not what the SAK says.
const signatureKey rule.ID = "RFC6407-5.6.2.2-01"

// tellRefusedKeys tells of a signature key that is not of the SAK's algorithm.
func (m *membership) tellRefusedKeys(err error) {
	var v *rule.Violation
	if errors.As(err, &v) && v.Guard.ID == signatureKey {
		m.tell(getvpn.UnexpectedSigkey)
	}
}

// tellRefusedPush tells of a PUSH that was refused; nil could not be read so far as to have a number.
func (m *membership) tellRefusedPush(err error, p *push) {
	if broke(err, guardSEQ) {
		m.tell(getvpn.GDOIRekeySeqFailure, getvpn.Field("seq", p.seq), getvpn.Field("last_seq", m.rekey.last))
		return
	}
	if m.tellTooOld(p) {
		return
	}
	m.tellRefusedKeys(err)
	m.tell(getvpn.GDOIRekeyFailure)
}

// broke reports whether an error is that of a guard.
func broke(err error, g *rule.Guard) bool {
	var v *rule.Violation
	return errors.As(err, &v) && v.Guard == g
}
