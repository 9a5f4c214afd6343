package syslog

import (
	"fmt"
	"strings"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/gdoilab/gdoilab/reference/core"
)

// ElementID names the structured data element with a line's fields.
const ElementID = "gdoi@32473"

// facility is local0.
const facility = 16

// escaper quotes what RFC 5424 §6.3.3 wants quoted; the message builder refuses a value that is not.
var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

// Format returns the line of l, without a line end. Host is the node's name; the time is written in UTC with microseconds.
func Format(host string, now time.Time, l *core.Log) string {
	var m rfc5424.SyslogMessage
	m.SetPriority(facility<<3 | uint8(l.Severity))
	m.SetVersion(1)
	m.SetTimestamp(now.UTC().Format("2006-01-02T15:04:05.000000Z"))
	m.SetHostname(host)
	m.SetAppname("gdoi")
	m.SetMsgID(l.Tag)
	m.SetElementID(ElementID)
	if l.Requirement != "" {
		m.SetParameter(ElementID, "requirement", string(l.Requirement))
	}
	for _, f := range l.Fields {
		m.SetParameter(ElementID, f.Name, escaper.Replace(f.Value))
	}
	m.SetMessage(l.Text)
	line, err := m.String()
	if err != nil { // a tag or a name that RFC 5424 cannot carry is a mistake of ours, and must not lose the line
		return fmt.Sprintf("<%d>1 %s %s gdoi - - - %s: %s (%v)", facility<<3|uint8(l.Severity),
			now.UTC().Format("2006-01-02T15:04:05.000000Z"), host, l.Tag, l.Text, err)
	}
	return line
}

// Line is a syslog line taken apart again.
type Line struct {
	Time        time.Time
	Severity    core.Severity
	Host, Tag   string
	Requirement string
	Fields      map[string]string
	Text        string
}

// Parse reads a line as Format writes it, and any other RFC 5424 line as far as it goes.
func Parse(line string) (Line, error) {
	parsed, err := rfc5424.NewParser(rfc5424.WithBestEffort()).Parse([]byte(line))
	m, ok := parsed.(*rfc5424.SyslogMessage)
	if !ok || m == nil {
		return Line{}, fmt.Errorf("syslog: no RFC 5424 line: %w", err)
	}
	l := Line{Host: value(m.Hostname), Tag: value(m.MsgID), Text: value(m.Message), Fields: map[string]string{}}
	if m.Timestamp != nil {
		l.Time = *m.Timestamp
	}
	if m.Severity != nil {
		l.Severity = core.Severity(*m.Severity)
	}
	if m.StructuredData != nil {
		for name, v := range (*m.StructuredData)[ElementID] {
			l.Fields[name] = v
		}
	}
	l.Requirement = l.Fields["requirement"]
	return l, nil
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
