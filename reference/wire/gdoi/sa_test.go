package gdoi_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

const saHead = "00000002 00000000 "

func TestSABothWays(t *testing.T) {
	gap := gdoi.GAP{Attributes: []wire.Attribute{wire.TV(gdoi.GAPActivation, 5)}}
	tests := []struct {
		name, hex string
		value     gdoi.SA
	}{
		{"no attribute payloads", saHead + "0000 0000", gdoi.SA{DOI: 2}},
		{"every head field", "01020304 05060708 0016 abcd 00000008 80010005",
			gdoi.SA{DOI: 0x01020304, Situation: 0x05060708, AttributeNext: 22, Reserved2: 0xabcd, Attributes: []isakmp.Payload{gap}}},
		{"two GAPs in front of what is not known", saHead + "0016 0000 16000008 80010005 c8000008 80010005 00000005aa",
			gdoi.SA{DOI: 2, AttributeNext: 22, Attributes: []isakmp.Payload{gap, gap, isakmp.Raw{PayloadType: 200, Body: []byte{0xaa}}}}},
		{"a reserved octet", saHead + "0016 0000 00ff0008 80010005",
			gdoi.SA{DOI: 2, AttributeNext: 22, Attributes: []isakmp.Payload{isakmp.Framed{Payload: gap, Reserved: 255}}}},
		{"next payload of 16 bits", saHead + "0116 0000 00000008 80010005",
			gdoi.SA{DOI: 2, AttributeNext: 0x0116, Attributes: []isakmp.Payload{gap}}},
		{"next payload of 16 bits and nothing", saHead + "0100 0000", gdoi.SA{DOI: 2, AttributeNext: 0x0100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := wiretest.Hex(t, tt.hex)
			if got, err := gdoi.ParseSA(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
				t.Errorf("parsed %+v (%v)\nwant   %+v", got, err, tt.value)
			}
			if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
				t.Errorf("appended %x (%v)\nwant     %x", got, err, b)
			}
		})
	}
}

func TestSADerivesItsAttributeNext(t *testing.T) {
	framed := []isakmp.Payload{isakmp.Framed{Payload: gdoi.GAP{}}}
	for want, attributes := range map[byte][]isakmp.Payload{15: {sak, sat}, 16: {sat}, 22: framed, 0: nil} {
		b, err := gdoi.SA{DOI: 2, Attributes: attributes}.AppendBody(nil)
		if err != nil || b[8] != 0 || b[9] != want {
			t.Errorf("%x (%v), want next payload %d", b, err, want)
		}
	}
}

func TestSAErrors(t *testing.T) {
	tests := []struct {
		name, hex string
		want      wire.Error
	}{
		{"short", saHead + "0000 00", wire.Error{Offset: 42, Field: "SA reserved", Err: wire.ErrShort}},
		{"no chain", saHead + "000f 0000", wire.Error{Offset: 44, Field: "SA attribute payloads", Err: wire.ErrShort}},
		{"a chain that nobody names", saHead + "0000 0000 00000004", wire.Error{Offset: 44, Field: "end", Err: wire.ErrTrailing}},
		{"half a generic header", saHead + "0016 0000 0000", wire.Error{Offset: 44, Field: "generic payload header", Err: wire.ErrShort}},
		{"length 3", saHead + "0016 0000 00000003", wire.Error{Offset: 46, Field: "payload length", Err: wire.ErrLength}},
		{"past the SA", saHead + "0016 0000 00000005", wire.Error{Offset: 46, Field: "payload length", Err: wire.ErrLength}},
		{"no end", saHead + "0016 0000 10000004", wire.Error{Offset: 48, Field: "generic payload header", Err: wire.ErrShort}},
		{"octets behind the end", saHead + "0016 0000 00000004 ff", wire.Error{Offset: 48, Field: "end", Err: wire.ErrTrailing}},
		{"bad second payload", saHead + "0016 0000 10000004 00000006 0100",
			wire.Error{Offset: 54, Field: "SAT source", Err: wire.ErrShort}},
	}
	for _, tt := range tests {
		var e *wire.Error
		got, err := gdoi.ParseSA(wiretest.Hex(t, tt.hex), 32)
		if !errors.As(err, &e) || *e != tt.want || !reflect.DeepEqual(got, gdoi.SA{}) {
			t.Errorf("%s: error %v, want %v", tt.name, err, &tt.want)
		}
	}
}

// A chain that outgrows what an ordinary SA needs must not disturb what was read before.
func TestSAOfManySATs(t *testing.T) {
	want := gdoi.SA{DOI: 2, AttributeNext: 15, Attributes: []isakmp.Payload{sak, gap}}
	for i := range 100 {
		esp := *sat.ESP
		esp.SPI += uint32(i)
		want.Attributes = append(want.Attributes, gdoi.SAT{ProtocolID: 1, ESP: &esp})
	}
	b, err := want.AppendBody(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := gdoi.ParseSA(b, 32); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("parsed %+v (%v)", got, err)
	}
}

func TestAttributeChain(t *testing.T) {
	golden := wiretest.Vector(t, "gdoi/pull-2")
	ps, _, err := gdoi.Pull.Parse(isakmp.PayloadType(golden[16]), golden[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		t.Fatal(err)
	}
	_, d, ok := isakmp.Find[gdoi.SA](ps)
	if !ok {
		t.Fatal("there is no SA")
	}
	chain, err := gdoi.AttributeChain(d)
	if err != nil || len(chain) != 3 {
		t.Fatalf("%+v, %v", chain, err)
	}
	for i, want := range sa.Attributes {
		got := chain[i]
		if !reflect.DeepEqual(got.Payload, want) || !bytes.Equal(got.Raw, golden[got.Offset:got.Offset+len(got.Raw)]) {
			t.Errorf("payload %d: %+v", i, got)
		}
	}
	if chain[0].Offset != 100 || chain[0].Next != isakmp.PayloadGAP || chain[2].Next != isakmp.PayloadNone {
		t.Errorf("%+v", chain)
	}
}

func FuzzSA(f *testing.F) {
	f.Add(wiretest.Vector(f, "gdoi/sa")[isakmp.GenericLen:])
	f.Add(wiretest.Hex(f, saHead+"0016 0000 00ff0008 80010005"))
	f.Fuzz(func(t *testing.T, body []byte) {
		checkCut(t, isakmp.ParserOf(gdoi.ParseSA), body)
		sa, err := gdoi.ParseSA(body, 32)
		d := isakmp.Decoded{Offset: 28, Raw: append(make([]byte, isakmp.GenericLen), body...)}
		chain, chainErr := gdoi.AttributeChain(&d)
		if (err == nil) != (chainErr == nil) {
			t.Fatalf("ParseSA says %v, AttributeChain %v", err, chainErr)
		}
		if chainErr != nil {
			wiretest.CheckError(t, chainErr, 32, 32+len(body))
		} else if got := isakmp.Payloads(chain); len(got) > 0 && !reflect.DeepEqual(got, sa.Attributes) {
			t.Fatalf("ParseSA reads %+v, AttributeChain %+v", sa.Attributes, got)
		}
	})
}
