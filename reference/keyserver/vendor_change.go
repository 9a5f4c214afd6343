package keyserver

import (
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// tellChange tells the operator, in the vendor's words, what a change of policy does to a group.
func (k *KeyServer) tellChange(c *carried, was, is policy.Group) {
	for _, line := range []struct {
		happens bool
		message getvpn.Message
	}{
		{was.Rekey.Transport != is.Rekey.Transport && is.Rekey.Transport == policy.TransportUnicast, getvpn.KSRekeyTransToUni},
		{was.Rekey.Transport != is.Rekey.Transport && is.Rekey.Transport == policy.TransportMulticast, getvpn.KSRekeyTransToMulti},
		{!ingress(was) && ingress(is), getvpn.KSConvSAsIngress},
		{ingress(was) && !ingress(is), getvpn.KSConvSAsDuplex},
	} {
		if line.happens {
			k.tell(c, line.message)
		}
	}
	k.tellLists(c, is)
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
func (k *KeyServer) tellLists(c *carried, g policy.Group) {
	for i, sa := range g.SAs {
		if len(sa.AccessList) > policy.MostEntries {
			k.tell(c, getvpn.GDOIACLNum, getvpn.Field("acl", i+1))
		}
	}
}
