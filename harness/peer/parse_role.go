package peer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/harness/catalog"
	"github.com/gdoilab/gdoilab/reference/cores"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// coreOf finds an implementation that is linked into this program and can play the role.
func coreOf(v yamldoc.Value, is rule.Role) Core {
	name, ok := v.Text()
	if !ok {
		return Core{}
	}
	maker, found := cores.Find(name)
	if !found {
		v.Problem("%s", unknown("core in this program", name, cores.Names()))
		return Core{}
	}
	if is == rule.KS && maker.KeyServer == nil || is == rule.GM && maker.Member == nil {
		v.Problem("the core %s cannot play the role %s", name, is)
	}
	return Core{name, maker}
}

// unknown says that there is no such thing, and which were probably meant or else all that there are.
func unknown(kind, name string, known []string) string {
	if near := catalog.Nearest(name, known); len(near) > 0 {
		return fmt.Sprintf("there is no %s called %q; did you mean %s?", kind, name, strings.Join(near, ", "))
	}
	return fmt.Sprintf("there is no %s called %q; known are %s", kind, name, strings.Join(known, ", "))
}

var sources = yamldoc.Names[Source]{
	{"stderr", SourceStderr}, {"stdout", SourceStdout}, {"file", SourceFile}, {"udp", SourceUDP},
	{"tcp", SourceTCP},
}

// log reads where the log of a role comes from and how it is read.
func log(v yamldoc.Value, isProcess, isRouter bool) *Syslog {
	s := &Syslog{At: v.Place()}
	v.Fields(
		yamldoc.Optional("from", &s.From, sources.Read),
		yamldoc.Optional("file", &s.File, text),
		yamldoc.Optional("listen", &s.Listen, given),
		yamldoc.Required("events", &s.Events, events),
	)
	if isProcess && !v.Has("from") {
		v.Problem("the field %q is missing; it says where a process writes its log: stderr, stdout, file, udp, tcp", "from")
	}
	if v.Has("file") != (s.From == SourceFile) {
		v.Problem("a file is named if, and only if, from is file")
	}
	if isRouter != v.Has("listen") {
		v.Problem("a router, and nothing else, is told where to send its log: listen is an address of this machine with a port")
	}
	if isRouter && s.From != SourceUDP && s.From != SourceTCP {
		v.Problem("a router sends its log: from is udp or tcp")
	}
	return s
}

// What a log may have instead of expressions: the form of package syslog, the messages of GET VPN, or what a driver says of its lines.
const (
	ownEvents    = "gdoilab"
	getvpnEvents = "getvpn"
	namedEvents  = "driver"
)

func events(v yamldoc.Value) Events {
	if v.IsText() {
		switch word, _ := v.Text(); word {
		case getvpnEvents:
			return Events{GETVPN: true}
		case namedEvents:
			return Events{Named: true}
		case ownEvents:
		default:
			v.Problem("%q is unknown; write %s, %s, %s, or a mapping of events to regular expressions", word, ownEvents, getvpnEvents, namedEvents)
		}
		return Events{Own: true}
	}
	e := Events{Matches: make(map[string]*regexp.Regexp)}
	fields := make([]yamldoc.Field, len(EventNames))
	for i, event := range EventNames {
		fields[i] = yamldoc.Field{Name: event.Name, Read: func(v yamldoc.Value) { e.Matches[event.Name] = expression(v) }}
	}
	v.Fields(fields...)
	return e
}

func expression(v yamldoc.Value) *regexp.Regexp {
	s, ok := v.Text()
	if !ok {
		return nil
	}
	r, err := regexp.Compile(s)
	if err != nil {
		v.Problem("no regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return r
}

// controlOf reads the control of a role. Without a list of commands it knows all of its role.
func controlOf(v yamldoc.Value, is rule.Role, isProcess bool) *Control {
	c := &Control{At: v.Place(), Commands: commands[is]}
	v.Fields(
		yamldoc.Optional("unix", &c.Unix, text),
		yamldoc.Optional("commands", &c.Commands, yamldoc.List(func(v yamldoc.Value) string {
			word, ok := v.Text()
			if ok && !slices.Contains(commands[is], word) {
				v.Problem("%s", unknown("command of a "+is.String(), word, commands[is]))
			}
			return word
		})),
	)
	if isProcess && !v.Has("unix") {
		v.Problem("the field %q is missing; it names the control socket of a process", "unix")
	}
	return c
}

func keyLog(v yamldoc.Value, isProcess bool) *KeyLog {
	k := &KeyLog{At: v.Place()}
	v.Fields(yamldoc.Optional("file", &k.File, text))
	if isProcess && !v.Has("file") {
		v.Problem("the field %q is missing; it names the key log that a process writes", "file")
	}
	return k
}

// snmp reads where the SNMP agent of a device with sockets is; that of a core is found by itself.
func snmp(v yamldoc.Value, hasSockets bool) *SNMP {
	s := &SNMP{At: v.Place()}
	v.Fields(yamldoc.Optional("address", &s.Address, text), yamldoc.Optional("community", &s.Community, text), yamldoc.Optional("user", &s.User, snmpUser))
	if hasSockets && !v.Has("address") {
		v.Problem("the field %q is missing; it says where the agent is asked", "address")
	}
	if hasSockets && v.Has("community") == v.Has("user") {
		v.Problem("write a community, for SNMPv2c, or a user, for SNMPv3")
	}
	return s
}

// snmpHashes are what users are authenticated with (RFC 3414, RFC 7860).
var snmpHashes = yamldoc.Names[policy.SNMPHash]{
	{Name: "sha1", Value: policy.SNMPSHA1}, {Name: "sha256", Value: policy.SNMPSHA256}, {Name: "sha512", Value: policy.SNMPSHA512},
}

func snmpUser(v yamldoc.Value) *SNMPUser {
	u := new(SNMPUser)
	v.Fields(
		yamldoc.Required("name", &u.Name, text), yamldoc.Optional("hash", &u.Hash, snmpHashes.Read),
		yamldoc.Required("password", &u.Password, secret), yamldoc.Required("privacy", &u.Privacy, secret),
	)
	return u
}
