package policy

import (
	"errors"
	"fmt"
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

// Proposal is one suite of algorithms that Phase 1 may be protected with. The authentication method is always a pre-shared key.
type Proposal struct {
	Encryption Phase1Cipher
	KeyBits    int // Key Length of AES; 0 for 3DES, which has none
	Hash       Phase1Hash
	Group      DHGroup
}

// DefaultProposal is what Phase 1 is protected with if a configuration names no proposals.
var DefaultProposal = Proposal{Encryption: Phase1AES, KeyBits: 128, Hash: Phase1SHA256, Group: MODP2048}

// String returns the words of a configuration file: "aes128-cbc sha256 modp2048".
func (p Proposal) String() string {
	cipher, ok := phase1Ciphers.Of(Proposal{Encryption: p.Encryption, KeyBits: p.KeyBits})
	if !ok {
		cipher = fmt.Sprintf("cipher-%d-%d", p.Encryption, p.KeyBits)
	}
	return fmt.Sprintf("%s %s %s", cipher, p.Hash, p.Group)
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

// CheckProposals returns ErrProposal for one that names an algorithm without a name, or a weak one that is not allowed. A file
// has been checked when it was read.
func (p Phase1) CheckProposals() error {
	for _, o := range p.Proposals {
		if _, err := proposalDocOf(o); err != nil {
			return fmt.Errorf("%w: %w", ErrProposal, err)
		}
		if o.Weak() && !p.AllowWeak {
			return fmt.Errorf("%w: %s is weak, and off by default", ErrProposal, o)
		}
	}
	return nil
}

// Weak reports whether the proposal has a part that is off unless a configuration allows it.
func (p Proposal) Weak() bool { return p.Hash.Weak() || p.Group.Weak() }
