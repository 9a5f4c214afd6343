package mib

import (
	"slices"
	"strconv"
	"strings"
)

// OID is an object identifier.
type OID []uint32

// String returns the numbers with a dot in front of each, as SNMP tools write them.
func (o OID) String() string {
	var b strings.Builder
	for _, n := range o {
		b.WriteByte('.')
		b.WriteString(strconv.FormatUint(uint64(n), 10))
	}
	return b.String()
}

// ParseOID reads numbers between dots; the one in front may be left out. It is not ok if there is anything else, or nothing.
func ParseOID(s string) (o OID, ok bool) {
	for part := range strings.SplitSeq(strings.TrimPrefix(s, "."), ".") {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return nil, false
		}
		o = append(o, uint32(n))
	}
	return o, true
}

// In reports whether the identifier is below another one, or that itself.
func (o OID) In(tree OID) bool { return len(o) >= len(tree) && slices.Equal(o[:len(tree)], tree) }

// with appends numbers to a copy.
func (o OID) with(numbers ...uint32) OID { return slices.Concat(o, numbers) }

// Kind is the type of a value, as SNMPv2-SMI names it (RFC 2578 §7.1).
type Kind uint8

// The kinds in use. Enumerations are Integers.
const (
	Integer Kind = iota
	Counter32
	Unsigned32
	Octets
)

// Value is what an object has: Octets if it is of that kind, and else a Number.
type Value struct {
	Kind   Kind
	Number uint32
	Octets []byte
}

// Object is one instance with its value.
type Object struct {
	OID   OID
	Value Value
}

// Table is what an agent can be asked for, in the order of object identifiers.
type Table struct {
	role    string
	objects []Object
}

// Role is whose table it is, as a status names it: KS or GM.
func (t Table) Role() string { return t.role }

// Objects are all of them, in order.
func (t Table) Objects() []Object { return t.objects }

// Get returns the value of one instance.
func (t Table) Get(o OID) (v Value, ok bool) {
	if i, found := t.find(o); found {
		return t.objects[i].Value, true
	}
	return Value{}, false
}

// Next returns the first object behind an identifier (RFC 3416 §4.2.2). It is not ok behind the last.
func (t Table) Next(o OID) (next Object, ok bool) {
	i, found := t.find(o)
	if found {
		i++
	}
	if i == len(t.objects) {
		return Object{}, false
	}
	return t.objects[i], true
}

func (t Table) find(o OID) (int, bool) {
	return slices.BinarySearchFunc(t.objects, o, func(e Object, o OID) int { return slices.Compare(e.OID, o) })
}

func (t *Table) sort() {
	slices.SortFunc(t.objects, func(a, b Object) int { return slices.Compare(a.OID, b.OID) })
}
