package gdoimap

import (
	"math"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

var (
	checkSIDSPI = rule.Check("gdoimap.read.sid.spi", "RFC6407-5.6.4-01", rule.GM,
		"a SID packet has no SPI")
	checkSIDUnknown = rule.Check("gdoimap.read.sid.attribute", "RFC6407-5.3.2-01", rule.GM,
		"each attribute of a SID packet is known")
	checkSIDWidth = rule.Check("gdoimap.read.sid.bits", "RFC6407-5.6.4.1-01", rule.GM,
		"a SID packet has one NUMBER_OF_SID_BITS, and its SIDs fit into that")
	checkSIDSame = rule.Check("gdoimap.read.sid.same", "RFC6054-3-05", rule.GM,
		"all SIDs of a member have the same length")
)

const (
	// maxSIDBits leaves at least one of the 64 bits of a counter mode's IV to the counter (RFC 6054 §3).
	maxSIDBits = 63

	defaultSIDBits = 8
)

func (k *keyring) takeSID(p *gdoi.KeyPacket) error {
	if !checkSIDSPI.Holds(k.rules, len(p.SPI) == 0) {
		return checkSIDSPI.Violated("SID packet with an SPI of %d octets", len(p.SPI))
	}
	sids := &policy.SIDs{}
	if err := readSIDs(sids, p.Attributes, k.rules); err != nil {
		return err
	}
	if k.sids != nil {
		if !checkSIDSame.Holds(k.rules, k.sids.Bits == sids.Bits) {
			return checkSIDSame.Violated("SIDs of %d and of %d bits", k.sids.Bits, sids.Bits)
		}
		sids.Values = append(k.sids.Values, sids.Values...)
	}
	k.sids = sids
	return nil
}

// readSIDs takes SID_VALUE of any length up to four octets, since RFC 6407 §5.6.4.2 sets none.
func readSIDs(s *policy.SIDs, as []wire.Attribute, rules *rule.Switches) error {
	widths := 0
	for _, a := range as {
		switch {
		case a.Type == gdoi.SIDBits:
			s.Bits = int(min(number(a), math.MaxUint16))
			widths++
		case a.Type == gdoi.SIDValue:
		case !checkSIDUnknown.Holds(rules, false):
			return checkSIDUnknown.Violated("attribute %s in a SID packet", named[gdoi.SIDAttribute](a.Type))
		}
	}
	usable := s.Bits > 0 && s.Bits <= maxSIDBits
	if !checkSIDWidth.Holds(rules, widths == 1 && usable) {
		return checkSIDWidth.Violated("SID packet with %d NUMBER_OF_SID_BITS, %d", widths, s.Bits)
	}
	if !usable {
		s.Bits = defaultSIDBits
	}
	for _, a := range as {
		if a.Type != gdoi.SIDValue {
			continue
		}
		if !checkSIDWidth.Holds(rules, len(a.Value) <= 4 && number(a)>>s.Bits == 0) {
			return checkSIDWidth.Violated("SID %x does not fit into %d bits", a.Value, s.Bits)
		}
		s.Values = append(s.Values, uint32(number(a)&(1<<s.Bits-1)))
	}
	return nil
}
