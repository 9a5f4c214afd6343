package policy

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// The names of a data path's values in configuration files.
var (
	dfPolicies     = yamldoc.Names[DFPolicy]{{"copy", DFCopy}, {"set", DFSet}, {"clear", DFClear}}
	ownActions     = yamldoc.Names[OwnAction]{{"bypass", OwnBypass}, {"discard", OwnDiscard}}
	fragmentations = yamldoc.Names[Fragmentation]{{"before", FragmentBefore}, {"after", FragmentAfter}}
)

// copied is the word for a DSCP that is that of the inner packet.
const copied = "copy"

// dataPathFields are those of a member that say how it carries packets.
func dataPathFields(d *DataPath) []yamldoc.Field {
	return []yamldoc.Field{
		yamldoc.Optional("transport", &d.Transport, yamldoc.Value.Bool),
		yamldoc.Optional("peers", &d.Peers, tunnelPeers),
		yamldoc.Optional("df", &d.DF, dfPolicies.Read),
		yamldoc.Optional("fragment", &d.Fragment, fragmentations.Read),
		yamldoc.Optional("dscp", &d.DSCP, dscp),
		yamldoc.Optional("ttl", &d.TTL, within(1, 255)),
		yamldoc.Optional("pmtu_age", &d.PMTUAge, between(time.Millisecond, maxDelay)),
		yamldoc.Optional("esn_resync", &d.Resync, resync),
		yamldoc.Optional("tfc", &d.TFC, tfc),
		yamldoc.Optional("own_policy", &d.Own, yamldoc.List(ownEntry)),
	}
}

func tfc(v yamldoc.Value) TFC {
	var t TFC
	v.Fields(
		yamldoc.Optional("pad_to", &t.PadTo, within(1, 65535)),
		yamldoc.Optional("dummy_after", &t.DummyAfter, within(1, 1000000)),
	)
	return t
}

func ownEntry(v yamldoc.Value) OwnEntry {
	var e OwnEntry
	if v.Fields(append(selectorFields(&e.Selector),
		yamldoc.Required("action", &e.Action, ownActions.Read),
		yamldoc.Optional("direction", &e.Direction, directions.Read))...) {
		checkSelector(v, e.Selector)
	}
	return e
}

func resync(v yamldoc.Value) Resync {
	var r Resync
	v.Fields(
		yamldoc.Optional("failures", &r.Failures, within(1, 1000)),
		yamldoc.Optional("cycles", &r.Cycles, within(1, 1000)),
	)
	return r
}

// tunnelPeers reads gateways, one for a network.
func tunnelPeers(v yamldoc.Value) []TunnelPeer {
	networks := make(map[netip.Prefix]string)
	return yamldoc.List(func(item yamldoc.Value) TunnelPeer {
		var p TunnelPeer
		item.Fields(
			yamldoc.Required("network", &p.Network, func(v yamldoc.Value) netip.Prefix {
				n := network(v)
				once(v, networks, n)
				return n
			}),
			yamldoc.Required("gateway", &p.Gateway, unicast),
		)
		return p
	})(v)
}

// dscp reads a number, or the word for that of the inner packet.
func dscp(v yamldoc.Value) *uint8 {
	if v.IsNumber() {
		n := uint8(v.Uint(0, 63))
		return &n
	}
	if s, ok := v.Text(); ok && s != copied {
		v.Problem("%s is no DSCP; write a number from 0 to 63, or %s", brief(s), copied)
	}
	return nil
}
