package sadb

import (
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestMatch(t *testing.T) {
	ports := func(src, dst uint16) policy.Selector {
		s := anyTen
		s.Protocol, s.SourcePort, s.DestinationPort = 17, src, dst
		return s
	}
	udp, icmp, hidden := tenFlow, tenFlow, tenFlow
	icmp.Protocol, icmp.SourcePort, icmp.DestinationPort = 1, 0, 0
	hidden.SourcePort, hidden.DestinationPort, hidden.PortsHidden = 0, 0, true
	opaque := hidden
	opaque.Protocol, opaque.ProtocolHidden = 60, true
	protocol := anyTen
	protocol.Protocol = 17
	for _, c := range []struct {
		name       string
		sel        policy.Selector
		f          Flow
		match, may bool
	}{
		{"any protocol", anyTen, udp, true, true},
		{"any protocol, no ports", anyTen, icmp, true, true},
		{"any protocol, later fragment", anyTen, hidden, true, true},
		{"protocol", protocol, udp, true, true},
		{"other protocol", protocol, icmp, false, false},
		{"protocol, later fragment", protocol, hidden, true, true},
		{"ports", ports(1000, 2000), udp, true, true},
		{"source port", ports(1000, 0), udp, true, true},
		{"destination port", ports(0, 2000), udp, true, true},
		{"other source port", ports(1001, 0), udp, false, false},
		{"other destination port", ports(0, 2001), udp, false, false},
		{"ports, later fragment", ports(0, 2000), hidden, false, true},
		{"any protocol, hidden protocol", anyTen, opaque, true, true},
		{"protocol, hidden protocol", protocol, opaque, false, true},
		{"ports, hidden protocol", ports(0, 2000), opaque, false, true},
		{"other addresses, hidden protocol", selector("10.3.0.0/16", "10.0.0.0/8"), opaque, false, false},
		{"not swapped", selector("10.2.0.0/16", "10.1.0.0/16"), udp, false, false},
		{"other source", selector("10.3.0.0/16", "10.0.0.0/8"), udp, false, false},
		{"other destination", selector("10.0.0.0/8", "10.3.0.0/16"), udp, false, false},
		{"everything", policy.Selector{}, udp, true, true},
		{"other family", policy.Selector{Source: netip.MustParsePrefix("::/0")}, udp, false, false},
	} {
		if got := Match(c.sel, c.f, nil); got != c.match {
			t.Errorf("%s: Match %v", c.name, got)
		}
		if got := MayMatch(c.sel, c.f, nil); got != c.may {
			t.Errorf("%s: MayMatch %v", c.name, got)
		}
	}
	for _, mutant := range []string{"protocol", "source", "destination"} {
		if Match(anyTen, udp, switches(t, "sadb.selector."+mutant, "broken")) {
			t.Errorf("%s: 0 still means any in the mutant", mutant)
		}
	}
	if !Match(ports(0, 2000), hidden, switches(t, "sadb.selector.fragment", "off")) {
		t.Error("the mutant refuses a later fragment")
	}
}

func TestFlowString(t *testing.T) {
	if got := tenFlow.String(); got != "10.1.0.1 -> 10.2.0.1 proto 17 ports 1000 -> 2000" {
		t.Error(got)
	}
	if got := (Flow{Source: tenFlow.Source, Destination: tenFlow.Destination, Protocol: 1}).String(); got != "10.1.0.1 -> 10.2.0.1 proto 1" {
		t.Error(got)
	}
}

func TestOverlap(t *testing.T) {
	udp := func(s policy.Selector, src, dst uint16) policy.Selector {
		s.Protocol, s.SourcePort, s.DestinationPort = 17, src, dst
		return s
	}
	for _, c := range []struct {
		name string
		a, b policy.Selector
		want bool
	}{
		{"the same", anyTen, anyTen, true},
		{"one within the other", anyTen, selector("10.1.0.0/16", "10.2.0.0/16"), true},
		{"everything", policy.Selector{}, anyTen, true},
		{"beside each other", selector("10.1.0.0/16", "10.0.0.0/8"), selector("10.2.0.0/16", "10.0.0.0/8"), false},
		{"other destinations", selector("10.0.0.0/8", "10.1.0.0/16"), selector("10.0.0.0/8", "10.2.0.0/16"), false},
		{"a protocol of all", anyTen, udp(anyTen, 0, 0), true},
		{"a port of all", udp(anyTen, 0, 0), udp(anyTen, 0, 53), true},
		{"two ports", udp(anyTen, 0, 53), udp(anyTen, 0, 54), false},
		{"source and destination port", udp(anyTen, 1000, 0), udp(anyTen, 0, 53), true},
		{"families", selector("::/0", "::/0"), anyTen, false},
	} {
		if got := overlap(c.a, c.b); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if got := overlap(c.b, c.a); got != c.want {
			t.Errorf("%s, the other way: %v", c.name, got)
		}
	}
}
