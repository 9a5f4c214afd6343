package console

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// ksVersion is the version of GET VPN that a key server of the reference says it has.
const ksVersion = "1.0.2"

// ksGroup is a group of a key server with what its configuration says of it.
type ksGroup struct {
	control.KSGroup
	cfg    policy.Group
	server string // the key server's address
	handle int
	now    time.Time
	owes   func(*rule.Guard) bool
}

// firstHandle is the number of the first group: routers count from here.
const firstHandle = 2147483650

// ksGroups are the groups of a key server, or the one of that name.
func (in *call) ksGroups(named ...string) ([]ksGroup, error) {
	s, err := in.keyServer()
	if err != nil {
		return nil, err
	}
	cfg := in.console.opts.KeyServer
	var all []ksGroup
	for i, g := range s.Groups {
		if len(g.Members) > 0 && !in.console.kept(guardMembers) {
			g.Members = g.Members[1:]
		}
		if len(named) == 0 || named[0] == g.Name || named[0] == strconv.FormatUint(uint64(g.ID), 10) {
			all = append(all, ksGroup{KSGroup: g, cfg: cfg.Groups[min(i, len(cfg.Groups)-1)], server: cfg.Address.Addr().String(), handle: firstHandle + i, now: s.Time, owes: in.console.kept})
		}
	}
	if len(all) == 0 {
		return nil, errNoGroup
	}
	return all, nil
}

// eachKS shows something of every group, or of the one that the line names.
func eachKS(show func(*call, ksGroup)) func(*call) error {
	return func(in *call) error {
		groups, err := in.ksGroups(in.args...)
		for _, g := range groups {
			show(in, g)
		}
		return err
	}
}

// transportName is how rekeys travel: Unicast, Multicast.
func (g ksGroup) transportName() string {
	if g.cfg.Rekey.Transport == policy.TransportNone {
		return none
	}
	return capital(string(g.cfg.Rekey.Transport))
}

// acknowledgement is the kind of acknowledgement that is asked for.
func (g ksGroup) acknowledgement() string {
	if g.cfg.Rekey.Ack == policy.AckNone {
		return none
	}
	return "RFC 8263 " + g.cfg.Rekey.Ack.Word()
}

// acl is how the console calls the access list of one of the group's SAs.
func (g ksGroup) acl(place int) string { return fmt.Sprintf("gdoi_group_%s_acl_%d", g.Name, place+1) }

// showKS is "show crypto gdoi" of a key server.
func showKS(in *call, g ksGroup) {
	const at = "    "
	p := &in.page
	p.head(0, "", "GROUP INFORMATION")
	p.gap()
	p.field(1, at, "Group Name", fmt.Sprintf("%s (%s)", g.Name, g.transportName()))
	p.field(1, at, "Re-auth on new CRL", "Disabled")
	p.field(1, at, "Group Identity", g.ID)
	p.field(1, at, "Group Type", "GDOI (ISAKMP)")
	p.field(1, at, "Crypto Path", family(in.console.opts.KeyServer.Address.Addr()))
	p.field(1, at, "Key Management Path", family(in.console.opts.KeyServer.Address.Addr()))
	p.field(1, at, "Group Members", len(g.Members))
	p.field(1, at, "IPSec SA Direction", g.direction())
	p.field(1, at, "IP D3P Window", "Disabled")
	p.field(1, at, "CKM status", "Disabled")
	p.field(1, at, "Redundancy", "None")
	if g.KEK != nil {
		p.put(1, fmt.Sprintf("%s%-25s: %d secs", at, "Group Rekey Lifetime", g.KEK.Lifetime), "Group Rekey Lifetime", fmt.Sprintf("%d secs", g.KEK.Lifetime))
		p.head(1, at, "Group Rekey")
		p.field(2, at+at, "Remaining Lifetime", fmt.Sprintf("%d secs", left(g.now, g.RekeyExpiry)))
		p.field(2, at+at, "Time to Rekey", fmt.Sprintf("%d secs", left(g.now, g.KEK.Due)))
		p.field(1, at, "Rekey Retransmit Period", fmt.Sprintf("%d secs", int(g.interval()/time.Second)))
		p.field(1, at, "Rekey Retransmit Attempts", g.cfg.Rekey.Retransmit)
	}
	p.gap()
	for i, s := range g.cfg.SAs {
		g.saOf(p, i, s)
	}
	p.put(1, fmt.Sprintf("%s%-25s: Local", at, "Group Server list"), "Group Server list", "Local")
	p.gap()
}

func (g ksGroup) interval() time.Duration {
	if g.cfg.Rekey.Interval == 0 {
		return 10 * time.Second
	}
	return g.cfg.Rekey.Interval
}

func (g ksGroup) direction() string {
	if g.Direction == policy.UsageReceiveOnly.String() {
		return "Inbound Only"
	}
	for _, s := range g.cfg.SAs {
		return saDirection(s.Transform.Direction.Word())
	}
	return "Both"
}

// saOf is one SA of the group's policy with the one that is made of it.
func (g ksGroup) saOf(p *page, i int, s policy.SAPolicy) {
	const at = "      "
	p.head(1, at, fmt.Sprintf("IPSec SA Number        : %d", i+1))
	if sa, ok := g.made(s); ok {
		p.field(2, at, "IPSec SA Rekey Lifetime", fmt.Sprintf("%d secs", sa.Detail.Lifetime))
		p.field(2, at, "Profile Name", cmp.Or(s.IPsecProfile, s.Transform.Name()))
		replayOf(p, sa.Replay)
		p.field(2, at, "Tagging method", capital(tagMethod(sa.Replay)))
		p.head(2, at, "SA Rekey")
		p.field(3, at+"   ", "Remaining Lifetime", fmt.Sprintf("%d secs", left(g.now, sa.Expiry)))
		p.field(3, at+"   ", "Time to Rekey", fmt.Sprintf("%d secs", left(g.now, sa.Detail.Due)))
		p.field(2, at, "ACL Configured", "access-list "+g.acl(i))
	}
	p.gap()
}

// replayOf is how members find repetitions under an SA.
func replayOf(p *page, r *control.Replay) {
	const at = "      "
	switch {
	case r != nil && r.Method == "time":
		p.field(2, at, "Replay method", "Time Based")
		p.field(2, at, "Replay Window Size", replaySeconds(r.Window))
	case r != nil && r.Method == "counter":
		p.field(2, at, "Replay method", "Count Based")
		p.field(2, at, "Replay Window Size", r.Window)
	default:
		p.field(2, at, "Replay method", "Disabled")
	}
}

// made is the SA in force of a place of the policy.
func (g ksGroup) made(s policy.SAPolicy) (control.SA, bool) {
	flow := s.Selector
	if permitted := policy.Permitted(s.AccessList); len(permitted) > 0 {
		flow = permitted[0]
	}
	i := slices.IndexFunc(g.SAs, func(sa control.SA) bool { return sa.Selector == flow.String() })
	if i < 0 {
		return control.SA{}, false
	}
	return g.SAs[i], true
}

// showKSBox is "show crypto gdoi ks", in short or with everything.
func showKSBox(in *call) error {
	groups, err := in.ksGroups()
	if err != nil {
		return err
	}
	const at = "    "
	p := &in.page
	total := 0
	for _, g := range groups {
		total += len(g.Members)
	}
	p.put(0, fmt.Sprintf("Total group members registered to this box: %d", total), "Total group members registered to this box", strconv.Itoa(total))
	p.gap()
	for _, g := range groups {
		p.head(0, "", fmt.Sprintf("Key Server Information For Group %s:", g.Name))
		p.field(1, at, "Group Name", g.Name)
		p.field(1, at, "Re-auth on new CRL", "Disabled")
		p.field(1, at, "Group Identity", g.ID)
		p.field(1, at, "Group Type", "GDOI (ISAKMP)")
		p.field(1, at, "Group Members", len(g.Members))
		p.field(1, at, "Rekey Acknowledgement Cfg", g.acknowledgement())
		p.field(1, at, "IPSec SA Direction", g.direction())
		p.field(1, at, "IP D3P Window", "Disabled")
		p.field(1, at, "Split Resiliency Factor", 0)
		p.field(1, at, "CKM status", "Disabled")
		p.head(1, at, "ACL Configured")
		for i := range g.cfg.SAs {
			p.put(2, at+at+"access-list "+g.acl(i), "access-list", g.acl(i))
		}
		p.field(1, at, "Redundancy", "None")
		p.gap()
	}
	return nil
}

// showKSACL is "show crypto gdoi ks acl".
func showKSACL(in *call, g ksGroup) {
	p := &in.page
	p.head(0, "", "Group Name: "+g.Name)
	p.head(1, " ", "Configured ACL:")
	for _, sa := range g.cfg.SAs {
		for _, e := range entriesOf(sa) {
			entry := action(e.Deny) + " " + ownFlow(e.Selector)
			p.put(2, "   access-list   "+entry, "access-list", entry)
		}
	}
	p.gap()
}

// entriesOf is what an SA protects as an access list.
func entriesOf(sa policy.SAPolicy) []policy.ACE {
	if len(sa.AccessList) > 0 {
		return sa.AccessList
	}
	list := []policy.ACE{{Selector: sa.Selector}}
	for _, also := range sa.Also {
		list = append(list, policy.ACE{Selector: also})
	}
	return list
}

func action(deny bool) string {
	if deny {
		return "deny"
	}
	return "permit"
}

// showIdentifier is "show crypto gdoi ks identifier".
func showIdentifier(in *call, g ksGroup) {
	p := &in.page
	p.head(0, "", fmt.Sprintf("KS Sender ID (KSSID) Information for Group %s:", g.Name))
	p.field(1, "    ", "Group Member SID Length", fmt.Sprintf("%d bits", max(g.cfg.SIDBits, 8)))
	p.field(1, "    ", "Next SID Client Operation", "NOTIFY")
	p.field(1, "    ", "Next SID value", g.NextSID)
	p.gap()
}
