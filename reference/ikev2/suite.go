package ikev2

import (
	"fmt"
	"slices"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
)

// hashRow is a hash by its numbers as PRF and as integrity (RFC 7296 §3.3.2, RFC 4868 §4).
type hashRow struct {
	hash       keymat.Hash
	prf, integ uint16
}

var hashRows = []hashRow{
	{keymat.SHA1, ikev2.PRFHMACSHA1, ikev2.INTEGHMACSHA1},
	{keymat.SHA256, ikev2.PRFHMACSHA256, ikev2.INTEGHMACSHA256},
	{keymat.SHA384, ikev2.PRFHMACSHA384, ikev2.INTEGHMACSHA384},
	{keymat.SHA512, ikev2.PRFHMACSHA512, ikev2.INTEGHMACSHA512},
}

func rowOf(h keymat.Hash) hashRow {
	i := slices.IndexFunc(hashRows, func(r hashRow) bool { return r.hash == h })
	if i < 0 {
		panic(fmt.Sprintf("ikev2: a suite names %s, which has no number", h))
	}
	return hashRows[i]
}

// SuiteOf makes a suite of the algorithms that Phase 1 of IKEv1 knows too.
func SuiteOf(p policy.Proposal) Suite {
	s := keymat.IKEv2Suite{PRF: keymat.Hash(p.Hash), Integrity: keymat.Hash(p.Hash), KeyLen: int(p.KeyBits) / 8}
	if p.Encryption == policy.Phase13DES {
		s.Cipher, s.KeyLen = keymat.TripleDES, 24
	}
	return Suite{s, uint16(p.Group)}
}

// transforms are what a suite offers.
func (s Suite) transforms() []ikev2.Transform {
	encryption := ikev2.Transform{Type: ikev2.TransformENCR, ID: ikev2.ENCRAESCBC}
	switch {
	case s.GCM:
		encryption.ID = ikev2.ENCRAESGCM16
	case s.Cipher == keymat.TripleDES:
		encryption.ID = ikev2.ENCR3DES
	}
	if encryption.ID != ikev2.ENCR3DES {
		encryption.Attributes = []wire.Attribute{wire.TV(ikev2.AttrKeyLength, uint16(s.KeyLen*8))}
	}
	all := []ikev2.Transform{encryption, {Type: ikev2.TransformPRF, ID: rowOf(s.PRF).prf}}
	if !s.GCM {
		all = append(all, ikev2.Transform{Type: ikev2.TransformINTEG, ID: rowOf(s.Integrity).integ})
	}
	return append(all, ikev2.Transform{Type: ikev2.TransformKE, ID: s.Group})
}

// offer is the SA payload of an initiator, a proposal for each suite; spi is that of a rekey.
func offer(suites []Suite, spi []byte) ikev2.SA {
	var sa ikev2.SA
	for i, s := range suites {
		sa.Proposals = append(sa.Proposals, ikev2.Proposal{Number: uint8(i + 1), Protocol: ikev2.ProtocolIKE, SPI: spi, Transforms: s.transforms()})
	}
	return sa
}

// choose returns the first own suite that a proposal has, and what is answered; the proposals are gone through in their order (RFC 7296
// §2.7). A proposal with a type of transform that is not known is not acceptable.
func choose(own []Suite, offered ikev2.SA, spi []byte) (Suite, ikev2.Proposal, bool) {
	for _, p := range offered.Proposals {
		if p.Protocol != ikev2.ProtocolIKE || !knownTypes(p) {
			continue
		}
		for _, s := range own {
			if has(p, s) {
				return s, ikev2.Proposal{Number: p.Number, Protocol: ikev2.ProtocolIKE, SPI: spi, Transforms: s.transforms()}, true
			}
		}
	}
	return Suite{}, ikev2.Proposal{}, false
}

func knownTypes(p ikev2.Proposal) bool {
	return !slices.ContainsFunc(p.Transforms, func(t ikev2.Transform) bool { return t.Type < ikev2.TransformENCR || t.Type > ikev2.TransformKE })
}

// has reports whether a proposal has every transform of a suite, and no integrity beside an AEAD but none (RFC 5282 §8).
func has(p ikev2.Proposal, s Suite) bool {
	for _, want := range s.transforms() {
		if !slices.ContainsFunc(p.Transforms, func(t ikev2.Transform) bool { return same(t, want) }) {
			return false
		}
	}
	return !s.GCM || !slices.ContainsFunc(p.Transforms, func(t ikev2.Transform) bool { return t.Type == ikev2.TransformINTEG && t.ID != ikev2.INTEGNone })
}

func same(a, b ikev2.Transform) bool {
	return a.Type == b.Type && a.ID == b.ID && a.KeyLength() == b.KeyLength()
}

// chosen returns the own suite that an answer names: one proposal that was offered, with one transform of each type (RFC 7296 §2.7).
func chosen(own []Suite, answer ikev2.SA) (Suite, []byte, error) {
	if len(answer.Proposals) != 1 {
		return Suite{}, nil, fmt.Errorf("ikev2: %d proposals are chosen (RFC 7296 §2.7)", len(answer.Proposals))
	}
	p := answer.Proposals[0]
	for i, s := range own {
		want := s.transforms()
		if int(p.Number) == i+1 && p.Protocol == ikev2.ProtocolIKE && has(p, s) && withoutNone(p) == len(want) {
			return s, p.SPI, nil
		}
	}
	return Suite{}, nil, fmt.Errorf("ikev2: the chosen proposal %d was not offered (RFC 7296 §2.7)", p.Number)
}

// withoutNone counts the transforms but for an integrity of none.
func withoutNone(p ikev2.Proposal) (n int) {
	for _, t := range p.Transforms {
		if t.Type != ikev2.TransformINTEG || t.ID != ikev2.INTEGNone {
			n++
		}
	}
	return n
}
