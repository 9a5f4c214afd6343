package keyserver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/group"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// tell tells the operator a message of GET VPN about a group, if the key server follows that profile. The group and the key server's
// address go without saying; nil stands for a group that is not known.
func (k *KeyServer) tell(c *carried, what getvpn.Message, fields ...core.Field) {
	if k.cfg.Profile != policy.ProfileGETVPN || !what.Told(k.opts.Rules) {
		return
	}
	own := []core.Field{getvpn.Field("ks_addr", k.cfg.Address.Addr())}
	if c != nil {
		own = append(own, getvpn.Field("group", c.Name()))
	}
	k.out = append(k.out, getvpn.Event(what, append(fields, what.Own(own...)...)...))
}

// gmAddr is the place of a member's address in a message.
func gmAddr(at netip.AddrPort) core.Field { return getvpn.Field("gm_addr", at.Addr().Unmap()) }

// tellStart tells what a key server is that has just started.
func (k *KeyServer) tellStart() {
	k.tell(nil, getvpn.ISAKMPOnOff, getvpn.Field("state", "ON"))
	k.tell(nil, getvpn.GDOIOnOff, getvpn.Field("state", "ON"))
}

// tellAsked notes, under profile getvpn, that a member has begun to register. There is no message of the vendor for it, but a notification.
func (k *KeyServer) tellAsked(c *carried, from netip.AddrPort) {
	if k.cfg.Profile == policy.ProfileGETVPN {
		k.log(core.Debug, "REGISTRATION_ASKED", "a member asks for the group", field("group", c.ID()), field("address", from))
	}
}

// tellAdmitted tells of a member that has registered.
func (k *KeyServer) tellAdmitted(c *carried, from netip.AddrPort, a group.Admission) {
	if a.First {
		k.tell(c, getvpn.KSFirstGM, gmAddr(from))
	}
	k.tell(c, getvpn.KSRegsCompl, gmAddr(from))
}

// tellLeft tells of members that are no longer counted, and of the last one.
func (k *KeyServer) tellLeft(c *carried, left []netip.AddrPort) {
	for i, at := range left {
		k.tell(c, getvpn.GMDelete, gmAddr(at))
		if i == len(left)-1 && c.Members() == 0 {
			k.tell(c, getvpn.KSLastGM, gmAddr(at))
		}
	}
}

// tellSent tells of a rekey, but not of its repetitions and of the loops after the first.
func (k *KeyServer) tellSent(c *carried, p group.Plan) {
	seq := getvpn.Field("seq", p.Rekey.Sequence)
	switch to := p.To[0].Addr(); {
	case p.Attempt > 0 || p.Round > 0:
	case to.IsMulticast():
		k.tell(c, getvpn.KSSendMcastRekey, getvpn.Field("mcast_addr", to), seq)
	default:
		k.tell(c, getvpn.KSSendUnicastRekey, seq)
	}
}

// tellMissing tells of a member that is given up, since it acknowledges no rekey.
func (k *KeyServer) tellMissing(c *carried, m group.Missing) {
	if m.Gone {
		k.tell(c, getvpn.KSNACKGMEject, gmAddr(m.Address), getvpn.Field("n", group.GoneAfter))
	}
}

// tellRefusedPull tells of a message of a PULL that was refused.
func (k *KeyServer) tellRefusedPull(s *session, p *pull, err error, from netip.AddrPort) {
	var v *rule.Violation
	if !errors.As(err, &v) {
		return
	}
	switch v.Guard {
	case guardHash1, guardHash3:
		k.tell(p.group, getvpn.KSHashFail, gmAddr(from), getvpn.Field("group", k.nameOf(p.asked)))
	case guardInterface:
		k.tellInterface(s, p.group)
	case guardIDType, guardIDLength, guardGroup:
		k.tell(nil, getvpn.KSBadID, gmAddr(from), getvpn.Field("group", k.nameOf(p.asked)))
	}
	if group.IsUnauthorised(v) {
		k.tell(p.group, getvpn.KSUnauthorized, gmAddr(from))
	}
}

// nameOf is the name of the group that an identity means, or its number if there is none.
func (k *KeyServer) nameOf(id gdoi.ID) string {
	if id.IDType != isakmp.IDKeyID || len(id.Data) != 4 {
		return "-"
	}
	number := binary.BigEndian.Uint32(id.Data)
	if c := k.byID[number]; c != nil {
		return c.Name()
	}
	return fmt.Sprint(number)
}

// tellRejected tells of a peer that deletes Phase 1 when it has seen the policy: it does not take it (RFC 6407 §3.3).
func (k *KeyServer) tellRejected(s *session, from netip.AddrPort) {
	for _, p := range s.pulls.order {
		if !p.finished {
			k.tell(p.group, getvpn.KSGMRejectsSAPayload, gmAddr(from))
		}
	}
}

// tellRefusedAck tells of an acknowledgement that nobody waits for: of a member that was excluded, or of anybody.
func (k *KeyServer) tellRefusedAck(c *carried, from netip.Addr, err error) {
	var v *rule.Violation
	if !errors.As(err, &v) || !group.Unsolicited(v) {
		return
	}
	what := getvpn.KSUnsolACK
	if c.Excluded(policy.AddressIdentity(from)) {
		what = getvpn.KSGMRevoked
	}
	k.tell(c, what, getvpn.Field("gm_addr", from))
}
