package group

import "slices"

// SIDs are taken from a counter that starts at 0 and never goes back while the keys live (RFC 6407 §3.5).

func (g *Group) sidSpace() uint64 { return 1 << g.cfg.SIDBits }

func (g *Group) firstSID() uint64 {
	if !guardSIDFirst.Kept(g.opts.Rules) {
		return 1
	}
	return 0
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
	return guardSIDExhausted.Kept(g.opts.Rules) && n > 0 && g.nextSID+uint64(n) > g.sidSpace()
}

func (g *Group) takeSIDs(m *member, n int) []uint32 {
	if len(m.sids) == n && !guardSIDFresh.Kept(g.opts.Rules) {
		return m.sids
	}
	values := make([]uint32, n)
	for i := range values {
		values[i] = uint32((g.nextSID + uint64(i)) % g.sidSpace())
	}
	if guardSIDUnique.Kept(g.opts.Rules) {
		g.nextSID += uint64(n)
	}
	return slices.Clip(values)
}
