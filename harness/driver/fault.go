package driver

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// The faults of answers that are of the right form but say what cannot be. Each is a plain line, or "".

// Fault says what is wrong with a state.
func (s State) Fault(role string) string {
	switch {
	case s.Time.IsZero():
		return "a state without the time at which the device was asked"
	case strings.TrimSpace(s.Source) == "":
		return "a state that does not say where it is from"
	case len(s.Status) == 0 || string(s.Status) == "null":
		return "a state without a status"
	}
	if role == rule.KS.String() {
		return keyServerFault(s.Status)
	}
	return memberFault(s.Status)
}

func keyServerFault(status json.RawMessage) string {
	var ks control.KSStatus
	if err := json.Unmarshal(status, &ks); err != nil {
		return fmt.Sprintf("a status of another form: %v", err)
	}
	for _, g := range ks.Groups {
		if why := spiFault(g.Rekey, g.SAs); why != "" {
			return why
		}
	}
	return ""
}

func memberFault(status json.RawMessage) string {
	var gm control.GMStatus
	if err := json.Unmarshal(status, &gm); err != nil {
		return fmt.Sprintf("a status of another form: %v", err)
	}
	for _, g := range gm.Memberships() {
		if why := spiFault(g.Rekey, g.SAs); why != "" {
			return why
		}
	}
	return ""
}

var (
	rekeySPI   = regexp.MustCompile(`^[0-9a-f]{32}$`)
	trafficSPI = regexp.MustCompile(`^[0-9a-f]{8}$`)
)

// leastSPI is the first SPI that an SA can have (RFC 4303 §2.1).
const leastSPI = "00000100"

// spiFault looks at the names of SAs.
func spiFault(rekey string, sas []control.SA) string {
	if rekey != "" && !rekeySPI.MatchString(rekey) {
		return fmt.Sprintf("%q is no SPI of a Rekey SA; it has 32 hexadecimal digits", rekey)
	}
	for _, sa := range sas {
		if !trafficSPI.MatchString(sa.SPI) || sa.SPI < leastSPI {
			return fmt.Sprintf("%q is no SPI; it has eight hexadecimal digits and is not below %s", sa.SPI, leastSPI)
		}
	}
	return ""
}

// Fault says what is wrong with a clock.
func (c Clock) Fault() string {
	switch {
	case c.Time.IsZero():
		return "a clock without a time"
	case strings.TrimSpace(c.Source) == "":
		return "a clock that does not say where it is from"
	}
	return ""
}

// Counters are the names of what a data path counts.
var Counters = []string{"encrypted", "decrypted", "bypassed", "dropped"}

// Fault says what is wrong with counts.
func (t Traffic) Fault() string {
	switch {
	case t.Time.IsZero():
		return "counts of traffic without a time"
	case strings.TrimSpace(t.Source) == "":
		return "counts of traffic that do not say where they are from"
	}
	for name := range t.Counters {
		if !slices.Contains(Counters, name) {
			return fmt.Sprintf("there is no counter %q; known are %s", name, strings.Join(Counters, ", "))
		}
	}
	return ""
}

// Fault says what is wrong with a configuration.
func (a Applied) Fault() string {
	if len(a.Files) == 0 {
		return "no configuration was made of the policy"
	}
	empty := true
	for _, f := range a.Files {
		if empty = empty && strings.TrimSpace(f.Content) == ""; !filepath.IsLocal(f.Name) {
			return fmt.Sprintf("%q is no relative path of a file", f.Name)
		}
	}
	if empty {
		return "the configuration that was made of the policy is empty"
	}
	return ""
}

// Fault says what is wrong with files.
func (c Collected) Fault() string {
	for _, f := range c.Files {
		if !filepath.IsLocal(f.Name) {
			return fmt.Sprintf("%q is no relative path of a file", f.Name)
		}
	}
	return ""
}

// Fault says what is wrong with lines beyond the first ones, of which some tell of events with these names.
func (e Events) Fault(after int, names []string) string {
	if e.Next != after+len(e.Events) {
		return fmt.Sprintf("%d lines beyond the first %d, and the next is to be number %d", len(e.Events), after, e.Next)
	}
	for _, event := range e.Events {
		switch {
		case event.Name != "" && !slices.Contains(names, event.Name):
			return fmt.Sprintf("there is no event %q; known are %s", event.Name, strings.Join(names, ", "))
		case event.Text == "":
			return "an event without the line that tells of it"
		}
	}
	return ""
}
