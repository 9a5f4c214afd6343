package keyserver

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// pullHash is HASH(n) of a PULL: the prf over the Message ID, the nonce bodies that the message is bound to, and all
// payloads behind HASH (RFC 6407 §3.2).
func pullHash(sa *ike.SA, mid [4]byte, nonces [][]byte, after []byte) []byte {
	parts := append([][]byte{mid[:]}, nonces...)
	return sa.Hash().PRF(sa.SKEYIDa(), append(parts, after)...)
}

func messageID(data []byte) uint32 { return binary.BigEndian.Uint32(data[20:]) }

func messageIDOctets(id uint32) (mid [4]byte) {
	binary.BigEndian.PutUint32(mid[:], id)
	return mid
}

// openPull1 decrypts message 1 and checks its form and HASH(1). It takes the nonce, as long as it may be.
func (k *KeyServer) openPull1(s *session, p *pull, d *core.Datagram) (*ike.Opened, error) {
	rules := k.opts.Rules
	o, err := p.stream.Open(d.Data, gdoi.Pull)
	if err != nil {
		return nil, err
	}
	if !guardForm1.Holds(rules, follows(o, isakmp.PayloadNonce, isakmp.PayloadID)) {
		return nil, guardForm1.Violated("message 1 is %s", types(o.Payloads))
	}
	p.asked, _, _ = isakmp.Find[gdoi.ID](o.Payloads)
	if !guardHash1.Holds(rules, hmac.Equal(o.Hash, pullHash(s.sa, messageIDOctets(p.id), nil, o.After))) {
		return nil, guardHash1.Violated("HASH(1) does not verify")
	}
	ni, _, ok := isakmp.Find[isakmp.Nonce](o.Payloads)
	if !ok {
		return o, nil // only with the guard of the form off
	}
	if n := uint64(len(ni.Data)); !guardNonceMin.AtLeast(rules, n, 8) {
		return nil, guardNonceMin.Violated("Ni of %d octets", n)
	} else if !guardNonceMax.AtMost(rules, n, 128) {
		return nil, guardNonceMax.Violated("Ni of %d octets", n)
	}
	p.ni = append([]byte{}, ni.Data...)
	p.group, err = k.findGroup(s, p.asked, d.From)
	return o, err
}

// findGroup finds the group that message 1 asks for.
func (k *KeyServer) findGroup(s *session, id gdoi.ID, from netip.AddrPort) (*carried, error) {
	rules := k.opts.Rules
	if name, ok := gdoimap.ReadGroupOID(id.Data); ok && id.IDType == isakmp.IDOID {
		return k.groupNamed(s, name, from)
	}
	if !guardIDType.Holds(rules, id.IDType == uint8(isakmp.IDKeyID)) {
		k.notify(s, isakmp.NotifyInvalidIDInformation, from)
		return nil, guardIDType.Violated("the group is named by an ID of type %d", id.IDType)
	}
	if !guardIDLength.Holds(rules, len(id.Data) == 4) {
		k.notify(s, isakmp.NotifyInvalidIDInformation, from)
		return nil, guardIDLength.Violated("group identifier of %d octets", len(id.Data))
	}
	var number [4]byte
	copy(number[:], id.Data)
	c := k.byID[binary.BigEndian.Uint32(number[:])]
	if !guardGroup.Holds(rules, c != nil) {
		k.notify(s, isakmp.NotifyInvalidIDInformation, from)
		return nil, guardGroup.Violated("there is no group %d", binary.BigEndian.Uint32(number[:]))
	}
	return c, nil
}

// groupNamed finds the group that an object identifier names (RFC 8052 §2.1).
func (k *KeyServer) groupNamed(s *session, name policy.OIDName, from netip.AddrPort) (*carried, error) {
	i := slices.IndexFunc(k.cfg.Groups, func(g policy.Group) bool { return g.OID == name })
	if !guardGroup.Holds(k.opts.Rules, i >= 0) {
		k.notify(s, isakmp.NotifyInvalidIDInformation, from)
		return nil, guardGroup.Violated("there is no group %s", name)
	}
	if i < 0 {
		return nil, nil
	}
	return k.byID[k.cfg.Groups[i].ID], nil
}

// admissible asks the group whether the peer may join.
func (k *KeyServer) admissible(s *session, p *pull, d *core.Datagram) error {
	if p.group == nil {
		return nil // only with the guard of the group off
	}
	if err := k.registrable(s); err != nil {
		return err
	}
	id, proven := k.identity(s, d), s.sa.PeerName()
	if !guardIdentity.Kept(k.opts.Rules) {
		proven = policy.Peer{}
	}
	if !p.group.Authorised(id, k.recordedAs(s, d), proven) {
		k.notify(s, isakmp.NotifyAuthenticationFailed, d.From)
		k.tellUnauthorized(p.group, id, proven, d.From)
		return p.group.Unauthorised(id, proven)
	}
	return nil
}

// identity is the address that the peer has proven to be its own in Phase 1. Other kinds of identities give none, which is in no
// list.
func (k *KeyServer) identity(s *session, d *core.Datagram) netip.Addr {
	if !guardIdentity.Kept(k.opts.Rules) {
		return d.From.Addr()
	}
	id := s.sa.PeerID()
	addr, _ := isakmp.IdentityAddress(id.IDType, id.Data)
	return addr.Unmap()
}

// recordedAs is the identity by which the group knows a member that it has admitted: the one it has proven, wherever it is.
func (k *KeyServer) recordedAs(s *session, d *core.Datagram) policy.Identity {
	if id := k.identity(s, d); id.IsValid() {
		return policy.AddressIdentity(id)
	}
	if !guardRecorded.Kept(k.opts.Rules) {
		return policy.AddressIdentity(s.sa.Peer().Addr())
	}
	return s.sa.PeerName().Identity.Folded()
}

// openPull3 decrypts message 3, checks its form and HASH(3), and reads how many SIDs the member asks for.
func (k *KeyServer) openPull3(s *session, p *pull, d *core.Datagram) (*ike.Opened, int, error) {
	rules := k.opts.Rules
	o, err := p.stream.Open(d.Data, gdoi.Pull)
	if err != nil {
		return nil, 0, err
	}
	if !guardForm3.Holds(rules, follows(o) || follows(o, isakmp.PayloadGAP)) {
		return nil, 0, guardForm3.Violated("message 3 is %s", types(o.Payloads))
	}
	want := pullHash(s.sa, messageIDOctets(p.id), [][]byte{p.ni, p.nr}, o.After)
	if !guardHash3.Holds(rules, hmac.Equal(o.Hash, want)) {
		return nil, 0, guardHash3.Violated("HASH(3) does not verify")
	}
	gap, _, _ := isakmp.Find[gdoi.GAP](o.Payloads)
	sids, err := gdoimap.ReadRequest(gap, rules)
	return o, sids, err
}

// follows reports whether HASH comes first and exactly these payloads stand behind it, in any order.
func follows(o *ike.Opened, want ...isakmp.PayloadType) bool {
	if len(o.Payloads) != 1+len(want) || o.Payloads[0].Payload.Type() != isakmp.PayloadHASH {
		return false
	}
	for _, t := range want {
		n := 0
		for _, p := range o.Payloads[1:] {
			if p.Payload.Type() == t {
				n++
			}
		}
		if n != 1 {
			return false
		}
	}
	return true
}

// types lists the types of payloads, for a message.
func types(ps []isakmp.Decoded) string {
	var b bytes.Buffer
	for i, p := range ps {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Payload.Type().String())
	}
	return b.String()
}
