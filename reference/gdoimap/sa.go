package gdoimap

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	dutyDOI = rule.Duty("gdoimap.make.sa.doi", "RFC6407-5.2-05", rule.KS,
		"the DOI of an SA is 2")
	dutySituation = rule.Duty("gdoimap.make.sa.situation", "RFC6407-5.2-06", rule.KS,
		"the situation of an SA is 0")
	dutySAReserved = rule.Duty("gdoimap.make.sa.reserved2", "RFC6407-5.2-08", rule.KS,
		"the second reserved field of an SA is 0")
	dutyFirst = rule.Duty("gdoimap.make.sa.first", "RFC6407-5.2-07", rule.KS,
		"an SA names the type of its first attribute payload")
	dutyOneSAK = rule.Duty("gdoimap.make.sa.once", "RFC6407-5.2.1-03", rule.KS,
		"an SA has at most one SAK")
	dutyOrder = rule.Duty("gdoimap.make.sa.order", "RFC6407-5.2.1-04", rule.KS,
		"a SAK comes before SATs")
	dutyAfterSAK = rule.Duty("gdoimap.make.sak.next", "RFC6407-5.3-01", rule.KS,
		"a SAK is followed by a GAP, a SAT or nothing")
	dutyAfterGAP = rule.Duty("gdoimap.make.gap.next", "RFC6407-5.4-05", rule.KS,
		"a GAP is followed by a SAT or nothing")
	dutyAfterSAT = rule.Duty("gdoimap.make.sat.next", "RFC6407-5.5-01", rule.KS,
		"a SAT is followed by a SAT or nothing")
	dutySAKOctet = rule.Duty("gdoimap.make.sak.reserved", "RFC6407-5.3-02", rule.KS,
		"the reserved octet of a SAK is 0")
	dutyGAPOctet = rule.Duty("gdoimap.make.gap.reserved", "RFC6407-5.4-06", rule.KS,
		"the reserved octet of a GAP is 0")
	dutySATOctet = rule.Duty("gdoimap.make.sat.reserved", "RFC6407-5.5-02", rule.KS,
		"the reserved octet of a SAT is 0")
	dutyGAPPlace = rule.Duty("gdoimap.make.sa.gap", "RFC6407-5.4-02", rule.KS,
		"a GAP comes before SATs")
)

// SAOf builds the SA payload of message 2 or of a PUSH: SAK, GAP and SATs, as far as there are any (RFC 6407 §5.2).
func SAOf(rekey *policy.RekeySA, act policy.Activation, sas []policy.TrafficSA, rules *rule.Switches) gdoi.SA {
	return saOf(chainOf(rekey, act, satsOf(sas, policy.AccessList{}, rules), rules), rules)
}

// saOf is an SA payload with these attribute payloads.
func saOf(attributes []isakmp.Payload, rules *rule.Switches) gdoi.SA {
	sa := gdoi.SA{DOI: gdoi.DOI, Attributes: attributes}
	if !dutyDOI.Kept(rules) {
		sa.DOI = 1
	}
	if !dutySituation.Kept(rules) {
		sa.Situation = 1
	}
	if !dutySAReserved.Kept(rules) {
		sa.Reserved2 = 0xffff
	}
	if sa.AttributeNext = uint16(isakmp.FirstType(sa.Attributes)); !dutyFirst.Kept(rules) {
		sa.AttributeNext = uint16(isakmp.PayloadKD)
	}
	return sa
}

// chainOf orders the attribute payloads: SAK, GAP, SATs (RFC 6407 §5.2.1). What a neglected duty misplaces goes last.
func chainOf(rekey *policy.RekeySA, act policy.Activation, sats []gdoi.SAT, rules *rule.Switches) []isakmp.Payload {
	var chain, last []isakmp.Payload
	put := func(p isakmp.Payload, duty *rule.Guard) {
		if duty.Kept(rules) {
			chain = append(chain, p)
		} else {
			last = append(last, p)
		}
	}
	if rekey != nil {
		sak := framed(SAKOf(*rekey, rules), dutyAfterSAK, dutySAKOctet, rules)
		put(sak, dutyOrder)
		if !dutyOneSAK.Kept(rules) {
			put(sak, dutyOrder)
		}
	}
	if gap, ok := GAPOf(act, rules); ok {
		put(framed(gap, dutyAfterGAP, dutyGAPOctet, rules), dutyGAPPlace)
	}
	chain = append(chain, payloadsOf(sats, rules)...)
	return append(chain, last...)
}

// framed gives a payload a wrong generic header where a duty about it is neglected.
func framed(p isakmp.Payload, next, reserved *rule.Guard, rules *rule.Switches) isakmp.Payload {
	f := isakmp.Framed{Payload: p}
	if !next.Kept(rules) {
		wrong := isakmp.PayloadType(isakmp.PayloadKD)
		f.Next = &wrong
	}
	if !reserved.Kept(rules) {
		f.Reserved = 1
	}
	if f.Next == nil && f.Reserved == 0 {
		return p
	}
	return f
}
