package syslog

import (
	"fmt"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
)

// iosFacility is local7, which the devices of GET VPN use unless they are told otherwise.
const iosFacility = 23

// ownName stands where the messages of GET VPN have their facility, in front of lines that are not among them.
const ownName = "GDOILAB"

// FormatRFC3164 returns the line of l without a line end, as RFC 3164 §4.1 has it:
//
//	<132>Jul 28 23:42:41 ks gdoi: REFUSED SEQ 3 after 5 requirement=RFC6407-4.4-02
func FormatRFC3164(host string, now time.Time, l *core.Log) string {
	return fmt.Sprintf("<%d>%s %s gdoi: %s %s", facility<<3|uint8(l.Severity), now.UTC().Format(time.Stamp), host, l.Tag, words(l))
}

// FormatIOS returns the line of l without a line end, as the devices of GET VPN send it. Number counts the lines of the node; the mark in
// front of the time says that nobody has set the clock by another one.
//
//	<189>45: *Jul 28 23:42:41.311: %GDOI-5-GM_REGS_COMPL: Registration to KS 10.1.11.2 complete for group G1 using address 10.1.13.2
func FormatIOS(number uint64, now time.Time, l *core.Log) string {
	head, text := fmt.Sprintf("%%%s-%d-%s", ownName, l.Severity, l.Tag), words(l)
	if m, ok := getvpn.Find(l.Tag); ok {
		head, text = m.Head(), l.Text
	}
	return fmt.Sprintf("<%d>%d: *%s: %s: %s", iosFacility<<3|uint8(l.Severity), number, now.UTC().Format(time.StampMilli), head, text)
}

// words are the text of a line with its fields, for formats that have no other place for them.
func words(l *core.Log) string {
	var b strings.Builder
	b.WriteString(l.Text)
	if l.Requirement != "" {
		b.WriteString(" requirement=" + string(l.Requirement))
	}
	for _, f := range l.Fields {
		b.WriteString(" " + f.Name + "=" + f.Value)
	}
	return b.String()
}
