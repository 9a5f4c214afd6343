package gdoi_test

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// pull2 is a PULL message 2 in clear whose SA has SAK, GAP and four SATs: the header, HASH, Nr and SA.
func pull2(tb testing.TB) []byte {
	tb.Helper()
	golden := wiretest.Vector(tb, "gdoi/pull-2")
	h, err := isakmp.ParseHeader(golden)
	if err != nil {
		tb.Fatal(err)
	}
	ps, _, err := gdoi.Pull.Parse(h.NextPayload, golden[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		tb.Fatal(err)
	}
	policy := gdoi.SA{DOI: gdoi.DOI, Attributes: []isakmp.Payload{sak, gap}}
	for i := range 4 {
		esp := *sat.ESP
		esp.SPI += uint32(i)
		policy.Attributes = append(policy.Attributes, gdoi.SAT{ProtocolID: gdoi.ProtoIPsecESP, ESP: &esp})
	}
	b, err := isakmp.Assemble(h, []isakmp.Payload{ps[0].Payload, ps[1].Payload, policy})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// decodePull2 reads the message whole and fails unless everything is there.
func decodePull2(tb testing.TB, message []byte) {
	h, err := isakmp.ParseHeader(message)
	if err != nil {
		tb.Fatal(err)
	}
	ps, _, err := gdoi.Pull.Parse(h.NextPayload, message[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil || len(ps) != 3 || len(ps[2].Payload.(gdoi.SA).Attributes) != 6 {
		tb.Fatalf("%+v, %v", ps, err)
	}
}

// maxAllocs is what decoding one registration reply may allocate.
const maxAllocs = 12

func TestDecodePull2Allocations(t *testing.T) {
	message := pull2(t)
	if got := testing.AllocsPerRun(100, func() { decodePull2(t, message) }); got > maxAllocs {
		t.Errorf("%v allocations, want at most %d", got, maxAllocs)
	}
}

func BenchmarkDecodePull2(b *testing.B) {
	message := pull2(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		decodePull2(b, message)
	}
}

func BenchmarkEncodePull2(b *testing.B) {
	message := pull2(b)
	ps, _, err := gdoi.Pull.Parse(isakmp.PayloadHASH, message[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		b.Fatal(err)
	}
	payloads, buf := isakmp.Payloads(ps), make([]byte, 0, len(message))
	b.ReportAllocs()
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		if _, err := isakmp.AppendPayloads(buf[:0], payloads); err != nil {
			b.Fatal(err)
		}
	}
}
