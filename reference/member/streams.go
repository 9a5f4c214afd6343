package member

import (
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

var (
	guardByHand = rule.Duty("member.multicast.byhand", "GETVPN-MCAST-11", rule.GM,
		"a member joins a stream that it is told to join on the interface that it is told")
	guardByHandEnds = rule.Duty("member.multicast.byhand.ends", "GETVPN-MCAST-11", rule.GM,
		"a member leaves a stream that it is no longer told to join")
	guardByHandSource = rule.Duty("member.multicast.byhand.source", "GETVPN-MCAST-11", rule.GM,
		"a member joins what the source sends that it is told, and nothing of others")
)

// joinByHand joins and leaves what the configuration has more and less than it had.
func (m *Member) joinByHand(had, has []policy.Stream) {
	for _, s := range had {
		if !slices.Contains(has, s) && guardByHandEnds.Kept(m.rules) {
			m.out = append(m.out, &core.Leave{Stream: m.stream(s)})
		}
	}
	for _, s := range has {
		if !slices.Contains(had, s) {
			m.out = append(m.out, &core.Join{Stream: m.stream(s)})
		}
	}
}

func (m *Member) stream(s policy.Stream) core.Stream {
	if !guardByHand.Kept(m.rules) {
		s.Interface = ""
	}
	if !guardByHandSource.Kept(m.rules) {
		s.Source = netip.Addr{}
	}
	return core.Stream(s)
}
