package syslog

import (
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc3164"

	"github.com/gdoilab/gdoilab/reference/getvpn"
)

var july = time.Date(2026, 7, 28, 23, 42, 41, 311e6, time.UTC)

func TestFormatIOS(t *testing.T) {
	event := getvpn.Event(getvpn.GMRegsCompl, getvpn.Field("ks_addr", "10.1.11.2"), getvpn.Field("group", "G1"),
		getvpn.Field("gm_addr", "10.1.13.2"))
	want := "<189>45: *Jul 28 23:42:41.311: %GDOI-5-GM_REGS_COMPL: Registration to KS 10.1.11.2 complete for group G1 using address 10.1.13.2"
	if got := FormatIOS(45, july, event); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want = `<188>46: *Jul 28 23:42:41.311: %GDOILAB-4-REFUSED: SEQ 3 after 5 requirement=RFC6407-4.4-02 guard=member."push"] from=192.0.2.10:848`
	if got := FormatIOS(46, july, sample); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Lines of RFC 3164 are read by a parser that is not ours.
func TestFormatRFC3164(t *testing.T) {
	text := FormatRFC3164("gm1", july, sample)
	parsed, err := rfc3164.NewParser().Parse([]byte(text))
	m, ok := parsed.(*rfc3164.SyslogMessage)
	if err != nil || !ok {
		t.Fatalf("%s: %v", text, err)
	}
	if *m.Priority != 132 || *m.Hostname != "gm1" || *m.Appname != "gdoi" || m.Timestamp.Format(time.Stamp) != "Jul 28 23:42:41" {
		t.Errorf("%s is read as %+v", text, m)
	}
}
