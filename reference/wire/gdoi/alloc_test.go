package gdoi_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// TestMemoryIsBounded decodes bodies of nearly 64 KiB that promise as much as they can in as few octets as they can.
// What is allocated stays in proportion to what was received.
func TestMemoryIsBounded(t *testing.T) {
	const perOctet = 100
	tests := []struct {
		name         string
		head, repeat string
		tail         string
		parse        isakmp.BodyParser
	}{
		{"SA of empty GAPs", saHead + "0016 0000", "16000004", "00000004", isakmp.ParserOf(gdoi.ParseSA)},
		{"SA of small SATs", saHead + "0010 0000", "10000013 01 00 00000000 00000000 00 00000000", "00000004", isakmp.ParserOf(gdoi.ParseSA)},
		{"SA of small SATs of IEC 61850", saHead + "0010 0000", "10000014 03 00 0000 00000000 0000 0000 00000000", "00000004",
			isakmp.ParserOf(gdoi.ParseSA)},
		{"GAP of attributes", "", "80010001", "", isakmp.ParserOf(gdoi.ParseGAP)},
		{"GAP of empty attributes", "", "00010000", "", isakmp.ParserOf(gdoi.ParseGAP)},
		{"KD of empty packets", "ffff 0000", "0100000500", "", isakmp.ParserOf(gdoi.ParseKD)},
		{"LKH array of empty keys", "01 ffff 00", "0001 03 00 00000000 00000000 00000000 00000000000000000000000000000000", "",
			func(b []byte, offset int) (isakmp.Payload, error) {
				_, err := gdoi.ParseLKHDownload(b, offset, 0)
				return nil, err
			}},
		{"Delete of one octet each", "00000002 01 01 fff0", "00", "", isakmp.ParserOf(isakmp.ParseDelete)},
		{"Delete of no octets", "00000002 01 00 ffff", "", "", isakmp.ParserOf(isakmp.ParseDelete)},
		{"Phase 1 SA of proposals", "00000002 00000000", "02000008 01010000", "00000008 01010000", isakmp.ParserOf(isakmp.ParseSA)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head, repeat, tail := wiretest.Hex(t, tt.head), wiretest.Hex(t, tt.repeat), wiretest.Hex(t, tt.tail)
			n := (65500 - len(head) - len(tail)) / max(1, len(repeat))
			body := bytes.Join([][]byte{head, bytes.Repeat(repeat, n), tail}, nil)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = tt.parse(body, 32)
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > perOctet*uint64(len(body))+4096 {
				t.Errorf("%d octets make it allocate %d", len(body), got)
			}
		})
	}
}
