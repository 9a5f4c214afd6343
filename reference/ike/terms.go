package ike

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// terms are what one transform asks for.
type terms struct {
	values   map[uint16]uint64 // of the attributes that make up a suite
	lifeType uint64            // unit of the Life Duration that follows
	seconds  time.Duration     // 0 if no lifetime in seconds is asked for

	kilobytes uint64 // 0 if none are asked for
}

// readTerms collects the attributes of a transform. An error says why the transform is not acceptable.
func readTerms(rules *rule.Switches, as []wire.Attribute) (*terms, error) {
	t := &terms{values: make(map[uint16]uint64)}
	for _, a := range as {
		if err := t.read(rules, a); err != nil {
			return nil, err
		}
	}
	return t, t.complete(rules)
}

func (t *terms) read(rules *rule.Switches, a wire.Attribute) error {
	v, ok := a.Uint()
	if !ok {
		return unlessOff(rules, checkAcceptable, "attribute %s with %d octets", isakmp.Attribute(a.Type), len(a.Value))
	}
	switch a.Type {
	case isakmp.AttrEncryptionAlgorithm, isakmp.AttrKeyLength, isakmp.AttrHashAlgorithm,
		isakmp.AttrAuthenticationMethod, isakmp.AttrGroupDescription, isakmp.AttrLifeType:
		return t.readBasic(rules, a, v)
	case isakmp.AttrLifeDuration:
		return t.readDuration(rules, v)
	case isakmp.AttrGroupType, isakmp.AttrGroupPrime, isakmp.AttrGroupGeneratorOne, isakmp.AttrGroupGeneratorTwo,
		isakmp.AttrGroupCurveA, isakmp.AttrGroupCurveB, isakmp.AttrGroupOrder:
		return unlessOff(rules, checkGroupAttributes, "attribute %s beside a group description", isakmp.Attribute(a.Type))
	}
	return unlessOff(rules, checkAcceptable, "attribute %s is not supported", isakmp.Attribute(a.Type))
}

func (t *terms) readBasic(rules *rule.Switches, a wire.Attribute, v uint64) error {
	if !checkBasic.Holds(rules, a.Basic) {
		return checkBasic.Violated("attribute %s in Variable form", isakmp.Attribute(a.Type))
	}
	if a.Type == isakmp.AttrLifeType {
		t.lifeType = v
		return nil
	}
	if have, twice := t.values[a.Type]; !checkAcceptable.Holds(rules, !twice || have == v) {
		return checkAcceptable.Violated("attribute %s is both %d and %d", isakmp.Attribute(a.Type), have, v)
	}
	t.values[a.Type] = v
	return nil
}

// readDuration takes a Life Duration, whose unit is the Life Type before it.
func (t *terms) readDuration(rules *rule.Switches, v uint64) error {
	unit := t.lifeType
	t.lifeType = 0
	known := unit == isakmp.LifeSeconds || unit == isakmp.LifeKilobytes
	if !checkAcceptable.Holds(rules, known && v > 0) {
		return checkAcceptable.Violated("life duration %d of life type %d", v, unit)
	}
	if unit == isakmp.LifeSeconds {
		t.seconds = time.Duration(min(v, uint64(DefaultLifetime/time.Second)*365)) * time.Second
	} else if known {
		t.kilobytes = v
	}
	return nil
}

// complete checks that all was asked for that has to be negotiated (RFC 2409 §4).
func (t *terms) complete(rules *rule.Switches) error {
	for _, a := range []uint16{isakmp.AttrEncryptionAlgorithm, isakmp.AttrHashAlgorithm, isakmp.AttrAuthenticationMethod,
		isakmp.AttrGroupDescription} {
		if _, ok := t.values[a]; !checkNegotiated.Holds(rules, ok) {
			return checkNegotiated.Violated("attribute %s is missing", isakmp.Attribute(a))
		}
	}
	return t.completeKeyLength(rules)
}

// completeKeyLength checks that Key Length is there if the cipher has keys of several lengths, and only then (RFC 2409
// appendix A).
func (t *terms) completeKeyLength(rules *rule.Switches) error {
	bits, named := t.values[isakmp.AttrKeyLength]
	switch cipher := t.values[isakmp.AttrEncryptionAlgorithm]; {
	case cipher == uint64(aes) && !checkKeyLength.Holds(rules, named):
		return checkKeyLength.Violated("attribute %s is missing", isakmp.Attribute(isakmp.AttrKeyLength))
	case cipher == uint64(tripleDES) && !checkFixedLength.Holds(rules, !named):
		return checkFixedLength.Violated("a key length of %d for 3DES, which has only one", bits)
	}
	return nil
}

// suite returns the row of the table that fits all values.
func (t *terms) suite(rules *rule.Switches, table []Suite) (Suite, error) {
	for _, s := range table {
		if t.fits(s) {
			return s, nil
		}
	}
	return table[0], unlessOff(rules, checkAcceptable, "no suite with attributes %v", t.values)
}

func (t *terms) fits(s Suite) bool {
	for attribute, value := range t.values {
		if !s.has(attribute, value) {
			return false
		}
	}
	return true
}

// unlessOff is the violation of a check that does not hold, or nothing in the mutant that has it off.
func unlessOff(rules *rule.Switches, g *rule.Guard, format string, args ...any) error {
	if g.Holds(rules, false) {
		return nil
	}
	return g.Violated(format, args...)
}
