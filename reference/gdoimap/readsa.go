package gdoimap

import (
	"fmt"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	checkDOI = rule.Check("gdoimap.read.sa.doi", "RFC6407-5.2-05", rule.GM,
		"the DOI of an SA is 2")
	checkSituation = rule.Check("gdoimap.read.sa.situation", "RFC6407-5.2-06", rule.GM,
		"the situation of an SA is 0")
	checkSAReserved = rule.Check("gdoimap.read.sa.reserved2", "RFC6407-5.2-08", rule.GM,
		"the second reserved field of an SA is 0")
	checkFirst = rule.Check("gdoimap.read.sa.first", "RFC6407-5.2-07", rule.GM,
		"an SA says that its first attribute payload is a SAK, GAP or SAT")
	checkSomething = rule.Check("gdoimap.read.sa.something", "RFC6407-5.2.1-02", rule.GM,
		"an SA has a SAK or a SAT")
	checkOnce = rule.Check("gdoimap.read.sa.once", "RFC6407-5.2.1-03", rule.GM,
		"an SA has at most one SAK and one GAP")
	checkOrder = rule.Check("gdoimap.read.sa.order", "RFC6407-5.2.1-04", rule.GM,
		"no SAT comes before the SAK")
	checkGAPPlace = rule.Check("gdoimap.read.sa.gap", "RFC6407-5.4-02", rule.GM,
		"a GAP comes after the SAK and before SATs")
	checkAfterSAK = rule.Check("gdoimap.read.sak.next", "RFC6407-5.3-01", rule.GM,
		"a SAK is followed by a GAP, a SAT or nothing")
	checkAfterGAP = rule.Check("gdoimap.read.gap.next", "RFC6407-5.4-05", rule.GM,
		"a GAP is followed by a SAT or nothing")
	checkAfterSAT = rule.Check("gdoimap.read.sat.next", "RFC6407-5.5-01", rule.GM,
		"a SAT is followed by a SAT or nothing")
	checkSAKOctet = rule.Check("gdoimap.read.sak.reserved", "RFC6407-5.3-02", rule.GM,
		"the reserved octet of a SAK is 0")
	checkGAPOctet = rule.Check("gdoimap.read.gap.reserved", "RFC6407-5.4-06", rule.GM,
		"the reserved octet of a GAP is 0")
	checkSATOctet = rule.Check("gdoimap.read.sat.reserved", "RFC6407-5.5-02", rule.GM,
		"the reserved octet of a SAT is 0")
)

// Policy is what an SA payload says about a group. Its SAs have no keys before AddKeys.
type Policy struct {
	Rekey      *policy.RekeySA // nil if there was no SAK
	Activation policy.Activation
	SAs        []policy.TrafficSA
	Access     policy.AccessList // what all SATs say, in order; see ReadVendorSA
}

// ReadSA reads the SA payload of message 2 or of a PUSH (RFC 6407 §5.2). The error is a *rule.Violation if a requirement
// refuses it. The generic header of the SA itself is the caller's to check.
func ReadSA(sa gdoi.SA, rules *rule.Switches) (Policy, error) {
	return readChain(sa, chain{rules: rules})
}

// ReadZerosSA is ReadSA for a member that takes Address Preservation and SA Direction of the value 0 for none.
func ReadZerosSA(sa gdoi.SA, rules *rule.Switches) (Policy, error) {
	return readChain(sa, chain{rules: rules, reading: reading{zeros: true}})
}

// Vendor is what a member of the profile getvpn understands beyond RFC 6407.
type Vendor struct {
	Replay policy.ReplayAttributes
	Zeros  bool  // as in ReadZerosSA
	Deny   uint8 // Protocol-ID of SATs that protect nothing
}

// ReadVendorSA is ReadSA for a member of the profile getvpn: SATs tell of anti-replay, those of the protocol Deny protect nothing,
// and the policy has the list of what all SATs say, in their order.
func ReadVendorSA(sa gdoi.SA, vendor Vendor, rules *rule.Switches) (Policy, error) {
	return readChain(sa, chain{rules: rules, reading: reading{replay: &vendor.Replay, zeros: vendor.Zeros}, policy: Policy{Access: policy.AccessList{Protocol: vendor.Deny}}})
}

func readChain(sa gdoi.SA, c chain) (Policy, error) {
	rules := c.rules
	if err := checkHead(sa, rules); err != nil {
		return Policy{}, err
	}
	for _, p := range sa.Attributes {
		if err := c.take(p); err != nil {
			return Policy{}, err
		}
	}
	if !checkSomething.Holds(rules, c.policy.Rekey != nil || c.sats > 0) {
		return Policy{}, checkSomething.Violated("SA without SAK and SAT")
	}
	return c.policy, nil
}

func checkHead(sa gdoi.SA, rules *rule.Switches) error {
	first := isakmp.FirstType(sa.Attributes)
	named := sa.AttributeNext == 0 || sa.AttributeNext == uint16(first) // 0 in an SA that was built, not received
	known := first == isakmp.PayloadSAK || first == isakmp.PayloadGAP || first == isakmp.PayloadSAT
	switch {
	case !checkDOI.Holds(rules, sa.DOI == gdoi.DOI):
		return checkDOI.Violated("SA of DOI %d", sa.DOI)
	case !checkSituation.Holds(rules, sa.Situation == 0):
		return checkSituation.Violated("SA of situation %d", sa.Situation)
	case !checkSAReserved.Holds(rules, sa.Reserved2 == 0):
		return checkSAReserved.Violated("RESERVED2 of the SA is %#x", sa.Reserved2)
	case len(sa.Attributes) > 0 && !checkFirst.Holds(rules, named && known):
		return checkFirst.Violated("SA Attribute Next Payload is %d", sa.AttributeNext)
	}
	return nil
}

// reading is what is understood beyond RFC 6407.
type reading struct {
	replay *policy.ReplayAttributes // of the profile getvpn; nil: nothing of it
	zeros  bool                     // attributes of the value 0 that stand for none
}

// chain is the state of reading the attribute payloads of an SA.
type chain struct {
	rules *rule.Switches
	reading
	policy           Policy
	saks, gaps, sats int
	follows          *rule.Guard // what may come after the payload before
}

// take reads the next payload of the chain. One that is no SAK, GAP or SAT is passed over if it is not refused.
func (c *chain) take(p isakmp.Payload) error {
	reserved := uint8(0)
	if framed, ok := p.(isakmp.Framed); ok {
		reserved = framed.Reserved
	}
	switch p := isakmp.Unwrap(p).(type) {
	case gdoi.SAK:
		return c.takeSAK(p, reserved)
	case gdoi.GAP:
		return c.takeGAP(p, reserved)
	case gdoi.SAT:
		return c.takeSAT(p, reserved)
	default:
		if c.follows != nil && !c.follows.Holds(c.rules, false) {
			return c.follows.Violated("the SA has an attribute payload %s", typeName(p))
		}
		return nil
	}
}

func typeName(p isakmp.Payload) string {
	if p == nil {
		return "without a type"
	}
	return fmt.Sprint(p.Type())
}

func (c *chain) takeSAK(p gdoi.SAK, reserved uint8) (err error) {
	switch {
	case !checkSAKOctet.Holds(c.rules, reserved == 0):
		return checkSAKOctet.Violated("RESERVED of the SAK is %#x", reserved)
	case !checkOnce.Holds(c.rules, c.saks == 0):
		return checkOnce.Violated("a second SAK")
	case !checkOrder.Holds(c.rules, c.sats == 0):
		return checkOrder.Violated("SAK after a SAT")
	case !checkGAPPlace.Holds(c.rules, c.gaps == 0 || c.saks > 0):
		return checkGAPPlace.Violated("SAK after the GAP")
	}
	c.saks++
	c.follows = checkAfterSAK
	c.policy.Rekey, err = readSAK(p, c.rules)
	return err
}

func (c *chain) takeGAP(p gdoi.GAP, reserved uint8) (err error) {
	switch {
	case !checkGAPOctet.Holds(c.rules, reserved == 0):
		return checkGAPOctet.Violated("RESERVED of the GAP is %#x", reserved)
	case !checkOnce.Holds(c.rules, c.gaps == 0):
		return checkOnce.Violated("a second GAP")
	case !checkGAPPlace.Holds(c.rules, c.sats == 0):
		return checkGAPPlace.Violated("GAP after a SAT")
	}
	c.gaps++
	c.follows = checkAfterGAP
	c.policy.Activation, err = readGAP(p, c.rules)
	return err
}

func (c *chain) takeSAT(p gdoi.SAT, reserved uint8) error {
	if !checkSATOctet.Holds(c.rules, reserved == 0) {
		return checkSATOctet.Violated("RESERVED of a SAT is %#x", reserved)
	}
	c.sats++
	c.follows = checkAfterSAT
	deny := c.policy.Access.Protocol
	if deny != 0 && p.ProtocolID == deny {
		return c.takeDeny(p.Raw)
	}
	sa, ok, err := readSAT(p, c.reading, c.rules)
	if err == nil && ok {
		c.policy.SAs = append(c.policy.SAs, sa)
	}
	if err == nil && ok && deny != 0 && sa.Transform.Protocol != policy.ProtocolIEC61850 {
		c.permit(sa.Selector)
	}
	return err
}
