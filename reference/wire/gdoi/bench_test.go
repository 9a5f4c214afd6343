package gdoi_test

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// pull2 is the plaintext of a PULL message 2 whose SA has SAK, GAP and four SATs.
func pull2(tb testing.TB) []byte {
	tb.Helper()
	golden := wiretest.Vector(tb, "gdoi/pull-2")
	ps, _, err := gdoi.Pull.Parse(isakmp.PayloadHASH, golden[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		tb.Fatal(err)
	}
	policy, _, _ := isakmp.Find[gdoi.SA](ps)
	policy.Attributes = []isakmp.Payload{sak, gap, sat, sat, sat, sat}
	b, err := isakmp.AppendPayloads(nil, []isakmp.Payload{ps[0].Payload, ps[1].Payload, policy})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// maxAllocs is what decoding one registration reply may allocate.
const maxAllocs = 12

func TestDecodePull2Allocations(t *testing.T) {
	b := pull2(t)
	got := testing.AllocsPerRun(100, func() {
		if _, _, err := gdoi.Pull.Parse(isakmp.PayloadHASH, b, isakmp.HeaderLen); err != nil {
			t.Fatal(err)
		}
	})
	if got > maxAllocs {
		t.Errorf("%v allocations, want at most %d", got, maxAllocs)
	}
}

func BenchmarkDecodePull2(b *testing.B) {
	plain := pull2(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		if _, _, err := gdoi.Pull.Parse(isakmp.PayloadHASH, plain, isakmp.HeaderLen); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodePull2(b *testing.B) {
	plain := pull2(b)
	ps, _, err := gdoi.Pull.Parse(isakmp.PayloadHASH, plain, isakmp.HeaderLen)
	if err != nil {
		b.Fatal(err)
	}
	payloads, buf := isakmp.Payloads(ps), make([]byte, 0, len(plain))
	b.ReportAllocs()
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		if _, err := isakmp.AppendPayloads(buf[:0], payloads); err != nil {
			b.Fatal(err)
		}
	}
}
