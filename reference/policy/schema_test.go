package policy

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// schemaFile is where the form of a policy is shown to those who do not read Go.
const schemaFile = "../../docs/schema/policy.schema.json"

// TestSchema holds the schema of policies against what is written. -update writes it.
func TestSchema(t *testing.T) {
	s := schemas{defs: make(map[string]any), said: make(map[string]bool)}
	doc := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://gdoilab.example/schema/policy.schema.json",
		"title":       "a policy, of a key server or of a member: a configuration of the reference, and what drivers are told (docs/peers.md)",
		"description": "durations are written as in Go (90s, 1h30m); a field that is left out stands for its default; secrets are PEM, text, or octets as hex:…",
		"oneOf":       s.either(reflect.TypeFor[keyServerDoc](), reflect.TypeFor[memberDoc]())["oneOf"],
	}
	doc["$defs"] = s.defs
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.FromSlash(schemaFile), text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.FromSlash(schemaFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text.Bytes(), want) {
		t.Errorf("%s is not what is written any more; go test ./reference/policy -run Schema -update", schemaFile)
	}
	for name := range meanings {
		if !s.said[name] {
			t.Errorf("a meaning is given for %s, which is not there", name)
		}
	}
}

type object map[string]any

// schemas makes definitions of the structures that are written.
type schemas struct {
	defs map[string]any
	said map[string]bool // meanings that were used
}

// of is the schema of a type.
func (s *schemas) of(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Struct:
		name := strings.TrimSuffix(t.Name(), "Doc")
		if _, done := s.defs[name]; !done {
			s.defs[name] = nil // it may refer to itself
			s.defs[name] = s.structure(name, t)
		}
		return object{"$ref": "#/$defs/" + name}
	case reflect.Interface, reflect.Map:
		return object{}
	}
	return object{"type": "integer"}
}

func (s *schemas) structure(name string, t reflect.Type) object {
	properties, required := object{}, []string{}
	s.fields(name, t, properties, &required)
	o := object{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func (s *schemas) fields(name string, t reflect.Type, properties object, required *[]string) {
	for f := range t.Fields() {
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if strings.Contains(options, "inline") {
			s.fields(name, f.Type, properties, required)
			continue
		}
		value := s.of(f.Type)
		if either, ok := s.alternatives(name + "." + key); ok {
			value = either
		}
		if meaning := meanings[name+"."+key]; meaning != "" {
			s.said[name+"."+key] = true
			value["description"] = meaning
		}
		properties[key] = value
		if !strings.Contains(options, "omitempty") {
			*required = append(*required, key)
		}
	}
}

// alternatives are the fields of which Go knows only that they are something.
func (s *schemas) alternatives(field string) (object, bool) {
	switch field {
	case "group.sas":
		return object{"type": "array", "items": s.either(reflect.TypeFor[saDoc](), reflect.TypeFor[iecSADoc]())}, true
	case "sa.anti_replay":
		return s.either(reflect.TypeFor[string](), reflect.TypeFor[antiReplayDoc]()), true
	}
	return nil, false
}

func (s *schemas) either(types ...reflect.Type) object {
	all := make([]object, len(types))
	for i, t := range types {
		all[i] = s.of(t)
	}
	return object{"oneOf": all}
}

// meanings say what the names do not.
var meanings = map[string]string{
	"keyServer.address":       "its own, with the port of key management",
	"keyServer.signing_key":   "of rekey messages: PEM, or the path of a file",
	"keyServer.profile":       "getvpn: the rules of Cisco GET VPN where RFC 6407 leaves them to the vendor",
	"member.address":          "its own, with the port of key management",
	"member.other_address":    "its address of the other version of IP",
	"member.key_servers":      "in the order in which they are tried",
	"member.group":            "the group's identifier",
	"member.groups":           "of a member of several groups, in place of group, authorised and sid_request",
	"member.authorised":       "the flows that it takes policy for; left out: any",
	"member.inside":           "the networks behind it, whose traffic it protects",
	"member.vrf":              "the name of the VRF that its interfaces are in; left out: the global routing table",
	"member.namespace":        "path of the network namespace that has its interfaces; left out: that of the process",
	"member.vrfs":             "further members of the device, each in a VRF of its own; the console shows all of them",
	"member.joins":            "multicast streams that it joins by hand, beside those that its groups name",
	"stream.interface":        "as the system names it",
	"stream.source":           "the only one whose datagrams it takes; left out: any",
	"member.fail_open":        "clear traffic while it has no SA",
	"member.replay_window":    "packets; 0: none",
	"member.retry_delay":      "before it begins anew after a failure",
	"member.re_register":      "before its last SA ends",
	"phase1.proposals":        "the best first",
	"phase1.mode":             "main, aggressive or either",
	"phase1.lifetime":         "of a Phase 1 SA",
	"psk.peer":                "a prefix; left out: anywhere, found by the identity",
	"psk.key":                 "text, or hex: and octets",
	"proposal.authentication": "psk if it is left out",
	"group.id":                "the group's identifier (RFC 6407 §5.1.1)",
	"group.members":           "prefixes of those who may register; left out: everybody",
	"group.sid_bits":          "of Sender-IDs, for counter modes (RFC 6054)",
	"rekey.transport":         "unicast, multicast or none",
	"rekey.address":           "of multicast: group and port",
	"rekey.kek_lifetime":      "of the Rekey SA",
	"rekey.ack":               "acknowledgements (RFC 8263): none, kek-sha256, kek-sha512, lkh-sha256, lkh-sha512",
	"rekey.management":        "lkh: members are excluded by a hierarchy of keys",
	"activation.atd":          "Activation Time Delay (RFC 6407 §5.4.1)",
	"activation.dtd":          "Deactivation Time Delay",
	"sa.source":               "of the traffic; a prefix or a range",
	"sa.destination":          "of the traffic",
	"sa.transform":            "such as aes128-gcm16 or aes256-cbc-hmac-sha256",
	"sa.mode":                 "tunnel, transport, udp-tunnel, udp-transport",
	"sa.preservation":         "the addresses that a tunnel's outer header repeats: both, source, destination, none, absent",
	"sa.direction":            "symmetric, or for one direction only",
	"sa.lifetime":             "of the Data-Security SA",
	"certificates.chain":      "PEM, its own certificate first",
	"certificates.anchors":    "PEM of the authorities that are trusted",
	"selector.protocol":       "a name, or the number of a protocol that has none; left out: any",
	"memberRekey.accept_sha1": "signatures over SHA-1 are taken too",
	"phase1.nat_traversal":    "RFC 3947",
	"phase1.dpd":              "silence after which the other side is asked whether it is alive (RFC 3706)",
	"phase1.identity":         "its own, if it is not its address",
	"member.on_demand":        "it registers when a packet of its hosts is to be protected",
	"rekey.interval":          "between the copies of a rekey message",
	"rekey.retransmit":        "how often a rekey message is sent again",
}
