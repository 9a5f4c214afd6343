package gdoimap

import (
	"math"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

var (
	checkGAPUnknown = rule.Check("gdoimap.read.gap.attribute", "RFC6407-5.4-07", rule.GM,
		"each attribute of a GAP from the key server is understood")
	checkGAPDirection = rule.Check("gdoimap.read.gap.direction", "RFC6407-5.4.2-01", rule.GM,
		"a key server sends no SENDER_ID_REQUEST")
	checkRequestUnknown = rule.Check("gdoimap.read.request.attribute", "RFC6407-5.4-07", rule.KS,
		"each attribute of a GAP from a member is understood")
	dutyRequestForm = rule.Duty("gdoimap.make.request.form", "RFC6407-5.4.2-01", rule.GM,
		"SENDER_ID_REQUEST is a TV")
	checkRequestForm = rule.Check("gdoimap.read.request.form", "RFC6407-5.4.2-01", rule.KS,
		"SENDER_ID_REQUEST is a TV")
)

var gapAttributes = attributeSet{
	basic:    []uint16{gdoi.GAPActivation, gdoi.GAPDeactivation, gdoi.GAPSenderIDRequest},
	name:     named[gdoi.GAPAttribute],
	unknown:  checkGAPUnknown,
	form:     checkGAPUnknown,
	conflict: checkGAPUnknown,
}

var requestAttributes = attributeSet{
	basic:    []uint16{gdoi.GAPSenderIDRequest},
	name:     named[gdoi.GAPAttribute],
	unknown:  checkRequestUnknown,
	form:     checkRequestForm,
	conflict: checkRequestUnknown,
}

// GAPOf builds the GAP of an SA payload (RFC 6407 §5.4.1). There is none if both delays are absent.
func GAPOf(a policy.Activation, _ *rule.Switches) (gdoi.GAP, bool) {
	var gap gdoi.GAP
	put := func(number uint16, d *time.Duration) {
		if d != nil {
			s := min(max(*d/time.Second, 0), math.MaxUint16)
			gap.Attributes = append(gap.Attributes, wire.TV(number, uint16(s)))
		}
	}
	put(gdoi.GAPActivation, a.ATD)
	put(gdoi.GAPDeactivation, a.DTD)
	return gap, len(gap.Attributes) > 0
}

// readGAP is the reverse of GAPOf.
func readGAP(gap gdoi.GAP, rules *rule.Switches) (policy.Activation, error) {
	n, err := gapAttributes.read(gap.Attributes, rules)
	if err != nil {
		return policy.Activation{}, err
	}
	if !checkGAPDirection.Holds(rules, !n.has(gdoi.GAPSenderIDRequest)) {
		return policy.Activation{}, checkGAPDirection.Violated("SENDER_ID_REQUEST from the key server")
	}
	delay := func(number uint16) *time.Duration {
		if !n.has(number) {
			return nil
		}
		d := duration(min(n.or(number, 0), math.MaxUint16))
		return &d
	}
	return policy.Activation{ATD: delay(gdoi.GAPActivation), DTD: delay(gdoi.GAPDeactivation)}, nil
}

// RequestOf builds the GAP of message 3, with which a member asks for that many Sender-IDs (RFC 6407 §5.4.2).
func RequestOf(sids int, rules *rule.Switches) gdoi.GAP {
	count := uint16(min(max(sids, 0), math.MaxUint16))
	return gdoi.GAP{Attributes: []wire.Attribute{basic(gdoi.GAPSenderIDRequest, count, dutyRequestForm, rules)}}
}

// ReadRequest reads the GAP of message 3: how many Sender-IDs the member asks for, 0 if it does not say. The error is a
// *rule.Violation.
func ReadRequest(gap gdoi.GAP, rules *rule.Switches) (sids int, err error) {
	n, err := requestAttributes.read(gap.Attributes, rules)
	if err != nil {
		return 0, err
	}
	return int(min(n.or(gdoi.GAPSenderIDRequest, 0), math.MaxUint16)), nil
}
