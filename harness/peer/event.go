package peer

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/gdoilab/gdoilab/reference/syslog"
)

// EventNames are the events that specs look for in a device's log.
var EventNames = []struct{ Name, Doc string }{
	{"STARTED", "the program is up"},
	{"STOPPED", "the program ends in order"},
	{"REGISTERED", "a member has registered and installed what it got"},
	{"REKEY_ACCEPTED", "a member has taken a rekey"},
	{"REFUSED", "a message or packet was refused; a group named requirement has the requirement's id"},
	{"SA_REMOVED", "a member has removed an SA"},
	{"ACK_RECEIVED", "a key server has recorded an acknowledgement"},
	{"ACK_MISSING", "a key server has waited for an acknowledgement in vain"},
}

// Events says how the lines of a log are read: as package syslog writes them, or each event by its own expression.
type Events struct {
	Own     bool
	GETVPN  bool                      // the messages of GET VPN, of which some are events
	Named   bool                      // a driver names the events: each line is a NamedEvent
	Matches map[string]*regexp.Regexp // by the event's name
}

// tell reports whether the log can tell of that event. A log in the form of package syslog can tell of every one, and so can a
// driver.
func (e Events) tell(name string) bool {
	return e.Own || e.Named || name == "" || e.Matches[name] != nil || e.GETVPN && slices.Contains(told, name)
}

// Read takes a line apart, and reports whether it tells of an event. What an expression's groups with names match become
// the line's fields.
func (e Events) Read(text string) (syslog.Line, bool) {
	if e.Own {
		line, err := syslog.Parse(text)
		return line, err == nil
	}
	if e.GETVPN {
		return event(text)
	}
	if e.Named {
		return named(text)
	}
	for _, event := range EventNames {
		expression := e.Matches[event.Name]
		if expression == nil {
			continue
		}
		if found := expression.FindStringSubmatch(text); found != nil {
			line := syslog.Line{Tag: event.Name, Text: text, Fields: groups(expression, found)}
			line.Requirement = line.Fields["requirement"]
			return line, true
		}
	}
	return syslog.Line{}, false
}

func groups(expression *regexp.Regexp, found []string) map[string]string {
	fields := make(map[string]string)
	for i, name := range expression.SubexpNames() {
		if name != "" {
			fields[name] = found[i]
		}
	}
	return fields
}

// NamedEvent is a line of a log whose driver says what it tells of: the line is this in JSON.
type NamedEvent struct {
	Name   string            `json:"name,omitempty"` // one of EventNames; "" if it is none of them
	Text   string            `json:"text"`
	Fields map[string]string `json:"fields,omitempty"`
}

func named(text string) (syslog.Line, bool) {
	var e NamedEvent
	if err := json.Unmarshal([]byte(text), &e); err != nil || e.Name == "" {
		return syslog.Line{}, false
	}
	return syslog.Line{Tag: e.Name, Text: e.Text, Fields: e.Fields, Requirement: e.Fields["requirement"]}, true
}
