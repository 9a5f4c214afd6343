package verdict_test

import (
	"testing"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

// BenchmarkEvidence is what one spec costs: decode, check and write its evidence.
func BenchmarkEvidence(b *testing.B) {
	e := demoEvidence(verdict.Spec{ID: "rekey-35", Subject: "rekey"})
	dir := b.TempDir()
	for b.Loop() {
		if err := e.Write(dir, false); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(e.Frames)), "frames")
}

// BenchmarkReports is what the reports of a run of 48 specs cost.
func BenchmarkReports(b *testing.B) {
	dir := b.TempDir()
	run := demo(b, dir, false)
	for b.Loop() {
		if err := verdict.WriteAll(dir, run); err != nil {
			b.Fatal(err)
		}
	}
}
