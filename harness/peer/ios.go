package peer

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/syslog"
)

// preamble is what stands in front of a message, as far as a device is set so:
//
//	<189>45: gm1: 000012: *Jul 28 2026 23:42:41.311 UTC: %GDOI-5-GM_REGS_COMPL: …
type preamble struct {
	priority int    // -1: none
	number   uint64 // of the line; 0: none
	mark     byte   // of a clock that nobody has set: '*', or that has lost who sets it: '.'; 0: none
	time     time.Time
}

var (
	priorityForm = regexp.MustCompile(`^<(\d{1,3})>`)
	numberForm   = regexp.MustCompile(`^(?:<\d{1,3}>)?\s*(\d{1,19}): `)
	timeForm     = regexp.MustCompile(`([*.]?)(?:(\d{4}) )?([A-Z][a-z]{2}) +(\d{1,2}) (?:(\d{4}) )?(\d\d:\d\d:\d\d)(\.\d{1,9})?(?: ([A-Z]{3,5}))?\b`)
)

// readPreamble reads what it knows. A time without a year is one of the year 0, and one without a zone, or of a zone that only its people
// know, counts as that of UTC.
func readPreamble(text string) preamble {
	p := preamble{priority: -1}
	if found := priorityForm.FindStringSubmatch(text); found != nil {
		p.priority, _ = strconv.Atoi(found[1])
	}
	if found := numberForm.FindStringSubmatch(text); found != nil {
		p.number, _ = strconv.ParseUint(found[1], 10, 64)
	}
	found := timeForm.FindAllStringSubmatch(text, -1)
	if found == nil {
		return p
	}
	last := found[len(found)-1] // a relay puts its own in front
	if last[1] != "" {
		p.mark = last[1][0]
	}
	year := strings.TrimLeft(last[2]+last[5], "0")
	if year == "" {
		year = "0"
	}
	moment := last[3] + " " + last[4] + " " + last[6] + last[7]
	at, err := time.Parse("Jan 2 15:04:05.999999999", moment)
	if n, wrong := strconv.Atoi(year); err == nil && wrong == nil {
		p.time = at.AddDate(n-at.Year(), 0, 0)
	}
	return p
}

// fromLine fills in what stands in front of a message: in the form of RFC 5424, or in that of a device.
func fromLine(line *syslog.Line, text string) {
	if own, err := syslog.Parse(text); err == nil && !own.Time.IsZero() {
		line.Time, line.Host = own.Time, own.Host
		return
	}
	front, _, _ := strings.Cut(text, "%")
	line.Time = readPreamble(front).time
}
