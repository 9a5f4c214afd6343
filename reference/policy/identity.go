package policy

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// IdentityKind is what an identity of Phase 1 is (RFC 2407 §4.6.2.1).
type IdentityKind uint8

// The kinds of identities. IdentitySubject is none that a peer claims: it stands for all whose certificates have these parts in
// their subjects.
const (
	IdentityNone IdentityKind = iota
	IdentityAddress
	IdentityFQDN
	IdentityUserFQDN
	IdentityDN
	IdentityKeyID
	IdentitySubject
)

// Identity is who a node says it is in Phase 1. Its zero value is nobody.
type Identity struct {
	Kind  IdentityKind
	Value string // the address or name as text, the octets of a key ID; of names in DER what RFC 2253 writes
}

// Peer is what Phase 1 has proven of a peer.
type Peer struct {
	Identity Identity
	Subject  []string // of its certificate, part by part: "OU=Routers"
}

// identityKinds are the words before the colon of an identity in a configuration file.
var identityKinds = []struct {
	word string
	kind IdentityKind
}{
	{"address", IdentityAddress}, {"fqdn", IdentityFQDN}, {"user-fqdn", IdentityUserFQDN}, {"dn", IdentityDN}, {"key-id", IdentityKeyID},
	{"subject", IdentitySubject},
}

// String returns the words of a configuration file: "fqdn:gm1.example".
func (i Identity) String() string {
	for _, k := range identityKinds {
		if k.kind == i.Kind {
			if i.Kind == IdentityKeyID {
				return k.word + ":" + pskText([]byte(i.Value))
			}
			return k.word + ":" + i.Value
		}
	}
	return "no identity"
}

// AddressIdentity is that of a peer which says its address.
func AddressIdentity(a netip.Addr) Identity {
	if !a.IsValid() {
		return Identity{}
	}
	return Identity{IdentityAddress, a.Unmap().String()}
}

// Folded is the identity in the one form that all who are the same have. Names of hosts have no case (RFC 4343).
func (i Identity) Folded() Identity {
	if i.Kind == IdentityFQDN || i.Kind == IdentityUserFQDN {
		i.Value = strings.ToLower(i.Value)
	}
	return i
}

// Brief is the identity for a list of members: an address alone, others with their kind.
func (i Identity) Brief() string {
	if i.Kind == IdentityAddress {
		return i.Value
	}
	return i.String()
}

// Same reports whether two identities are one.
func (i Identity) Same(other Identity) bool { return i.Folded() == other.Folded() }

// Admits reports whether a peer is one of those that the identity stands for.
func (i Identity) Admits(p Peer) bool {
	if i.Kind != IdentitySubject {
		return i.Kind != IdentityNone && i.Same(p.Identity)
	}
	for part := range strings.SplitSeq(i.Value, ",") {
		if !slices.Contains(p.Subject, part) {
			return false
		}
	}
	return i.Value != ""
}

// isIdentity reports whether a text begins as an identity does.
func isIdentity(s string) bool {
	for _, k := range identityKinds {
		if strings.HasPrefix(s, k.word+":") {
			return true
		}
	}
	return false
}

// ParseIdentity reads the words of a configuration file.
func ParseIdentity(s string) (Identity, error) {
	word, value, _ := strings.Cut(s, ":")
	for _, k := range identityKinds {
		if k.word == word {
			return identityOf(k.kind, value)
		}
	}
	return Identity{}, fmt.Errorf("%s is no identity; write one such as fqdn:gm1.example, user-fqdn:gm1@example, dn:CN=gm1,O=example, "+
		"key-id:gm1 or address:192.0.2.1", brief(s))
}

func identityOf(kind IdentityKind, value string) (Identity, error) {
	switch kind {
	case IdentityAddress:
		a, err := netip.ParseAddr(value)
		if err != nil || a.Zone() != "" || a.Is4In6() {
			return Identity{}, fmt.Errorf("%s is no address", brief(value))
		}
		return Identity{kind, a.String()}, nil
	case IdentityDN, IdentitySubject:
		der, err := EncodeName(value)
		return Identity{kind, DecodeName(der)}, err
	case IdentityKeyID:
		key, err := keyOctets(value)
		return Identity{kind, string(key)}, err
	}
	at := strings.Count(value, "@")
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) || kind == IdentityFQDN && at > 0 ||
		kind == IdentityUserFQDN && at != 1 {
		return Identity{}, fmt.Errorf("%s is no name of this kind", brief(value))
	}
	return Identity{kind, value}, nil
}

// nameParts are what a distinguished name may consist of here, by the short names of RFC 2253 §2.3 (RFC 5280 appendix A.1).
var nameParts = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "C": {2, 5, 4, 6}, "L": {2, 5, 4, 7}, "ST": {2, 5, 4, 8}, "O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11},
}

var errName = errors.New("is no distinguished name; write one such as CN=gm1,OU=Routers,O=example, without signs that have to be escaped")

// EncodeName is the DER of a distinguished name as RFC 2253 writes it, the last part first.
func EncodeName(text string) ([]byte, error) {
	var name pkix.RDNSequence
	for part := range strings.SplitSeq(text, ",") {
		short, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		oid := nameParts[short]
		if oid == nil || value == "" || value != strings.TrimSpace(value) || strings.ContainsAny(value, `+"\<>;#=`) {
			return nil, fmt.Errorf("%s %w", brief(text), errName)
		}
		name = append(pkix.RDNSequence{{{Type: oid, Value: value}}}, name...)
	}
	der, err := asn1.Marshal(name)
	if err != nil {
		return nil, fmt.Errorf("%s %w", brief(text), errName)
	}
	return der, nil
}

// DecodeName writes the DER of a distinguished name as RFC 2253 has it. It is empty if the octets are none.
func DecodeName(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return ""
	}
	return name.String()
}

// SubjectParts are the parts of a distinguished name in DER: "OU=Routers".
func SubjectParts(der []byte) (parts []string) {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return nil
	}
	for _, set := range name {
		for _, part := range set {
			parts = append(parts, pkix.RDNSequence{{part}}.String())
		}
	}
	return parts
}

// SameName reports whether two distinguished names in DER are one, however their texts are encoded (RFC 5280 §7.1).
func SameName(a, b []byte) bool {
	name := DecodeName(a)
	return name != "" && name == DecodeName(b)
}
