package isakmp_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func TestChainErrors(t *testing.T) {
	tests := []struct {
		name, hex string
		parsed    int
		want      wire.Error
	}{
		{"nothing", "", 0, wire.Error{Offset: 28, Field: "generic payload header", Err: wire.ErrShort}},
		{"half a header", "0000", 0, wire.Error{Offset: 28, Field: "generic payload header", Err: wire.ErrShort}},
		{"length 3", "00000003", 0, wire.Error{Offset: 30, Field: "payload length", Err: wire.ErrLength}},
		{"length 0", "00000000 0000", 0, wire.Error{Offset: 30, Field: "payload length", Err: wire.ErrLength}},
		{"length past the message", "0000000600", 0, wire.Error{Offset: 30, Field: "payload length", Err: wire.ErrLength}},
		{"no end", "0d000005aa 0d000004", 2, wire.Error{Offset: 37, Field: "generic payload header", Err: wire.ErrShort}},
		{"second too short", "05000004 00000007010203", 1, wire.Error{Offset: 38, Field: "ID port", Err: wire.ErrShort}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ps, padding, err := isakmp.Phase1.Parse(isakmp.PayloadVID, wiretest.Hex(t, tt.hex), isakmp.HeaderLen)
			var e *wire.Error
			if !errors.As(err, &e) || *e != tt.want {
				t.Errorf("error %v, want %v", err, &tt.want)
			}
			if len(ps) != tt.parsed || padding != nil {
				t.Errorf("%d payloads and padding %x, want %d and none", len(ps), padding, tt.parsed)
			}
		})
	}
}

func TestChainKeepsWhatItDoesNotKnow(t *testing.T) {
	b := wiretest.Hex(t, "c8 00 0006 aabb"+"0a 7f 0004"+"00 01 0005 cc"+"000000")
	ps, padding, err := isakmp.Phase1.Parse(201, b, 28)
	if err != nil || len(ps) != 3 || !bytes.Equal(padding, make([]byte, 3)) {
		t.Fatalf("%+v, padding %x, %v", ps, padding, err)
	}
	raw, d, ok := isakmp.Find[isakmp.Raw](ps)
	if !ok || raw.PayloadType != 201 || !bytes.Equal(raw.Body, []byte{0xaa, 0xbb}) || d.Next != 200 || d.Offset != 28 {
		t.Errorf("first payload %+v", d)
	}
	if ps[1].Reserved != 0x7f || ps[1].Offset != 34 || len(ps[1].Body()) != 0 {
		t.Errorf("second payload %+v", ps[1])
	}
	nonce, d, ok := isakmp.Find[isakmp.Nonce](ps)
	if !ok || !bytes.Equal(nonce.Data, []byte{0xcc}) || d.Reserved != 1 || d.Offset != 38 {
		t.Errorf("nonce %+v, %+v", nonce, d)
	}
	if _, _, ok := isakmp.Find[isakmp.KE](ps); ok {
		t.Error("found a KE payload in a chain that has none")
	}
	wiretest.CheckChain(t, isakmp.Phase1, 201, b, 28)
}

func TestEmptyChain(t *testing.T) {
	ps, padding, err := isakmp.Phase1.Parse(isakmp.PayloadNone, []byte{1, 2}, 28)
	if err != nil || len(ps) != 0 || !bytes.Equal(padding, []byte{1, 2}) {
		t.Errorf("%v, %x, %v", ps, padding, err)
	}
	if got := isakmp.FirstType(nil); got != isakmp.PayloadNone {
		t.Errorf("first type of nothing is %v", got)
	}
}

func TestFramedOverridesTheGenericHeader(t *testing.T) {
	next := isakmp.PayloadType(77)
	nonce := isakmp.Nonce{Data: []byte{1, 2}}
	tests := []struct {
		name, hex string
		payloads  []isakmp.Payload
	}{
		{"as it should be", "0d000006 0102 00000004", []isakmp.Payload{nonce, isakmp.VID{}}},
		{"wrapped for nothing", "0d000006 0102 00000004", []isakmp.Payload{isakmp.Framed{Payload: nonce}, isakmp.VID{}}},
		{"next", "4d000006 0102 00000004", []isakmp.Payload{isakmp.Framed{Payload: nonce, Next: &next}, isakmp.VID{}}},
		{"reserved", "0dff0006 0102 00000004", []isakmp.Payload{isakmp.Framed{Payload: nonce, Reserved: 255}, isakmp.VID{}}},
		{"longer", "0d000008 0102 00000004", []isakmp.Payload{isakmp.Framed{Payload: nonce, LengthDelta: 2}, isakmp.VID{}}},
		{"shorter", "0d000003 0102 00000004", []isakmp.Payload{isakmp.Framed{Payload: nonce, LengthDelta: -3}, isakmp.VID{}}},
		{"type of a wrapped one", "0d000004 000000060102", []isakmp.Payload{isakmp.VID{}, isakmp.Framed{Payload: isakmp.Raw{PayloadType: 13, Body: []byte{1, 2}}}}},
	}
	for _, tt := range tests {
		if got, err := isakmp.AppendPayloads(nil, tt.payloads); err != nil || !bytes.Equal(got, wiretest.Hex(t, tt.hex)) {
			t.Errorf("%s: %x (%v), want %s", tt.name, got, err, tt.hex)
		}
	}
	if got := isakmp.Unwrap(isakmp.Framed{Payload: isakmp.Framed{Payload: isakmp.KE{}}}); got.Type() != isakmp.PayloadKE {
		t.Errorf("unwrapped %T", got)
	}
}

func TestPayloadsThatCannotBeWritten(t *testing.T) {
	long := make([]byte, 256)
	tests := []struct {
		name  string
		p     isakmp.Payload
		field string
	}{
		{"none", nil, "payload"},
		{"frame around none", isakmp.Framed{}, "payload"},
		{"65536 octets", isakmp.Nonce{Data: make([]byte, 65532)}, "payload length"},
		{"notify SPI", isakmp.Notify{SPI: long}, "notify SPI size"},
		{"SPIs", isakmp.Delete{SPIs: make([][]byte, 65536)}, "delete number of SPIs"},
		{"proposal SPI", isakmp.SA{Proposals: []isakmp.Proposal{{SPI: long}}}, "proposal"},
		{"transforms", isakmp.SA{Proposals: []isakmp.Proposal{{Transforms: make([]isakmp.Transform, 256)}}}, "proposal"},
		{"attribute", isakmp.SA{Proposals: []isakmp.Proposal{{Transforms: []isakmp.Transform{
			{Attributes: []wire.Attribute{wire.TV(0x8000, 1)}}}}}}, "attribute type"},
	}
	for _, tt := range tests {
		_, err := isakmp.Assemble(headerOfMain1, []isakmp.Payload{tt.p})
		var e *wire.Error
		if !errors.As(err, &e) || e.Field != tt.field || e.Offset < isakmp.HeaderLen {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if b, err := isakmp.AppendPayload(nil, 0, isakmp.Nonce{Data: make([]byte, 65531)}); err != nil || len(b) != 65535 {
		t.Errorf("the longest payload: %d octets, %v", len(b), err)
	}
}

func FuzzPhase1(f *testing.F) {
	for _, name := range []string{"isakmp/main-1", "isakmp/main-3", "isakmp/main-5", "isakmp/informational"} {
		b := wiretest.Vector(f, name)
		f.Add(b[16], b[isakmp.HeaderLen:])
	}
	f.Add(byte(isakmp.PayloadNATOA), wiretest.Vector(f, "isakmp/nat-oa"))
	f.Add(byte(130), wiretest.Hex(f, "83000006 aabb 00000004"))
	f.Add(byte(12), wiretest.Hex(f, "0000000c 00000001 0100 ffff"))
	f.Fuzz(func(t *testing.T, first byte, b []byte) {
		wiretest.CheckChain(t, isakmp.Phase1, isakmp.PayloadType(first), b, isakmp.HeaderLen)
	})
}
