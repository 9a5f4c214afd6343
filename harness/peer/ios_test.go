package peer

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

const complete = "%GDOI-5-GM_REGS_COMPL: Registration to KS 10.1.11.2 complete for group G1 using address 10.1.13.2"

var july = time.Date(2026, 7, 28, 23, 42, 41, 311e6, time.UTC)

func TestReadPreamble(t *testing.T) {
	sameDay := july.AddDate(-2026, 0, 0)
	for text, want := range map[string]preamble{
		"":                                {priority: -1},
		"<189>45: *Jul 28 23:42:41.311: ": {189, 45, '*', sameDay},
		"<189>45: gm1: 000012: *Jul 28 2026 23:42:41.311 UTC: ":           {189, 45, '*', july},
		"45: .Jul 28 23:42:41.311: ":                                      {-1, 45, '.', sameDay},
		"*Jul 28 23:42:41.311: ":                                          {-1, 0, '*', sameDay},
		"Jul 28 23:42:41: ":                                               {-1, 0, 0, sameDay.Truncate(time.Second)},
		"2026 Jul  8 23:42:41.311 CEST: ":                                 {-1, 0, 0, july.AddDate(0, 0, -20)},
		"<189>Jul 29 01:02:03 192.0.2.21 45: *Jul 28 2026 23:42:41.311: ": {189, 0, '*', july},
		"00:00:16: ": {priority: -1},
		"<189>":      {priority: 189},
	} {
		if got := readPreamble(text); got != want {
			t.Errorf("%q is read as %+v, want %+v", text, got, want)
		}
	}
}

func TestEventsOfGETVPN(t *testing.T) {
	e := Events{GETVPN: true}
	for _, text := range []string{complete, "<189>45: *Jul 28 2026 23:42:41.311: " + complete,
		"<189>1 2026-07-28T23:42:41.311Z gm1 - - - - " + complete} {
		line, ok := e.Read(text)
		if !ok || line.Tag != "REGISTERED" || line.Severity != core.Notice || line.Fields["key_server"] != "10.1.11.2" || line.Fields["member"] != "10.1.13.2" {
			t.Errorf("%s is read as %+v, %v", text, line, ok)
		}
		if !strings.HasPrefix(text, "%") && !line.Time.Equal(july) {
			t.Errorf("%s is of %s", text, line.Time)
		}
	}
	for _, text := range []string{"", "REGISTERED", "%GDOI-5-GM_CM_ATTACH: crypto map attached for GM in group G1", "%CRYPTO-6-GDOI_ON_OFF: GDOI is OFF"} {
		if line, ok := e.Read(text); ok {
			t.Errorf("%q tells of %s", text, line.Tag)
		}
	}
	if !e.tell("REKEY_ACCEPTED") || e.tell("ACK_RECEIVED") || e.tell("REFUSED") {
		t.Error("what it tells of is not what it should be")
	}
}

func TestMessagesOfEveryLog(t *testing.T) {
	event := getvpn.Event(getvpn.KSLastGM, getvpn.Field("group", "G1"), getvpn.Field("gm_addr", "10.0.0.1"))
	for name, c := range map[string]struct {
		events Events
		text   string
	}{
		"ours":         {Events{Own: true}, syslog.Format("ks", july, event)},
		"of a device":  {Events{GETVPN: true}, syslog.FormatIOS(1, july, event)},
		"of any other": {Events{}, syslog.FormatIOS(1, july, event)},
	} {
		line, ok := c.events.Message(c.text)
		if !ok || line.Tag != "KS_LAST_GM" || line.Severity != core.Info || line.Fields["gm_addr"] != "10.0.0.1" {
			t.Errorf("%s: %+v, %v", name, line, ok)
		}
	}
	if line, ok := (Events{Own: true}).Message(syslog.Format("ks", july, &core.Log{Tag: "STARTED"})); ok {
		t.Errorf("%+v is a message", line)
	}
}

// What is cut off is read as far as it goes, or not at all.
func TestTruncatedLines(t *testing.T) {
	text := "<189>45: gm1: 000012: *Jul 28 2026 23:42:41.311 UTC: " + complete
	for n := range len(text) {
		if line, ok := (Events{GETVPN: true}).Message(text[:n]); ok && line.Tag != "GM_REGS_COMPL" {
			t.Errorf("%q is read as %+v", text[:n], line)
		}
	}
}

func split(data []byte) (lines []string) {
	scanner := bufio.NewScanner(bytes.NewReader(data))
	scanner.Buffer(nil, 2*longestLine)
	scanner.Split(SplitLog)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines
}

func TestSplitLog(t *testing.T) {
	for text, want := range map[string][]string{
		"":                         nil,
		"<1>a\n<1>b\r\n":           {"<1>a", "<1>b"},
		"<1>a\x00<1>b":             {"<1>a", "<1>b"},
		"4 <1>a4 <1>b":             {"<1>a", "<1>b"},
		"5 <1>a\n4 <1>b<1>c\n":     {"<1>a", "<1>b", "<1>c"},
		"45: *Jul 28: %A-5-B: c\n": {"45: *Jul 28: %A-5-B: c"},
		"9 <1>a":                   {"<1>a"},
		"99999999 <1>a\n":          {"99999999 <1>a"},
		"0 <1>a\n":                 {"0 <1>a"},
		"12":                       {"12"},
	} {
		if got := split([]byte(text)); !slices.Equal(got, want) {
			t.Errorf("%q is split into %q, want %q", text, got, want)
		}
	}
}

// However a stream arrives, its lines are the same.
func TestSplitLogInPieces(t *testing.T) {
	stream := []byte(fmt.Sprintf("%d %s<189>%s\n", len("<189>"+complete), "<189>"+complete, complete))
	want := []string{"<189>" + complete, "<189>" + complete}
	for n := range stream {
		if advance, line, err := SplitLog(stream[:n], false); err != nil || advance > n || line != nil && string(line) != want[0] {
			t.Errorf("the first %d octets give %q, %v", n, line, err)
		}
	}
	if got := split(stream); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("<189>45: *Jul 28 23:42:41.311: " + complete)
	f.Add(syslog.Format("ks", july, getvpn.Event(getvpn.KSLastGM)))
	f.Fuzz(func(_ *testing.T, text string) {
		for _, e := range []Events{{}, {Own: true}, {GETVPN: true}} {
			e.Message(text)
			e.Read(text)
		}
	})
}

func FuzzSplitLog(f *testing.F) {
	f.Add([]byte("4 <1>a<1>b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		for _, line := range split(data) {
			total += len(line)
		}
		if total > len(data) {
			t.Errorf("%d octets became %d", len(data), total)
		}
	})
}
