package member

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// In which directions a member of GET VPN uses the SAs of its group.
var (
	guardPassive = rule.Duty("member.passive", "GETVPN-PASSIVE-01", rule.GM,
		"a member that is configured to be passive is")
	guardPassiveFirst = rule.Duty("member.passive.first", "GETVPN-PASSIVE-03", rule.GM,
		"what a member is configured for comes before what its key server says of directions")
	guardCommanded = rule.Duty("member.direction.command", "GETVPN-PASSIVE-04", rule.GM,
		"what the operator says of directions comes before configuration and key server")
	guardUntilRekey = rule.Duty("member.direction.rekey", "GETVPN-PASSIVE-02", rule.GM,
		"what the operator says of directions ends with the next rekey")
	guardConverting = rule.Duty("member.receiveonly.passive", "GETVPN-RECVONLY-07", rule.GM,
		"after receive-only a member is passive at first")
	guardConverted = rule.Timer("member.receiveonly.converted", "GETVPN-RECVONLY-07", rule.GM, time.Second,
		"a while after receive-only has ended a member uses its SAs in both directions")
	guardActiveSA = rule.Duty("member.activesa", "GETVPN-ROUTE-06", rule.GM,
		"that there is an SA to protect traffic with is said for as long as there is one")
)

// passiveFor is how long a member that was receive-only is passive, unless a rekey comes before (GETVPN-RECVONLY-07).
const passiveFor = 5 * time.Minute

// directions are what a member of GET VPN knows of how to use the SAs of a group.
type directions struct {
	given     policy.Usage // by the key server
	passive   time.Time    // until then it is passive, since its SAs are no longer receive-only; zero: that is over
	commanded *policy.Usage
	spis      []uint32 // of the SAs that came last
	active    bool     // there was an SA when the operator was told last
}

// usage is what counts in the end: the operator's word, the configuration, what the key server says.
func (m *membership) usage() policy.Usage {
	d := &m.directions
	passive := m.cfg.Passive && guardPassive.Kept(m.rules) && (d.given == policy.UsageBoth || guardPassiveFirst.Kept(m.rules))
	switch {
	case d.commanded != nil && guardCommanded.Kept(m.rules):
		return *d.commanded
	case passive:
		return policy.UsageInboundOptional
	case d.given == policy.UsageBoth && !d.passive.IsZero():
		return policy.UsageInboundOptional
	}
	return d.given
}

// directed takes notice of the directions that new SAs are marked with. Those that are all receive-only are handed on as if they
// were not: the gateway does not send under them, but the operator may have it do so.
func (m *membership) directed(now time.Time, sas []policy.TrafficSA) []policy.TrafficSA {
	if !m.getvpn() || len(sas) == 0 {
		return sas
	}
	given := policy.UsageBoth
	if !slices.ContainsFunc(sas, func(sa policy.TrafficSA) bool { return sa.Transform.Direction != policy.DirectionReceiverOnly }) {
		given = policy.UsageReceiveOnly
	}
	if spis := spisOf(sas); !slices.Equal(spis, m.directions.spis) {
		m.directions.spis = spis
		m.direct(now, given)
	}
	if given == policy.UsageReceiveOnly {
		sas = slices.Clone(sas)
		for i := range sas {
			sas[i].Transform.Direction = policy.DirectionSymmetric
		}
	}
	return sas
}

// direct takes over what the key server says of directions. What the operator said before is over.
func (m *membership) direct(now time.Time, given policy.Usage) {
	d := &m.directions
	if guardUntilRekey.Kept(m.rules) {
		d.commanded = nil
	}
	before, converting := d.given, !d.passive.IsZero()
	d.given, d.passive = given, time.Time{}
	switch {
	case given == policy.UsageReceiveOnly:
		m.tell(getvpn.GMSAIngress)
	case before == policy.UsageReceiveOnly && guardConverting.Kept(m.rules):
		d.passive = now.Add(guardConverted.Delay(m.rules, passiveFor))
	case before == policy.UsageReceiveOnly || converting:
		m.converted()
	}
	if before == policy.UsageReceiveOnly && given == policy.UsageBoth {
		m.gateway.Convert()
	}
	m.gateway.Use(m.usage())
}

// converted tells that SAs that were receive-only are used in both directions, if they are.
func (m *membership) converted() {
	if m.usage() == policy.UsageBoth {
		m.tell(getvpn.GMConvSADuplex)
	}
}

// directionsDue ends the time in which a member is passive since its SAs are no longer receive-only.
func (m *membership) directionsDue(now time.Time) {
	if m.getvpn() && due(now, m.directions.passive) {
		m.directions.passive = time.Time{}
		m.gateway.Use(m.usage())
		m.converted()
	}
}

var errProfile = errors.New("the command is one of the profile getvpn")

// direction does what the operator says of directions.
func (m *Member) direction(c *core.Command) error {
	var args control.DirectionArgs
	if err := json.Unmarshal(c.Args, &args); err != nil {
		return err
	}
	if m.cfg.Profile != policy.ProfileGETVPN {
		return errProfile
	}
	usage, err := policy.ParseUsage(args.Direction)
	if err != nil {
		return fmt.Errorf("direction: %w", err)
	}
	groups, err := m.commanded(c.Args)
	for _, g := range groups {
		g.command(usage)
	}
	return err
}

func (m *membership) command(u policy.Usage) {
	m.directions.commanded = &u
	m.gateway.Use(m.usage())
	if u == policy.UsageBoth {
		m.tell(getvpn.GMConvSADuplexLocal)
	}
}

// onActiveSA tells the operator when there is an SA to protect traffic with, and when there is none any more.
func (m *membership) onActiveSA(now time.Time) {
	if !m.getvpn() {
		return
	}
	active := m.activeSA(now)
	if active == m.directions.active {
		return
	}
	m.directions.active = active
	state := "down"
	if active {
		state = "up"
	}
	m.log(core.Notice, "ACTIVE_SA", "the state of the group's SAs has changed", "state", state, groupField, m.groupText())
}

func (m *membership) activeSA(now time.Time) bool {
	_, active := m.gateway.Ends(now)
	return active || m.directions.active && !guardActiveSA.Kept(m.rules)
}

func spisOf(sas []policy.TrafficSA) (spis []uint32) {
	for _, sa := range sas {
		spis = append(spis, sa.SPI)
	}
	return spis
}
