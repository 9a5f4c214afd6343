package keylog_test

import (
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keylog"
)

// A key log of any octets is read, or refused with the place that is wrong; what was read before that place is returned.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"kind": "rekey", "spi": "00", "time": "2030-01-01T00:00:00Z", "lifetime_s": 1.5}` + "\n" + `{"kind": "sids", "values": [1, 2]}`))
	f.Add([]byte(`{"entries": [{"kind": "phase1", "cookie_i": "0011"}, {"kind": "traffic", "esn": true}]}`))
	f.Add([]byte(`{"kind": "rekey"} {"kind":`))
	f.Add([]byte(`[1]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := keylog.Read(data)
		if err != nil && !strings.HasPrefix(err.Error(), "keylog: entry ") {
			t.Errorf("an error without its place: %v", err)
		}
		again, _ := keylog.Read(append(data, " \n"...))
		if len(again) != len(entries) {
			t.Errorf("%d entries, and %d with a blank behind them", len(entries), len(again))
		}
	})
}
