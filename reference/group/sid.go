package group

import (
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// SIDs are taken from a counter that starts at 0 and never goes back while the keys live (RFC 6407 §3.5). A key server that is not
// the only one of its group takes them from its own share (RFC 6054 §4).

func (g *Group) sidSpace() uint64 { return 1 << g.cfg.SIDBits }

// share is the SIDs that this key server may hand out, from the first to the last.
type share struct{ first, last uint64 }

func (s share) size() uint64 { return s.last - s.first + 1 }

func (g *Group) share() share {
	if g.cfg.SIDRange == (policy.SIDRange{}) {
		return share{0, g.sidSpace() - 1}
	}
	s := share{0, uint64(g.cfg.SIDRange.Last)}
	if guardSIDRangeFirst.Kept(g.opts.Rules) {
		s.first = uint64(g.cfg.SIDRange.First)
	}
	return s
}

func (g *Group) firstSID() uint64 {
	first := g.share().first
	if !guardSIDFirst.Kept(g.opts.Rules) {
		first++
	}
	return first
}

// sidsFor is how many SIDs a member gets that asked for so many.
func (g *Group) sidsFor(asked int) int {
	switch {
	case !g.counterMode():
		return 0
	case asked > 0:
		return asked
	case !guardSIDOne.Kept(g.opts.Rules):
		return 2
	}
	return 1
}

// exhausted reports whether no SID is left for another member.
func (g *Group) exhausted() bool { return g.counterMode() && g.short(1) }

// short reports whether fewer than n SIDs are left.
func (g *Group) short(n int) bool {
	if n <= 0 || !guardSIDExhausted.Kept(g.opts.Rules) {
		return false
	}
	end := g.nextSID + uint64(n)
	return end > g.sidSpace() || !guardSIDRange.AtMost(g.opts.Rules, end-1, g.share().last)
}

func (g *Group) takeSIDs(m *member, n int) []uint32 {
	if len(m.sids) == n && !guardSIDFresh.Kept(g.opts.Rules) {
		return m.sids
	}
	values := make([]uint32, n)
	for i := range values {
		values[i] = uint32((g.nextSID + uint64(i)) % g.sidSpace()) // beyond it comes a mutant only
	}
	if guardSIDUnique.Kept(g.opts.Rules) {
		g.nextSID += uint64(n)
	}
	return slices.Clip(values)
}
