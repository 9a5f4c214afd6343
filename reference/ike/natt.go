package ike

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// NAT traversal (RFC 3947). With Config.NATT both sides announce it in their first message, and if both did, messages 3 and
// 4 of Main Mode say from and to where they were sent:
//
//	1  I --> R  HDR, SA, VID                 from 848 to 848
//	2  R --> I  HDR, SA, VID
//	3  I --> R  HDR, KE, Ni, NAT-D, NAT-D
//	4  R --> I  HDR, KE, Nr, NAT-D, NAT-D
//	5  I --> R  HDR*, IDii, HASH_I           from 4500 to 4500 if there is a NAT, and so ever after
//	6  R --> I  HDR*, IDir, HASH_R
//
// In Aggressive Mode messages 2 and 3 do. The third has the ports to which it has changed, as it says where it was sent itself:
//
//	1  I --> R  HDR, SA, KE, Ni, IDii, VID
//	2  R --> I  HDR, SA, KE, Nr, IDir, VID, NAT-D, NAT-D, HASH_R
//	3  I --> R  HDR[*], NAT-D, NAT-D, HASH_I from 4500 to 4500 if there is a NAT, and so ever after

// natVendor is the Vendor ID of RFC 3947 §3.1.
var natVendor = []byte{0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f}

// traversal is what an exchange knows of NATs on its way.
type traversal struct {
	agreed  bool // both sides have announced NAT traversal
	between bool // a NAT changes addresses or ports
	behind  bool // this side is behind one
}

// vendors are the Vendor IDs of messages 1 and 2.
func (c *Config) vendors() []isakmp.Payload {
	if !c.NATT || !dutyNATVendor.Kept(c.Rules) {
		return nil
	}
	return []isakmp.Payload{isakmp.VID{Data: natVendor}}
}

// agreeNATT notes whether the peer's first message announces NAT traversal.
func (x *Exchange) agreeNATT(ps []isakmp.Decoded) {
	announced := slices.ContainsFunc(ps, func(d isakmp.Decoded) bool {
		id, ok := d.Payload.(isakmp.VID)
		return ok && bytes.Equal(id.Data, natVendor)
	})
	x.nat.agreed = x.cfg.NATT && (announced || !dutyNATAnnounced.Kept(x.cfg.Rules))
}

// natd is the hash of one end of the exchange.
func (x *Exchange) natd(end netip.AddrPort) []byte {
	return keymat.NATD(x.chosen.suite.Hash, x.ci, x.cr, end)
}

// discovery are the NAT-D payloads of this side: the remote end, then the own (RFC 3947 §3.2).
func (x *Exchange) discovery() []isakmp.Payload {
	r := x.cfg.Rules
	if !x.nat.agreed || !dutyNATD.Kept(r) {
		return nil
	}
	remote, local := x.peer, x.local
	if !dutyNATDHash.Kept(r) {
		remote, local = netip.AddrPortFrom(remote.Addr(), portIKE), netip.AddrPortFrom(local.Addr(), portIKE)
	}
	if !dutyNATDOrder.Kept(r) {
		remote, local = local, remote
	}
	return []isakmp.Payload{isakmp.NATD{Data: x.natd(remote)}, isakmp.NATD{Data: x.natd(local)}}
}

// discover compares the NAT-D payloads of a message with where it came from and to: the first should be this end, one
// of the others the peer's (RFC 3947 §3.2). A peer that sends fewer than two has not said enough to find a NAT by. Some make those of
// Aggressive Mode 3 before they change ports, and mean this end as it was until then.
func (x *Exchange) discover(m *message) {
	var seen [][]byte
	for _, d := range m.payloads {
		if n, ok := d.Payload.(isakmp.NATD); ok {
			seen = append(seen, n.Data)
		}
	}
	if !x.nat.agreed || len(seen) < 2 {
		return
	}
	x.nat.behind = !bytes.Equal(seen[0], x.natd(x.local)) && !bytes.Equal(seen[0], x.natd(x.cfg.Local))
	peer := x.natd(m.from)
	behind := !slices.ContainsFunc(seen[1:], func(have []byte) bool { return bytes.Equal(have, peer) })
	x.nat.between = x.nat.behind || behind
	x.float()
}

// float has an initiator that has found a NAT go on from port 4500 to port 4500, with message 5 of Main Mode or 3 of Aggressive
// Mode (RFC 3947 §4).
func (x *Exchange) float() {
	if x.initiator && x.nat.between && dutyFloat.Kept(x.cfg.Rules) {
		x.peer, x.local = netip.AddrPortFrom(x.peer.Addr(), natt.Port), netip.AddrPortFrom(x.local.Addr(), natt.Port)
	}
}

// former refuses a message to a port that the exchange has left (RFC 3947 §4).
func (x *Exchange) former(to netip.AddrPort) error { return former(x.cfg, x.local, to) }

func former(c *Config, local, to netip.AddrPort) error {
	left := c.NATT && local.Port() == natt.Port && to.Port() != natt.Port
	if !checkFormer.Holds(c.Rules, !left) {
		return checkFormer.Violated("Phase 1 on port %d after the change to %d", to.Port(), natt.Port)
	}
	return nil
}

// leave says from which port datagrams leave, if NAT traversal makes that a question.
func (x *Exchange) leave(ds []Datagram) []Datagram {
	for i := range ds {
		ds[i].From = x.cfg.origin(x.local)
	}
	return ds
}

// origin is the port that messages leave from; the zero value stands for the node's only one.
func (c *Config) origin(local netip.AddrPort) netip.AddrPort {
	if !c.NATT && !c.Elsewhere {
		return netip.AddrPort{}
	}
	return local
}

// Local returns the own address and port that messages under the SA leave from. It is not valid without NAT traversal, unless the node
// has several.
func (sa *SA) Local() netip.AddrPort {
	if !dutyStay.Kept(sa.cfg.Rules) {
		return sa.cfg.origin(sa.cfg.Local)
	}
	return sa.cfg.origin(sa.local)
}

// Follow has messages under the SA go to where a proven message came from, as a NAT may map the peer to another port at any
// time (RFC 3947 §3).
func (sa *SA) Follow(from, to netip.AddrPort) { sa.peer, sa.local = from, to }

// BehindNAT reports whether a NAT is in front of this side, which then has to keep its mapping alive (RFC 3947 §3.2).
func (sa *SA) BehindNAT() bool { return sa.nat.behind && sa.nat.between }

// Former refuses a message of Phase 1 itself to a port that the exchange has left (RFC 3947 §4).
func (sa *SA) Former(to netip.AddrPort) error { return former(sa.cfg, sa.local, to) }

// Leave makes the UDP datagram of a message. On port 4500 a marker stands in front of it (RFC 3948 §2.2). The tap sees it once
// more, as core.Leaving; nil means that it was withheld.
func (c *Config) Leave(s core.Send) *core.Send {
	if s.From.Port() == natt.Port && s.Kind != core.Keepalive {
		s.Data = c.marked(s.Data)
	}
	o := &core.Outgoing{Kind: s.Kind, Bytes: s.Data, From: s.From, To: s.To}
	c.Tap.See(core.Leaving, o)
	if o.Withhold {
		return nil
	}
	s.Data, s.From, s.To = o.Bytes, o.From, o.To
	return &s
}

func (c *Config) marked(message []byte) []byte {
	var b []byte
	if dutyMarker.Kept(c.Rules) {
		b = natt.AppendMarker(b)
	}
	b = append(b, message...)
	if at := len(b) - len(message) + isakmp.HeaderLen - 4; !dutyMarkerLength.Kept(c.Rules) && len(message) >= isakmp.HeaderLen {
		binary.BigEndian.PutUint32(b[at:], uint32(len(message)+natt.MarkerLen))
	}
	return b
}

// Arrive finds the message in a datagram to port 4500; there is none in a keepalive. What has no marker is no key management:
// the error is a *rule.Violation.
func (c *Config) Arrive(datagram []byte) ([]byte, error) {
	kind, message, err := natt.Split(datagram)
	switch {
	case err != nil:
		return nil, checkMarker.Violated("%d octets on port %d: %v", len(datagram), natt.Port, err)
	case kind == natt.KindKeepalive && dutyQuiet.Kept(c.Rules), kind == natt.KindISAKMP:
		return message, nil
	case kind == natt.KindKeepalive:
		return nil, checkMarker.Violated("a keepalive")
	case !checkMarker.Holds(c.Rules, false):
		return nil, checkMarker.Violated("%d octets without a marker on port %d", len(datagram), natt.Port)
	}
	return datagram, nil
}

// Keepalive is the datagram that keeps a NAT's mapping alive (RFC 3948 §2.3).
func (c *Config) Keepalive(from, to netip.AddrPort) core.Send {
	data := natt.AppendKeepalive(nil)
	if !dutyKeepaliveForm.Kept(c.Rules) {
		data = natt.AppendKeepalive(data)
	}
	return core.Send{From: from, To: to, Data: data, Kind: core.Keepalive}
}
