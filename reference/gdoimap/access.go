package gdoimap

import (
	"slices"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	dutyDeny = rule.Duty("gdoimap.make.access.deny", "GETVPN-ACL-02", rule.KS,
		"the deny entries of an access list are told")
	dutyAccessOrder = rule.Duty("gdoimap.make.access.order", "GETVPN-ACL-01", rule.KS,
		"the entries of an access list are told in their order")
)

// OrderedSAOf is SAOf for a policy that is an access list: its entries stand in their order, those that protect nothing as SATs of a
// protocol of their own. SAs whose selector no entry has come last.
func OrderedSAOf(rekey *policy.RekeySA, act policy.Activation, sas []policy.TrafficSA, access policy.AccessList, rules *rule.Switches) gdoi.SA {
	return saOf(chainOf(rekey, act, satsOf(sas, access, rules), rules), rules)
}

// satsOf are the SATs of an SA payload.
func satsOf(sas []policy.TrafficSA, access policy.AccessList, rules *rule.Switches) (sats []gdoi.SAT) {
	told := make([]bool, len(sas))
	for _, e := range inOrder(access, rules) {
		if e.Deny {
			sats = append(sats, denySAT(e.Selector, access.Protocol))
			continue
		}
		for i, sa := range sas {
			if !told[i] && sa.Selector == e.Selector {
				told[i] = true
				sats = append(sats, SATOf(sa, rules))
			}
		}
	}
	for i, sa := range sas {
		if !told[i] {
			sats = append(sats, SATOf(sa, rules))
		}
	}
	return sats
}

// inOrder are the entries as they are told.
func inOrder(access policy.AccessList, rules *rule.Switches) []policy.ACE {
	entries := slices.Clone(access.Entries)
	if !dutyAccessOrder.Kept(rules) {
		slices.Reverse(entries)
	}
	return slices.DeleteFunc(entries, func(e policy.ACE) bool { return e.Deny && !dutyDeny.Kept(rules) })
}

// denySAT is the SAT of an entry that protects nothing.
func denySAT(s policy.Selector, protocol uint8) gdoi.SAT {
	e := gdoi.AccessEntry{Protocol: s.Protocol, Source: prefixID(s.Source, s.SourcePort), Destination: prefixID(s.Destination, s.DestinationPort)}
	body, _ := e.Append(nil) // identities of prefixes are short enough
	return gdoi.SAT{ProtocolID: protocol, Raw: body}
}

// takeDeny reads an entry that protects nothing.
func (c *chain) takeDeny(body []byte) error {
	e, err := gdoi.ParseAccessEntry(body, 0)
	if err != nil && !checkSelector.Holds(c.rules, false) {
		return checkSelector.Violated("deny entry: %v", err)
	} else if err != nil {
		return nil
	}
	s, err := readSelector(&gdoi.SATESP{Protocol: e.Protocol, Source: e.Source, Destination: e.Destination}, c.rules)
	if err == nil {
		c.policy.Access.Entries = append(c.policy.Access.Entries, policy.ACE{Deny: true, Selector: s})
	}
	return err
}

// permit notes what an SA is for. Several SAs of one flow are one entry.
func (c *chain) permit(s policy.Selector) {
	e := policy.ACE{Selector: s}
	if !slices.Contains(c.policy.Access.Entries, e) {
		c.policy.Access.Entries = append(c.policy.Access.Entries, e)
	}
}

// payloadsOf are SATs as they stand in an SA.
func payloadsOf(sats []gdoi.SAT, rules *rule.Switches) (ps []isakmp.Payload) {
	for _, sat := range sats {
		ps = append(ps, framed(sat, dutyAfterSAT, dutySATOctet, rules))
	}
	return ps
}
