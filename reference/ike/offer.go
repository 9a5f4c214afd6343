package ike

import (
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// offer is an SA payload of message 1, as it was sent or received.
type offer struct {
	sa   isakmp.SA
	body []byte // SAi_b (RFC 2409 §5)
}

// choice is the transform that both sides agree on, and what it means.
type choice struct {
	transform isakmp.Transform
	suite     Suite
	lifetime  time.Duration
	kilobytes uint64 // 0: any number
	shortened bool   // one of them is less than the transform says
}

// offerSA makes the SA payload of message 1: one proposal with a transform for each suite, the preferred one first.
func (c *Config) offerSA() isakmp.SA {
	sa := isakmp.SA{DOI: c.DOI, Situation: c.situation(), Proposals: []isakmp.Proposal{{Number: 1, Protocol: isakmp.ProtoISAKMP}}}
	if !dutyOfferDOI.Kept(c.Rules) {
		sa.DOI = otherDOI
	}
	for i, s := range c.offered() {
		sa.Proposals[0].Transforms = append(sa.Proposals[0].Transforms, isakmp.Transform{
			Number:     uint8(i + c.firstTransform()),
			ID:         isakmp.TransformKeyIKE,
			Attributes: c.offerAttributes(s),
		})
	}
	if !dutyOfferOne.Kept(c.Rules) {
		second := sa.Proposals[0]
		second.Number = 2
		sa.Proposals = append(sa.Proposals, second)
	}
	return sa
}

// firstTransform is the number of an offer's first transform, which the RFCs leave open.
func (c *Config) firstTransform() int {
	if c.TransformsFromZero {
		return 0
	}
	return 1
}

const (
	doiIPsec     = 1 // RFC 2407 §4.4
	identityOnly = 1 // SIT_IDENTITY_ONLY (RFC 2407 §4.2.1)

	otherDOI = doiIPsec // for a node that neglects its own
)

// situation is that of an SA payload of this node: an Identity-only one in the DOI of IPsec, where 0 says nothing (RFC 2407
// §4.2), and none in that of GDOI.
func (c *Config) situation() uint32 {
	if c.DOI == doiIPsec {
		return identityOnly
	}
	return 0
}

func (c *Config) offerAttributes(s Suite) []wire.Attribute {
	sent := s
	if !dutyOfferBits.Kept(c.Rules) {
		sent.KeyBits /= 8
	}
	as := append(sent.attributes(c.Lifetime), kilobyteAttributes(c.Kilobytes)...)
	if !dutyOfferFixed.Kept(c.Rules) && s.KeyBits == 0 {
		as = append(as, wire.TV(isakmp.AttrKeyLength, tripleDESBits))
	}
	if !dutyOfferComplete.Kept(c.Rules) {
		as = slices.DeleteFunc(as, func(a wire.Attribute) bool { return a.Type == isakmp.AttrGroupDescription })
	}
	if !dutyOfferGroup.Kept(c.Rules) {
		as = append(as, wire.TV(isakmp.AttrGroupType, 1))
	}
	if !dutyOfferBasic.Kept(c.Rules) {
		as[0].Basic = false
	}
	return as
}

// choose picks an acceptable transform of an offer: the first one or, if the own order counts, the one whose suite is preferred.
// RFC 2408 §4.2 and RFC 2409 §5 leave the choice to the responder. If there is none, the error says why the last one is not.
func (c *Config) choose(sa isakmp.SA) (choice, error) {
	var best *choice
	err := error(checkAcceptable.Violated("the offer has no transforms"))
	for _, p := range sa.Proposals {
		for _, t := range p.Transforms {
			chosen, why := c.accept(t)
			if why != nil {
				err = why
			} else if best == nil || c.prefers(chosen.suite, best.suite) {
				best = &chosen
			}
		}
	}
	if best == nil {
		return choice{}, err
	}
	return *best, nil
}

// prefers reports whether the own order counts, and has a before b.
func (c *Config) prefers(a, b Suite) bool {
	return c.Prefer == policy.PreferOwn && slices.Index(c.Suites, a) < slices.Index(c.Suites, b)
}

// accept says what a transform means, or why it is not acceptable.
func (c *Config) accept(t isakmp.Transform) (choice, error) {
	if !checkTransformID.Holds(c.Rules, t.ID == isakmp.TransformKeyIKE) {
		return choice{}, checkTransformID.Violated("transform ID %d", t.ID)
	}
	asked, err := readTerms(c.Rules, t.Attributes)
	if err != nil {
		return choice{}, err
	}
	suite, err := asked.suite(c.Rules, c.Suites)
	if err != nil {
		return choice{}, err
	}
	chosen := choice{transform: t, suite: suite, lifetime: c.Lifetime, kilobytes: c.Kilobytes}
	chosen.limit(asked.seconds, asked.kilobytes)
	chosen.shortened = asked.seconds > chosen.lifetime || chosen.kilobytes != asked.kilobytes
	return chosen, nil
}

// checkOffer checks what surrounds the transforms of message 1.
func (c *Config) checkOffer(sa isakmp.SA) error {
	r := c.Rules
	known := c.AnySituation && anySituation(sa)
	if !checkOfferDOI.Holds(r, sa.DOI == c.DOI || known) {
		return checkOfferDOI.Violated("the offer has DOI %d", sa.DOI)
	}
	if !checkSituation.Holds(r, sa.Situation == c.situation() || known) {
		return checkSituation.Violated("the offer has situation %#x", sa.Situation)
	}
	if !checkOfferProposal.Holds(r, wellFormedProposal(sa)) {
		return checkOfferProposal.Violated("the offer is not one complete proposal for ISAKMP")
	}
	for _, p := range sa.Proposals {
		if !boundOfferSPI.AtMost(r, uint64(len(p.SPI)), 16) {
			return boundOfferSPI.Violated("the proposal has an SPI of %d octets", len(p.SPI))
		}
	}
	return nil
}

// anySituation reports whether an SA payload is what the daemons send that say little of the DOI: that of GDOI or of IPsec, in
// situation 0 or Identity-only.
func anySituation(sa isakmp.SA) bool {
	return (sa.DOI == DefaultDOI || sa.DOI == doiIPsec) && (sa.Situation == 0 || sa.Situation == identityOnly)
}

func wellFormedProposal(sa isakmp.SA) bool {
	return len(sa.Proposals) == 1 && sa.Proposals[0].Protocol == isakmp.ProtoISAKMP && sa.Proposals[0].Count == nil
}

// replySA makes the SA payload of message 2: the chosen transform as it came.
func (c *Config) replySA(o offer, chosen choice) isakmp.SA {
	p := isakmp.Proposal{Number: 1, Protocol: isakmp.ProtoISAKMP, Transforms: []isakmp.Transform{chosen.transform}}
	if len(o.sa.Proposals) > 0 {
		p.Number = o.sa.Proposals[0].Number
	}
	if !dutyReplyOne.Kept(c.Rules) {
		p.Transforms = append(p.Transforms, chosen.transform)
	}
	if !dutyReplyUnchanged.Kept(c.Rules) {
		p.Transforms[0].Attributes = append(slices.Clone(chosen.transform.Attributes),
			wire.TV(isakmp.AttrLifeType, isakmp.LifeSeconds), wire.TLV32(isakmp.AttrLifeDuration, 60))
	}
	sa := isakmp.SA{DOI: c.DOI, Situation: c.situation(), Proposals: []isakmp.Proposal{p}}
	if c.AnySituation {
		sa.DOI, sa.Situation = o.sa.DOI, o.sa.Situation
	}
	if !dutyReplyDOI.Kept(c.Rules) {
		sa.DOI = otherDOI
	}
	return sa
}

// checkReply checks message 2 against the offer and says what was agreed (RFC 2409 §5).
func (c *Config) checkReply(o offer, sa isakmp.SA) (choice, error) {
	r := c.Rules
	asIPsec := c.ReplyAsIPsec && sa.DOI == doiIPsec && sa.Situation == identityOnly || c.AnySituation && anySituation(sa)
	if !checkReplyDOI.Holds(r, sa.DOI == o.sa.DOI || asIPsec) {
		return choice{}, checkReplyDOI.Violated("the reply has DOI %d", sa.DOI)
	}
	if !checkSituation.Holds(r, sa.Situation == o.sa.Situation || asIPsec) {
		return choice{}, checkSituation.Violated("the reply has situation %#x", sa.Situation)
	}
	if !checkReplyOne.Holds(r, wellFormedProposal(sa) && len(sa.Proposals[0].Transforms) == 1) {
		return choice{}, checkReplyOne.Violated("the reply is not one proposal with one transform")
	}
	for _, p := range sa.Proposals {
		for _, t := range p.Transforms {
			if !checkReplyUnchanged.Holds(r, o.holds(t)) {
				return choice{}, checkReplyUnchanged.Violated("the reply has a transform that was not offered")
			}
		}
	}
	return c.choose(sa)
}

// holds reports whether the transform is one of the offer. Its number, the order of its attributes and the form of a
// lifetime may differ (RFC 2409 §5 and appendix A).
func (o offer) holds(t isakmp.Transform) bool {
	for _, p := range o.sa.Proposals {
		for _, have := range p.Transforms {
			if have.ID == t.ID && sameAttributes(have.Attributes, t.Attributes) {
				return true
			}
		}
	}
	return false
}

func sameAttributes(a, b []wire.Attribute) bool {
	return slices.EqualFunc(sorted(a), sorted(b), func(x, y wire.Attribute) bool {
		vx, okx := x.Uint()
		vy, oky := y.Uint()
		return x.Type == y.Type && vx == vy && okx && oky
	})
}

func sorted(as []wire.Attribute) []wire.Attribute {
	as = slices.Clone(as)
	slices.SortStableFunc(as, func(a, b wire.Attribute) int { return int(a.Type) - int(b.Type) })
	return as
}
