package ike

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Suite is one row of the algorithms that Phase 1 can be protected with, by the numbers of RFC 2409 appendix A.
type Suite struct {
	Encryption     uint16
	KeyBits        uint16
	Hash           keymat.Hash
	Authentication uint16
	Group          uint16
	Block          int // of the cipher, in octets
}

// suites are offered in this order, and accepted in any.
var suites = []Suite{{
	Encryption:     isakmp.EncryptionAESCBC,
	KeyBits:        128,
	Hash:           keymat.SHA256,
	Authentication: isakmp.AuthPreSharedKey,
	Group:          isakmp.GroupMODP2048,
	Block:          keymat.BlockSize,
}}

// attributes returns the row as it is offered.
func (s Suite) attributes(lifetime time.Duration) []wire.Attribute {
	return []wire.Attribute{
		wire.TV(isakmp.AttrEncryptionAlgorithm, s.Encryption),
		wire.TV(isakmp.AttrKeyLength, s.KeyBits),
		wire.TV(isakmp.AttrHashAlgorithm, uint16(s.Hash)),
		wire.TV(isakmp.AttrAuthenticationMethod, s.Authentication),
		wire.TV(isakmp.AttrGroupDescription, s.Group),
		wire.TV(isakmp.AttrLifeType, isakmp.LifeSeconds),
		wire.TLV32(isakmp.AttrLifeDuration, uint32(lifetime/time.Second)),
	}
}

// has reports whether the row has this value for the attribute. Attributes that are no part of a row fit any.
func (s Suite) has(attribute uint16, value uint64) bool {
	switch attribute {
	case isakmp.AttrEncryptionAlgorithm:
		return value == uint64(s.Encryption)
	case isakmp.AttrKeyLength:
		return value == uint64(s.KeyBits)
	case isakmp.AttrHashAlgorithm:
		return value == uint64(s.Hash)
	case isakmp.AttrAuthenticationMethod:
		return value == uint64(s.Authentication)
	case isakmp.AttrGroupDescription:
		return value == uint64(s.Group)
	}
	return true
}

// group returns the Diffie-Hellman group, which exists for every row.
func (s Suite) group() keymat.Group {
	g, ok := keymat.DHGroup(s.Group)
	if !ok {
		panic("ike: a suite names an unknown group")
	}
	return g
}
