package policy

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/yamldoc"
)

// hexPrefix marks a pre-shared key that is written in hexadecimal.
const hexPrefix = "hex:"

// The names of what a proposal is made of, in the order in which problems list them.
var (
	phase1Ciphers = yamldoc.Names[Proposal]{
		{"aes128-cbc", Proposal{Encryption: Phase1AES, KeyBits: 128}},
		{"aes192-cbc", Proposal{Encryption: Phase1AES, KeyBits: 192}},
		{"aes256-cbc", Proposal{Encryption: Phase1AES, KeyBits: 256}},
		{"3des", Proposal{Encryption: Phase13DES}},
	}
	phase1Hashes = yamldoc.Names[Phase1Hash]{{"sha1", Phase1SHA1}, {"sha256", Phase1SHA256}, {"sha384", Phase1SHA384},
		{"sha512", Phase1SHA512}, {"md5", Phase1MD5}}
	phase1Auths = yamldoc.Names[Phase1Auth]{{"psk", AuthPSK}, {"rsa", AuthRSA}, {"ecdsa256", AuthECDSA256}, {"ecdsa384", AuthECDSA384},
		{"ecdsa521", AuthECDSA521}}
	dhGroups = yamldoc.Names[DHGroup]{{"modp2048", MODP2048}, {"modp3072", MODP3072}, {"modp4096", MODP4096},
		{"ecp256", ECP256}, {"ecp384", ECP384}, {"ecp521", ECP521},
		{"modp768", MODP768}, {"modp1024", MODP1024}, {"modp1536", MODP1536}}
)

// phase1Of makes a reader of Phase 1 that opens the files which it names.
func phase1Of(open ReadFile) func(yamldoc.Value) Phase1 {
	return func(v yamldoc.Value) Phase1 { return phase1(v, open) }
}

func phase1(v yamldoc.Value, open ReadFile) Phase1 {
	var p Phase1
	var keys []place[PSK]
	var proposals []place[Proposal]
	var weak []place[string]
	ok := v.Fields(
		yamldoc.Optional("identity", &p.Identity, claimed),
		yamldoc.Optional("peers", &p.Peers, yamldoc.Some("identity", claimed)),
		yamldoc.Optional("certificates", &p.Certificates, certificatesOf(open)),
		yamldoc.Optional("proposals", &proposals, yamldoc.Some("proposal", placed(func(item yamldoc.Value) Proposal {
			return proposal(item, &weak)
		}))),
		yamldoc.Optional("allow_weak", &p.AllowWeak, yamldoc.Value.Bool),
		yamldoc.Optional("psks", &keys, yamldoc.Some("pre-shared key", placed(psk))),
		yamldoc.Optional("mode", &p.Mode, exchangeModes.Read),
		yamldoc.Optional("clear_proof", &p.ClearProof, yamldoc.Value.Bool),
		yamldoc.Optional("any_situation", &p.AnySituation, yamldoc.Value.Bool),
		yamldoc.Optional("transforms_from_zero", &p.TransformsFromZero, yamldoc.Value.Bool),
		yamldoc.Optional("prefer", &p.Prefer, preferences.Read),
		yamldoc.Optional("lifetime", &p.Lifetime, seconds(1, maxLifetime)),
		yamldoc.Optional("kilobytes", &p.Kilobytes, within(1, 1<<31-1)),
		yamldoc.Optional("dpd", &p.DPD, between(time.Second, maxDelay)),
		yamldoc.Optional("retransmit", &p.Retransmit, between(time.Millisecond, maxDelay)),
		yamldoc.Optional("retries", &p.Retries, within(0, 100)),
		yamldoc.Optional("half_open", &p.HalfOpen, halfOpen),
		yamldoc.Optional("established", &p.Established, within(1, maxHalfOpen)),
		yamldoc.Optional("nat_traversal", &p.NATTraversal, yamldoc.Value.Bool),
		yamldoc.Optional("keepalive", &p.Keepalive, between(time.Millisecond, maxDelay)),
	)
	p.psks(keys)
	given := make(map[Proposal]string)
	for _, o := range proposals {
		once(o.at, given, o.value)
		p.Proposals = append(p.Proposals, o.value)
		if err := p.Certificates.serves(o.value.Authentication); err != nil && p.Certificates.Set() == v.Has("certificates") {
			o.at.Problem("%v", err)
		}
	}
	if ok && p.UsesPSK() && !v.Has("psks") {
		v.Problem("the field \"psks\" is missing")
	}
	for _, w := range weak {
		if !p.AllowWeak {
			w.at.Problem("%s is weak, and off unless phase1 says \"allow_weak: true\"", w.value)
		}
	}
	return p
}

// maxHalfOpen bounds what a file can have a responder keep.
const maxHalfOpen = 1 << 20

func halfOpen(v yamldoc.Value) HalfOpen {
	var h HalfOpen
	v.Fields(
		yamldoc.Optional("total", &h.Total, within(1, maxHalfOpen)),
		yamldoc.Optional("per_address", &h.PerAddress, within(1, maxHalfOpen)),
	)
	return h
}

// proposal reads one suite of algorithms and notes what is weak in it. After a problem it is the zero one.
func proposal(v yamldoc.Value, weak *[]place[string]) Proposal {
	var p Proposal
	v.Fields(
		yamldoc.Required("encryption", &p, func(v yamldoc.Value) Proposal {
			kind := phase1Ciphers.Read(v)
			p.Encryption, p.KeyBits = kind.Encryption, kind.KeyBits
			return p
		}),
		yamldoc.Optional("authentication", &p.Authentication, phase1Auths.Read),
		yamldoc.Required("hash", &p.Hash, noting(weak, phase1Hashes.Read)),
		yamldoc.Required("group", &p.Group, noting(weak, dhGroups.Read)),
	)
	if p.Encryption == 0 || p.Hash == 0 || p.Group == 0 {
		return Proposal{}
	}
	return p
}

// noting makes a reader that notes where a weak value stands.
func noting[T interface {
	Weak() bool
	String() string
}](weak *[]place[string], read func(yamldoc.Value) T) func(yamldoc.Value) T {
	return func(v yamldoc.Value) T {
		x := read(v)
		if x.Weak() {
			*weak = append(*weak, place[string]{x.String(), v})
		}
		return x
	}
}

// pskKey reads the octets of a key. The key itself never stands in a problem.
func pskKey(v yamldoc.Value) []byte {
	if !v.IsText() {
		v.Problem("a pre-shared key is text in quotes, or hexadecimal digits after %q", hexPrefix)
		return nil
	}
	s, _ := v.Text()
	key, err := keyOctets(s)
	if err != nil {
		v.Problem("%v", err)
	}
	return key
}

// keyOctets reads octets that are written as text or in hexadecimal.
func keyOctets(s string) ([]byte, error) {
	key := []byte(s)
	if digits, ok := strings.CutPrefix(s, hexPrefix); ok {
		var err error
		if key, err = hex.DecodeString(digits); err != nil {
			return nil, fmt.Errorf("after %q an even number of hexadecimal digits is expected", hexPrefix)
		}
	}
	if len(key) == 0 {
		return nil, errors.New("the key is empty")
	}
	return key, nil
}
