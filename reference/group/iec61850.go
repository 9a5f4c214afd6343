package group

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a key server owes where the policy of an SA of IEC 61850 leaves the algorithms to it (RFC 8052 §3).
var (
	guardIECEncrypts = rule.Duty("group.iec61850.encryption", "RFC8052-3-02", rule.KS,
		"IEC 61850 is encrypted unless the policy says otherwise")
	guardIECProtects = rule.Duty("group.iec61850.algorithms", "RFC8052-3-03", rule.KS,
		"IEC 61850 has an algorithm unless the policy says that it has none")
)

// chosen fills in the algorithms of IEC 61850 that the policy leaves open. What crosses public links has to be encrypted, and
// which links there are a key server does not know.
func (g *Group) chosen(t policy.Transform) policy.Transform {
	if t.Protocol != policy.ProtocolIEC61850 {
		return t
	}
	open := t.Encryption == 0
	if open {
		t.Encryption = policy.IECEncryptGCM128
	}
	if open && !(guardIECEncrypts.Kept(g.opts.Rules) && guardIECProtects.Kept(g.opts.Rules)) {
		t.Encryption = policy.IECEncryptNone
	}
	if t.Authentication != 0 {
		return t
	}
	t.Authentication = policy.IECAuthHMACSHA256128
	if t.Encryption.Authenticates() || !guardIECProtects.Kept(g.opts.Rules) {
		t.Authentication = policy.IECAuthNone
	}
	return t
}
