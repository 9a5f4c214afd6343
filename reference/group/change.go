package group

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// terms are what a group goes by: its policy, and the key that signs its rekeys.
type terms struct {
	policy.Group
	publicKey []byte
}

// renewal is what a change has the group make anew, and so tell its members at once.
type renewal uint8

// The renewals. Without one the change waits: for the next rekey, the next KEK, or who registers next.
const (
	waits renewal = iota
	renewsTEK
	renewsKEK
)

// change is a row of the table of changes: what is another in the policy, and what that brings about. The guard's requirement is the
// row of the guide; where the guide has the change in two tables they agree.
type change struct {
	guard   *rule.Guard
	renews  renewal
	differs func(was, is terms) bool
}

// changes are all that a policy can change in while the group lives, in the order of the guide. A change that renews does so at once
// when the new policy is there as a whole, however much of it is new: one rekey tells everything (GETVPN-POLICY-14).
var changes = []change{
	{rule.Duty("group.change.tek-lifetime", "GETVPN-POLICY-01", rule.KS, "another lifetime of Data-Security SAs waits for the next rekey"),
		waits, ofSAs(func(was, is policy.SAPolicy) bool { return tekLifetime(was) != tekLifetime(is) })},
	{rule.Duty("group.change.transform", "GETVPN-POLICY-02", rule.KS, "another transform of an SA is told at once"),
		renewsTEK, ofSAs(func(was, is policy.SAPolicy) bool { return algorithms(was.Transform) != algorithms(is.Transform) })},
	{rule.Duty("group.change.ipsec-profile", "GETVPN-POLICY-03", rule.KS, "another IPsec profile of an SA is told at once"),
		renewsTEK, ofSAs(func(was, is policy.SAPolicy) bool { return was.IPsecProfile != is.IPsecProfile })},
	{rule.Duty("group.change.access-list", "GETVPN-POLICY-04", rule.KS, "another access list of an SA is told at once"),
		renewsTEK, ofSAs(func(was, is policy.SAPolicy) bool { return !slices.Equal(entries(was), entries(is)) })},
	{rule.Duty("group.change.counter-on", "GETVPN-POLICY-05", rule.KS, "that an SA is protected against repetition by counters is told at once"),
		renewsTEK, ofSAs(func(was, is policy.SAPolicy) bool {
			return was.AntiReplay.Packets() == 0 && is.AntiReplay.Packets() > 0
		})},
	{rule.Duty("group.change.counter", "GETVPN-POLICY-06", rule.KS, "another window over counters waits for the next rekey"),
		waits, ofSAs(func(was, is policy.SAPolicy) bool { return differ(was.AntiReplay.Packets(), is.AntiReplay.Packets()) })},
	{rule.Duty("group.change.counter-off", "GETVPN-POLICY-07", rule.KS, "that an SA is protected by counters no longer is told at once"),
		renewsTEK, ofSAs(func(was, is policy.SAPolicy) bool {
			return was.AntiReplay.Packets() > 0 && is.AntiReplay.Packets()+int(is.AntiReplay.Time()) == 0
		})},
	{rule.Duty("group.change.time-on", "GETVPN-POLICY-49", rule.KS, "that an SA is protected by the pseudotime is told at once"),
		renewsTEK, ofSAs(func(was, is policy.SAPolicy) bool { return was.AntiReplay.Time() == 0 && is.AntiReplay.Time() > 0 })},
	{rule.Duty("group.change.time", "GETVPN-POLICY-50", rule.KS, "another window around the pseudotime waits"),
		waits, ofSAs(func(was, is policy.SAPolicy) bool { return differ(was.AntiReplay.Time(), is.AntiReplay.Time()) })},
	{rule.Duty("group.change.time-off", "GETVPN-POLICY-18", rule.KS, "that an SA is protected by the pseudotime no longer is told at once"),
		renewsTEK, ofSAs(func(was, is policy.SAPolicy) bool {
			return was.AntiReplay.Time() > 0 && is.AntiReplay.Packets()+int(is.AntiReplay.Time()) == 0
		})},
	{rule.Duty("group.change.receive-only", "GETVPN-POLICY-08", rule.KS, "that an SA is receive-only from now on is told at once"),
		renewsTEK, func(was, is terms) bool {
			return !was.ReceiveOnly && is.ReceiveOnly || ofSAs(func(was, is policy.SAPolicy) bool { return !receiveOnly(was) && receiveOnly(is) })(was, is)
		}},
	{rule.Duty("group.change.both-ways", "GETVPN-POLICY-09", rule.KS, "that an SA is receive-only no longer is told at once"),
		renewsTEK, func(was, is terms) bool {
			return was.ReceiveOnly && !is.ReceiveOnly || ofSAs(func(was, is policy.SAPolicy) bool { return receiveOnly(was) && !receiveOnly(is) })(was, is)
		}},
	{rule.Duty("group.change.kek-lifetime", "GETVPN-POLICY-10", rule.KS, "another lifetime of the KEK waits for the next KEK"),
		waits, ofRekeys(func(was, is terms) bool { return kekLifetime(was.Rekey) != kekLifetime(is.Rekey) })},
	{rule.Duty("group.change.signing-key", "GETVPN-POLICY-11", rule.KS, "another key for signatures is told at once"),
		renewsKEK, ofRekeys(func(was, is terms) bool { return !bytes.Equal(was.publicKey, is.publicKey) })},
	{rule.Duty("group.change.kek-cipher", "GETVPN-POLICY-12", rule.KS, "another cipher of the KEK is told at once"),
		renewsKEK, ofRekeys(func(was, is terms) bool { return kekTransform(was.Rekey) != kekTransform(is.Rekey) })},
	{rule.Duty("group.change.tek", "GETVPN-POLICY-16", rule.KS, "whatever else is another in an SA, or in how many there are, is told at once"),
		renewsTEK, func(was, is terms) bool {
			return len(was.SAs) != len(is.SAs) || ofSAs(func(was, is policy.SAPolicy) bool { return rest(was) != rest(is) })(was, is)
		}},
	{rule.Duty("group.change.to-unicast", "GETVPN-POLICY-20", rule.KS, "that rekeys are unicast from now on is told at once"),
		renewsKEK, ofRekeys(func(was, is terms) bool { return !unicasts(was) && unicasts(is) })},
	{rule.Duty("group.change.to-multicast", "GETVPN-POLICY-21", rule.KS, "that rekeys are multicast from now on is told at once"),
		renewsKEK, ofRekeys(func(was, is terms) bool { return unicasts(was) && !unicasts(is) })},
	{rule.Duty("group.change.retransmission", "GETVPN-POLICY-23", rule.KS, "other repetitions of rekeys wait for the next rekey"),
		waits, ofRekeys(func(was, is terms) bool {
			return was.Rekey.Retransmit != is.Rekey.Retransmit || was.Rekey.Interval != is.Rekey.Interval
		})},
	{rule.Duty("group.change.members", "GETVPN-POLICY-27", rule.KS, "another list of members waits for who registers next"),
		waits, func(was, is terms) bool {
			return !slices.Equal(was.Members, is.Members) || !slices.Equal(was.Identities, is.Identities) ||
				!reflect.DeepEqual(was.Authorization, is.Authorization)
		}},
	{rule.Duty("group.change.identity", "GETVPN-POLICY-35", rule.KS, "another identity of the group waits for who registers next"),
		waits, func(was, is terms) bool { return was.ID != is.ID }},
	{rule.Duty("group.change.rekey-address", "GETVPN-POLICY-38", rule.KS, "another address of multicast rekeys is told at once"),
		renewsKEK, ofRekeys(func(was, is terms) bool {
			return multicastTo(was) != multicastTo(is) && !unicasts(was) && !unicasts(is)
		})},
	{rule.Duty("group.change.rekeys-on", "GETVPN-POLICY-41", rule.KS, "that rekeys are signed from now on has one sent at once"),
		renewsKEK, func(was, is terms) bool { return !rekeys(was) && rekeys(is) }},
}

// ofSAs compares the SAs of two policies that correspond.
func ofSAs(differs func(was, is policy.SAPolicy) bool) func(was, is terms) bool {
	return func(was, is terms) bool {
		for place, before := range origins(was.SAs, is.SAs) {
			if before >= 0 && differs(was.SAs[before], is.SAs[place]) {
				return true
			}
		}
		return false
	}
}

// differ reports whether there are two windows, of different sizes.
func differ[T int | time.Duration](was, is T) bool { return was > 0 && is > 0 && was != is }

// algorithms are what a transform protects with.
func algorithms(t policy.Transform) policy.Transform {
	return policy.Transform{Protocol: t.Protocol, Cipher: t.Cipher, KeyBits: t.KeyBits, Integrity: t.Integrity,
		Authentication: t.Authentication, Encryption: t.Encryption}
}

// rest is what a transform has beside its algorithms and whether it is receive-only.
func rest(sa policy.SAPolicy) policy.Transform {
	t := sa.Transform
	if receiveOnly(sa) {
		t.Direction = policy.DirectionAbsent
	}
	return policy.Transform{ESN: t.ESN, Mode: t.Mode, Preservation: t.Preservation, Direction: cmp.Or(t.Direction, policy.DirectionSymmetric)}
}

func receiveOnly(sa policy.SAPolicy) bool {
	return sa.Transform.Direction == policy.DirectionReceiverOnly
}

// entries are what an SA protects and what it does not, in order.
func entries(sa policy.SAPolicy) (list []policy.ACE) {
	if len(sa.AccessList) > 0 {
		return sa.AccessList
	}
	for _, flow := range sa.Flows() {
		list = append(list, policy.ACE{Selector: flow})
	}
	return list
}

func unicasts(t terms) bool { return t.Rekey.Transport != policy.TransportMulticast }

func multicastTo(t terms) netip.AddrPort { return t.Rekey.Address }

// origins says for each SA of a policy which one it was in the policy before, by its place there; -1 for one that is new. An SA that
// has not changed is found wherever it stands; the others correspond in their order.
func origins(was, is []policy.SAPolicy) []int {
	from, taken := make([]int, len(is)), make([]bool, len(was))
	find := func(place int, fits func(before int) bool) {
		from[place] = -1
		for before := range was {
			if !taken[before] && fits(before) {
				from[place], taken[before] = before, true
				return
			}
		}
	}
	for place := range is {
		find(place, func(before int) bool { return equalSA(was[before], is[place]) })
	}
	for place := range is {
		if from[place] < 0 {
			find(place, func(int) bool { return true })
		}
	}
	return from
}

// equalSA reports whether nothing of an SA is another that its packets show.
func equalSA(a, b policy.SAPolicy) bool {
	return a.Transform == b.Transform && a.IPsecProfile == b.IPsecProfile && slices.Equal(entries(a), entries(b)) &&
		(a.AntiReplay.Packets() > 0) == (b.AntiReplay.Packets() > 0) && (a.AntiReplay.Time() > 0) == (b.AntiReplay.Time() > 0)
}

// Errors of a policy that cannot take the place of another while the group lives.
var (
	errProfile    = errors.New("the policy of a group is changed while it runs under profile getvpn only")
	errNoSA       = errors.New("a group that has Data-Security SAs keeps one: delete them by a rekey and start the key server anew")
	errManagement = errors.New("the management of the KEK is not changed while the group runs: start the key server anew")
)

// Configure gives the group another policy, and another key for signatures, while it lives (profile getvpn). What the change renews
// is made, and the plans tell the members of it; everything else takes effect when its time comes. With an error the group goes on as
// it was: that of the policy, or of the source of randomness.
func (g *Group) Configure(now time.Time, cfg policy.Group, o Options) ([]Plan, error) {
	if err := g.Changeable(cfg); err != nil {
		return nil, err
	}
	if err := Validate(cfg); err != nil {
		return nil, err
	}
	cfg = completed(cfg)
	was, is := terms{g.cfg, g.opts.PublicKey}, terms{cfg, o.PublicKey}
	renewed := g.renewed(was, is)
	before := *g
	g.cfg, g.opts, g.prepared, g.heir = cfg, o, nil, nil
	plans, err := g.goOver(now, was, renewed)
	if err != nil {
		*g = before
	}
	return plans, err
}

// Changeable says why a policy cannot take the place of the present one while the group lives.
func (g *Group) Changeable(cfg policy.Group) error {
	if err := g.changeable(cfg); err != nil {
		return fmt.Errorf("group %s: %w", g.cfg.Name, err)
	}
	return nil
}

func (g *Group) changeable(cfg policy.Group) error {
	switch {
	case !g.getvpn():
		return errProfile
	case len(cfg.SAs) == 0 && len(g.cfg.SAs) > 0:
		return errNoSA
	case cfg.Rekey.Management != g.cfg.Rekey.Management:
		return errManagement
	}
	return nil
}

// renewed asks the table what the differences of two policies renew. The mutant of a row does the opposite of what it says.
func (g *Group) renewed(was, is terms) map[renewal]bool {
	all := make(map[renewal]bool)
	for _, c := range changes {
		if !c.differs(was, is) {
			continue
		}
		if renews := c.renews != waits; renews == c.guard.Kept(g.opts.Rules) {
			all[cmp.Or(c.renews, renewsTEK)] = true
		}
	}
	return all
}

// takeOver brings the SAs of the policy before to their places in the new one, and makes and tells what the change renews.
func (g *Group) takeOver(now time.Time, was terms, renewed map[renewal]bool) ([]Plan, error) {
	from := origins(was.SAs, g.cfg.SAs)
	converts := was.ReceiveOnly != g.cfg.ReceiveOnly // then no SA from before is told: its direction is another
	o := order{kek: renewed[renewsKEK] && g.epoch.rekey != nil, keeps: !converts}
	arranged := &epoch{rekey: g.epoch.rekey, sas: make([]*trafficSA, len(from))}
	for place, before := range from {
		if before >= 0 {
			arranged.sas[place] = g.epoch.sas[before]
		}
		if before < 0 || renewed[renewsTEK] && (converts || !equalSA(was.SAs[before], g.cfg.SAs[place])) {
			o.made = append(o.made, place)
		}
	}
	if !slices.Equal(arranged.sas, g.epoch.sas) {
		g.former = g.former.moved(from)
		g.epoch = arranged
	}
	if renewed[renewsTEK] {
		o.told = g.everywhere()
	}
	if !o.kek && len(o.made)+len(o.told) == 0 {
		return nil, nil
	}
	g.startClock(now)
	next, change, err := g.successor(now, g.synchronising(o))
	if err != nil {
		return nil, err
	}
	if !o.kek && len(o.told) == 0 {
		g.adopt(now, next)
		return nil, nil
	}
	return g.succeed(now, next, change)
}

// everywhere are all places of the policy.
func (g *Group) everywhere() []int {
	places := make([]int, len(g.cfg.SAs))
	for i := range places {
		places[i] = i
	}
	return places
}
