package tester

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// phase1Message is what a core makes of one message, as far as taps are concerned.
func phase1Message(kind core.Kind) *core.Outgoing {
	o := &core.Outgoing{Kind: kind, Header: isakmp.Header{InitiatorCookie: isakmp.Cookie{1}, ResponderCookie: isakmp.Cookie{2},
		Version: isakmp.Version10, Exchange: isakmp.ExchangeMainMode}}
	switch kind {
	case core.MainMode1:
		o.Payloads = []isakmp.Payload{isakmp.SA{DOI: 2, Proposals: []isakmp.Proposal{{Number: 1, Protocol: 1, Transforms: []isakmp.Transform{
			{Number: 1, ID: 1, Attributes: []wire.Attribute{wire.TV(isakmp.AttrKeyLength, 128), wire.TV(isakmp.AttrLifeType, 1)}},
		}}}}}
	case core.MainMode3:
		o.Payloads = []isakmp.Payload{isakmp.KE{Data: bytes.Repeat([]byte{7}, 256)}, isakmp.Nonce{Data: make([]byte, 32)}}
	case core.Informational:
		o.Payloads = []isakmp.Payload{isakmp.Delete{DOI: 2, Protocol: 1, SPISize: 16, SPIs: [][]byte{make([]byte, 16)}}}
	default:
		o.Header.Flags = isakmp.FlagEncryption
		o.Payloads = []isakmp.Payload{isakmp.ID{IDType: 1, Data: []byte{192, 0, 2, 1}}}
	}
	return o
}

// pass takes a message through the stages, with a HASH before or behind what it covers, and returns its octets.
func pass(t *testing.T, tap core.Tap, o *core.Outgoing) []byte {
	t.Helper()
	tap.See(core.Built, o)
	if o.Kind != core.MainMode1 && o.Kind != core.MainMode3 {
		o.Payloads = append(o.Payloads, isakmp.Hash{Data: bytes.Repeat([]byte{9}, 32)})
	}
	tap.See(core.Authenticated, o)
	var err error
	if o.Bytes, err = isakmp.Assemble(o.Header, o.Payloads); err != nil {
		t.Fatal(err)
	}
	tap.See(core.Sealed, o)
	return o.Bytes
}

func TestPhase1Deviations(t *testing.T) {
	const key, life = isakmp.AttrKeyLength, isakmp.AttrLifeType
	for _, c := range []struct {
		kind core.Kind
		d    Deviation
		want string // that the octets have and others have not, in hexadecimal; "" for any change
	}{
		{core.MainMode1, DOI(core.MainMode1, 0x77), "00000077"},
		{core.MainMode1, Situation(core.MainMode1, 0x78), "00000078"},
		{core.MainMode1, ProposalSPI(core.MainMode1, 3), "0103" + "01" + "a5a5a5"},
		{core.MainMode1, RepeatProposal(core.MainMode1), "020100010000"},
		{core.MainMode1, TransformCount(core.MainMode1, 1), "01010002"},
		{core.MainMode1, TransformID(core.MainMode1, 0x55), "01550000"},
		{core.MainMode1, SetOffered(core.MainMode1, wire.TV(key, 0x99)), "800e0099800b0001"},
		{core.MainMode1, AddOffered(core.MainMode1, wire.TV(key, 0x99)), "800e0080800b0001800e0099"},
		{core.MainMode1, RemoveOffered(core.MainMode1, life), ""},
		{core.MainMode1, Offers(core.MainMode1, "two", func(*isakmp.Transform) {}, func(tr *isakmp.Transform) { tr.ID = 9 }), "02090000"},
		{core.MainMode1, Behind(core.MainMode1, "VID", "", isakmp.VID{Data: []byte{0xab, 0xcd}}), "00000006abcd"},
		{core.MainMode1, Before(core.MainMode1, "VID", "", isakmp.VID{Data: []byte{0xab, 0xcd}}), "01000006abcd"},
		{core.MainMode1, PayloadLength(core.MainMode1, isakmp.PayloadSA, 4), ""},
		{core.MainMode1, Trailing(core.MainMode1, "octets", []byte{0xee, 0xef}), "eeef"},
		{core.MainMode3, PublicValue(core.MainMode3, "one", []byte{1}), "0a00000501"},
		{core.MainMode3, PublicValueLength(core.MainMode3, 2), "0a0000060707"},
		{core.MainMode3, PublicValueLength(core.MainMode3, 257), "0a0001050007"},
		{core.MainMode3, OffCurve(core.MainMode3), "070707060000"},
		{core.MainMode5, Identity(core.MainMode5, "port", func(id *isakmp.ID) { id.Port = 0x1234 }), "01001234"},
		{core.MainMode5, SwapIdentity(core.MainMode5), ""},
		{core.MainMode5, InClear(core.MainMode5), ""},
		{core.MainMode5, HashLength(core.MainMode5, 2), "000000060909"},
		{core.MainMode5, HashLength(core.MainMode5, 33), "0900"},
		{core.MainMode5, HashLast(core.MainMode5), ""},
		{core.Informational, EditDelete("SPI", func(d *isakmp.Delete) { d.SPIs[0] = []byte{0xab, 0xcd} }), "01100001abcd"},
		{core.Informational, Informs("a Vendor ID", isakmp.VID{Data: []byte{0xab, 0xcd}}), "08000006abcd"},
		{core.Informational, Deletes(), "01100001" + "01000000000000000200000000000000"},
	} {
		t.Run(c.d.Name, func(t *testing.T) {
			usual := fmt.Sprintf("%x", pass(t, nil, phase1Message(c.kind)))
			o := phase1Message(c.kind)
			before := append([]isakmp.Payload(nil), o.Payloads...)
			got := fmt.Sprintf("%x", pass(t, c.d.Tap, o))
			if got == usual || !bytes.Contains([]byte(got), []byte(c.want)) {
				t.Errorf("sent %s, want a change with %q", got, c.want)
			}
			if fmt.Sprint(before) != fmt.Sprint(phase1Message(c.kind).Payloads) {
				t.Errorf("what the core has was written to: %v", before)
			}
			for other := core.MainMode1; other <= core.Informational; other++ {
				if other != c.kind && !bytes.Equal(pass(t, nil, phase1Message(other)), pass(t, c.d.Tap, phase1Message(other))) {
					t.Errorf("%s is changed too", other)
				}
			}
		})
	}
}

func TestTrailingCountsIn(t *testing.T) {
	data := pass(t, Trailing(core.MainMode1, "octets", []byte{1, 2, 3}).Tap, phase1Message(core.MainMode1))
	if h, err := isakmp.ParseHeader(data); err != nil || int(h.Length) != len(data) {
		t.Errorf("Length %d of %d octets, %v", h.Length, len(data), err)
	}
}
