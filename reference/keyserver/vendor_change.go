package keyserver

import (
	"strconv"

	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// tellChange tells the operator, in the vendor's words, what a change of policy does to a group.
func (k *KeyServer) tellChange(was, is policy.Group) {
	group := getvpn.Field("group", is.Name)
	for _, c := range []struct {
		happens bool
		message getvpn.Message
	}{
		{was.Rekey.Transport != is.Rekey.Transport && is.Rekey.Transport == policy.TransportUnicast, getvpn.KSRekeyTransToUni},
		{was.Rekey.Transport != is.Rekey.Transport && is.Rekey.Transport == policy.TransportMulticast, getvpn.KSRekeyTransToMulti},
		{!ingress(was) && ingress(is), getvpn.KSConvSAsIngress},
		{ingress(was) && !ingress(is), getvpn.KSConvSAsDuplex},
	} {
		if c.happens {
			k.tell(nil, c.message, group)
		}
	}
	k.tellLists(is)
}

// ingress reports whether the SAs of a group are receive-only.
func ingress(g policy.Group) bool {
	for _, sa := range g.SAs {
		if !g.ReceiveOnly && sa.Transform.Direction != policy.DirectionReceiverOnly {
			return false
		}
	}
	return len(g.SAs) > 0
}

// tellLists tells of access lists of which not everything counts.
func (k *KeyServer) tellLists(g policy.Group) {
	for i, sa := range g.SAs {
		if len(sa.AccessList) > policy.MostEntries {
			k.out = append(k.out, getvpn.Event(getvpn.GDOIACLNum, getvpn.Field("acl", strconv.Itoa(i+1)), getvpn.Field("group", g.Name)))
		}
	}
}
