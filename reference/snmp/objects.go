package snmp

import (
	"fmt"

	"github.com/gosnmp/gosnmp"

	"github.com/gdoilab/gdoilab/reference/mib"
)

// maxBindings keeps a response within a datagram; whoever asks for more gets what fits (RFC 3416 §4.2.3).
const maxBindings = 100

// each makes a binding for each of a request, in its order (RFC 3416 §4.2.1).
func each(asked []gosnmp.SnmpPDU, answer func(mib.OID) gosnmp.SnmpPDU) (all []gosnmp.SnmpPDU, err error) {
	if len(asked) > maxBindings {
		return nil, fmt.Errorf("%w: %d bindings", ErrIgnored, len(asked))
	}
	for _, binding := range asked {
		o, err := named(binding)
		if err != nil {
			return nil, err
		}
		all = append(all, answer(o))
	}
	return all, nil
}

func named(binding gosnmp.SnmpPDU) (mib.OID, error) {
	o, ok := mib.ParseOID(binding.Name)
	if !ok || len(o) < 2 {
		return nil, fmt.Errorf("%w: %q is no object identifier", ErrIgnored, binding.Name)
	}
	return o, nil
}

func get(table mib.Table, o mib.OID) gosnmp.SnmpPDU {
	v, ok := table.Get(o)
	switch {
	case ok:
		return bound(mib.Object{OID: o, Value: v})
	case mib.Known(o):
		return gosnmp.SnmpPDU{Name: o.String(), Type: gosnmp.NoSuchInstance}
	}
	return gosnmp.SnmpPDU{Name: o.String(), Type: gosnmp.NoSuchObject}
}

func next(table mib.Table, o mib.OID) gosnmp.SnmpPDU {
	n, ok := table.Next(o)
	if !ok {
		return gosnmp.SnmpPDU{Name: o.String(), Type: gosnmp.EndOfMibView}
	}
	return bound(n)
}

// bulk goes one step from each of the first bindings, and so many from each of the others, a step from all of them at a time
// (RFC 3416 §4.2.3).
func bulk(table mib.Table, request *gosnmp.SnmpPacket) ([]gosnmp.SnmpPDU, error) {
	step := func(o mib.OID) gosnmp.SnmpPDU { return next(table, o) }
	single := min(int(request.NonRepeaters), len(request.Variables))
	all, err := each(request.Variables[:single], step)
	at := request.Variables[single:]
	for range request.MaxRepetitions {
		if err != nil || len(at) == 0 || len(all)+len(at) > maxBindings || ended(at) {
			break
		}
		at, err = each(at, step)
		all = append(all, at...)
	}
	return all, err
}

// ended reports whether there is nothing behind any of the bindings.
func ended(at []gosnmp.SnmpPDU) bool {
	for _, binding := range at {
		if binding.Type != gosnmp.EndOfMibView {
			return false
		}
	}
	return true
}

// bound is an object as a message has it.
func bound(o mib.Object) gosnmp.SnmpPDU {
	b := gosnmp.SnmpPDU{Name: o.OID.String()}
	switch o.Value.Kind {
	case mib.Octets:
		b.Type, b.Value = gosnmp.OctetString, o.Value.Octets
	case mib.Counter32:
		b.Type, b.Value = gosnmp.Counter32, o.Value.Number
	case mib.Unsigned32:
		b.Type, b.Value = gosnmp.Gauge32, o.Value.Number
	default:
		b.Type, b.Value = gosnmp.Integer, int(o.Value.Number)
	}
	return b
}
