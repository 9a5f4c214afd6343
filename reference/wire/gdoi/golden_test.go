package gdoi_test

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// run returns n octets that count up from first, as the toy keys and nonces do.
func run(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

var (
	spi        = [16]byte(append(run(0xc0, 8), run(0xd0, 8)...))
	tenNetwork = gdoi.ID16{Type: isakmp.IDIPv4AddrSubnet, Data: []byte{10, 0, 0, 0, 255, 0, 0, 0}}

	sak = gdoi.SAK{
		Protocol:    17,
		Source:      gdoi.ID16{Type: isakmp.IDIPv4Addr, Port: 848, Data: []byte{192, 0, 2, 10}},
		Destination: gdoi.ID16{Type: isakmp.IDIPv4Addr, Port: 848, Data: []byte{239, 1, 1, 1}},
		SPI:         spi,
		Attributes: []wire.Attribute{
			wire.TV(gdoi.KEKAlgorithm, 3),
			wire.TV(gdoi.KEKKeyLength, 128),
			wire.TLV32(gdoi.KEKKeyLifetime, 86400),
			wire.TV(gdoi.SigHashAlgorithm, 3),
			wire.TV(gdoi.SigAlgorithm, 1),
			wire.TV(gdoi.SigKeyLength, 2048),
		},
	}
	gap = gdoi.GAP{Attributes: []wire.Attribute{wire.TV(gdoi.GAPActivation, 5), wire.TV(gdoi.GAPDeactivation, 10)}}
	sat = gdoi.SAT{ProtocolID: gdoi.ProtoIPsecESP, ESP: &gdoi.SATESP{
		Source:      tenNetwork,
		Destination: tenNetwork,
		TransformID: 20,
		SPI:         0x9abcdef0,
		Attributes: []wire.Attribute{
			wire.TV(gdoi.SALifeType, 1),
			wire.TLV32(gdoi.SALifeDuration, 3600),
			wire.TV(gdoi.EncapsulationMode, 1),
			wire.TV(gdoi.KeyLength, 256),
			wire.TV(gdoi.AddressPreservation, 4),
			wire.TV(gdoi.SADirection, 3),
		},
	}}
	satAH = gdoi.SAT{ProtocolID: gdoi.ProtoIPsecAH, ESP: &gdoi.SATESP{
		Source:      tenNetwork,
		Destination: tenNetwork,
		TransformID: gdoi.AHSHA256,
		SPI:         0x0a0b0c0d,
		Attributes: []wire.Attribute{
			wire.TV(gdoi.SALifeType, 1),
			wire.TLV32(gdoi.SALifeDuration, 3600),
			wire.TV(gdoi.EncapsulationMode, gdoi.EncapsulationTransport),
			wire.TV(gdoi.AuthAlgorithm, gdoi.AuthHMACSHA256),
		},
	}}
	traffic = isakmp.OIDIdentity{
		OID:     []byte{6, 0x0b, 0x2a, 0x86, 0x48, 0xce, 0x56, 0x83, 0xe3, 0x1a, 8, 1, 2},
		Payload: []byte{192, 0, 2, 10, 239, 1, 1, 2},
	}
	sat61850 = gdoi.SAT{ProtocolID: gdoi.ProtoIEC61850, IEC61850: &gdoi.SATIEC61850{
		Traffic:        traffic,
		SPI:            0x61850001,
		Authentication: gdoi.IECAuthHMACSHA256Trunc128,
		Encryption:     gdoi.IECEncryptionAES128CBC,
		Remaining:      3600,
		Attributes:     []wire.Attribute{wire.TLV32(gdoi.IECActivation, 5), wire.TV(gdoi.IECKeyAssurance, 100)},
	}}
	sa = gdoi.SA{DOI: gdoi.DOI, AttributeNext: uint16(isakmp.PayloadSAK), Attributes: []isakmp.Payload{sak, gap, sat}}
	kd = gdoi.KD{Packets: []gdoi.KeyPacket{
		gdoi.KEKPacket(spi, wire.TLV(gdoi.KEKAlgorithmKey, append(run(0x40, 16), run(0x50, 16)...))),
		gdoi.TEKPacket(0x9abcdef0, wire.TLV(gdoi.TEKAlgorithmKey, run(0x60, 36))),
		gdoi.SIDPacket(8, 5),
	}}
	kd61850 = gdoi.KD{Packets: []gdoi.KeyPacket{gdoi.TEKPacket(0x61850001,
		wire.TLV(gdoi.TEKAlgorithmKey, run(0x60, 16)), wire.TLV(gdoi.TEKIntegrityKey, run(0x70, 32)))}}
	gapRequest  = gdoi.GAP{Attributes: []wire.Attribute{wire.TV(gdoi.GAPSenderIDRequest, 2)}}
	groupID     = gdoi.ID{IDType: isakmp.IDKeyID, Data: []byte{0, 0, 4, 0xd2}}
	memberID    = gdoi.ID{IDType: isakmp.IDIPv4Addr, Data: []byte{192, 0, 2, 1}}
	wipeTraffic = isakmp.Delete{DOI: gdoi.DOI, Protocol: 1, SPISize: 4, SPIs: [][]byte{make([]byte, 4)}}
	wipeRekey   = isakmp.Delete{DOI: gdoi.DOI, Protocol: 0, SPISize: 16, SPIs: [][]byte{make([]byte, 16)}}
)

func idOf(typ uint8, data []byte) gdoi.ID { return gdoi.ID{IDType: typ, Data: data} }

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestGoldenPayloads(t *testing.T) {
	tests := []struct {
		vector string
		next   isakmp.PayloadType
		value  isakmp.Payload
		parse  isakmp.BodyParser
	}{
		{"gdoi/sak", isakmp.PayloadGAP, sak, isakmp.ParserOf(gdoi.ParseSAK)},
		{"gdoi/gap", isakmp.PayloadSAT, gap, isakmp.ParserOf(gdoi.ParseGAP)},
		{"gdoi/gap-request", isakmp.PayloadNone, gapRequest, isakmp.ParserOf(gdoi.ParseGAP)},
		{"gdoi/sat", isakmp.PayloadNone, sat, isakmp.ParserOf(gdoi.ParseSAT)},
		{"gdoi/sat-ah", isakmp.PayloadNone, satAH, isakmp.ParserOf(gdoi.ParseSAT)},
		{"gdoi/sat-61850", isakmp.PayloadNone, sat61850, isakmp.ParserOf(gdoi.ParseSAT)},
		{"gdoi/sa", isakmp.PayloadNone, sa, isakmp.ParserOf(gdoi.ParseSA)},
		{"gdoi/kd", isakmp.PayloadNone, kd, isakmp.ParserOf(gdoi.ParseKD)},
		{"gdoi/kd-61850", isakmp.PayloadNone, kd61850, isakmp.ParserOf(gdoi.ParseKD)},
		{"gdoi/kd-lkh", isakmp.PayloadNone, kdLKH(), isakmp.ParserOf(gdoi.ParseKD)},
		{"gdoi/seq", isakmp.PayloadKD, gdoi.SEQ{}, isakmp.ParserOf(gdoi.ParseSEQ)},
		{"gdoi/seq-ack", isakmp.PayloadID, gdoi.SEQ{Number: 1}, isakmp.ParserOf(gdoi.ParseSEQ)},
		{"gdoi/id-group", isakmp.PayloadNone, groupID, isakmp.ParserOf(isakmp.ParseID)},
		{"gdoi/id-member", isakmp.PayloadNone, memberID, isakmp.ParserOf(isakmp.ParseID)},
		{"gdoi/id-range", isakmp.PayloadNone, idOf(isakmp.RangeIdentity(netip.MustParseAddr("192.0.2.1"),
			netip.MustParseAddr("192.0.2.9"))), isakmp.ParserOf(isakmp.ParseID)},
		{"gdoi/id-subnet6", isakmp.PayloadNone, idOf(isakmp.SubnetIdentity(netip.MustParsePrefix("2001:db8::/32"))),
			isakmp.ParserOf(isakmp.ParseID)},
		{"gdoi/id-dn", isakmp.PayloadNone, idOf(isakmp.IDDERASN1DN, wiretest.Hex(t, "3010310e300c06035504030c0547444c4142")),
			isakmp.ParserOf(isakmp.ParseID)},
		{"gdoi/id-oid", isakmp.PayloadNone, idOf(isakmp.IDOID, must(traffic.Append(nil))), isakmp.ParserOf(isakmp.ParseID)},
	}
	for _, tt := range tests {
		t.Run(tt.vector, func(t *testing.T) {
			golden := wiretest.Vector(t, tt.vector)
			if got, err := isakmp.AppendPayload(nil, tt.next, tt.value); err != nil || !bytes.Equal(got, golden) {
				t.Errorf("appended %x (%v)\nwant     %x", got, err, golden)
			}
			body := golden[isakmp.GenericLen:]
			if got, err := tt.parse(body, 32); err != nil || !reflect.DeepEqual(got, tt.value) {
				t.Errorf("parsed %+v (%v)\nwant   %+v", got, err, tt.value)
			}
			for n := range len(body) {
				checkCut(t, tt.parse, body[:n:n])
			}
		})
	}
}

// checkCut reads a body that was cut off: there is an error, or a shorter value that encodes to the same octets.
func checkCut(t *testing.T, parse isakmp.BodyParser, cut []byte) {
	t.Helper()
	p, err := parse(cut, 32)
	if err != nil {
		wiretest.CheckError(t, err, 32, 32+len(cut))
		return
	}
	if again, err := p.AppendBody(nil); err != nil || !bytes.Equal(again, cut) {
		t.Errorf("%d octets: encoded again %x (%v), want %x", len(cut), again, err, cut)
	}
}

func TestGoldenMessages(t *testing.T) {
	nonceI, nonceR := isakmp.Nonce{Data: run(0, 16)}, isakmp.Nonce{Data: run(0x10, 16)}
	tests := []struct {
		vector   string
		payloads []isakmp.Payload // behind the HASH of a PULL
	}{
		{"gdoi/pull-1", []isakmp.Payload{nonceI, groupID}},
		{"gdoi/pull-2", []isakmp.Payload{nonceR, sa}},
		{"gdoi/pull-3", []isakmp.Payload{gapRequest}},
		{"gdoi/pull-4", []isakmp.Payload{gdoi.SEQ{}, kd}},
		{"gdoi/push", []isakmp.Payload{gdoi.SEQ{Number: 1}, wipeTraffic, wipeRekey,
			isakmp.SIG{Data: bytes.Repeat([]byte{0x5a}, 256)}}},
		{"gdoi/push-ack", []isakmp.Payload{gdoi.SEQ{Number: 1}, memberID}},
	}
	for _, tt := range tests {
		t.Run(tt.vector, func(t *testing.T) {
			golden := wiretest.Vector(t, tt.vector)
			h, err := isakmp.ParseHeader(golden)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.payloads
			if h.NextPayload == isakmp.PayloadHASH {
				want = append([]isakmp.Payload{isakmp.Hash{Data: golden[32:64]}}, want...)
			}
			dialect := gdoi.DialectOf(h.Exchange)
			ps, padding, err := dialect.Parse(h.NextPayload, golden[isakmp.HeaderLen:], isakmp.HeaderLen)
			if err != nil || len(padding) != 0 {
				t.Fatalf("parsed with padding %x: %v", padding, err)
			}
			if got := isakmp.Payloads(ps); !reflect.DeepEqual(got, want) {
				t.Errorf("parsed %+v\nwant   %+v", got, want)
			}
			h.NextPayload, h.Length = 0, 0
			if got, err := isakmp.Assemble(h, want); err != nil || !bytes.Equal(got, golden) {
				t.Errorf("assembled %x (%v)\nwant      %x", got, err, golden)
			}
			wiretest.CheckTruncations(t, dialect, golden)
		})
	}
}

// TestGoldenSigned has the octets that a signature covers, which end with a payload that names SIG.
func TestGoldenSigned(t *testing.T) {
	golden := wiretest.Vector(t, "gdoi/push-signed")
	all := []isakmp.Payload{gdoi.SEQ{Number: 1}, wipeTraffic, wipeRekey, isakmp.SIG{}}
	got, err := isakmp.AppendPayloads(nil, all)
	if got = got[:max(0, len(got)-isakmp.GenericLen)]; err != nil || !bytes.Equal(got, golden) {
		t.Errorf("appended %x (%v)\nwant     %x", got, err, golden)
	}
}
