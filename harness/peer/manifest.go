package peer

import (
	"fmt"
	"regexp"
	"syscall"
	"time"

	"github.com/gdoilab/gdoilab/reference/cores"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// Manifest describes a device.
type Manifest struct {
	File     string // as it was named
	Digest   string // SHA-256 of the file, in hexadecimal
	Name     string
	Vendor   string
	Version  string
	Notes    string
	KS, GM   *Role // nil: the device does not play it
	Features Features
	Usual    Usual
	Expected []Expected // also those of ExpectedFile, once it was loaded

	ExpectedFile string // that holds them instead of the manifest, beside it

	parts map[rule.Role]*Manifest // of a Pair
}

// Usual is what specs use that are not about it.
type Usual struct {
	Phase1    policy.Proposal
	Signature policy.SigAlgorithm // of rekeys: RSA with 2048 bits, or ECDSA-256
	PSK       string              // the pre-shared key; "": one with blanks
}

// Role is the device in one of its roles.
type Role struct {
	At      string // place in the manifest
	Here    string // the manifest's folder; "" if it is built in
	Device  string // the manifest's name
	Usual   Usual
	Is      rule.Role
	Starts  []Start // at most one of a kind
	Syslog  *Syslog // nil: nobody sees its log
	Control *Control
	KeyLog  *KeyLog
	SNMP    *SNMP
	Console *Console
}

// Start is a way to bring a device up: Core, *Process, *Container or *Router.
type Start interface{ start() }

// Core is an implementation that is linked into this program.
type Core struct {
	Name string
	cores.Maker
}

// Process is a program in a network namespace of its own.
type Process struct {
	At          string
	Command     []Text // the program, then its arguments
	MutantArgs  []Text // for each altered guard; none: it cannot be altered
	Environment []Text // NAME=value
	Directory   Text   // nothing: the device's own folder
	Files       []FileText
	Ready       Ready
	Stop        Stop
}

func (Core) start()     {}
func (*Process) start() {}

// FileText is a file that is written before a process starts. A path that is not absolute is below the device's folder.
type FileText struct {
	Path    Text
	Mode    uint32
	Content Text
}

// Ready tells when a process is up: exactly one of File, Line and Port is set.
type Ready struct {
	File   Text           // it exists
	Line   *regexp.Regexp // a line of standard output, standard error or its log matches
	Port   Port           // somebody listens there
	Within time.Duration
}

// Port is a port in the device's namespace.
type Port struct {
	Protocol string // udp or tcp
	Number   uint16
}

// Stop says how a process is ended; after Within it is killed, which is an error.
type Stop struct {
	Signal syscall.Signal
	Within time.Duration
}

// Source is where a device's log comes from.
type Source string

// The sources. From SourceUDP and SourceTCP the harness receives in the device's own namespace.
const (
	SourceStderr Source = "stderr"
	SourceStdout Source = "stdout"
	SourceFile   Source = "file"
	SourceUDP    Source = "udp"
	SourceTCP    Source = "tcp"
)

// Syslog is a device's log and how to read it.
type Syslog struct {
	At     string
	From   Source
	File   Text  // of SourceFile
	Listen Given // of a router's log: an address of this machine, with a port
	Events Events
}

// Control is how a device is asked and told: the JSON protocol of package control.
type Control struct {
	At       string
	Unix     Text // path of the socket
	Commands []string
}

// KeyLog is a file of key material in the form of package keylog.
type KeyLog struct {
	At   string
	File Text
}

// SNMP is where a device answers SNMPv2c, and to which community, or SNMPv3, and to which user.
type SNMP struct {
	At        string
	Address   Text // with a port, in the device's own namespace; of a router, as this machine reaches it
	Community Text
	User      *SNMPUser // nil: SNMPv2c
}

// SNMPUser is a user of SNMPv3, whose messages are authenticated and encrypted, in AES-128 (RFC 3826).
type SNMPUser struct {
	Name              Text
	Hash              policy.SNMPHash
	Password, Privacy Given
}

// Role returns the device in that role, nil if it does not play it.
func (m *Manifest) Role(r rule.Role) *Role {
	switch r {
	case rule.KS:
		return m.KS
	case rule.GM:
		return m.GM
	}
	return nil
}

// Roles lists the roles that the device plays.
func (m *Manifest) Roles() []*Role {
	var roles []*Role
	for _, r := range []*Role{m.KS, m.GM} {
		if r != nil {
			roles = append(roles, r)
		}
	}
	return roles
}

// Lacks returns why the device cannot be tested in that role, or in both, and "" if it can.
func (m *Manifest) Lacks(r rule.Role) string {
	for _, one := range []rule.Role{rule.KS, rule.GM} {
		if (r == one || r == rule.Both) && m.Role(one) == nil {
			return fmt.Sprintf("%s does not play the role %s (%s)", m.Name, one, m.File)
		}
	}
	return ""
}

// Core returns the implementation in this program that the device is, if it is one.
func (r *Role) Core() (Core, bool) {
	for _, s := range r.Starts {
		if c, ok := s.(Core); ok {
			return c, true
		}
	}
	return Core{}, false
}

// Process returns the program that the device is, in a container or not, and nil if it is none.
func (r *Role) Process() *Process {
	for _, s := range r.Starts {
		switch s := s.(type) {
		case *Process:
			return s
		case *Container:
			return &s.Process
		}
	}
	return nil
}
