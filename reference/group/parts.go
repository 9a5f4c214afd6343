package group

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a key server owes when the updates of a hierarchy of keys take several messages.
var (
	guardPartsAll = rule.Duty("group.parts.all", "RFC6407-4-07", rule.KS,
		"updates of a hierarchy that are split over several PUSH messages are all sent")
	guardPartsNumber = rule.Duty("group.parts.number", "RFC6407-4-08", rule.KS,
		"each of several PUSH messages with updates of a hierarchy has a sequence number of its own")
)

// parts are the messages that tell of a change. There is one, unless it brings more updates of a hierarchy of keys than go into
// that: then each has some of the updates and everything else, and is for the members for whom there is an update in it (RFC
// 6407 §4).
func (g *Group) parts(now time.Time, change policy.Rekey) []Plan {
	most := g.updates()
	if change.NewRekey == nil || change.NewRekey.LKH == nil || len(change.NewRekey.LKH.Updates) <= most {
		return []Plan{g.plan(now, change, policy.Identity{})}
	}
	updates := change.NewRekey.LKH.Updates
	if !guardPartsAll.Kept(g.opts.Rules) {
		updates = updates[:len(updates)-1]
	}
	var plans []Plan
	holders := g.holders(g.epoch.rekey, policy.Identity{})
	for some := range slices.Chunk(updates, most) {
		part, told := change, *change.NewRekey
		part.NewRekey, told.LKH = &told, &policy.LKH{Updates: some}
		if len(plans) > 0 && !guardPartsNumber.Kept(g.opts.Rules) {
			g.epoch.rekey.sequence--
		}
		plans = append(plans, g.planFor(now, part, beginning(holders, some)))
	}
	return plans
}

// updates is how many updates of a hierarchy go into one message.
func (g *Group) updates() int {
	if g.cfg.Rekey.Updates == 0 {
		return policy.MostUpdates
	}
	return g.cfg.Rekey.Updates
}

// beginning are the members that have a key at which one of the updates begins.
func beginning(members []*member, updates []policy.LKHUpdate) []*member {
	places := make(map[int]bool, len(updates))
	for _, u := range updates {
		places[int(u.ID)] = true
	}
	return slices.DeleteFunc(slices.Clone(members), func(m *member) bool {
		return m.tree == nil || !slices.ContainsFunc(m.tree.climb(m.leaf), func(at int) bool { return places[at] })
	})
}
