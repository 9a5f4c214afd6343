package gdoimap

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	dutyLifeOrder = rule.Duty("gdoimap.make.sat.life", "RFC2407-4.5-02", rule.KS,
		"SA Life Duration follows its SA Life Type")
	checkLifeOrder = rule.Check("gdoimap.read.sat.life", "RFC2407-4.5-02", rule.GM,
		"SA Life Duration follows its SA Life Type")
	timerDefaultLife = rule.Timer("gdoimap.read.sat.lifetime", "RFC2407-4.5-03", rule.GM, time.Second,
		"an SA without a lifetime lives for 28800 s")
)

// defaultLife is that of an SA without attributes about it (RFC 2407 §4.5).
const defaultLife = 28800 * time.Second

func lifeOf(d time.Duration, rules *rule.Switches) []wire.Attribute {
	unit, value := wire.TV(gdoi.SALifeType, isakmp.LifeSeconds), wire.TLV32(gdoi.SALifeDuration, wholeSeconds(d))
	if !dutyLifeOrder.Kept(rules) {
		return []wire.Attribute{value, unit}
	}
	return []wire.Attribute{unit, value}
}

// readLife takes SA Life Type and SA Life Duration out of a list of attributes: they come in pairs, the one kind whose
// order matters. Only seconds are supported.
func readLife(as []wire.Attribute, rules *rule.Switches) (rest []wire.Attribute, life time.Duration, err error) {
	life = timerDefaultLife.Delay(rules, defaultLife)
	told := false
	for i, a := range as {
		switch a.Type {
		case gdoi.SALifeType:
			if err := checkUnit(a, as[i+1:], rules); err != nil {
				return nil, 0, err
			}
		case gdoi.SALifeDuration:
			d, ok, err := readDuration(as[:i], a, rules)
			if err != nil {
				return nil, 0, err
			}
			if told && ok && !checkConflict.Holds(rules, d == life) {
				return nil, 0, checkConflict.Violated("lifetimes of %v and %v", life, d)
			}
			if ok {
				life, told = d, true
			}
		}
	}
	return withoutLife(as), life, nil
}

// withoutLife are the attributes that are not about lifetimes, which mostly come first.
func withoutLife(as []wire.Attribute) []wire.Attribute {
	about := func(a wire.Attribute) bool { return a.Type == gdoi.SALifeType || a.Type == gdoi.SALifeDuration }
	for len(as) > 0 && about(as[0]) {
		as = as[1:]
	}
	if !slices.ContainsFunc(as, about) {
		return as
	}
	return slices.DeleteFunc(slices.Clone(as), about)
}

// checkUnit looks at an SA Life Type and what comes after it.
func checkUnit(a wire.Attribute, after []wire.Attribute, rules *rule.Switches) error {
	switch {
	case !checkSATForm.Holds(rules, a.Basic):
		return checkSATForm.Violated("SA Life Type has a length field")
	case !checkLifeOrder.Holds(rules, len(after) > 0 && after[0].Type == gdoi.SALifeDuration):
		return checkLifeOrder.Violated("SA Life Type without SA Life Duration behind it")
	}
	return nil
}

// readDuration reads one SA Life Duration in the unit that the attribute before it says. It may be a TV if it fits (RFC 2407
// §4.5). Without an error it is not ok in a unit that is no time.
func readDuration(before []wire.Attribute, a wire.Attribute, rules *rule.Switches) (d time.Duration, ok bool, err error) {
	unit := uint64(isakmp.LifeSeconds)
	paired := len(before) > 0 && before[len(before)-1].Type == gdoi.SALifeType
	if paired {
		unit = number(before[len(before)-1])
	}
	_, readable := a.Uint()
	switch {
	case !checkLifeOrder.Holds(rules, paired):
		return 0, false, checkLifeOrder.Violated("SA Life Duration without SA Life Type before it")
	case !checkSATValue.Holds(rules, unit == isakmp.LifeSeconds && readable):
		return 0, false, checkSATValue.Violated("SA Life Type %d with a duration of %d octets", unit, len(a.Value))
	}
	return duration(number(a)), unit == isakmp.LifeSeconds, nil
}
