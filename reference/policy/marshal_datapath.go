package policy

import "fmt"

// dataPathDocOf writes what differs from the zero value, which stands for the default.
func dataPathDocOf(d DataPath) (dataPathDoc, error) {
	doc := dataPathDoc{Transport: d.Transport, DSCP: d.DSCP, TTL: d.TTL, PMTUAge: duration(d.PMTUAge),
		Resync: resyncDoc(d.Resync), TFC: tfcDoc(d.TFC)}
	df, ok1 := dfPolicies.Of(d.DF)
	fragment, ok2 := fragmentations.Of(d.Fragment)
	if !ok1 || !ok2 {
		return doc, fmt.Errorf("DF policy %d or fragmentation %d has no name", d.DF, d.Fragment)
	}
	if d.DF != DFCopy {
		doc.DF = df
	}
	if d.Fragment != FragmentBefore {
		doc.Fragment = fragment
	}
	for _, e := range d.Own {
		action, ok1 := ownActions.Of(e.Action)
		direction, ok2 := directions.Of(e.Direction)
		if !ok1 || !ok2 {
			return doc, fmt.Errorf("action %d or direction %d has no name", e.Action, e.Direction)
		}
		doc.Own = append(doc.Own, ownDoc{selectorDocOf(e.Selector), action, direction})
	}
	for _, p := range d.Peers {
		doc.Peers = append(doc.Peers, peerDoc{Network: p.Network.String(), Gateway: p.Gateway.String()})
	}
	return doc, nil
}
