package ikev2_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func number[T any](v T) *T { return &v }

// suite is the worked SA of AES-CBC-256, HMAC-SHA-256, its ICV of 128 bits and ECP-256, with a transform of a type that is not known.
const suite = "00000038 00000034 01010005 0300000c 0100000c 800e0100 03000008 02000005 03000008 0300000c 03000008 04000013 00000008 0d000003"

// both is every payload with its generic header, as it is on the wire and as a value.
var both = []struct {
	name, hex string
	value     isakmp.Payload
}{
	{"SA", suite, ikev2.SA{Proposals: []ikev2.Proposal{{Number: 1, Protocol: ikev2.ProtocolIKE, Transforms: []ikev2.Transform{
		{Type: ikev2.TransformENCR, ID: ikev2.ENCRAESCBC, Attributes: []wire.Attribute{wire.TV(ikev2.AttrKeyLength, 256)}},
		{Type: ikev2.TransformPRF, ID: ikev2.PRFHMACSHA256}, {Type: ikev2.TransformINTEG, ID: ikev2.INTEGHMACSHA256},
		{Type: ikev2.TransformKE, ID: 19}, {Type: 13, ID: 3}}}}}},
	{"SA of two proposals", "0000001c 0200000c 01030400 11223344 0000000c 02030401 11223344",
		ikev2.SA{Proposals: []ikev2.Proposal{{Number: 1, Protocol: ikev2.ProtocolESP, SPI: []byte{0x11, 0x22, 0x33, 0x44}},
			{Number: 2, Protocol: ikev2.ProtocolESP, SPI: []byte{0x11, 0x22, 0x33, 0x44}, Count: number(uint8(1))}}}},
	{"KE", "0000000b 0013 0000 aabbcc", ikev2.KE{Group: 19, Data: []byte{0xaa, 0xbb, 0xcc}}},
	{"IDi", "0000000e 02 000000 6b732e312e31", ikev2.IDi{ID: ikev2.ID{IDType: ikev2.IDFQDN, Data: []byte("ks.1.1")}}},
	{"IDr", "0000000c 01 000001 0a000001", ikev2.IDr{ID: ikev2.ID{IDType: ikev2.IDIPv4Addr, Reserved: [3]byte{0, 0, 1}, Data: []byte{10, 0, 0, 1}}}},
	{"CERT", "00000007 04 3082", ikev2.CERT{Encoding: ikev2.EncodingX509Signature, Data: []byte{0x30, 0x82}}},
	{"CERTREQ", "00000005 04", ikev2.CERTREQ{Encoding: ikev2.EncodingX509Signature}},
	{"AUTH", "0000000a 02 000000 0102", ikev2.AUTH{Method: ikev2.AuthSharedKey, Data: []byte{1, 2}}},
	{"Nonce", "00000006 0102", ikev2.Nonce{Data: []byte{1, 2}}},
	{"Notify", "0000000a 00 00 0011 000e", ikev2.Notify{NotifyType: ikev2.NotifyInvalidKEPayload, Data: []byte{0, 14}}},
	{"Notify of an SPI", "0000000c 03 04 4009 01020304", ikev2.Notify{Protocol: ikev2.ProtocolESP, SPI: []byte{1, 2, 3, 4}, NotifyType: ikev2.NotifyRekeySA}},
	{"Delete of IKE", "00000008 01 00 0000", ikev2.Delete{Protocol: ikev2.ProtocolIKE}},
	{"Delete of ESP", "00000010 03 04 0002 01020304 05060708",
		ikev2.Delete{Protocol: ikev2.ProtocolESP, SPISize: 4, SPIs: [][]byte{{1, 2, 3, 4}, {5, 6, 7, 8}}}},
	{"Delete of SPIs without octets", "00000008 01 00 ffff", ikev2.Delete{Protocol: ikev2.ProtocolIKE, Count: number(uint16(65535))}},
	{"Vendor ID", "00000006 cafe", ikev2.VendorID{Data: []byte{0xca, 0xfe}}},
	{"TSi", "00000018 01 000000 07 11 0010 0350 0350 0a000000 0a0000ff",
		ikev2.TSi{TS: ikev2.TS{Selectors: []ikev2.Selector{{Kind: ikev2.TSIPv4AddrRange, Protocol: 17, StartPort: 848, EndPort: 848, Addresses: []byte{10, 0, 0, 0, 10, 0, 0, 255}}}}}},
	{"TSr of a kind that is not known", "00000011 02 000000 09 00 0009 0000 ffff 01",
		ikev2.TSr{TS: ikev2.TS{Count: number(uint8(2)), Selectors: []ikev2.Selector{{Kind: 9, EndPort: 65535, Addresses: []byte{1}}}}}},
	{"SK", "23000006 0102", ikev2.SK{Inner: ikev2.PayloadIDi, Body: []byte{1, 2}}},
	{"SKF", "2300000a 0001 0002 0102", ikev2.SKF{Inner: ikev2.PayloadIDi, Number: 1, Total: 2, Body: []byte{1, 2}}},
	{"one that is not known", "00800005 01", isakmp.Framed{Payload: isakmp.Raw{PayloadType: 200, Body: []byte{1}}, Reserved: ikev2.Critical}},
}

func TestBothWays(t *testing.T) {
	for _, tt := range both {
		t.Run(tt.name, func(t *testing.T) {
			b := wiretest.Hex(t, tt.hex)
			typ := tt.value.Type()
			ps, err := ikev2.Parse(typ, b, 28)
			if err != nil {
				t.Fatal(err)
			}
			if got := ps[0].Framed(); !reflect.DeepEqual(got, tt.value) {
				t.Errorf("parsed %+v\nwant   %+v", got, tt.value)
			}
			again, err := ikev2.Append(nil, []isakmp.Payload{tt.value})
			if err != nil || !bytes.Equal(again, b) {
				t.Errorf("appended %x (%v)", again, err)
			}
		})
	}
}

// all is one message that has every payload, and ends with SK.
func all(tb testing.TB) []byte {
	tb.Helper()
	var ps []isakmp.Payload
	for _, tt := range both {
		if typ := tt.value.Type(); typ != ikev2.PayloadSK && typ != ikev2.PayloadSKF {
			ps = append(ps, tt.value)
		}
	}
	h := isakmp.Header{Version: ikev2.Version20, Exchange: ikev2.ExchangeIKEAuth, Flags: ikev2.FlagInitiator, MessageID: 1}
	b, err := ikev2.Assemble(h, append(ps, ikev2.SK{Inner: ikev2.PayloadIDi, Body: []byte{9, 9}}))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// check reads any octets as payloads; what can be read has to encode to the same octets, and an error has to say where.
func check(tb testing.TB, first isakmp.PayloadType, b []byte) int {
	tb.Helper()
	ps, err := ikev2.Parse(first, b, isakmp.HeaderLen)
	if err != nil {
		wiretest.CheckError(tb, err, isakmp.HeaderLen, isakmp.HeaderLen+len(b))
		return len(ps)
	}
	again, err := ikev2.Append(nil, ikev2.Payloads(ps))
	if err != nil || !bytes.Equal(again, b) {
		tb.Fatalf("encoded again differs (%v):\nin  %x\nout %x", err, b, again)
	}
	return len(ps)
}

func TestTruncations(t *testing.T) {
	b := all(t)
	h, err := isakmp.ParseHeader(b)
	if err != nil || int(h.Length) != len(b) {
		t.Fatalf("%+v, %v", h, err)
	}
	body := b[isakmp.HeaderLen:]
	whole := check(t, h.NextPayload, body)
	if whole != len(both)-1 {
		t.Fatalf("%d payloads", whole)
	}
	for n := range body {
		if got := check(t, h.NextPayload, body[:n:n]); got >= whole {
			t.Fatalf("%d of %d octets still have %d payloads", n, len(body), got)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		typ       isakmp.PayloadType
		want      wire.Error
	}{
		{"octets behind the last", "00000004 00", ikev2.PayloadNonce, wire.Error{Offset: 32, Field: "end", Err: wire.ErrTrailing}},
		{"a payload behind SK", "29000004 00000008 00000007", ikev2.PayloadSK, wire.Error{Offset: 32, Field: "end", Err: wire.ErrTrailing}},
		{"half an SKF", "29000006 0001", ikev2.PayloadSKF, wire.Error{Offset: 34, Field: "total fragments", Err: wire.ErrShort}},
		{"a KE without its group", "00000005 00", ikev2.PayloadKE, wire.Error{Offset: 32, Field: "KE group", Err: wire.ErrShort}},
		{"an ID of three octets", "00000007 010000", ikev2.PayloadIDi, wire.Error{Offset: 33, Field: "ID reserved", Err: wire.ErrShort}},
		{"a proposal that says 1 for more", "0000000c 01000008 01010000", ikev2.PayloadSA, wire.Error{Offset: 32, Field: "more after proposal", Err: wire.ErrChain}},
		{"a transform that says 2 for more", "00000014 00000010 01010001 02000008 01000003", ikev2.PayloadSA,
			wire.Error{Offset: 40, Field: "more after transform", Err: wire.ErrChain}},
		{"more, and none", "0000000c 02000008 01010000", ikev2.PayloadSA, wire.Error{Offset: 40, Field: "generic payload header", Err: wire.ErrShort}},
		{"an SPI longer than its proposal", "0000000c 00000008 01010400", ikev2.PayloadSA, wire.Error{Offset: 40, Field: "proposal SPI", Err: wire.ErrShort}},
		{"an SPI longer than its notification", "00000008 03040007", ikev2.PayloadN, wire.Error{Offset: 36, Field: "notify SPI", Err: wire.ErrShort}},
		{"fewer SPIs than announced", "0000000c 03040002 01020304", ikev2.PayloadD, wire.Error{Offset: 36, Field: "delete SPIs", Err: wire.ErrShort}},
		{"an IPv4 selector of 40 octets", "00000010 01000000 07000028 0000ffff", ikev2.PayloadTSi, wire.Error{Offset: 38, Field: "selector length", Err: wire.ErrLength}},
		{"a selector of 7 octets", "0000000f 01000000 09000007 000000", ikev2.PayloadTSr, wire.Error{Offset: 42, Field: "selector end port", Err: wire.ErrShort}},
	} {
		_, err := ikev2.Parse(tt.typ, wiretest.Hex(t, tt.hex), 28)
		var e *wire.Error
		if !errors.As(err, &e) || *e != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, &tt.want)
		}
	}
}

func TestWhatDoesNotFit(t *testing.T) {
	long := make([]byte, 256)
	for field, p := range map[string]isakmp.Payload{
		"payload length":        ikev2.SK{Body: make([]byte, 65532)},
		"notify SPI size":       ikev2.Notify{SPI: long},
		"delete number of SPIs": ikev2.Delete{SPIs: make([][]byte, 65536)},
		"proposal":              ikev2.SA{Proposals: []ikev2.Proposal{{SPI: long}}},
		"attribute type": ikev2.SA{Proposals: []ikev2.Proposal{{Transforms: []ikev2.Transform{
			{Attributes: []wire.Attribute{wire.TV(0x8000, 1)}}}}}},
		"number of selectors": ikev2.TSi{TS: ikev2.TS{Selectors: make([]ikev2.Selector, 256)}},
		"selector length":     ikev2.TSr{TS: ikev2.TS{Selectors: []ikev2.Selector{{Addresses: make([]byte, 65536)}}}},
	} {
		_, err := ikev2.Assemble(isakmp.Header{}, []isakmp.Payload{p})
		var e *wire.Error
		if !errors.As(err, &e) || e.Field != field || e.Offset < isakmp.HeaderLen {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// A frame that names something else than what SK holds is left as it is.
func TestFramedSK(t *testing.T) {
	b, err := ikev2.Append(nil, []isakmp.Payload{
		isakmp.Framed{Payload: ikev2.Nonce{}, LengthDelta: 1},
		isakmp.Framed{Payload: ikev2.SK{Inner: ikev2.PayloadIDi}, Reserved: ikev2.Critical},
	})
	if err != nil || !bytes.Equal(b, wiretest.Hex(t, "2e000005 23800004")) {
		t.Errorf("%x, %v", b, err)
	}
	b, err = ikev2.Append(nil, []isakmp.Payload{isakmp.Framed{Payload: ikev2.SK{Inner: ikev2.PayloadIDi}, Next: number(ikev2.PayloadEAP)}})
	if err != nil || !bytes.Equal(b, wiretest.Hex(t, "30000004")) {
		t.Errorf("%x, %v", b, err)
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		ikev2.ExchangeName(ikev2.ExchangeIKESAInit): "IKE_SA_INIT", ikev2.ExchangeName(40): "exchange 40",
		ikev2.PayloadName(ikev2.PayloadTSi): "TSi", ikev2.PayloadName(99): "payload 99",
		ikev2.NotifyNoProposalChosen.String(): "NO_PROPOSAL_CHOSEN", ikev2.NotifyType(8192).String(): "notify type 8192",
		ikev2.ProtocolESP.String(): "ESP", ikev2.TransformPRF.String(): "PRF",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if !ikev2.NotifyInvalidSyntax.IsError() || ikev2.NotifyCookie.IsError() || ikev2.NotifyType(0).IsError() {
		t.Error("IsError is wrong")
	}
	sa := both[0].value.(ikev2.SA).Proposals[0]
	if sa.Transforms[0].KeyLength() != 256 || sa.Transforms[1].KeyLength() != 0 {
		t.Error("key lengths")
	}
}

func FuzzParse(f *testing.F) {
	b := all(f)
	f.Add(b[16], b[isakmp.HeaderLen:])
	for _, tt := range both {
		f.Add(byte(tt.value.Type()), wiretest.Hex(f, tt.hex))
	}
	f.Fuzz(func(t *testing.T, first byte, b []byte) { check(t, isakmp.PayloadType(first), b) })
}
