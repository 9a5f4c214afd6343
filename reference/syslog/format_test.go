package syslog

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
)

var sample = &core.Log{Severity: core.Warning, Tag: "REFUSED", Requirement: "RFC6407-4.4-02", Text: "SEQ 3 after 5",
	Fields: []core.Field{{Name: "guard", Value: `member."push"]`}, {Name: "from", Value: "192.0.2.10:848"}}}

func TestFormatIsRead(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 1, 2000, time.UTC)
	text := Format("gm1", now, sample)
	got, err := Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if !got.Time.Equal(now) || got.Host != "gm1" || got.Tag != "REFUSED" || got.Requirement != "RFC6407-4.4-02" ||
		got.Text != sample.Text || got.Fields["guard"] != `member."push"]` || got.Severity != core.Warning {
		t.Errorf("%q was read as %+v", text, got)
	}
}

func TestFormatLosesNothing(t *testing.T) {
	text := Format("gm1", time.Unix(0, 0), &core.Log{Tag: "a tag with spaces", Text: "still here"})
	if got, err := Parse(text); err != nil || got.Text == "" {
		t.Errorf("%q: %+v, %v", text, got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Format("gm1", time.Unix(0, 0), sample))
	f.Add("")
	f.Add("<34>1 - - - - - -")
	f.Fuzz(func(t *testing.T, text string) { _, _ = Parse(text) })
}

func BenchmarkFormat(b *testing.B) {
	now := time.Unix(0, 0)
	b.ReportAllocs()
	for range b.N {
		Format("gm1", now, sample)
	}
}
