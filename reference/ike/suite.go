package ike

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Suite is one row of the algorithms that Phase 1 can be protected with, by the numbers of RFC 2409 appendix A.
type Suite struct {
	Encryption     uint16
	KeyBits        uint16 // Key Length; 0 for a cipher that has only one
	Hash           keymat.Hash
	Authentication uint16
	Group          uint16
}

// The ciphers of a row. Keys of AES have several lengths and those of 3DES one, so that the attribute Key Length has to
// stand beside the former and must not stand beside the latter (RFC 2409 appendix A).
const (
	aes       = uint16(policy.Phase1AES)
	tripleDES = uint16(policy.Phase13DES)
)

// tripleDESBits is the length of a 3DES key with its parity bits.
const tripleDESBits = 192

// defaultSuites stand for a Config that names none.
var defaultSuites = Suites([]policy.Proposal{policy.DefaultProposal})

// Suites makes the rows of a configuration's proposals, in their order.
func Suites(proposals []policy.Proposal) []Suite {
	var suites []Suite
	for _, p := range proposals {
		suites = append(suites, Suite{
			Encryption:     uint16(p.Encryption),
			KeyBits:        uint16(p.KeyBits),
			Hash:           keymat.Hash(p.Hash),
			Authentication: p.Authentication.Number(),
			Group:          uint16(p.Group),
		})
	}
	return suites
}

// attributes returns the row as it is offered.
func (s Suite) attributes(lifetime time.Duration) []wire.Attribute {
	as := []wire.Attribute{wire.TV(isakmp.AttrEncryptionAlgorithm, s.Encryption)}
	if s.KeyBits > 0 {
		as = append(as, wire.TV(isakmp.AttrKeyLength, s.KeyBits))
	}
	return append(as,
		wire.TV(isakmp.AttrHashAlgorithm, uint16(s.Hash)),
		wire.TV(isakmp.AttrAuthenticationMethod, s.Authentication),
		wire.TV(isakmp.AttrGroupDescription, s.Group),
		wire.TV(isakmp.AttrLifeType, isakmp.LifeSeconds),
		wire.TLV32(isakmp.AttrLifeDuration, uint32(lifetime/time.Second)),
	)
}

// has reports whether the row has this value for the attribute. Attributes that are no part of a row fit any; so does a Key
// Length for a row without one.
func (s Suite) has(attribute uint16, value uint64) bool {
	switch attribute {
	case isakmp.AttrEncryptionAlgorithm:
		return value == uint64(s.Encryption)
	case isakmp.AttrKeyLength:
		return s.KeyBits == 0 || value == uint64(s.KeyBits)
	case isakmp.AttrHashAlgorithm:
		return value == uint64(s.Hash)
	case isakmp.AttrAuthenticationMethod:
		return value == uint64(s.Authentication)
	case isakmp.AttrGroupDescription:
		return value == uint64(s.Group)
	}
	return true
}

// Cipher is the row's cipher.
func (s Suite) Cipher() keymat.Cipher {
	if s.Encryption == tripleDES {
		return keymat.TripleDES
	}
	return keymat.AES
}

// keyLen is the length of the cipher's key in octets.
func (s Suite) keyLen() int {
	if s.Encryption == tripleDES {
		return tripleDESBits / 8
	}
	return int(s.KeyBits) / 8
}

// group returns the Diffie-Hellman group, which exists for every row.
func (s Suite) group() keymat.Group {
	g, ok := keymat.DHGroup(s.Group)
	if !ok {
		panic("ike: a suite names an unknown group")
	}
	return g
}
