package keylog_test

import (
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keylog"
)

// A key log is read in both of its forms; anything else is an error, and never a log without keys.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		text, wrong string
		entries     int
	}{
		{"", "", 0},
		{`{"entries": []}`, "", 0},
		{`{"kind": "rekey", "spi": "00"}` + "\n" + `{"kind": "traffic"}` + "\n", "", 2},
		{`{"entries": [{"kind": "rekey"}, {"kind": "traffic"}]}`, "", 2},
		{`{"kind": "rekey"}` + "\n" + `{"kind": "tra`, "entry 2 at octet ", 1},
		{`{"nodes": [], "messages": [{"frame": 1}]}`, "entry 1 at octet 41: it has neither a kind nor entries", 0},
		{`"text"`, "entry 1 at octet ", 0},
	} {
		entries, err := keylog.Read([]byte(c.text))
		if len(entries) != c.entries || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v, %v; want %q", c.text, entries, err, c.wrong)
		}
	}
}
