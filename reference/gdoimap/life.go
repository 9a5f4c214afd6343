package gdoimap

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

var (
	dutyLifeOrder = rule.Duty("gdoimap.make.sat.life", "RFC2407-4.5-02", rule.KS,
		"SA Life Duration follows its SA Life Type")
	checkLifeOrder = rule.Check("gdoimap.read.sat.life", "RFC2407-4.5-02", rule.GM,
		"SA Life Duration follows its SA Life Type")
	timerDefaultLife = rule.Timer("gdoimap.read.sat.lifetime", "RFC2407-4.5-03", rule.GM, time.Second,
		"an SA without a lifetime lives for 28800 s")
)

const (
	lifeSeconds = 1

	// defaultLife is that of an SA without attributes about it (RFC 2407 §4.5).
	defaultLife = 28800 * time.Second
)

func lifeOf(d time.Duration, rules *rule.Switches) []wire.Attribute {
	unit, value := wire.TV(gdoi.SALifeType, lifeSeconds), wire.TLV32(gdoi.SALifeDuration, wholeSeconds(d))
	if !dutyLifeOrder.Kept(rules) {
		return []wire.Attribute{value, unit}
	}
	return []wire.Attribute{unit, value}
}

// readLife takes the pairs of SA Life Type and SA Life Duration out of a list of attributes, the one kind whose order
// matters. A Variable duration may be a TV if it fits (RFC 2407 §4.5).
func readLife(as []wire.Attribute, rules *rule.Switches) (rest []wire.Attribute, life time.Duration, err error) {
	life = timerDefaultLife.Delay(rules, defaultLife)
	told := false
	for i, a := range as {
		if a.Type != gdoi.SALifeDuration {
			rest = append(rest, a)
			if a.Type == gdoi.SALifeType && !checkLifeOrder.Holds(rules, i+1 < len(as) && as[i+1].Type == gdoi.SALifeDuration) {
				return nil, 0, checkLifeOrder.Violated("SA Life Type without its SA Life Duration")
			}
			continue
		}
		seconds, err := readDuration(as[:i], a, rules)
		if err != nil {
			return nil, 0, err
		}
		if told && !checkConflict.Holds(rules, seconds == life) {
			return nil, 0, checkConflict.Violated("lifetimes of %v and %v", life, seconds)
		}
		life, told = seconds, true
	}
	return rest, life, nil
}

// readDuration reads one SA Life Duration in the unit that the attribute before it says; only seconds are supported.
func readDuration(before []wire.Attribute, a wire.Attribute, rules *rule.Switches) (time.Duration, error) {
	unit := uint64(lifeSeconds)
	paired := len(before) > 0 && before[len(before)-1].Type == gdoi.SALifeType
	if paired {
		unit = number(before[len(before)-1])
	}
	_, readable := a.Uint()
	switch {
	case !checkLifeOrder.Holds(rules, paired):
		return 0, checkLifeOrder.Violated("SA Life Duration without SA Life Type before it")
	case !checkSATValue.Holds(rules, unit == lifeSeconds && readable):
		return 0, checkSATValue.Violated("SA Life Type %d with a duration of %d octets", unit, len(a.Value))
	}
	return duration(number(a)), nil
}
