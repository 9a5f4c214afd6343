package policy

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// The names of the algorithms of IEC 61850 in configuration files.
var (
	iecAuthentications = iecAuthNames()
	iecEncryptions     = iecEncryptNames()
)

func iecAuthNames() (names yamldoc.Names[IECAuthentication]) {
	for _, f := range iecAuthForms {
		names = append(names, struct {
			Name  string
			Value IECAuthentication
		}{f.name, f.algorithm})
	}
	return names
}

func iecEncryptNames() (names yamldoc.Names[IECEncryption]) {
	for _, f := range iecEncryptForms {
		names = append(names, struct {
			Name  string
			Value IECEncryption
		}{f.name, f.algorithm})
	}
	return names
}

// maxArcs keeps an object identifier within the 255 octets that its length can say: none of its numbers needs more than five.
const maxArcs = 48

// Check says why the name is none that a message can carry: no object identifier, or too many octets beside it.
func (n OIDName) Check() error {
	arcs := strings.Split(n.OID, ".")
	if len(arcs) < 2 || len(arcs) > maxArcs {
		return fmt.Errorf("%q is no object identifier; write one such as 1.2.840.10070.61850.8.1.2", n.OID)
	}
	var first uint64
	for i, arc := range arcs {
		number, err := strconv.ParseUint(arc, 10, 31)
		outside := i == 0 && number > 2 || i == 1 && first < 2 && number > 39 || i == 1 && number > math.MaxInt32-80
		if err != nil || outside || arc != strconv.FormatUint(number, 10) {
			return fmt.Errorf("%q is no object identifier: %s cannot be its number %d", n.OID, arc, i+1)
		}
		if i == 0 {
			first = number
		}
	}
	if len(n.Payload) > maxOIDPayload {
		return fmt.Errorf("%d octets with an object identifier; there may be %d", len(n.Payload), maxOIDPayload)
	}
	return nil
}

// maxOIDPayload leaves room for the rest of a payload.
const maxOIDPayload = 1024

// oidName reads the name of a group.
func oidName(v yamldoc.Value) OIDName {
	var n OIDName
	if v.Fields(oidFields(&n)...) {
		checkOID(v, n)
	}
	return n
}

func oidFields(n *OIDName) []yamldoc.Field {
	text := func(v yamldoc.Value) string { s, _ := v.Text(); return s }
	return []yamldoc.Field{yamldoc.Required("oid", &n.OID, text), yamldoc.Optional("payload", &n.Payload, hexOctets)}
}

func checkOID(v yamldoc.Value, n OIDName) {
	if err := n.Check(); n.OID != "" && err != nil {
		v.Problem("%v", err)
	}
}

func hexOctets(v yamldoc.Value) string {
	s, ok := v.Text()
	if !ok {
		return ""
	}
	octets, err := hex.DecodeString(s)
	if err != nil {
		v.Problem("%s is not hexadecimal; write two digits for each octet", brief(s))
	}
	return string(octets)
}

// iecPolicy reads an SA of IEC 61850: its traffic, its algorithms and how it is handled.
func iecPolicy(v yamldoc.Value) SAPolicy {
	var s SAPolicy
	v.Fields(
		yamldoc.Required("iec61850", &s, iecBody),
		yamldoc.Optional("lifetime", &s.Lifetime, seconds(1, maxLifetime)),
	)
	return s
}

func iecBody(v yamldoc.Value) SAPolicy {
	s := SAPolicy{Transform: Transform{Protocol: ProtocolIEC61850}}
	delay := func(v yamldoc.Value) *time.Duration { return new(v.Seconds(0, maxActivation)) }
	percent := func(v yamldoc.Value) *int { return new(int(v.Uint(0, 100))) }
	fields := append(oidFields(&s.Selector.Traffic),
		yamldoc.Optional("authentication", &s.Transform.Authentication, iecAuthentications.Read),
		yamldoc.Optional("encryption", &s.Transform.Encryption, iecEncryptions.Read),
		yamldoc.Optional("atd", &s.Handling.ATD, delay),
		yamldoc.Optional("key_assurance", &s.Handling.KDA, percent),
	)
	if !v.Fields(fields...) {
		return s
	}
	checkOID(v, s.Selector.Traffic)
	if err := s.Transform.Check(); err != nil {
		v.Problem("%v", err)
	}
	return s
}
