package peer

import (
	"fmt"
	"strings"

	"github.com/gdoilab/gdoilab/harness/catalog"
)

// Feature is a word for something that a device may be able to do as part of its protocol.
type Feature struct{ Name, Doc string }

// Vocabulary has every feature; docs/peers.md shows it. A word that is not here is an error in a manifest and in a spec.
var Vocabulary = []Feature{
	{"unicast", "rekey messages by unicast to each member (RFC 6407 §4)"},
	{"multicast", "rekey messages to a multicast group (RFC 6407 §4)"},
	{"no-rekey", "groups without rekey, whose members register again (RFC 6407 §5.2)"},
	{"ack", "acknowledgements of rekey messages (RFC 8263)"},
	{"ack-multicast", "acknowledgements of rekey messages that come by multicast (RFC 8263 §3)"},
	{"lkh", "exclusion of a member by a hierarchy of keys (RFC 6407 §5.6.3)"},
	{"lkh-parts", "updates of a hierarchy of keys in several rekey messages (RFC 6407 §4)"},
	{"backward-access-control", "nothing from before for a member that joins a group (RFC 6407 §7.4.2)"},
	{"gap", "activation and deactivation delays (RFC 6407 §5.4.1)"},
	{"early-rollover", "a member that sends under the SA of a rekey once it has it, where no delay is said (RFC 5374 §4.2.1)"},
	{"delete", "deletion of SAs by a rekey message (RFC 6407 §5.9)"},
	{"group-oid", "groups that an object identifier names (RFC 8052 §2.1)"},
	{"ah", "AH in tunnel and transport mode, with the integrity algorithms of ESP (RFC 4302)"},
	{"iec61850", "keys of IEC 61850, for devices that protect their own messages (RFC 8052 §2.2)"},
	{"several-sas", "several Data-Security SAs in a group"},
	{"several-groups", "several groups on a key server"},
	{"access-lists", "policy as ordered lists of what is protected and what stays in clear, of a key server and of its members"},
	{"profile:getvpn", "the rules of Cisco GET VPN where RFC 6407 leaves them to the vendor"},
	{"joins", "a member joins multicast streams by hand, on the interface that it is told"},
	{"vrfs", "GET VPN: a member in a VRF, or several in VRFs of their own"},
	{"ipsec-flows", "GET VPN: a limit of the SAs that a member has room for"},
	{"interfaces", "GET VPN: a key server with further interfaces, at which nobody may register"},
	{"null-routes", "GET VPN: a key server with routes that lead nowhere"},
	{"crypto-engine", "GET VPN: a key server whose hardware can be overloaded by registrations while it signs a rekey"},
	{"tell-missed", "GET VPN: a member that tells of rekeys which have not come, as devices are said not to"},
	{"tbar", "time-based anti-replay of GET VPN, by a pseudotime in packets"},
	{"track", "a tracked object that says whether a member has a key (GET VPN)"},
	{"track-hook", "a command of the machine's shell that such an object runs at each change (GET VPN)"},
	{"client-limits", "a member's own lists of the ciphers, hashes and transforms that it takes (GET VPN)"},
	{"packet-rate", "advice against SAs whose sequence numbers end before they do, at a rate of packets that is configured (GET VPN)"},
	{"kek-end:new", "a KEK that is replaced before it ends, and by members not used beyond its end (GET VPN, new behaviour)"},
	{"kek-end:old", "a KEK that is replaced as it ends, and kept by members until another comes (GET VPN, old behaviour)"},
	{"reminders", "rekeys that are repeated until they are acknowledged or the next one is due (GET VPN)"},
	{"several-memberships", "a member in several groups at once"},
	{"authorisation", "a member's own list of the flows that it takes policy for (RFC 5374 §4.1.3.5)"},
	{"on-demand", "a member that registers when a packet of its hosts is to be protected (RFC 5374 §4.1.1)"},
	{"own-policy", "a member's own list of flows that pass in clear or not at all, by direction (RFC 5374 §4.1.1)"},
	{"fail-open", "clear traffic while a member has no SA"},
	{"closed-start", "nothing of what is the group's in clear, in either direction, before a member has registered (RFC 4301 §4.4.1)"},
	{"receive-only", "GET VPN: SAs for receiving only, of a group that has yet to be rolled out"},
	{"passive", "GET VPN: a member that sends in ESP and takes clear traffic too"},
	{"fail-close", "GET VPN: a list of what passes in clear before a member has registered, and again after it has lost its key servers"},
	{"authorization", "GET VPN: lists of addresses and of identities that may register, each for its kind"},
	{"replay-window", "a window against repeated packets (RFC 4303 §3.4.3)"},
	{"no-window", "no window against repeated packets where nobody says one, as for an SA with several senders (RFC 4303 §3.4.3)"},
	{"nat-traversal", "registration through a NAT, on port 4500 (RFC 3947)"},
	{"ipv6", "key management and traffic over IPv6"},
	{"tunnel-mode", "ESP in tunnel mode with address preservation (RFC 6407 §5.5.1.1.1)"},
	{"transport-mode", "ESP in transport mode"},
	{"udp-encapsulation", "ESP in UDP, on port 4500 (RFC 3948)"},
	{"direction", "SAs for one direction only (RFC 6407 §5.5.1.1.2)"},
	{"esn", "extended sequence numbers (RFC 4303 §2.2.1)"},
	{"tfc", "dummy packets and padding against traffic analysis (RFC 4303 §2.6, §2.7)"},
	{"esn-resync", "bounds of the search for the upper half of extended sequence numbers, after a loss of 2^32 packets (RFC 4303 appendix A3)"},
	{"fragmentation", "fragments before and after encryption (RFC 4301 §7)"},

	{"sid-range", "a key server's own share of the Sender-IDs, beside other key servers of the group (RFC 6054 §4)"},
	{"sid:8", "sender IDs of 8 bits (RFC 6054)"},
	{"sid:12", "sender IDs of 12 bits (RFC 6054)"},
	{"sid:16", "sender IDs of 16 bits (RFC 6054)"},

	{"esp:aes-gcm-8", "ESP with AES-GCM, ICV of 8 octets (RFC 4106)"},
	{"esp:aes-gcm-12", "ESP with AES-GCM, ICV of 12 octets (RFC 4106)"},
	{"esp:aes-gcm-16", "ESP with AES-GCM, ICV of 16 octets (RFC 4106)"},
	{"esp:aes-gmac", "ESP with AES-GMAC, integrity only (RFC 4543)"},
	{"esp:aes-cbc", "ESP with AES-CBC (RFC 3602)"},
	{"esp:3des", "ESP with 3DES-CBC (RFC 2451)"},
	{"esp:null", "ESP without encryption (RFC 2410)"},
	{"esp:key-128", "ESP with keys of 128 bits"},
	{"esp:key-192", "ESP with keys of 192 bits"},
	{"esp:key-256", "ESP with keys of 256 bits"},
	{"esp:hmac-sha1", "ESP with HMAC-SHA-1-96 (RFC 2404)"},
	{"esp:hmac-sha256", "ESP with HMAC-SHA-256-128 (RFC 4868)"},
	{"esp:hmac-sha384", "ESP with HMAC-SHA-384-192 (RFC 4868)"},
	{"esp:hmac-sha512", "ESP with HMAC-SHA-512-256 (RFC 4868)"},

	{"kek:3des", "rekey messages in 3DES-CBC (RFC 6407 §5.3.2)"},
	{"kek:aes-128", "rekey messages in AES-CBC with keys of 128 bits (RFC 6407 §5.3.2)"},
	{"kek:aes-192", "rekey messages in AES-CBC with keys of 192 bits (RFC 6407 §5.3.2)"},
	{"kek:aes-256", "rekey messages in AES-CBC with keys of 256 bits (RFC 6407 §5.3.2)"},
	{"sig:rsa", "rekey messages signed with RSA (RFC 6407 §5.3.6)"},
	{"sig:ecdsa-256", "rekey messages signed with ECDSA on P-256 (RFC 6407 §5.3.6)"},
	{"sig:ecdsa-384", "rekey messages signed with ECDSA on P-384 (RFC 6407 §5.3.6)"},
	{"sig:ecdsa-521", "rekey messages signed with ECDSA on P-521 (RFC 6407 §5.3.6)"},
	{"sig:bare-hash", "RSA signatures of the digest alone, without DigestInfo"},
	{"sig:sha1", "signatures over SHA-1 (RFC 6407 §5.3.5)"},
	{"sig:sha256", "signatures over SHA-256 (RFC 6407 §5.3.5)"},
	{"sig:sha384", "signatures over SHA-384 (RFC 6407 §5.3.5)"},
	{"sig:sha512", "signatures over SHA-512 (RFC 6407 §5.3.5)"},

	{"compat:any-situation", "Phase 1 in the DOI of GDOI or of IPsec, in situation 0 or 1, for old daemons"},
	{"compat:transforms-from-zero", "transforms of Phase 1 that are numbered from 0, for old daemons"},
	{"compat:zero-attributes", "Address Preservation and SA Direction of the value 0 for none, for old daemons"},

	{"aggressive", "Phase 1 in Aggressive Mode (RFC 2409 §5.4)"},
	{"dpd", "detection of dead peers in Phase 1 (RFC 3706)"},
	{"phase1:3des", "Phase 1 in 3DES-CBC (RFC 2409 appendix A)"},
	{"phase1:aes-128", "Phase 1 in AES-CBC with keys of 128 bits (RFC 3602)"},
	{"phase1:aes-192", "Phase 1 in AES-CBC with keys of 192 bits (RFC 3602)"},
	{"phase1:aes-256", "Phase 1 in AES-CBC with keys of 256 bits (RFC 3602)"},
	{"phase1:md5", "Phase 1 with MD5 (RFC 2409 appendix A)"},
	{"phase1:sha1", "Phase 1 with SHA-1 (RFC 2409 appendix A)"},
	{"phase1:sha256", "Phase 1 with SHA-256 (RFC 4868)"},
	{"phase1:sha384", "Phase 1 with SHA-384 (RFC 4868)"},
	{"phase1:sha512", "Phase 1 with SHA-512 (RFC 4868)"},
	{"phase1:modp768", "Diffie-Hellman group 1 (RFC 2409 §6.1)"},
	{"phase1:modp1024", "Diffie-Hellman group 2 (RFC 2409 §6.2)"},
	{"phase1:modp1536", "Diffie-Hellman group 5 (RFC 3526)"},
	{"phase1:modp2048", "Diffie-Hellman group 14 (RFC 3526)"},
	{"phase1:modp3072", "Diffie-Hellman group 15 (RFC 3526)"},
	{"phase1:modp4096", "Diffie-Hellman group 16 (RFC 3526)"},
	{"phase1:ecp256", "Diffie-Hellman group 19 (RFC 5903)"},
	{"phase1:ecp384", "Diffie-Hellman group 20 (RFC 5903)"},
	{"phase1:ecp521", "Diffie-Hellman group 21 (RFC 5903)"},
	{"phase1:rsa", "Phase 1 with RSA signatures and certificates (RFC 2409 §5.1)"},
	{"phase1:ecdsa256", "Phase 1 with ECDSA signatures on P-256 and certificates (RFC 4754)"},
	{"phase1:ecdsa384", "Phase 1 with ECDSA signatures on P-384 and certificates (RFC 4754)"},
	{"phase1:ecdsa521", "Phase 1 with ECDSA signatures on P-521 and certificates (RFC 4754)"},
	{"identities", "identities of Phase 1 other than addresses, and those that are expected of peers (RFC 2407 §4.6.2)"},
	{"named-members", "members of a group by such identities or by parts of their certificates' subjects (RFC 6407 §3.1)"},
}

var inVocabulary = func() map[string]bool {
	known := make(map[string]bool)
	for _, f := range Vocabulary {
		known[f.Name] = true
	}
	return known
}()

// every ends a pattern that stands for all features that begin so.
const every = "*"

// FeatureNames lists the vocabulary's words.
func FeatureNames() []string {
	names := make([]string, len(Vocabulary))
	for i, f := range Vocabulary {
		names[i] = f.Name
	}
	return names
}

// CheckFeature returns an error that says what may have been meant, if there is no such feature.
func CheckFeature(name string) error {
	if inVocabulary[name] {
		return nil
	}
	names := FeatureNames()
	if near := catalog.Nearest(name, names); len(near) > 0 {
		return fmt.Errorf("there is no feature %q; did you mean %s?", name, strings.Join(near, ", "))
	}
	return fmt.Errorf("there is no feature %q; docs/peers.md lists them", name)
}

// Features are those that a manifest declares.
type Features struct {
	At    string
	has   map[string]bool
	lacks map[string]Lack
}

// Lack is a feature that a manifest declares to be missing though its list would have it.
type Lack struct{ At, Feature, Why string }

// matching returns the features that a name or pattern stands for.
func matching(pattern string) ([]string, error) {
	prefix, isPattern := strings.CutSuffix(pattern, every)
	if !isPattern {
		return []string{pattern}, CheckFeature(pattern)
	}
	var found []string
	for _, name := range FeatureNames() {
		if strings.HasPrefix(name, prefix) {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no feature begins with %q; docs/peers.md lists them", prefix)
	}
	return found, nil
}

// LacksFeature returns the declaration by which the device lacks a feature, or "" if it has it.
func (m *Manifest) LacksFeature(name string) string {
	if m.parts != nil {
		return m.lacksInPair(name)
	}
	if l, ok := m.Features.lacks[name]; ok {
		return fmt.Sprintf("%s lacks the feature %s: %s (%s)", m.Name, name, l.Why, l.At)
	}
	if !m.Features.has[name] {
		return fmt.Sprintf("%s does not declare the feature %s (%s)", m.Name, name, m.Features.At)
	}
	return ""
}
