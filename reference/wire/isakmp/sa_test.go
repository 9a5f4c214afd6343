package isakmp_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func TestSABothWays(t *testing.T) {
	three := uint8(3)
	tests := []struct {
		name, hex string
		value     isakmp.SA
	}{
		{"no proposal", "00000001 00000001", isakmp.SA{DOI: 1, Situation: 1}},
		{"SPI and no transform", "00000002 00000000" + "00 00 000a 01 01 02 00 abcd",
			isakmp.SA{DOI: 2, Proposals: []isakmp.Proposal{{Number: 1, Protocol: 1, SPI: []byte{0xab, 0xcd}}}}},
		{"two of each", "00000002 00000000" +
			"02 00 0008 01 01 00 00" +
			"00 00 001c 02 01 00 02" + "03 00 0008 01 01 0000" + "00 00 000c 02 01 0000 80010007",
			isakmp.SA{DOI: 2, Proposals: []isakmp.Proposal{
				{Number: 1, Protocol: 1},
				{Number: 2, Protocol: 1, Transforms: []isakmp.Transform{
					{Number: 1, ID: 1},
					{Number: 2, ID: 1, Attributes: []wire.Attribute{wire.TV(1, 7)}},
				}},
			}}},
		{"reserved fields and a wrong count", "00000002 00000000" + "00 aa 0010 01 01 00 03" + "00 bb 0008 01 01 cccc",
			isakmp.SA{DOI: 2, Proposals: []isakmp.Proposal{{
				Generic: isakmp.Generic{Reserved: 0xaa}, Number: 1, Protocol: 1, Count: &three,
				Transforms: []isakmp.Transform{{Generic: isakmp.Generic{Reserved: 0xbb}, Number: 1, ID: 1, Reserved2: 0xcccc}},
			}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := wiretest.Hex(t, tt.hex)
			if got, err := isakmp.ParseSA(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
				t.Errorf("parsed %+v (%v)\nwant   %+v", got, err, tt.value)
			}
			if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
				t.Errorf("appended %x (%v)\nwant     %x", got, err, b)
			}
		})
	}
}

func TestSAErrors(t *testing.T) {
	const head = "00000002 00000000"
	tests := []struct {
		name, hex string
		want      wire.Error
	}{
		{"no situation", "00000002 000000", wire.Error{Offset: 36, Field: "SA situation", Err: wire.ErrShort}},
		{"proposal past the SA", head + "00000009 01010000", wire.Error{Offset: 42, Field: "payload length", Err: wire.ErrLength}},
		{"octets behind the proposals", head + "00000008 01010000 00", wire.Error{Offset: 48, Field: "end", Err: wire.ErrTrailing}},
		{"another proposal is missing", head + "02000008 01010000", wire.Error{Offset: 48, Field: "generic payload header", Err: wire.ErrShort}},
		{"proposals followed by ID", head + "05000008 01010000", wire.Error{Offset: 40, Field: "P next payload", Err: wire.ErrChain}},
		{"short proposal", head + "00000006 0101", wire.Error{Offset: 46, Field: "proposal SPI size", Err: wire.ErrShort}},
		{"SPI past the proposal", head + "0000000a 01010300 aabb", wire.Error{Offset: 48, Field: "proposal SPI", Err: wire.ErrShort}},
		{"short transform", head + "0000000f 01010001 00000007 010100", wire.Error{Offset: 54, Field: "transform reserved", Err: wire.ErrShort}},
		{"transforms followed by P", head + "00000010 01010001 02000008 01010000", wire.Error{Offset: 48, Field: "T next payload", Err: wire.ErrChain}},
		{"short attribute", head + "00000012 01010001 0000000a 01010000 8001", wire.Error{Offset: 58, Field: "attribute value", Err: wire.ErrShort}},
	}
	for _, tt := range tests {
		got, err := isakmp.ParseSA(wiretest.Hex(t, tt.hex), 32)
		var e *wire.Error
		if !errors.As(err, &e) || *e != tt.want || !reflect.DeepEqual(got, isakmp.SA{}) {
			t.Errorf("%s: error %v, want %v", tt.name, err, &tt.want)
		}
	}
}

func TestSAOverrides(t *testing.T) {
	next, count := isakmp.PayloadID, uint8(9)
	sa := isakmp.SA{Proposals: []isakmp.Proposal{{
		Generic:    isakmp.Generic{Next: &next, Reserved: 1, LengthDelta: -1},
		Count:      &count,
		Transforms: []isakmp.Transform{{Generic: isakmp.Generic{Next: &next, Reserved: 2, LengthDelta: 2}}},
	}}}
	want := wiretest.Hex(t, "00000000 00000000"+"0501000f 00000009"+"0502000a 00000000")
	if got, err := sa.AppendBody(nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x (%v), want %x", got, err, want)
	}
}
