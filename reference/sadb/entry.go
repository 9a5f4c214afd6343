package sadb

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Entry is an SA as one selector uses it. Callers read it only.
//
// Entries stand in the order of their groups. Of two entries of a group that of the higher generation is newer. Within a generation, which is what came in one message, the
// order in which they came is that of the policy; but for the same selector the one that lives longer is newer.
//
// What listens, spi and flow say stands in Policy too. They are what a rekey looks at in every entry that there is.
type Entry struct {
	Expiry     time.Time // it is gone from then on
	SendFrom   time.Time // it sends from then on
	SendTill   time.Time // and no longer from then on; zero: as long as it lives
	Awaits     bool      // the end of what it takes over from, and no delay
	listens    bool      // it never sends
	Group      int
	Generation uint64
	spi        uint32            // that of Policy
	flow       *policy.Selector  // that of Policy, in one place for all entries of a DB that have the same
	Policy     *policy.TrafficSA // its Lifetime is what remained at installation
	SA         SA
	Used       time.Time // when a packet was sent under it last, as Use was told
	Tally      *Tally    // of the SA, whose entries share it
}

// Tally is what became of the packets of an SA whose SAT says how repeated ones are known (profile getvpn).
type Tally struct {
	In, Out, InErrors, OutErrors uint64
	Tags                         map[uint16]uint64 // packets taken, by the tag of their security group
}

// SA is what an entry protects packets with: of ESP or of AH.
type SA interface {
	SetSID(sid uint32, bits int) error
	// Overhead and MaxPayload count what stands behind the IP headers.
	Overhead(payloadLen int) int
	MaxPayload(limit int) int
	// Seal appends to IP headers what protects the payload, OpenPacket to dst what a packet protects behind those headers.
	Seal(headers, payload []byte, next uint8) ([]byte, error)
	OpenPacket(dst, packet []byte, headersLen int) (payload []byte, next uint8, err error)
}

var _, _ SA = (*esp.SA)(nil), (*esp.AH)(nil)

// newSA makes an SA of its protocol. Errors are those of esp.New and esp.NewAH.
func newSA(t policy.TrafficSA, o esp.Options) (SA, error) {
	if t.Transform.Protocol == policy.ProtocolAH {
		return esp.NewAH(t, o)
	}
	return esp.New(t, o)
}

// Use notes that a packet is sent under the entry now.
func (e *Entry) Use(now time.Time) { e.Used = now }

// NamesPorts reports whether the entry's selector takes certain ports only, and so no later fragments.
func (e *Entry) NamesPorts() bool { return namesPorts(e.Policy.Selector) }

// newer reports whether e stands before old: of an earlier group, or newer in the same one.
func (e *Entry) newer(old *Entry) bool {
	if e.Group != old.Group {
		return e.Group < old.Group
	}
	if e.Generation != old.Generation {
		return e.Generation > old.Generation
	}
	return e.alike(old) && e.Expiry.After(old.Expiry)
}

// of reports whether what is meant for a group concerns the entry.
func (e *Entry) of(group int, guard *rule.Guard, rules *rule.Switches) bool {
	return guard.Holds(rules, e.Group == group)
}

func (e *Entry) lives(now time.Time) bool { return now.Before(e.Expiry) }

// serves reports whether the entry sends for some flows of a selector of its group, or is about to.
func (e *Entry) serves(now time.Time, group int, s policy.Selector, rules *rule.Switches) bool {
	over := !e.SendTill.IsZero() && !now.Before(e.SendTill)
	return e.Group == group && e.lives(now) && !over && e.sender(rules) && overlap(*e.flow, s)
}

// awaits reports whether the entry is to take over from another of its group: an older one, or one for the same flows in the message in which
// it came.
func (e *Entry) awaits(other *Entry) bool {
	switch {
	case e.Group != other.Group || e.Generation < other.Generation:
		return false
	case e.Generation == other.Generation:
		return e.alike(other)
	}
	return overlap(*e.flow, *other.flow)
}

// alike reports whether two entries take the same flows.
func (e *Entry) alike(other *Entry) bool { return e.flow == other.flow || same(*e.flow, *other.flow) }

func (e *Entry) sender(rules *rule.Switches) bool {
	return guardSender.Holds(rules, !e.listens)
}

// sends reports whether the entry may send now.
func (e *Entry) sends(now time.Time, rules *rule.Switches) bool {
	if !e.lives(now) || now.Before(e.SendFrom) || !e.sender(rules) {
		return false
	}
	return e.SendTill.IsZero() || now.Before(e.SendTill) || !guardForward.Kept(rules)
}

// receives reports whether the entry may receive now, which it does from its installation.
func (e *Entry) receives(now time.Time, rules *rule.Switches) bool {
	if !guardAtOnce.Kept(rules) && now.Before(e.SendFrom) {
		return false
	}
	return e.lives(now) && guardReceiver.Holds(rules, e.Policy.Transform.Direction != policy.DirectionSenderOnly)
}

// rank says how well the entry fits the outer addresses of a received packet: the longer the match, the higher. A
// selector of one multicast group, or of one source and group, is part of the SA's name and must fit (RFC 4303 §2.1), as far as the
// SA preserves these addresses in the outer header (RFC 5374 §3.1); any other is found by its SPI and only preferred when it fits.
func (e *Entry) rank(dst, src netip.Addr) (rank int, ok bool) {
	sel, preserve := e.Policy.Selector, e.Policy.Transform.Preservation
	group := sel.Destination.IsSingleIP() && sel.Destination.Addr().IsMulticast()
	switch {
	case contains(sel.Destination, dst):
		rank += (sel.Destination.Bits() + 2) << 8
	case group && preserve.Destination():
		return 0, false
	}
	switch {
	case contains(sel.Source, src):
		rank += sel.Source.Bits() + 2
	case group && sel.Source.IsSingleIP() && preserve.Source():
		return 0, false
	}
	return rank, true
}

// until shortens the time of sending; it is never lengthened.
func (e *Entry) until(t time.Time) {
	if e.SendTill.IsZero() || t.Before(e.SendTill) {
		e.SendTill = t
	}
}

// sameSA reports whether two SAs have the same name, algorithms and keys: their packets would share IVs.
func sameSA(a, b *policy.TrafficSA) bool {
	return a.SPI == b.SPI && a.Transform.Protocol == b.Transform.Protocol && a.Transform.Cipher == b.Transform.Cipher &&
		string(a.CipherKey) == string(b.CipherKey) && string(a.IntegrityKey) == string(b.IntegrityKey)
}
