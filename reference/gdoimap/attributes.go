package gdoimap

import (
	"fmt"
	"math"
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
)

// attributeSet is what a list of attributes may contain, and the guards that refuse the rest.
type attributeSet struct {
	basic    []uint16 // numbers of attributes that are sent as TV only
	variable []uint16 // numbers of attributes that may be TLV or TV
	name     func(number uint16) string

	unknown  *rule.Guard // any other number
	form     *rule.Guard // a basic one as TLV
	conflict *rule.Guard // one number with two values
}

// numbers are attributes whose values are numbers. There are few, and they are looked up where they stand.
type numbers []wire.Attribute

// of returns the value of the last attribute with that number, 0 if there is none.
func (n numbers) of(typ uint16) (value uint64, ok bool) {
	for i := len(n) - 1; i >= 0; i-- {
		if n[i].Type == typ {
			return number(n[i]), true
		}
	}
	return 0, false
}

// or returns the value of an attribute, or what its absence means.
func (n numbers) or(typ uint16, absent uint64) uint64 {
	if v, ok := n.of(typ); ok {
		return v
	}
	return absent
}

func (n numbers) has(typ uint16) bool { _, ok := n.of(typ); return ok }

// read checks attributes. A value of no octets or more than eight reads as the largest number, which no attribute
// allows.
func (s *attributeSet) read(as []wire.Attribute, rules *rule.Switches) (numbers, error) {
	for i, a := range as {
		if !contains(s.basic, a.Type) && !contains(s.variable, a.Type) {
			if !s.unknown.Holds(rules, false) {
				return nil, s.unknown.Violated("attribute %s is not supported", s.name(a.Type))
			}
			continue
		}
		if contains(s.basic, a.Type) && !s.form.Holds(rules, a.Basic) {
			return nil, s.form.Violated("%s has a length field", s.name(a.Type))
		}
		if before, twice := numbers(as[:i]).of(a.Type); twice && !s.conflict.Holds(rules, number(a) == before) {
			return nil, s.conflict.Violated("%s is %d and %d", s.name(a.Type), before, number(a))
		}
	}
	return as, nil
}

func number(a wire.Attribute) uint64 {
	if v, ok := a.Uint(); ok {
		return v
	}
	return math.MaxUint64
}

// sole returns the values of the wanted attributes if each is there once and nothing else is. If not, the fault is said
// in words, and the values are those found first.
func sole(as []wire.Attribute, name func(uint16) string, wanted ...uint16) (values values, fault string) {
	values = as
	for i, a := range as {
		switch _, twice := values[:i].of(a.Type); {
		case !contains(wanted, a.Type):
			fault = name(a.Type) + " is not called for"
		case twice:
			fault = name(a.Type) + " is there twice"
		}
	}
	for _, w := range wanted {
		if _, ok := values.of(w); !ok {
			fault = name(w) + " is missing"
		}
	}
	return values, fault
}

// values are attributes that are looked up by number.
type values []wire.Attribute

// of is the value of the first attribute with that number.
func (v values) of(typ uint16) (value []byte, ok bool) {
	for _, a := range v {
		if a.Type == typ {
			return a.Value, true
		}
	}
	return nil, false
}

func contains(list []uint16, n uint16) bool {
	for _, have := range list {
		if have == n {
			return true
		}
	}
	return false
}

// named makes a namer of a type of attribute numbers.
func named[T interface {
	~uint16
	fmt.Stringer
}](n uint16) string {
	return T(n).String()
}

// wholeSeconds is a lifetime as it is sent: rounded down, so that nobody keeps a key for longer than its owner, but never to
// the 0 that some read as unlimited.
func wholeSeconds(d time.Duration) uint32 {
	s := max(d, time.Second) / time.Second
	return uint32(min(s, math.MaxUint32))
}

// duration is a number of seconds that was received; what needs more than 32 bits is cut to a hundred years and some.
func duration(seconds uint64) time.Duration {
	return time.Duration(min(seconds, math.MaxUint32)) * time.Second
}

// fit gives octets the length that a cipher needs, where the guard of their length is off.
func fit(b []byte, n int) []byte {
	out := make([]byte, n)
	copy(out, b)
	return out
}
