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

func TestKDBothWays(t *testing.T) {
	none, five := uint16(0), uint16(5)
	tests := []struct {
		name, hex string
		value     gdoi.KD
	}{
		{"no packet", "0000 0000", gdoi.KD{}},
		{"reserved fields", "0001 abcd 01ff 0009 04 01020304",
			gdoi.KD{Reserved2: 0xabcd, Packets: []gdoi.KeyPacket{{Type: 1, Reserved: 255, SPI: []byte{1, 2, 3, 4}}}}},
		{"fewer than announced", "0005 0000 0400 0005 00", gdoi.KD{Count: &five, Packets: []gdoi.KeyPacket{{Type: 4}}}},
		{"more than announced", "0000 0000 0400 0005 00", gdoi.KD{Count: &none, Packets: []gdoi.KeyPacket{{Type: 4}}}},
		{"unknown type and attribute", "0001 0000 c800 000b 01 aa 3fff0001 bb", gdoi.KD{Packets: []gdoi.KeyPacket{
			{Type: 200, SPI: []byte{0xaa}, Attributes: []wire.Attribute{wire.TLV(0x3fff, []byte{0xbb})}}}}},
	}
	for _, tt := range tests {
		b := wiretest.Hex(t, tt.hex)
		if got, err := gdoi.ParseKD(b, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("%s: parsed %+v (%v)", tt.name, got, err)
		}
		if got, err := tt.value.AppendBody(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: appended %x (%v), want %x", tt.name, got, err, b)
		}
	}
}

func TestKDErrors(t *testing.T) {
	tests := []struct {
		name, hex string
		want      wire.Error
	}{
		{"short head", "0001 00", wire.Error{Offset: 34, Field: "KD reserved", Err: wire.ErrShort}},
		{"short packet head", "0001 0000 0100 00", wire.Error{Offset: 38, Field: "KD key packet length", Err: wire.ErrShort}},
		{"length 4", "0001 0000 0100 0004 00", wire.Error{Offset: 38, Field: "KD key packet length", Err: wire.ErrLength}},
		{"length 0", "0001 0000 0100 0000 00", wire.Error{Offset: 38, Field: "KD key packet length", Err: wire.ErrLength}},
		{"past the KD", "0001 0000 0100 0006 00", wire.Error{Offset: 38, Field: "KD key packet length", Err: wire.ErrLength}},
		{"SPI past the packet", "0001 0000 0100 0008 04 010203", wire.Error{Offset: 41, Field: "KD SPI", Err: wire.ErrShort}},
		{"attribute past the packet", "0001 0000 0100 000a 00 00010004 aa 0100000500",
			wire.Error{Offset: 45, Field: "attribute value", Err: wire.ErrShort}},
		{"octets between packets", "0002 0000 0100 0005 00 ff", wire.Error{Offset: 42, Field: "KD key packet reserved", Err: wire.ErrShort}},
	}
	for _, tt := range tests {
		var e *wire.Error
		got, err := gdoi.ParseKD(wiretest.Hex(t, tt.hex), 32)
		if !errors.As(err, &e) || *e != tt.want || !reflect.DeepEqual(got, gdoi.KD{}) {
			t.Errorf("%s: error %v, want %v", tt.name, err, &tt.want)
		}
	}
}

func TestKDOverrides(t *testing.T) {
	seven := uint16(7)
	kd := gdoi.KD{Count: &seven, Packets: []gdoi.KeyPacket{{Type: gdoi.KDTypeTEK, LengthDelta: -2}, {Type: gdoi.KDTypeSID, LengthDelta: 9}}}
	want := wiretest.Hex(t, "0007 0000 0100 0003 00 0400 000e 00")
	if got, err := kd.AppendBody(nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x (%v), want %x", got, err, want)
	}
}

func TestKDThatCannotBeWritten(t *testing.T) {
	tests := []struct {
		field string
		kd    gdoi.KD
	}{
		{"KD number of key packets", gdoi.KD{Packets: make([]gdoi.KeyPacket, 65536)}},
		{"KD SPI size", gdoi.KD{Packets: []gdoi.KeyPacket{{SPI: make([]byte, 256)}}}},
		{"KD key packet length", gdoi.KD{Packets: []gdoi.KeyPacket{{Attributes: []wire.Attribute{wire.TLV(1, make([]byte, 65535))}}}}},
		{"attribute value", gdoi.KD{Packets: []gdoi.KeyPacket{{Attributes: []wire.Attribute{wire.TLV(1, make([]byte, 65536))}}}}},
	}
	for _, tt := range tests {
		var e *wire.Error
		if _, err := tt.kd.AppendBody(nil); !errors.As(err, &e) || e.Field != tt.field {
			t.Errorf("%s: %v", tt.field, err)
		}
	}
}

func FuzzKD(f *testing.F) {
	f.Add(wiretest.Vector(f, "gdoi/kd")[isakmp.GenericLen:])
	f.Add(wiretest.Hex(f, "0005 0000 0400 0005 00"))
	f.Fuzz(func(t *testing.T, body []byte) { checkCut(t, isakmp.ParserOf(gdoi.ParseKD), body) })
}
