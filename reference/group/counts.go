package group

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// counts are what an operator sees of the group's rekeys.
type counts struct {
	control.RekeyCounts
	last     time.Time // when the last one was sent first
	sequence uint32    // of the last one
}

// memberCounts are what an operator sees of the messages between the group and a member.
type memberCounts struct {
	rekeys, retries, acks, missed uint64
	sent, received                ring
}

// ring holds the last numbers, each in the place after that of the one before it. The zero value is empty.
type ring struct {
	places [4]uint32
	put    int
}

func (r *ring) add(n uint32) {
	r.places[r.put%len(r.places)] = n
	r.put++
}

// list is nil of an empty ring.
func (r *ring) list() []uint32 { return append([]uint32(nil), r.places[:min(r.put, len(r.places))]...) }

func (c *memberCounts) status() control.MemberCounts {
	return control.MemberCounts{Rekeys: c.rekeys, Retries: c.retries, Acks: c.acks, Missed: c.missed, Sent: c.sent.list(), Received: c.received.list()}
}

// Sent counts a plan that is on its way to those it is for.
func (g *Group) Sent(now time.Time, p Plan) {
	if p.Attempt == 0 {
		g.counts.Rekeys++
		g.counts.last, g.counts.Took, g.counts.sequence = now, 0, p.Rekey.Sequence
	}
	g.counts.Retransmits = p.Attempt
	for i, to := range p.To {
		switch {
		case to.Addr().IsMulticast():
			for _, m := range g.members {
				m.counts.pushed(&p)
			}
		case i < len(p.members) && p.members[i].address == to:
			p.members[i].counts.pushed(&p)
		default:
			if m := g.at(to); m != nil {
				m.counts.pushed(&p)
			}
		}
	}
}

// at is the member that messages to an address reach, or nil.
func (g *Group) at(to netip.AddrPort) *member {
	if m := g.byPlace[to]; m != nil {
		return m
	}
	return g.byAddress[to.Addr()]
}

func (c *memberCounts) pushed(p *Plan) {
	if p.Attempt > 0 {
		c.retries++
		return
	}
	c.rekeys++
	c.sent.add(p.Rekey.Sequence)
}

// countAck counts an acknowledgement that was taken.
func (g *Group) countAck(now time.Time, m *member, sequence uint32) {
	m.counts.acks++
	m.counts.received.add(sequence)
	if sequence == g.counts.sequence {
		g.counts.Took = now.Sub(g.counts.last).Milliseconds()
	}
}
