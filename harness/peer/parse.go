package peer

import (
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// Parse makes a manifest of YAML. The name stands in errors, which are yamldoc.Problems with a line for each fault.
func Parse(name string, data []byte) (*Manifest, error) {
	m := &Manifest{File: name, Digest: digest(data)}
	if err := yamldoc.Read(name, data, m.read); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Manifest) read(root yamldoc.Value) {
	m.Features.At = root.Place()
	m.Usual = Usual{Phase1: policy.DefaultProposal, Signature: policy.SigRSA}
	root.Fields(
		yamldoc.Required("name", &m.Name, name),
		yamldoc.Optional("vendor", &m.Vendor, words),
		yamldoc.Optional("version", &m.Version, words),
		yamldoc.Optional("notes", &m.Notes, words),
		yamldoc.Field{Name: "roles", Required: true, Read: m.readRoles},
		yamldoc.Field{Name: "features", Required: true, Read: m.Features.read},
		yamldoc.Field{Name: "lacks", Read: m.Features.readLacks},
		yamldoc.Field{Name: "phase1", Read: m.readPhase1},
		yamldoc.Field{Name: "signature", Read: m.readSignature},
		yamldoc.Optional("psk", &m.Usual.PSK, name),
		yamldoc.Optional("expected_failures", &m.Expected, expectedFailures),
		yamldoc.Optional("expected_failures_file", &m.ExpectedFile, sentence),
	)
	if root.Has("expected_failures") && m.ExpectedFile != "" {
		root.Problem("what is expected stands in the manifest or in a file of its own, not in both")
	}
	for _, r := range m.Roles() {
		r.Device, r.Usual = m.Name, m.Usual
	}
}

func (m *Manifest) readRoles(v yamldoc.Value) {
	v.Fields(
		yamldoc.Optional("KS", &m.KS, func(v yamldoc.Value) *Role { return role(v, rule.KS) }),
		yamldoc.Optional("GM", &m.GM, func(v yamldoc.Value) *Role { return role(v, rule.GM) }),
	)
	if !v.Has(rule.KS.String()) && !v.Has(rule.GM.String()) {
		v.Problem("no role is described; known are KS, GM")
	}
}

// role reads one role. What says where to find things of a process is needed only if there is one.
func role(v yamldoc.Value, is rule.Role) *Role {
	r := &Role{At: v.Place(), Is: is}
	isProcess, isDriven, isRouter := v.Has("process") || v.Has("container"), v.Has("driver"), v.Has("router")
	v.Fields(
		yamldoc.Field{Name: "core", Read: func(v yamldoc.Value) { r.Starts = append(r.Starts, coreOf(v, is)) }},
		yamldoc.Field{Name: "process", Read: func(v yamldoc.Value) { r.Starts = append(r.Starts, process(v)) }},
		yamldoc.Field{Name: "container", Read: func(v yamldoc.Value) { r.Starts = append(r.Starts, container(v)) }},
		yamldoc.Field{Name: "driver", Read: func(v yamldoc.Value) { r.Starts = append(r.Starts, driverOf(v)) }},
		yamldoc.Field{Name: "router", Read: func(v yamldoc.Value) { r.Starts = append(r.Starts, routerOf(v, r)) }},
		yamldoc.Optional("syslog", &r.Syslog, func(v yamldoc.Value) *Syslog { return log(v, isProcess, isRouter) }),
		yamldoc.Optional("control", &r.Control, func(v yamldoc.Value) *Control { return controlOf(v, is, isProcess) }),
		yamldoc.Optional("keylog", &r.KeyLog, func(v yamldoc.Value) *KeyLog { return keyLog(v, isProcess) }),
		yamldoc.Optional("console", &r.Console, func(v yamldoc.Value) *Console { return consoleOf(v, isProcess) }),
		yamldoc.Optional("snmp", &r.SNMP, func(v yamldoc.Value) *SNMP { return snmp(v, isProcess || isDriven || isRouter) }),
	)
	if isDriven {
		r.driven(v)
	} else if r.Syslog != nil && r.Syslog.Events.Named {
		v.Problem("events come from the driver, and there is none")
	}
	if !isProcess && !isDriven && !isRouter && !v.Has("core") {
		v.Problem("nothing says how the device starts; name a core, or describe a process, a container, a driver or a router")
	}
	if v.Has("process") && v.Has("container") {
		v.Problem("a device is a process or a container; for both there are two manifests")
	}
	if isRouter {
		alone(v)
	}
	return r
}

// alone has a problem be that a router is something else beside, or is asked in another way.
func alone(v yamldoc.Value) {
	for _, other := range []string{"process", "container", "driver", "core", "control", "keylog"} {
		if v.Has(other) {
			v.Problem("a router has no %s", other)
		}
	}
}

func (f *Features) read(v yamldoc.Value) {
	f.At, f.has = v.Place(), make(map[string]bool)
	v.Items(func(_ int, item yamldoc.Value) {
		pattern, ok := item.Text()
		if !ok {
			return
		}
		found, err := matching(pattern)
		if err != nil {
			item.Problem("%v", err)
			return
		}
		for _, name := range found {
			f.has[name] = true
		}
	})
}

func (f *Features) readLacks(v yamldoc.Value) {
	f.lacks = make(map[string]Lack)
	v.Items(func(_ int, item yamldoc.Value) {
		l := Lack{At: item.Place()}
		item.Fields(yamldoc.Required("feature", &l.Feature, words), yamldoc.Required("why", &l.Why, sentence))
		if l.Feature == "" {
			return
		}
		found, err := matching(l.Feature)
		if err != nil {
			item.Problem("%v", err)
		}
		for _, name := range found {
			f.lacks[name] = l
		}
	})
}

// readPhase1 comes behind the features, of which it must not ask for others.
func (m *Manifest) readPhase1(v yamldoc.Value) {
	text, ok := v.Text()
	if !ok {
		return
	}
	p, err := policy.ParseProposal(text)
	switch {
	case err != nil:
		v.Problem("%v", err)
		return
	case p.Authentication.Signs():
		v.Problem("%s needs certificates; specs that do not ask for them use pre-shared keys", p.Authentication)
	}
	var asked demands
	asked.proposal(p)
	m.want(v, asked...)
	m.Usual.Phase1 = p
}

// usualSignatures are those that need no other hash than the usual one.
var usualSignatures = yamldoc.Names[policy.SigAlgorithm]{{Name: "rsa", Value: policy.SigRSA}, {Name: "ecdsa-256", Value: policy.SigECDSA256}}

func (m *Manifest) readSignature(v yamldoc.Value) {
	if a := usualSignatures.Read(v); a != 0 {
		m.want(v, signatures[a])
		m.Usual.Signature = a
	}
}

// want has a problem be that the device lacks a feature which a field presumes.
func (m *Manifest) want(v yamldoc.Value, features ...string) {
	for _, feature := range features {
		if lacks := m.LacksFeature(feature); lacks != "" {
			v.Problem("%s", lacks)
		}
	}
}

func words(v yamldoc.Value) string {
	s, _ := v.Text()
	return s
}

// sentence is a text that says something.
func sentence(v yamldoc.Value) string {
	s, ok := v.Text()
	if ok && strings.TrimSpace(s) == "" {
		v.Problem("an empty text says nothing")
	}
	return s
}

// longestName bounds a manifest's name, which stands in reports and on command lines.
const longestName = 48

func name(v yamldoc.Value) string {
	s, ok := v.Text()
	strange := strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	if ok && (s == "" || len(s) > longestName || strange) {
		v.Problem("%q is no name; it must have 1 to %d printable ASCII characters without spaces", s, longestName)
	}
	return s
}

// moment bounds the waiting times of a manifest.
func moment(v yamldoc.Value) time.Duration { return v.Duration(time.Millisecond, 10*time.Minute) }
