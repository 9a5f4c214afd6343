package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
)

const keyServerYAML = `name: ks1
address: 10.0.0.1
signing_key: ks1.pem
phase1:
  psks:
    - peer: 10.0.0.0/24
      key: secret
groups:
  - name: red
    id: 1234
    members: [10.0.0.2]
    rekey:
      transport: unicast
    activation:
      atd: 2s
    sas:
      - source: 10.1.0.0/16
        destination: 10.1.0.0/16
        transform: aes128-gcm16
`

const memberYAML = `name: gm1
address: 10.0.0.2
key_servers: [10.0.0.1]
group: 1234
phase1:
  psks:
    - peer: 10.0.0.1
      key: secret
authorised:
  - source: 10.1.0.0/16
    destination: 10.1.0.0/16
inside: [10.1.1.0/24]
`

// severalYAML is a member of two groups, the first of which lacks a key server.
const severalYAML = `name: gm1
address: 10.0.0.2
phase1:
  psks:
    - peer: 10.0.0.1
      key: secret
groups:
  - id: 1
    authorised:
      - source: 10.1.0.0/16
        destination: 10.2.0.0/16
  - id: 2
    key_servers: [10.0.0.1]
`

// fault is a valid configuration with one text replaced, and every line that must come of it.
type fault struct {
	name, old, new string
	want           []string
}

var keyServerFaults = []fault{
	{"empty", keyServerYAML, "", []string{"ks.yaml: is empty"}},
	{"not YAML", "name: ks1", "name: [ks1", []string{"ks.yaml:2:1: not YAML: ',' or ']' must be specified"}},
	{"a list", keyServerYAML, "- a\n", []string{
		"ks.yaml:1:1: a list where a mapping is expected, with the fields name, profile, address, replay_attributes, signing_key, phase1, groups, console, snmp, log, interfaces, null_routes, crypto_engine"}},
	{"text", keyServerYAML, "hello\n", []string{
		`ks.yaml:1:1: "hello" where a mapping is expected, with the fields name, profile, address, replay_attributes, signing_key, phase1, groups, console, snmp, log, interfaces, null_routes, crypto_engine`}},
	{"two documents", "name: ks1", "name: ks1\n---\nname: ks2", []string{
		"ks.yaml:2:1: a second document begins here; a file holds only one"}},
	{"unknown field, close", "address:", "adress:", []string{
		`ks.yaml:1:1: the field "address" is missing`,
		"ks.yaml:2:1: adress: unknown field; did you mean address?"}},
	{"unknown field, far", "name: ks1", "name: ks1\ncolour: red", []string{
		"ks.yaml:2:1: colour: unknown field; known are name, profile, address, replay_attributes, signing_key, phase1, groups, console, snmp, log, interfaces, null_routes, crypto_engine"}},
	{"unknown field, inside", "transport: unicast", "transport: unicast\n      lifetime: 1h", []string{
		"ks.yaml:14:7: groups[0].rekey.lifetime: unknown field; known are transport, address, kek_lifetime, margin, retransmit, interval, ack, cipher, sig_hash, signature_form, management, updates, pseudotime_sync, backward_access_control, kek, reminders"}},
	{"LKH without a KEK", "transport: unicast", "transport: none\n      management: lkh", []string{
		`ks.yaml:13:7: groups[0].rekey: there is no KEK to manage with transport none; leave out the field "management"`}},
	{"LKH with AES-192", "transport: unicast", "transport: unicast\n      management: lkh\n      cipher: aes192-cbc", []string{
		"ks.yaml:13:7: groups[0].rekey: an IV and a key of aes192-cbc are no whole blocks, which management lkh needs"}},
	{"updates without LKH", "transport: unicast", "transport: unicast\n      updates: 4", []string{
		`ks.yaml:13:7: groups[0].rekey: only management lkh has updates; leave out the field "updates"`}},
	{"more updates than go into a message", "transport: unicast", "transport: unicast\n      management: lkh\n      updates: 49", []string{
		"ks.yaml:15:16: groups[0].rekey.updates: 49 is out of range; it must be from 1 to 48"}},
	{"backward access control without rekeys", "transport: unicast", "transport: none\n      backward_access_control: true", []string{
		`ks.yaml:13:7: groups[0].rekey: with transport none nobody can be told of new keys when a member joins; leave out the field "backward_access_control"`}},
	{"acknowledgements by LKH without it", "transport: unicast", "transport: unicast\n      ack: lkh-sha512", []string{
		"ks.yaml:13:7: groups[0].rekey: acknowledgements keyed by LKH need management lkh"}},
	{"field twice", "address: 10.0.0.1", "address: 10.0.0.1\naddress: 10.0.0.9", []string{
		"ks.yaml:3:1: address: the field is already given in line 2"}},
	{"anchor", "name: ks1", "name: &n ks1", []string{
		"ks.yaml:1:7: name: an anchor or alias (they are not read here) where text is expected"}},
	{"tag", "name: ks1", "name: !!str ks1", []string{"ks.yaml:1:7: name: a tag (they are not read here) where text is expected"}},
	{"name missing", "name: ks1\n", "", []string{`ks.yaml:1:1: the field "name" is missing`}},
	{"name empty", "name: ks1", "name:", []string{"ks.yaml:1:6: name: nothing where text is expected"}},
	{"name with space", "name: ks1", "name: ks one", []string{
		`ks.yaml:1:7: name: "ks one" is no name; it must have 1 to 48 printable ASCII characters without spaces`}},
	{"name a number", "name: ks1", "name: 7", []string{"ks.yaml:1:7: name: 7 is not text for YAML; put it in quotes"}},
	{"name a list", "name: ks1", "name: [a]", []string{"ks.yaml:1:7: name: a list where text is expected"}},
	{"bad address", "10.0.0.1\nsigning", "10.0.0.256\nsigning", []string{
		`ks.yaml:2:10: address: "10.0.0.256" is no address; write one such as 10.0.0.1, 10.0.0.1:848 or [2001:db8::1]:848`}},
	{"address mapped", "10.0.0.1\nsigning", "::ffff:10.0.0.1\nsigning", []string{
		`ks.yaml:2:10: address: "::ffff:10.0.0.1" is IPv4 in the form of IPv6; write 10.0.0.1`}},
	{"address with zone", "10.0.0.1\nsigning", "fe80::1%eth0\nsigning", []string{
		`ks.yaml:2:10: address: "fe80::1%eth0" has a zone; an address that needs one cannot be used here`}},
	{"address multicast", "10.0.0.1\nsigning", "239.1.1.1\nsigning", []string{
		"ks.yaml:2:10: address: 239.1.1.1 is not the address of a host"}},
	{"address port 0", "10.0.0.1\nsigning", "10.0.0.1:0\nsigning", []string{
		`ks.yaml:2:10: address: "10.0.0.1:0" has port 0; it must be from 1 to 65535`}},
	{"key missing", "signing_key: ks1.pem\n", "", []string{
		`ks.yaml:1:1: the field "signing_key" is missing; the rekey of groups[0] has to be signed`}},
	{"key file missing", "ks1.pem", "no.pem", []string{
		`ks.yaml:3:14: signing_key: there is no file "no.pem"; name a PEM file with an RSA or ECDSA key, relative to this file`}},
	{"key too small", "ks1.pem", "small.pem", []string{
		`ks.yaml:3:14: signing_key: "small.pem" holds an RSA key of 1024 bits; it must have at least 2048`}},
	{"key of another kind", "ks1.pem", "ed.pem", []string{
		`ks.yaml:3:14: signing_key: "ed.pem" holds a key of another kind; it must hold one of RSA, or of ECDSA over P-256, P-384 or P-521`}},
	{"key over another curve", "ks1.pem", "p224.pem", []string{
		`ks.yaml:3:14: signing_key: "p224.pem" holds a key of another kind; it must hold one of RSA, or of ECDSA over P-256, P-384 or P-521`}},
	{"hash not that of the curve", keyServerYAML, signedBy("ec.pem", "sig_hash: sha384"), []string{
		"ks.yaml:9:5: groups[0]: the rekey's sig_hash is not that of the signing key's curve; leave it out"}},
	{"form of another key", keyServerYAML, signedBy("ec.pem", "signature_form: bare-hash"), []string{
		"ks.yaml:9:5: groups[0]: the rekey's signature_form is for RSA, and the signing key is one of ECDSA; leave it out"}},
	{"cipher unknown", "transport: unicast", "transport: unicast\n      cipher: des", []string{
		`ks.yaml:14:15: groups[0].rekey.cipher: "des" is unknown; known are aes128-cbc, aes192-cbc, aes256-cbc, 3des`}},
	{"signature hash unknown", "transport: unicast", "transport: unicast\n      sig_hash: md5", []string{
		`ks.yaml:14:17: groups[0].rekey.sig_hash: "md5" is unknown; known are sha256, sha384, sha512, sha1`}},
	{"key a certificate", "ks1.pem", "cert.pem", []string{
		`ks.yaml:3:14: signing_key: "cert.pem" holds a PEM block "CERTIFICATE"; it must be PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY`}},
	{"key cut", "ks1.pem", "cut.pem", []string{
		`ks.yaml:3:14: signing_key: "cut.pem" holds a key that cannot be read: asn1: syntax error: truncated tag or length`}},
	{"key no PEM", "ks1.pem", "text.pem", []string{
		`ks.yaml:3:14: signing_key: "text.pem" holds no PEM; it must hold a private key of RSA or ECDSA (PKCS #8, PKCS #1 or SEC 1)`}},
	{"no PSK", "psks:\n    - peer: 10.0.0.0/24\n      key: secret", "psks: []", []string{
		"ks.yaml:5:9: phase1.psks: the list is empty; name at least one pre-shared key"}},
	{"PSKs missing", "psks:\n    - peer: 10.0.0.0/24\n      key: secret", "retries: 3", []string{
		`ks.yaml:5:3: phase1: the field "psks" is missing`}},
	{"PSK without key", "      key: secret\n", "", []string{`ks.yaml:6:7: phase1.psks[0]: the field "key" is missing`}},
	{"PSK empty", "key: secret", "key: ''", []string{"ks.yaml:7:12: phase1.psks[0].key: the key is empty"}},
	{"PSK a number", "key: secret", "key: 12345678", []string{
		`ks.yaml:7:12: phase1.psks[0].key: a pre-shared key is text in quotes, or hexadecimal digits after "hex:"`}},
	{"PSK bad hex", "key: secret", "key: hex:abc", []string{
		`ks.yaml:7:12: phase1.psks[0].key: after "hex:" an even number of hexadecimal digits is expected`}},
	{"PSK twice", "      key: secret", "      key: secret\n    - peer: 10.0.0.0/24\n      key: other", []string{
		"ks.yaml:8:7: phase1.psks[1]: 10.0.0.0/24 is already given at phase1.psks[0]"}},
	{"PSK of nobody", "peer: 10.0.0.0/24", "identity: address:10.0.0.1", []string{
		`ks.yaml:6:7: phase1.psks[0]: a pre-shared key has a "peer", or an "identity" that is a name`}},
	{"PSK by name in Main Mode", "      key: secret", "      key: secret\n    - identity: fqdn:gm1.example\n      key: other", []string{
		`ks.yaml:8:7: phase1.psks[1]: a pre-shared key without "peer" is found by a name, which Main Mode says too late; ` +
			`write "mode: aggressive" or, at a key server, "mode: either"`}},
	{"PSK by name twice", "      key: secret", "      key: secret\n    - identity: fqdn:gm1.example\n      key: other\n    - identity: fqdn:GM1.example\n      key: third\n  mode: either", []string{
		"ks.yaml:10:7: phase1.psks[2]: fqdn:gm1.example is already given at phase1.psks[1]"}},
	{"PSK for nobody", "peer: 10.0.0.0/24", "peer: 10.9.0.0/24", []string{
		"ks.yaml:9:5: groups[0]: the members 10.0.0.2/32 have no pre-shared key; add one for them to phase1.psks"}},
	{"no proposal", "phase1:\n", "phase1:\n  proposals: []\n", []string{
		"ks.yaml:5:14: phase1.proposals: the list is empty; name at least one proposal"}},
	{"proposal a text", "phase1:\n", "phase1:\n  proposals: [aes128-cbc]\n", []string{
		`ks.yaml:5:15: phase1.proposals[0]: "aes128-cbc" where a mapping is expected, with the fields encryption, authentication, hash, group`}},
	{"proposal without hash", "phase1:\n", "phase1:\n  proposals:\n    - {encryption: 3des, group: ecp256}\n", []string{
		`ks.yaml:6:7: phase1.proposals[0]: the field "hash" is missing`}},
	{"unknown algorithms", "phase1:\n", "phase1:\n  proposals:\n    - {encryption: des, hash: tiger, group: modp6144}\n", []string{
		`ks.yaml:6:20: phase1.proposals[0].encryption: "des" is unknown; known are aes128-cbc, aes192-cbc, aes256-cbc, 3des`,
		`ks.yaml:6:31: phase1.proposals[0].hash: "tiger" is unknown; known are sha1, sha256, sha384, sha512, md5`,
		`ks.yaml:6:45: phase1.proposals[0].group: "modp6144" is unknown; known are modp2048, modp3072, modp4096, ecp256, ecp384, ecp521, modp768, modp1024, modp1536`}},
	{"proposal twice", "phase1:\n", "phase1:\n  proposals:\n    - {encryption: 3des, hash: sha1, group: ecp256}\n    - {hash: sha1, group: ecp256, encryption: 3des}\n", []string{
		"ks.yaml:7:7: phase1.proposals[1]: 3des sha1 ecp256 is already given at phase1.proposals[0]"}},
	{"weak proposals", "phase1:\n", "phase1:\n  proposals:\n    - {encryption: 3des, hash: md5, group: ecp256}\n    - encryption: aes256-cbc\n      hash: sha512\n      group: modp1536\n", []string{
		`ks.yaml:6:32: phase1.proposals[0].hash: md5 is weak, and off unless phase1 says "allow_weak: true"`,
		`ks.yaml:9:14: phase1.proposals[1].group: modp1536 is weak, and off unless phase1 says "allow_weak: true"`}},
	{"weak proposals not allowed", "phase1:\n", "phase1:\n  allow_weak: false\n  proposals:\n    - {encryption: 3des, hash: sha1, group: modp768}\n", []string{
		`ks.yaml:7:45: phase1.proposals[0].group: modp768 is weak, and off unless phase1 says "allow_weak: true"`}},
	{"bad prefix", "peer: 10.0.0.0/24", "peer: 10.0.0.0/33", []string{
		`ks.yaml:6:13: phase1.psks[0].peer: "10.0.0.0/33" is no prefix; write one such as 10.1.0.0/16 or 2001:db8:1::/48`}},
	{"prefix with host bits", "peer: 10.0.0.0/24", "peer: 10.0.0.7/24", []string{
		`ks.yaml:6:13: phase1.psks[0].peer: "10.0.0.7/24" has bits beyond its length; write 10.0.0.0/24`}},
	{"prefix mapped", "peer: 10.0.0.0/24", "peer: ::ffff:10.0.0.0/120", []string{
		`ks.yaml:6:13: phase1.psks[0].peer: "::ffff:10.0.0.0/120" is IPv4 in the form of IPv6; write it as IPv4`}},
	{"groups empty", keyServerYAML[strings.Index(keyServerYAML, "groups:"):], "groups: []\n", []string{
		"ks.yaml:8:9: groups: the list is empty; name at least one group"}},
	{"groups a mapping", keyServerYAML[strings.Index(keyServerYAML, "groups:"):], "groups: {a: 1}\n", []string{
		"ks.yaml:8:9: groups: a mapping where a list is expected"}},
	{"group id 0", "id: 1234", "id: 0", []string{"ks.yaml:10:9: groups[0].id: 0 is out of range; it must be from 1 to 4294967295"}},
	{"group id too big", "id: 1234", "id: 4294967296", []string{
		"ks.yaml:10:9: groups[0].id: 4294967296 is out of range; it must be from 1 to 4294967295"}},
	{"group id negative", "id: 1234", "id: -1", []string{"ks.yaml:10:9: groups[0].id: -1 is out of range; it must be from 1 to 4294967295"}},
	{"group id text", "id: 1234", "id: red", []string{`ks.yaml:10:9: groups[0].id: "red" where a whole number is expected`}},
	{"group id fraction", "id: 1234", "id: 1.5", []string{`ks.yaml:10:9: groups[0].id: "1.5" where a whole number is expected`}},
	{"group twice", keyServerYAML[strings.Index(keyServerYAML, "  - name: red"):],
		strings.Repeat(keyServerYAML[strings.Index(keyServerYAML, "  - name: red"):], 2), []string{
			"ks.yaml:21:9: groups[1].id: 1234 is already given at groups[0].id"}},
	{"transport unknown", "transport: unicast", "transport: broadcast", []string{
		`ks.yaml:13:18: groups[0].rekey.transport: "broadcast" is unknown; known are unicast, multicast, none`}},
	{"transport missing", "transport: unicast", "retransmit: 1", []string{
		`ks.yaml:13:7: groups[0].rekey: the field "transport" is missing`}},
	{"multicast without address", "transport: unicast", "transport: multicast", []string{
		`ks.yaml:13:7: groups[0].rekey: the field "address" is missing; a multicast rekey needs a group address`}},
	{"multicast to a host", "transport: unicast", "transport: multicast\n      address: 10.0.0.9", []string{
		"ks.yaml:14:16: groups[0].rekey.address: 10.0.0.9 is not a multicast address; it must be within 224.0.0.0/4 or ff00::/8"}},
	{"multicast of the other version", "transport: unicast", "transport: multicast\n      address: 'ff05::1'", []string{
		"ks.yaml:9:5: groups[0]: the rekey goes to ff05::1, which is not of the same IP version as the address 10.0.0.1"}},
	{"unicast with address", "transport: unicast", "transport: unicast\n      address: 239.0.0.1", []string{
		`ks.yaml:13:7: groups[0].rekey: the field "address" is for transport multicast, not unicast`}},
	{"acknowledged nothing", "transport: unicast", "transport: none\n      ack: kek-sha256", []string{
		`ks.yaml:13:7: groups[0].rekey: nothing is acknowledged with transport none; leave out the field "ack"`}},
	{"encrypted and signed nothing", "transport: unicast", "transport: none\n      cipher: aes128-cbc\n      sig_hash: sha256\n      signature_form: bare-hash", []string{
		`ks.yaml:13:7: groups[0].rekey: with transport none there is no KEK and nothing is signed; leave out the field "cipher"`,
		`ks.yaml:13:7: groups[0].rekey: with transport none there is no KEK and nothing is signed; leave out the field "sig_hash"`,
		`ks.yaml:13:7: groups[0].rekey: with transport none there is no KEK and nothing is signed; leave out the field "signature_form"`}},
	{"half open of none", "phase1:", "phase1:\n  half_open: {total: 0, per_address: 1048577}", []string{
		"ks.yaml:5:22: phase1.half_open.total: 0 is out of range; it must be from 1 to 1048576",
		"ks.yaml:5:38: phase1.half_open.per_address: 1048577 is out of range; it must be from 1 to 1048576"}},
	{"margin too long", "transport: unicast", "transport: unicast\n      kek_lifetime: 1m\n      margin: 60s", []string{
		"ks.yaml:13:7: groups[0].rekey: the margin 60s is not shorter than the kek_lifetime 60s"}},
	{"margin longer than an SA", "transport: unicast", "transport: unicast\n      margin: 2h", []string{
		"ks.yaml:18:9: groups[0].sas[0]: the lifetime 3600s is not longer than the margin 7200s of the rekey"}},
	{"margin longer than everything", "transport: unicast", "transport: unicast\n      margin: 25h", []string{
		"ks.yaml:13:7: groups[0].rekey: the margin 90000s is not shorter than the kek_lifetime 86400s",
		"ks.yaml:18:9: groups[0].sas[0]: the lifetime 3600s is not longer than the margin 90000s of the rekey"}},
	{"nothing to hand out", keyServerYAML[strings.Index(keyServerYAML, "    rekey:"):], "    sas: []\n", []string{
		"ks.yaml:9:5: groups[0]: neither SAs nor a rekey; a group hands out one or the other"}},
	{"lifetime zero", "transport: unicast", "transport: unicast\n      kek_lifetime: 0s", []string{
		"ks.yaml:14:21: groups[0].rekey.kek_lifetime: 0s is out of range; it must be from 1s to 4294967295s"}},
	{"lifetime not whole", "transport: unicast", "transport: unicast\n      kek_lifetime: 1500ms", []string{
		"ks.yaml:14:21: groups[0].rekey.kek_lifetime: 1.5s is not a whole number of seconds"}},
	{"lifetime without unit", "transport: unicast", "transport: unicast\n      kek_lifetime: 3600", []string{
		"ks.yaml:14:21: groups[0].rekey.kek_lifetime: 3600 has no unit; for seconds write 3600s"}},
	{"ATD beyond 16 bits", "atd: 2s", "atd: 65536s", []string{
		"ks.yaml:15:12: groups[0].activation.atd: 65536s is out of range; it must be from 0s to 65535s"}},
	{"ATD not whole", "atd: 2s", "atd: 2.5s", []string{
		"ks.yaml:15:12: groups[0].activation.atd: 2.5s is not a whole number of seconds"}},
	{"ATD negative", "atd: 2s", "atd: -2s", []string{
		"ks.yaml:15:12: groups[0].activation.atd: -2s is out of range; it must be from 0s to 65535s"}},
	{"ATD no duration", "atd: 2s", "atd: soon", []string{
		`ks.yaml:15:12: groups[0].activation.atd: "soon" is no duration; write one such as 90s, 15m or 24h`}},
	{"SIDs of 9 bits", "id: 1234", "id: 1234\n    sid_bits: 9", []string{
		"ks.yaml:11:15: groups[0].sid_bits: 9 is no size of Sender-IDs; it must be 8, 12 or 16"}},
	{"SIDs beyond their bits", "id: 1234", "id: 1234\n    sid_range: {first: 5, last: 256}", []string{
		"ks.yaml:11:16: groups[0].sid_range: no Sender-IDs of 8 bits from 5 to 256; write a first one and a higher last one"}},
	{"SIDs backwards", "id: 1234", "id: 1234\n    sid_bits: 12\n    sid_range: {first: 6, last: 5}", []string{
		"ks.yaml:12:16: groups[0].sid_range: no Sender-IDs of 12 bits from 6 to 5; write a first one and a higher last one"}},
	{"transform unknown", "aes128-gcm16", "aes128", []string{
		`ks.yaml:19:20: groups[0].sas[0].transform: "aes128" is unknown; known are ` + strings.Join(transformNames(), ", ")}},
	{"ESN is no word", "aes128-gcm16", "aes128-gcm16\n        esn: 1", []string{
		`ks.yaml:20:14: groups[0].sas[0].esn: "1" where true or false is expected`}},
	{"transport mode preserves", "aes128-gcm16", "aes128-gcm16\n        mode: transport\n        preservation: both", []string{
		"ks.yaml:17:9: groups[0].sas[0]: preservation is for mode tunnel; transport mode keeps the IP header"}},
	{"transport mode in UDP preserves", "aes128-gcm16", "aes128-gcm16\n        mode: udp-transport\n        preservation: both", []string{
		"ks.yaml:17:9: groups[0].sas[0]: preservation is for mode tunnel; transport mode keeps the IP header"}},
	{"AH in UDP", "aes128-gcm16", "ah-hmac-sha256\n        mode: udp-tunnel", []string{
		"ks.yaml:17:9: groups[0].sas[0]: the modes udp-tunnel and udp-transport are for ESP; there is no AH in UDP"}},
	{"ports without protocol", "aes128-gcm16", "aes128-gcm16\n        source_port: 5000", []string{
		`ks.yaml:17:9: groups[0].sas[0]: ports need a protocol that has them; set the field "protocol" to tcp, udp or sctp`}},
	{"SA twice", "        transform: aes128-gcm16\n",
		"        transform: aes128-gcm16\n" + keyServerYAML[strings.Index(keyServerYAML, "      - source"):], []string{
			"ks.yaml:20:9: groups[0].sas[1]: 10.1.0.0/16 -> 10.1.0.0/16 is already given at groups[0].sas[0]"}},
	{"flow twice in one SA", "        transform: aes128-gcm16\n",
		"        also:\n          - {source: 10.2.0.0/16, destination: 10.1.0.0/16}\n" +
			"          - {source: 10.1.0.0/16, destination: 10.1.0.0/16}\n        transform: aes128-gcm16\n", []string{
			"ks.yaml:17:9: groups[0].sas[0]: 10.1.0.0/16 -> 10.1.0.0/16 is already given at groups[0].sas[0]"}},
	{"several at once", "address: 10.0.0.1\nsigning_key: ks1.pem", "adress: 10.0.0.1\nsigning_key: 7", []string{
		`ks.yaml:1:1: the field "address" is missing`,
		"ks.yaml:2:1: adress: unknown field; did you mean address?",
		"ks.yaml:3:14: signing_key: 7 is not text for YAML; put it in quotes"}},
}

// signedBy is the key server's configuration with another signing key and one more field in its rekey.
func signedBy(key, field string) string {
	whole := strings.Replace(keyServerYAML, "ks1.pem", key, 1)
	return strings.Replace(whole, "transport: unicast", "transport: unicast\n      "+field, 1)
}

var memberFaults = []fault{
	{"signature form unknown", "group: 1234", "group: 1234\nrekey: {signature_form: pss, accept_sha1: 1}", []string{
		`gm.yaml:5:25: rekey.signature_form: "pss" is unknown; known are digest-info, bare-hash`,
		`gm.yaml:5:43: rekey.accept_sha1: "1" where true or false is expected`}},
	{"key server by name in Main Mode", "peer: 10.0.0.1", "identity: fqdn:ks.example", []string{
		"gm.yaml:3:15: key_servers[0]: 10.0.0.1 has no pre-shared key; add one for it to phase1.psks",
		`gm.yaml:7:7: phase1.psks[0]: a pre-shared key without "peer" is found by a name, which Main Mode says too late; ` +
			`write "mode: aggressive" or, at a key server, "mode: either"`}},
	{"no key server", "[10.0.0.1]", "[]", []string{"gm.yaml:3:14: key_servers: the list is empty; name at least one key server"}},
	{"key server twice", "[10.0.0.1]", "[10.0.0.1, '10.0.0.1:848']", []string{
		"gm.yaml:3:25: key_servers[1]: 10.0.0.1:848 is already given at key_servers[0]"}},
	{"key server without PSK", "[10.0.0.1]", "[10.0.0.1, 10.0.0.9]", []string{
		"gm.yaml:3:25: key_servers[1]: 10.0.0.9 has no pre-shared key; add one for it to phase1.psks"}},
	{"key server of the other version", "[10.0.0.1]", "['2001:db8::1']", []string{
		"gm.yaml:3:15: key_servers[0]: 2001:db8::1 is not of the same IP version as the address 10.0.0.2",
		"gm.yaml:3:15: key_servers[0]: 2001:db8::1 has no pre-shared key; add one for it to phase1.psks"}},
	{"other address of the same version", "group: 1234", "group: 1234\nother_address: 10.0.0.9", []string{
		"gm.yaml:5:16: other_address: 10.0.0.9 is of the same IP version as the address 10.0.0.2"}},
	{"other address no address", "group: 1234", "group: 1234\nother_address: 10.0.0.9:848", []string{
		`gm.yaml:5:16: other_address: "10.0.0.9:848" is no address; write one such as 10.0.0.1 or 2001:db8::1`}},
	{"other address multicast", "group: 1234", "group: 1234\nother_address: ff05::1", []string{
		"gm.yaml:5:16: other_address: ff05::1 is not the address of a host"}},
	{"selector of two versions", "  - source: 10.1.0.0/16\n", "  - source: 2001:db8::/32\n", []string{
		"gm.yaml:10:5: authorised[0]: source 2001:db8::/32 and destination 10.1.0.0/16 are of different IP versions"}},
	{"group missing", "group: 1234\n", "", []string{`gm.yaml:1:1: the field "group" is missing`}},
	{"MTU too small", "group: 1234", "group: 1234\nmtu: 500", []string{"gm.yaml:5:6: mtu: 500 is out of range; it must be from 576 to 65535"}},
	{"window too small", "group: 1234", "group: 1234\nreplay_window: 31", []string{
		"gm.yaml:5:16: replay_window: 31 is too small; it must be 32 or more, or 0 for no window"}},
	{"fail_open no boolean", "group: 1234", "group: 1234\nfail_open: yes please", []string{
		`gm.yaml:5:12: fail_open: "yes please" where true or false is expected`}},
	{"authorised selector", "  - source: 10.1.0.0/16\n", "  - protocol: tpc\n", []string{
		`gm.yaml:10:5: authorised[0]: the field "source" is missing`,
		`gm.yaml:10:15: authorised[0].protocol: "tpc" is unknown; known are any, icmp, igmp, tcp, udp, icmpv6, eigrp, ospf, sctp`}},
	{"protocol too big", "  - source: 10.1.0.0/16\n", "  - source: 10.1.0.0/16\n    protocol: 256\n", []string{
		"gm.yaml:11:15: authorised[0].protocol: 256 is out of range; it must be from 0 to 255"}},
	{"inside", "[10.1.1.0/24]", "[10.1.1.1/24, 7]", []string{
		`gm.yaml:12:10: inside[0]: "10.1.1.1/24" has bits beyond its length; write 10.1.1.0/24`,
		"gm.yaml:12:23: inside[1]: 7 is not text for YAML; put it in quotes"}},
	{"joins", "group: 1234", "group: 1234\njoins:\n  - {group: 10.1.1.1, interface: e 1}\n  - {group: 239.1.1.1}\n  - {group: 239.1.1.1, interface: eth1, source: ff05::1}\n  - {group: ff05::1, interface: eth1, source: 10.1.1.1}", []string{
		"gm.yaml:6:13: joins[0].group: 10.1.1.1 is not a multicast address; it must be within 224.0.0.0/4 or ff00::/8",
		`gm.yaml:6:34: joins[0].interface: "e 1" is no name; it must have 1 to 48 printable ASCII characters without spaces`,
		`gm.yaml:7:5: joins[1]: the field "interface" is missing`,
		"gm.yaml:8:49: joins[2].source: ff05::1 is not the address of a host",
		"gm.yaml:9:5: joins[3]: source 10.1.1.1 and group ff05::1 are of different IP versions"}},
	{"DF policy", "group: 1234", "group: 1234\ndf: keep", []string{`gm.yaml:5:5: df: "keep" is unknown; known are copy, set, clear`}},
	{"fragmentation", "group: 1234", "group: 1234\nfragment: never", []string{
		`gm.yaml:5:11: fragment: "never" is unknown; known are before, after`}},
	{"DSCP too big", "group: 1234", "group: 1234\ndscp: 64", []string{"gm.yaml:5:7: dscp: 64 is out of range; it must be from 0 to 63"}},
	{"DSCP by name", "group: 1234", "group: 1234\ndscp: ef", []string{
		`gm.yaml:5:7: dscp: "ef" is no DSCP; write a number from 0 to 63, or copy`}},
	{"TTL zero", "group: 1234", "group: 1234\nttl: 0", []string{"gm.yaml:5:6: ttl: 0 is out of range; it must be from 1 to 255"}},
	{"PMTU age zero", "group: 1234", "group: 1234\npmtu_age: 0s", []string{
		"gm.yaml:5:11: pmtu_age: 0s is out of range; it must be from 1ms to 86400s"}},
	{"dummies behind nothing", "group: 1234", "group: 1234\ntfc: {pad_to: 0, dummy_after: 0}", []string{
		"gm.yaml:5:15: tfc.pad_to: 0 is out of range; it must be from 1 to 65535",
		"gm.yaml:5:31: tfc.dummy_after: 0 is out of range; it must be from 1 to 1000000"}},
	{"on demand and open", "group: 1234", "group: 1234\nfail_open: true\non_demand: true", []string{
		"gm.yaml:6:12: on_demand: no packet asks for a registration where fail_open lets it pass in clear; take one of them out"}},
	{"range backwards", "source: 10.1.0.0/16\n    destination: 10.1.0.0/16", "source: 10.0.0.9-10.0.0.1\n    destination: 10.0.0.1-2001:db8::1", []string{
		`gm.yaml:10:13: authorised[0].source: "10.0.0.9-10.0.0.1" is no range of addresses; write one such as 10.0.0.1-10.0.0.9 or 2001:db8::1-2001:db8::9`,
		`gm.yaml:11:18: authorised[0].destination: "10.0.0.1-2001:db8::1" is no range of addresses; write one such as 10.0.0.1-10.0.0.9 or 2001:db8::1-2001:db8::9`}},
	{"ranges of two versions", "destination: 10.1.0.0/16", "destination: ::1-::9\n    source_port: 5", []string{
		"gm.yaml:10:5: authorised[0]: source 10.1.0.0/16 and destination ::1-::9 are of different IP versions",
		`gm.yaml:10:5: authorised[0]: ports need a protocol that has them; set the field "protocol" to tcp, udp or sctp`}},
	{"own policy without an action", "group: 1234", "group: 1234\nown_policy:\n  - {source: 10.0.0.0/8, destination: 0.0.0.0/0, direction: up}", []string{
		`gm.yaml:6:5: own_policy[0]: the field "action" is missing`,
		"gm.yaml:6:61: own_policy[0].direction: \"up\" is unknown; known are absent, symmetric, sender-only, receiver-only"}},
	{"own policy between versions", "group: 1234", "group: 1234\nown_policy:\n  - {source: 10.0.0.0/8, destination: '::/0', action: bypass}", []string{
		`gm.yaml:6:5: own_policy[0]: source 10.0.0.0/8 and destination ::/0 are of different IP versions`}},
	{"no cycle for the upper half", "group: 1234", "group: 1234\nesn_resync: {failures: 1001, cycles: 0}", []string{
		"gm.yaml:5:24: esn_resync.failures: 1001 is out of range; it must be from 1 to 1000",
		"gm.yaml:5:38: esn_resync.cycles: 0 is out of range; it must be from 1 to 1000"}},
	{"peer without gateway", "group: 1234", "group: 1234\npeers:\n  - network: 10.2.0.0/16", []string{
		`gm.yaml:6:5: peers[0]: the field "gateway" is missing`}},
	{"peer with a port", "group: 1234", "group: 1234\npeers:\n  - network: 10.2.0.0/16\n    gateway: 192.0.2.2:848", []string{
		`gm.yaml:7:14: peers[0].gateway: "192.0.2.2:848" is no address; write one such as 10.0.0.1 or 2001:db8::1`}},
	{"peer a group", "group: 1234", "group: 1234\npeers:\n  - network: 10.2.0.0/16\n    gateway: ff05::1", []string{
		"gm.yaml:7:14: peers[0].gateway: ff05::1 is not the address of a host"}},
	{"peer twice", "group: 1234", "group: 1234\npeers:\n  - network: 10.2.0.0/16\n    gateway: 192.0.2.2\n  - network: 10.2.0.0/16\n    gateway: 192.0.2.3",
		[]string{"gm.yaml:8:14: peers[1].network: 10.2.0.0/16 is already given at peers[0].network"}},
	{"key servers missing", "key_servers: [10.0.0.1]\n", "", []string{`gm.yaml:1:1: the field "key_servers" is missing`}},
	{"no group of several", "group: 1234\n", "groups: []\n", []string{
		"gm.yaml:4:9: groups: the list is empty; name at least one group",
		"gm.yaml:10:3: authorised: is for a member of one group; write it into each of groups that it is for"}},
	{"one group and several", "group: 1234", "group: 1234\nsid_request: 2\ngroups: [{id: 1}]", []string{
		"gm.yaml:4:8: group: is for a member of one group; write it into each of groups that it is for",
		"gm.yaml:5:14: sid_request: is for a member of one group; write it into each of groups that it is for",
		"gm.yaml:12:3: authorised: is for a member of one group; write it into each of groups that it is for"}},
	{"group twice", memberYAML[strings.Index(memberYAML, "authorised"):], "groups:\n  - id: 1\n  - id: 1\n    key_server: 10.0.0.1\n", []string{
		`gm.yaml:4:8: group: is for a member of one group; write it into each of groups that it is for`,
		"gm.yaml:11:9: groups[1].id: 1 is already given at groups[0].id",
		"gm.yaml:12:5: groups[1].key_server: unknown field; did you mean key_servers?"}},
	{"groups and their key servers", memberYAML, severalYAML[:strings.Index(severalYAML, "  - id: 2")] + "  - id: 2\n    key_servers: [10.0.0.7]\n    sid_request: 65536\n", []string{
		`gm.yaml:8:5: groups[0]: the field "key_servers" is missing, here and in the member itself`,
		"gm.yaml:13:19: groups[1].key_servers[0]: 10.0.0.7 has no pre-shared key; add one for it to phase1.psks",
		"gm.yaml:14:18: groups[1].sid_request: 65536 is out of range; it must be from 0 to 65535"}},
	{"retry_delay", "group: 1234", "group: 1234\nretry_delay: 25h", []string{
		"gm.yaml:5:14: retry_delay: 25h is out of range; it must be from 1ms to 86400s"}},
}

func TestKeyServerFaults(t *testing.T) {
	open := keys(t)
	for _, f := range keyServerFaults {
		t.Run(f.name, func(t *testing.T) {
			k, err := policy.ParseKeyServer("ks.yaml", []byte(f.apply(t, keyServerYAML)), open)
			f.check(t, err)
			if diff := cmp.Diff(policy.KeyServer{}, k, compare, compareAddrs); diff != "" {
				t.Errorf("a faulty file left a value: %s", diff)
			}
		})
	}
}

func TestMemberFaults(t *testing.T) {
	for _, f := range memberFaults {
		t.Run(f.name, func(t *testing.T) {
			_, err := policy.ParseMember("gm.yaml", []byte(f.apply(t, memberYAML)))
			f.check(t, err)
		})
	}
}

func (f fault) apply(t *testing.T, whole string) string {
	t.Helper()
	if !strings.Contains(whole, f.old) {
		t.Fatalf("the configuration has no %q", f.old)
	}
	return strings.Replace(whole, f.old, f.new, 1)
}

func (f fault) check(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(strings.Join(f.want, "\n"), err.Error()); diff != "" {
		t.Errorf("-want +got\n%s\ngot:\n%s", diff, err)
	}
}

func TestBaseConfigurationsAreValid(t *testing.T) {
	if _, err := policy.ParseKeyServer("ks.yaml", []byte(keyServerYAML), keys(t)); err != nil {
		t.Error(err)
	}
	if _, err := policy.ParseMember("gm.yaml", []byte(memberYAML)); err != nil {
		t.Error(err)
	}
}

func TestPSKForms(t *testing.T) {
	for text, want := range map[string]string{
		"plain":             "plain",
		`"12345"`:           "12345",
		"hex:00ff":          "\x00\xff",
		"'with spaces in'":  "with spaces in",
		"|-\n        block": "block",
	} {
		m, err := policy.ParseMember("gm.yaml", []byte(strings.Replace(memberYAML, "key: secret", "key: "+text, 1)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := string(m.Phase1.PSKs[0].Key); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(keyServerYAML))
	f.Add([]byte(memberYAML))
	f.Add([]byte("{}"))
	f.Add([]byte("name: &a [*a]\n"))
	f.Add([]byte("? a\n: b\n"))
	open := keys(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := policy.ParseKeyServer("f.yaml", data, open)
		if err == nil {
			text, err := policy.MarshalKeyServer(k, "ks1.pem")
			if err != nil {
				t.Fatalf("%v\n%s", err, data)
			}
			again, err := policy.ParseKeyServer("f.yaml", text, open)
			if diff := cmp.Diff(k, again, compare, compareAddrs); err != nil || diff != "" {
				t.Fatalf("%v\n%s\n%s", err, text, diff)
			}
		} else if err.Error() == "" {
			t.Error("an error without words")
		}
		m, err := policy.ParseMember("f.yaml", data)
		if err != nil {
			return
		}
		text, err := policy.MarshalMember(m)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		again, err := policy.ParseMember("f.yaml", text)
		if diff := cmp.Diff(m, again, compare, compareAddrs); err != nil || diff != "" {
			t.Fatalf("%v\n%s\n%s", err, text, diff)
		}
	})
}
