package policy

import (
	"net/netip"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

var snmpHashes = yamldoc.Names[SNMPHash]{{"sha1", SNMPSHA1}, {"sha256", SNMPSHA256}, {"sha512", SNMPSHA512}}

// The ports of SNMP (RFC 3417 §3.2), and bounds of its texts: a password is a person's (RFC 3414 §11.2), a name has to fit into a
// message (RFC 3414 §2.4).
const (
	snmpPort      = 161
	snmpTrapPort  = 162
	leastPassword = 8
	maxSNMPName   = 32
	maxPassword   = 255
	maxTracked    = 1000
)

// snmp reads an agent, nil if it cannot.
func snmp(v yamldoc.Value) *SNMP {
	s := new(SNMP)
	if !v.Fields(
		yamldoc.Required("listen", &s.Listen, onPort(snmpPort)),
		yamldoc.Optional("community", &s.Community, shortText(1, maxSNMPName)),
		yamldoc.Optional("users", &s.Users, snmpUsers),
		yamldoc.Optional("traps", &s.Traps, yamldoc.List(onPort(snmpTrapPort))),
	) {
		return nil
	}
	if s.Community == "" && len(s.Users) == 0 {
		v.Problem("nobody may ask; add a community for SNMPv2c, or users for SNMPv3")
	}
	if s.Community == "" && len(s.Traps) > 0 {
		v.Problem("traps are sent by SNMPv2c; add a community for them")
	}
	return s
}

// onPort reads an address, with that port unless it names one.
func onPort(port uint16) func(yamldoc.Value) netip.AddrPort {
	return func(v yamldoc.Value) netip.AddrPort {
		text, ok := v.Text()
		if !ok {
			return netip.AddrPort{}
		}
		if a, err := netip.ParseAddr(text); err == nil {
			return netip.AddrPortFrom(a, port)
		}
		p, err := netip.ParseAddrPort(text)
		if err != nil || p.Port() == 0 {
			v.Problem("%s is no address; write one such as 192.0.2.1 or 192.0.2.1:%d", brief(text), port)
		}
		return p
	}
}

func snmpUsers(v yamldoc.Value) []SNMPUser {
	names := make(map[string]string)
	return yamldoc.List(func(item yamldoc.Value) SNMPUser {
		var u SNMPUser
		item.Fields(
			yamldoc.Required("name", &u.Name, func(v yamldoc.Value) string {
				name := shortText(1, maxSNMPName)(v)
				once(v, names, name)
				return name
			}),
			yamldoc.Optional("hash", &u.Hash, snmpHashes.Read),
			yamldoc.Required("password", &u.Password, shortText(leastPassword, maxPassword)),
			yamldoc.Required("privacy", &u.Privacy, shortText(leastPassword, maxPassword)),
		)
		return u
	})(v)
}

func shortText(least, most int) func(yamldoc.Value) string {
	return func(v yamldoc.Value) string {
		s, ok := v.Text()
		if ok && (len(s) < least || len(s) > most) {
			v.Problem("the text has %d octets; it must have %d to %d", len(s), least, most)
		}
		return s
	}
}

// track reads a tracked object, nil if it cannot.
func track(v yamldoc.Value) *Track {
	t := new(Track)
	if !v.Fields(
		yamldoc.Required("number", &t.Number, within(1, maxTracked)),
		yamldoc.Optional("delay_up", &t.DelayUp, between(0, maxDelay)),
		yamldoc.Optional("delay_down", &t.DelayDown, between(0, maxDelay)),
		yamldoc.Optional("hook", &t.Hook, yamldoc.Some("word of the command", shortText(1, maxPath))),
	) {
		return nil
	}
	return t
}

// maxPath is the length of a path or an argument.
const maxPath = 4096

// ofProfile notes a field that only GET VPN has, where the node follows RFC 6407 alone.
func ofProfile[T any](p Profile, field place[*T]) *T {
	if field.value != nil && p != ProfileGETVPN {
		field.at.Problem("is of GET VPN; write profile: getvpn, or leave it out")
	}
	return field.value
}
