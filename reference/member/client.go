package member

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// What a member of profile getvpn takes of an offer or of a rekey, by its configuration.
var (
	guardClientCipher = rule.Check("member.getvpn.client-cipher", "GETVPN-ALGO-01", rule.GM,
		"a KEK has one of the ciphers that the member is limited to")
	guardClientHash = rule.Check("member.getvpn.client-hash", "GETVPN-ALGO-02", rule.GM,
		"rekeys are signed with one of the hashes that the member is limited to")
	guardClientTransform = rule.Check("member.getvpn.client-transform", "GETVPN-ALGO-03", rule.GM,
		"each Data-Security SA has one of the transforms that the member is limited to")
)

// limited refuses policy beyond what the member is configured to take; nil is no Rekey SA.
func (m *membership) limited(r *policy.RekeySA, sas []policy.TrafficSA) error {
	if !m.getvpn() {
		return nil
	}
	own := m.cfg.Client
	if r != nil {
		kek := policy.KEKTransform{Cipher: r.Cipher, KeyBits: r.KeyBits}
		if !guardClientCipher.Holds(m.rules, own.TakesCipher(kek)) {
			return guardClientCipher.Violated("KEK cipher %d with %d bits", r.Cipher, r.KeyBits)
		}
		if !guardClientHash.Holds(m.rules, own.TakesHash(r.SigHash)) {
			return guardClientHash.Violated("signatures with hash %d", r.SigHash)
		}
	}
	for _, sa := range sas {
		if !guardClientTransform.Holds(m.rules, own.TakesTransform(sa.Transform)) {
			return guardClientTransform.Violated("SPI %08x has %s", sa.SPI, sa.Transform.Name())
		}
	}
	return nil
}
