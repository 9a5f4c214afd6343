package verdict

import (
	"regexp"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// Withheld stands where the seed of a redacted run was: the keys that the tester made follow from it.
const Withheld = "Withheld"

var (
	// octets is a run of sixteen octets or more in hexadecimal, with or without separators: as long as the shortest key.
	octets = regexp.MustCompile(`(?i)\b(?:0x)?[0-9a-f]{2}(?:(?:, ?0x|[ :,\\]|, )?[0-9a-f]{2}){15,}\b`)
	// numbers is the same as a list of decimal numbers, as Go prints a slice of octets.
	numbers = regexp.MustCompile(`\[\s*\d{1,3}(?:,?\s+\d{1,3}){15,},?\s*\]`)
	seed    = regexp.MustCompile(`(--?seed[= ])\S+`)
)

// scrub returns the text without anything that has the form of a key. Texts in public, such as cookie pairs, stay.
func scrub(text string, public map[string]bool) string {
	text = octets.ReplaceAllStringFunc(text, func(s string) string {
		if public[strings.ToLower(strings.TrimPrefix(s, "0x"))] {
			return s
		}
		return capture.Redacted
	})
	return numbers.ReplaceAllString(text, capture.Redacted)
}

// redactRun is a copy of the run without secrets.
func redactRun(r *Run) Run {
	out := *r
	out.Seed = Withheld
	out.Specs = slices.Clone(r.Specs)
	for i := range out.Specs {
		out.Specs[i] = redactSpec(out.Specs[i], nil)
	}
	return out
}

// Redacted returns the spec without secrets.
func (s Spec) Redacted() Spec { return redactSpec(s, nil) }

func redactSpec(s Spec, public map[string]bool) Spec {
	s.Reason = scrub(s.Reason, public)
	if s.Expected != nil {
		e := *s.Expected
		e.LooksLike = scrub(e.LooksLike, public)
		s.Expected = &e
	}
	s.Readings = slices.Clone(s.Readings)
	for i := range s.Readings {
		s.Readings[i].Does = scrub(s.Readings[i].Does, public)
	}
	s.Repeat = seed.ReplaceAllString(s.Repeat, "${1}SEED")
	return s
}

// publicNames are the octet strings of a key log that are no secrets: they travel in clear headers.
func publicNames(keys []keylog.Entry) map[string]bool {
	public := make(map[string]bool)
	for _, k := range keys {
		public[k.SPI] = true
		public[k.CookieI+k.CookieR] = true
	}
	delete(public, "")
	return public
}

// redactLines scrubs a copy of the lines.
func redactLines(lines []string, public map[string]bool) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = scrub(line, public)
	}
	return out
}
