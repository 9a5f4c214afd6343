package member

import (
	"encoding/binary"
	"slices"

	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// What a member owes in messages 1 and 3.
var (
	guardOwnMessageID = rule.Duty("member.pull1.message_id", "RFC6407-3.2.1-04", rule.GM,
		"the Message ID of a PULL is not zero")
	guardOwnNonce = rule.Duty("member.pull1.nonce", "RFC6407-5.8-01", rule.GM, "Ni has 8 to 128 octets")
	guardGroupID  = rule.Duty("member.pull1.group", "RFC6407-3.2-11", rule.GM,
		"message 1 names the group that the member is configured for")
	guardKeyID = rule.Duty("member.pull1.id_length", "RFC6407-5.1-03", rule.GM,
		"the group identity is an ID_KEY_ID of 4 octets")
	guardGroupOID = rule.Duty("member.pull1.oid", "RFC8052-2.1-01", rule.GM,
		"message 1 names a group by its OID and what belongs to that, if the member is configured so")
	guardIDZero = rule.Duty("member.pull1.id_zero", "RFC6407-5.1-01", rule.GM,
		"the DOI-specific data of the group identity is zero")
	guardHash1 = rule.Duty("member.pull1.hash", "RFC6407-3.2-02", rule.GM,
		"HASH(1) covers Message ID, Ni payload and ID payload")
	guardHash3 = rule.Duty("member.pull3.hash", "RFC6407-3.2-04", rule.GM,
		"HASH(3) covers Message ID, both nonces and the GAP payload")
	guardHashPadding = rule.Duty("member.pull.hash_padding", "RFC6407-3.2-06", rule.GM,
		"encryption padding is not part of a HASH")
	guardHashOrder = rule.Duty("member.pull.hash_message_id", "RFC6407-3.2-07", rule.GM,
		"the Message ID goes into a HASH in network order")
	guardSIDRequest = rule.Duty("member.pull3.sid_request", "RFC6407-3.3-03", rule.GM,
		"message 3 asks for the Sender-IDs that the member needs")
)

func (m *membership) newMessageID() uint32 {
	id := m.phase1.NewMessageID(m.rand)
	if !guardOwnMessageID.Kept(m.rules) {
		return 0
	}
	return id
}

func (m *membership) newNonce() []byte {
	if !guardOwnNonce.Kept(m.rules) {
		return m.random(nonceMin - 1)
	}
	return m.random(nonceLen)
}

// groupID names the group (RFC 6407 §5.1).
func (m *membership) groupID() gdoi.ID {
	if name := m.cfg.GroupOID; name != (policy.OIDName{}) {
		if id, err := gdoimap.GroupOID(name); err == nil && guardGroupOID.Kept(m.rules) {
			return id
		}
	}
	group := m.cfg.Group
	if !guardGroupID.Kept(m.rules) {
		group++
	}
	id := gdoi.ID{IDType: isakmp.IDKeyID, Data: binary.BigEndian.AppendUint32(nil, group)}
	if !guardKeyID.Kept(m.rules) {
		id.Data = append(id.Data, 0)
	}
	if !guardIDZero.Kept(m.rules) {
		id.Port = port
	}
	return id
}

// needs is what follows HASH(3): a GAP if the member wants more than the one Sender-ID it gets unasked (RFC 6407 §3.3).
func (m *membership) needs(offer *gdoimap.Policy) []isakmp.Payload {
	counter := slices.ContainsFunc(offer.SAs, func(sa policy.TrafficSA) bool { return sa.Transform.CounterMode() })
	if !counter || m.cfg.SIDRequest == 0 || !guardSIDRequest.Kept(m.rules) {
		return nil
	}
	return []isakmp.Payload{gdoimap.RequestOf(m.cfg.SIDRequest, m.rules)}
}

// hash1 makes HASH(1) = prf(SKEYID_a, M-ID | Ni | ID). A tap may have changed the nonce, and the key server answers to the
// one that was sent.
func (m *membership) hash1(mid [4]byte, after []byte) []byte {
	if ps, _, err := gdoi.Pull.Parse(isakmp.PayloadNonce, after, 0); err == nil {
		if n, _, ok := isakmp.Find[isakmp.Nonce](ps); ok {
			m.pull.ni = slices.Clone(n.Data)
		}
	}
	if !guardHash1.Kept(m.rules) {
		return m.ownHash(mid, after[:len(after)/2])
	}
	return m.ownHash(mid, after)
}

// hash3 makes HASH(3) = prf(SKEYID_a, M-ID | Ni_b | Nr_b [ | GAP ]).
func (m *membership) hash3(mid [4]byte, after []byte) []byte {
	if !guardHash3.Kept(m.rules) {
		return m.ownHash(mid, m.pull.nr, after)
	}
	return m.ownHash(mid, m.pull.ni, m.pull.nr, after)
}

// ownHash makes a HASH; the last part is what follows it in the message.
func (m *membership) ownHash(mid [4]byte, parts ...[]byte) []byte {
	sa := m.phase1
	if !guardHashOrder.Kept(m.rules) {
		slices.Reverse(mid[:])
	}
	if !guardHashPadding.Kept(m.rules) {
		n := isakmp.GenericLen + sa.Hash().Size() + len(parts[len(parts)-1])
		parts = append(parts, make([]byte, -n&(sa.Suite().Cipher().BlockSize()-1)))
	}
	return sa.Hash().PRF(sa.SKEYIDa(), append([][]byte{mid[:]}, parts...)...)
}
