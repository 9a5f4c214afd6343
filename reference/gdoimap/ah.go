package gdoimap

import (
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// ahTransforms are the transforms of AH by the integrity algorithm that goes with each (RFC 2407 §4.4.3, RFC 4868 §2.6).
var ahTransforms = map[policy.Integrity]uint8{
	policy.IntegrityHMACSHA1:   gdoi.AHSHA,
	policy.IntegrityHMACSHA256: gdoi.AHSHA256,
	policy.IntegrityHMACSHA384: gdoi.AHSHA384,
	policy.IntegrityHMACSHA512: gdoi.AHSHA512,
}

var checkAHAlgorithm = rule.Check("gdoimap.read.sat.ah", "RFC2407-4.5.3-01", rule.GM,
	"a SAT of AH has the Authentication Algorithm of its transform, and no Key Length")

// readAH reads what protects the packets of an SA of AH. It takes HMAC-SHA-256 where the guards are off.
func readAH(id uint8, n numbers, rules *rule.Switches) (policy.Transform, error) {
	t := policy.Transform{Protocol: policy.ProtocolAH, Integrity: policy.IntegrityHMACSHA256}
	registered, supported := gdoi.TransformName(gdoi.ProtoIPsecAH, id) != "", false
	for algorithm, of := range ahTransforms {
		if of == id {
			t.Integrity, supported = algorithm, true
		}
	}
	agrees := n.or(gdoi.AuthAlgorithm, 0) == uint64(t.Integrity) && !n.has(gdoi.KeyLength)
	switch {
	case !checkTransform.Holds(rules, registered):
		return t, checkTransform.Violated("AH transform %d", id)
	case registered && !checkSATValue.Holds(rules, supported):
		return t, checkSATValue.Violated("AH transform %d is not supported", id)
	case supported && !checkAHAlgorithm.Holds(rules, agrees):
		return t, checkAHAlgorithm.Violated("AH transform %d with Authentication Algorithm %d", id, n.or(gdoi.AuthAlgorithm, 0))
	}
	if err := readESN(&t, n, rules); err != nil {
		return t, err
	}
	if err := readHandling(&t, n, rules); err != nil {
		return t, err
	}
	if !checkSATValue.Holds(rules, !t.Mode.UDP()) {
		return t, checkSATValue.Violated("Encapsulation Mode %d of AH", t.Mode) // it is for ESP (RFC 3947 §5.1)
	}
	return t, nil
}
