package policy

import (
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// protocols are the IP protocols that have a name in configuration files.
var protocols = yamldoc.Names[uint8]{{"any", 0}, {"icmp", 1}, {"igmp", 2}, {"tcp", 6}, {"udp", 17}, {"icmpv6", 58}, {"eigrp", 88},
	{"ospf", 89}, {"sctp", 132}}

// selector reads one of the flows of an SA.
func selector(v yamldoc.Value) Selector {
	var s Selector
	if v.Fields(selectorFields(&s)...) {
		checkSelector(v, s)
	}
	return s
}

func selectorFields(s *Selector) []yamldoc.Field {
	port := func(v yamldoc.Value) uint16 { return uint16(v.Uint(0, 65535)) }
	return []yamldoc.Field{
		yamldoc.Required("source", &s.Source, network),
		yamldoc.Required("destination", &s.Destination, network),
		yamldoc.Optional("protocol", &s.Protocol, protocol),
		yamldoc.Optional("source_port", &s.SourcePort, port),
		yamldoc.Optional("destination_port", &s.DestinationPort, port),
	}
}

// protocol reads a name or a number.
func protocol(v yamldoc.Value) uint8 {
	if v.IsNumber() {
		return uint8(v.Uint(0, 255))
	}
	return protocols.Read(v)
}

// checkSelector refuses ports of a protocol that has none, and a flow between IPv4 and IPv6.
func checkSelector(v yamldoc.Value, s Selector) {
	if s.Source.IsValid() && s.Destination.IsValid() && s.Source.Addr().Is4() != s.Destination.Addr().Is4() {
		v.Problem("source %s and destination %s are of different IP versions", s.Source, s.Destination)
	}
	checkPorts(v, s)
}

func checkPorts(v yamldoc.Value, s Selector) {
	named := s.SourcePort != 0 || s.DestinationPort != 0
	if named && s.Protocol != 6 && s.Protocol != 17 && s.Protocol != 132 {
		v.Problem("ports need a protocol that has them; set the field \"protocol\" to tcp, udp or sctp")
	}
}
