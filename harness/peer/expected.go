package peer

import (
	"regexp"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// Expected is a failure that the device is known for. Exactly one of Spec and Requirement is set.
type Expected struct {
	At          string
	Spec        string // id
	Requirement string
	Verdict     string         // fail or inconclusive
	LooksLike   *regexp.Regexp // matches the reason
	Why, Owner  string
	With        string    // the name of the device on the other side, if it fails beside that one only
	As          rule.Role // in which role it fails beside another device; 0: in either
	Until       time.Time // the first moment at which it is expected no longer
	UntilDay    string    // the last day on which it is, as the manifest writes it
}

// Of reports whether the expectation is about a spec of that id and those requirements.
func (e Expected) Of(spec string, requirements []string) bool {
	return e.Spec != "" && e.Spec == spec || e.Requirement != "" && slices.Contains(requirements, e.Requirement)
}

// Expired reports whether the failure is expected no longer.
func (e Expected) Expired(now time.Time) bool { return !now.Before(e.Until) }
