package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrProposal means that Phase 1 cannot be protected with a proposal, or must not be.
var ErrProposal = errors.New("policy: unusable proposal for Phase 1")

// Phase1Cipher is the Encryption Algorithm of Phase 1 (RFC 2409 appendix A).
type Phase1Cipher uint16

// The ciphers of Phase 1, both in CBC mode.
const (
	Phase13DES Phase1Cipher = 5
	Phase1AES  Phase1Cipher = 7
)

// Phase1Hash is the Hash Algorithm of Phase 1, whose HMAC is the PRF (RFC 2409 §4 and appendix A).
type Phase1Hash uint16

// The hashes of Phase 1.
const (
	Phase1MD5    Phase1Hash = 1
	Phase1SHA1   Phase1Hash = 2
	Phase1SHA256 Phase1Hash = 4
	Phase1SHA384 Phase1Hash = 5
	Phase1SHA512 Phase1Hash = 6
)

// DHGroup is the Group Description of Phase 1 (RFC 2409 §6, RFC 3526, RFC 5903).
type DHGroup uint16

// The Diffie-Hellman groups.
const (
	MODP768  DHGroup = 1
	MODP1024 DHGroup = 2
	MODP1536 DHGroup = 5
	MODP2048 DHGroup = 14
	MODP3072 DHGroup = 15
	MODP4096 DHGroup = 16
	ECP256   DHGroup = 19
	ECP384   DHGroup = 20
	ECP521   DHGroup = 21
)

// Phase1Auth is the Authentication Method of Phase 1 (RFC 2409 appendix A, RFC 4754 §9). Its zero value is AuthPSK.
type Phase1Auth uint16

// The authentication methods.
const (
	AuthPSK      Phase1Auth = 0 // whose number is 1
	AuthRSA      Phase1Auth = 3
	AuthECDSA256 Phase1Auth = 9
	AuthECDSA384 Phase1Auth = 10
	AuthECDSA521 Phase1Auth = 11
)

// Number is the method's number in an offer.
func (a Phase1Auth) Number() uint16 {
	if a == AuthPSK {
		return 1
	}
	return uint16(a)
}

// Signs reports whether the method needs a key of one's own and a certificate.
func (a Phase1Auth) Signs() bool { return a != AuthPSK }

// algorithm is what the method signs with, 0 for a pre-shared key.
func (a Phase1Auth) algorithm() SigAlgorithm {
	return map[Phase1Auth]SigAlgorithm{AuthRSA: SigRSA, AuthECDSA256: SigECDSA256, AuthECDSA384: SigECDSA384, AuthECDSA521: SigECDSA521}[a]
}

// String returns the word of a configuration file.
func (a Phase1Auth) String() string {
	if word, ok := phase1Auths.Of(a); ok {
		return word
	}
	return fmt.Sprintf("method-%d", uint16(a))
}

// Proposal is one suite of algorithms that Phase 1 may be protected with.
type Proposal struct {
	Authentication Phase1Auth
	Encryption     Phase1Cipher
	KeyBits        int // Key Length of AES; 0 for 3DES, which has none
	Hash           Phase1Hash
	Group          DHGroup
}

// DefaultProposal is what Phase 1 is protected with if a configuration names no proposals.
var DefaultProposal = Proposal{Encryption: Phase1AES, KeyBits: 128, Hash: Phase1SHA256, Group: MODP2048}

// String returns the words of a configuration file: "aes128-cbc sha256 modp2048", and behind them the method
// if it is no pre-shared key.
func (p Proposal) String() string {
	cipher, ok := phase1Ciphers.Of(Proposal{Encryption: p.Encryption, KeyBits: p.KeyBits})
	if !ok {
		cipher = fmt.Sprintf("cipher-%d-%d", p.Encryption, p.KeyBits)
	}
	text := fmt.Sprintf("%s %s %s", cipher, p.Hash, p.Group)
	if p.Authentication != AuthPSK {
		text += " " + p.Authentication.String()
	}
	return text
}

// ParseProposal reads the words that String returns.
func ParseProposal(text string) (Proposal, error) {
	words := strings.Fields(text)
	if len(words) != 3 && len(words) != 4 {
		return Proposal{}, fmt.Errorf("%q is no proposal like %q", text, DefaultProposal)
	}
	p, err := phase1Ciphers.Named(words[0])
	if err != nil {
		return Proposal{}, err
	}
	if p.Hash, err = phase1Hashes.Named(words[1]); err != nil {
		return Proposal{}, err
	}
	if p.Group, err = dhGroups.Named(words[2]); err != nil {
		return Proposal{}, err
	}
	if len(words) == 4 {
		p.Authentication, err = phase1Auths.Named(words[3])
	}
	return p, err
}

// String returns the word of a configuration file.
func (h Phase1Hash) String() string {
	if word, ok := phase1Hashes.Of(h); ok {
		return word
	}
	return fmt.Sprintf("hash-%d", uint16(h))
}

// String returns the word of a configuration file.
func (g DHGroup) String() string {
	if word, ok := dhGroups.Of(g); ok {
		return word
	}
	return fmt.Sprintf("group-%d", uint16(g))
}

// Weak reports whether the hash is off unless a configuration allows it: MD5.
func (h Phase1Hash) Weak() bool { return h == Phase1MD5 }

// Weak reports whether the group is off unless a configuration allows it: a prime of less than 2048 bits, as RFC 8247 §2.4
// has it for IKEv2.
func (g DHGroup) Weak() bool { return g == MODP768 || g == MODP1024 || g == MODP1536 }

// CheckProposals returns ErrProposal for one that names an algorithm without a name, a weak one that is not allowed, or a method
// without what it needs. A file has been checked when it was read.
func (p Phase1) CheckProposals() error {
	for _, o := range p.Proposals {
		if _, err := proposalDocOf(o); err != nil {
			return fmt.Errorf("%w: %w", ErrProposal, err)
		}
		if o.Weak() && !p.AllowWeak {
			return fmt.Errorf("%w: %s is weak, and off by default", ErrProposal, o)
		}
		if err := p.Certificates.serves(o.Authentication); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrProposal, o, err)
		}
	}
	return nil
}

// UsesPSK reports whether a pre-shared key may be asked for.
func (p Phase1) UsesPSK() bool {
	return len(p.Proposals) == 0 || slices.ContainsFunc(p.Proposals, func(o Proposal) bool { return !o.Authentication.Signs() })
}

// needsPSK reports whether every peer has to have a pre-shared key, as far as there are keys at all.
func (p Phase1) needsPSK() bool {
	return len(p.PSKs) > 0 && !slices.ContainsFunc(p.Proposals, func(o Proposal) bool { return o.Authentication.Signs() })
}

// Expects reports whether a peer may have an identity: one of Peers if there are any.
func (p Phase1) Expects(id Identity) bool {
	return len(p.Peers) == 0 || slices.ContainsFunc(p.Peers, func(known Identity) bool { return known.Same(id) })
}

// Weak reports whether the proposal has a part that is off unless a configuration allows it.
func (p Proposal) Weak() bool { return p.Hash.Weak() || p.Group.Weak() }
