package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/cores"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// dead is a device that says nothing, whatever happens.
type dead struct{}

func (dead) Handle(time.Time, core.Event) []core.Effect { return nil }
func (dead) Deadline() (time.Time, bool)                { return time.Time{}, false }

// The command that the tests start is this program, so it has this core too.
var _ = cores.Register("dead", cores.Maker{
	KeyServer: func(policy.KeyServer, cores.Options) (core.Core, error) { return dead{}, nil },
	Member:    func(policy.Member, cores.Options) (core.Core, error) { return dead{}, nil },
})

// deaf is a member that gets no rekey.
type deaf struct{ core.Core }

func (d deaf) Handle(now time.Time, ev core.Event) []core.Effect {
	if datagram, ok := ev.(*core.Datagram); ok {
		if h, err := isakmp.ParseHeader(datagram.Data); err == nil && h.Exchange == isakmp.ExchangePush {
			return nil
		}
	}
	return d.Core.Handle(now, ev)
}

var _ = cores.Register("deaf", cores.Maker{
	Member: func(c policy.Member, o cores.Options) (core.Core, error) {
		reference, _ := cores.Find("reference-gm")
		member, err := reference.Member(c, o)
		return deaf{member}, err
	},
})

// manifest writes one into a folder and returns its path.
func manifest(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "dut.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// altered is the reference's manifest with texts replaced.
func altered(t *testing.T, dir string, oldNew ...string) string {
	t.Helper()
	text := read(t, "../../../fixtures/peers/reference.yaml")
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fatalf("%q does not stand there", oldNew[i])
		}
	}
	return manifest(t, dir, strings.NewReplacer(oldNew...).Replace(text))
}

// ran runs specs against a device and returns the report.
func ran(t *testing.T, dir, dut string, args ...string) (verdict.Report, said) {
	t.Helper()
	s := start(t, dir, append([]string{"run", "--dut", dut, "--json", "--out", "o"}, args...)...)
	validate(t, schema.Report, s.out)
	return decode[verdict.Report](t, s.out), s
}

// What can be taken out of the reference's manifest, so that less is to be seen of it.
var (
	noControl = []string{"    control:\n      unix: \"{{ .Dir }}/control\"\n", ""}
	noKeyLog  = []string{"    keylog:\n      file: \"{{ .Dir }}/keys.jsonl\"\n", ""}
	noLog     = []string{"    syslog:\n      from: stderr\n      events: gdoilab\n", ""}
	noAck     = []string{"features: [\"*\"]", "features: [\"*\"]\nlacks:\n  - {feature: ack, why: it acknowledges nothing}"}
	dark      = slices.Concat(noControl, noKeyLog, noLog, noAck)
	// late is what members of GET VPN do otherwise.
	late = []string{"features: [\"*\"]", "features: [\"*\"]\nlacks:\n  - {feature: early-rollover, why: it waits}\n  - {feature: ack-multicast, why: of the vendor}\n" +
		"  - {feature: closed-start, why: of the vendor}\n  - {feature: no-window, why: of the vendor}"}
	darkAndLate = slices.Concat(noControl, noKeyLog, noLog, late)
)

// A device that is dead passes nothing, of all specs there are.
func TestDeadDevice(t *testing.T) {
	for _, c := range []struct {
		name   string
		less   []string
		filter string
		specs  int // at least
	}{
		{"asked in vain", nil, "", 900},
		{"black box", slices.Concat(noControl, noKeyLog), "!exhaustive", 900},
		{"dark", dark, "dut:GM && !exhaustive", 700},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			change := append([]string{"core: reference-ks", "core: dead", "core: reference-gm", "core: dead"}, c.less...)
			report, s := ran(t, dir, altered(t, dir, change...), "--no-evidence", "--filter", c.filter)
			if s.code != 1 || len(report.Specs) < c.specs {
				t.Errorf("exit %d, %d specs\n%s", s.code, len(report.Specs), s.err)
			}
			for _, spec := range report.Specs {
				switch spec.Verdict {
				case verdict.Pass, verdict.Error, verdict.ExpectedFailure, verdict.UnexpectedPass:
					t.Errorf("%s: %s %s", spec.ID, spec.Verdict, spec.Reason)
				case verdict.Unsupported:
					if c.less == nil && !strings.HasPrefix(spec.Reason, "this spec is about the reference's own code") {
						t.Errorf("%s: %s %s", spec.ID, spec.Verdict, spec.Reason)
					}
				}
			}
		})
	}
}

// A member that registers and is deaf to rekeys passes no spec of them, though nobody can ask it for anything.
func TestDeafDevice(t *testing.T) {
	for name, less := range map[string][]string{"dark": dark, "dark and late": darkAndLate} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			dut := altered(t, dir, slices.Concat([]string{"core: reference-gm", "core: deaf"}, less)...)
			report, _ := ran(t, dir, dut, "--no-evidence", "--filter", "dut:GM && (subject:rekey || subject:sequence)")
			for _, spec := range report.Specs {
				if spec.Verdict != verdict.Fail && spec.Verdict != verdict.Inconclusive && spec.Verdict != verdict.Unsupported {
					t.Errorf("%s: %s %s", spec.ID, spec.Verdict, spec.Reason)
				}
			}
			if report.Summary[verdict.Fail] < 50 {
				t.Errorf("%v", report.Summary)
			}
		})
	}
}

// sequenceGM are the specs of a member's sequence numbers; without a look at them, oneSpec and others fail.
var sequenceGM = []string{"--filter", "subject:sequence && dut:GM", "--mutant", "member.push.seq=off"}

// expecting is the reference's manifest with expected failures.
func expecting(t *testing.T, dir string, failures ...string) string {
	t.Helper()
	return altered(t, dir, "features: [\"*\"]", "features: [\"*\"]\nexpected_failures:\n"+strings.Join(failures, ""))
}

func failure(of, looksLike, until string) string {
	return "  - {" + of + ", looks_like: '" + looksLike + "', why: ticket 1, owner: somebody, until: '" + until + "'}\n"
}

// A failure that the manifest expects is reported as such and does not fail the run; one that does not come, comes otherwise or
// after its time does.
func TestExpectedFailures(t *testing.T) {
	const always, longAgo = "9999-12-30", "2020-01-01"
	one, req := "spec: "+oneSpec, "requirement: RFC6407-4.4-02"
	for _, c := range []struct {
		name    string
		failure string
		args    []string
		outcome verdict.Outcome
		verdict verdict.Verdict // of oneSpec
		reason  string
		clean   bool // nothing that fails the run comes from the expectation
	}{
		{"met", failure(req, ".", always), sequenceGM, verdict.Met, verdict.ExpectedFailure, "ticket 1: ", true},
		{"otherwise", failure(req, "no such reason", always), sequenceGM, verdict.Otherwise, verdict.Fail, "not the fail that is expected", false},
		{"expired", failure(req, ".", longAgo), sequenceGM, verdict.Expired, verdict.Fail, "it was expected until 2020-01-01 only", false},
		{"a spec passes", failure(one, ".", always), sequenceGM[:2], verdict.Passed, verdict.UnexpectedPass, "it passes, though a failure is expected", false},
		{"a requirement is kept", failure(req, ".", always), []string{"--filter", "req:RFC6407-4.4-02"}, verdict.Passed, verdict.Pass, "", false},
		{"of a requirement not all was seen", failure(req, ".", always), []string{"--spec", oneSpec}, verdict.NotSeen, verdict.Pass, "", true},
		{"not seen", failure(one, ".", always), []string{"--filter", "subject:ack && dut:GM"}, verdict.NotSeen, "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			report, s := ran(t, dir, expecting(t, dir, c.failure), append(c.args, "--redact")...)
			if len(report.Expectations) != 1 || report.Expectations[0].Outcome != c.outcome {
				t.Fatalf("%+v\n%s", report.Expectations, s.err)
			}
			if (s.code == 0) != c.clean || report.Exit() != s.code {
				t.Errorf("exit %d: %v", s.code, report.Summary)
			}
			for _, spec := range report.Specs {
				if spec.ID == oneSpec && (spec.Verdict != c.verdict || !strings.Contains(spec.Reason, c.reason)) {
					t.Errorf("%s: %s", spec.Verdict, spec.Reason)
				}
				if spec.ID == oneSpec {
					validate(t, schema.Spec, read(t, dir, "o", spec.Evidence, verdict.FileSpec))
				}
			}
			page := read(t, dir, "o", verdict.ReportHTML)
			if !strings.Contains(page, "Expected failures") || !strings.Contains(page, "ticket 1") {
				t.Error("the page does not say what is expected")
			}
		})
	}
}

// What is expected of a spec that does not exist, is a mistake in the manifest.
func TestExpectationOfNothing(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "run", "--dut", expecting(t, dir, failure("spec: sequence/drops-a-rekey", ".", "9999-12-30")))
	if s.code != 2 || !strings.Contains(s.err, `dut.yaml:55:5: an expected failure of a spec: there is none called "sequence/drops-a-rekey"; did you mean sequence/drops-a-rekey-`) {
		t.Errorf("exit %d: %s", s.code, s.err)
	}
}

// A feature that the manifest does not declare leaves specs out, those whose policy asks for it and those that name it; the
// count says so.
func TestFeaturesLeaveSpecsOut(t *testing.T) {
	dir := t.TempDir()
	dut := altered(t, dir, "features: [\"*\"]", "features: [\"*\"]\nlacks:\n  - {feature: multicast, why: no licence}\n  - {feature: ack, why: old}\n")
	report, s := ran(t, dir, dut, "--filter", "subject:ack || subject:sequence")
	if s.code != 0 || report.Summary[verdict.Unsupported] < 40 || report.Summary[verdict.Pass] < 10 {
		t.Errorf("exit %d: %v", s.code, report.Summary)
	}
	reasons := make(map[string]int)
	for _, spec := range report.Specs {
		if spec.Verdict == verdict.Unsupported {
			reasons[spec.Reason]++
		}
	}
	for _, want := range []string{"reference lacks the feature ack: old (" + dut + ":56:5)", "reference lacks the feature multicast: no licence (" + dut + ":55:5)"} {
		if reasons[want] == 0 {
			t.Errorf("%q is not among %v", want, reasons)
		}
	}
}

// A device that plays one role is not tested in the other, and one that is no core not on the memory fabric.
func TestRolesLeaveSpecsOut(t *testing.T) {
	dir := t.TempDir()
	text := read(t, "../../../fixtures/peers/reference.yaml")
	gm := strings.Index(text, "  GM:")
	features := strings.Index(text, "features:")
	report, s := ran(t, dir, manifest(t, dir, text[:gm]+text[features:]), "--filter", "subject:sequence")
	for _, spec := range report.Specs {
		if want := map[string]verdict.Verdict{"KS": verdict.Pass, "GM": verdict.Unsupported}[spec.DUT]; spec.Verdict != want {
			t.Errorf("%s, %s: %s %s", spec.ID, spec.DUT, spec.Verdict, spec.Reason)
		}
	}
	if s.code != 0 {
		t.Errorf("exit %d", s.code)
	}
	report, s = ran(t, dir, "example-cli", "--filter", "subject:sequence && dut:GM")
	for _, spec := range report.Specs {
		if spec.Verdict != verdict.Skipped || !strings.HasPrefix(spec.Reason, "the memory fabric runs cores of this program only, and example-cli as GM is none (") {
			t.Errorf("%s: %s %s", spec.ID, spec.Verdict, spec.Reason)
		}
	}
	if s.code != 1 {
		t.Errorf("exit %d: nothing passed", s.code)
	}
}

// What a device offers decides how it is observed, and hardly what it is tested for: of the reference, however little is to be seen
// of it as a member, no spec fails, and only those end as unsupported that are about what it lacks.
func TestBlackBox(t *testing.T) {
	const lacksAck, lacks = "reference lacks the feature ack", "reference lacks the feature "
	for _, c := range []struct {
		name        string
		less        []string
		unsupported int    // at most
		reasons     string // what they begin with
	}{
		{"no acknowledgements", noAck, 46, lacksAck},
		{"no control", noControl, 199, "reference as GM declares no control"},
		{"no key log", noKeyLog, 0, ""},
		{"dark", dark, 325, "reference as GM declares no "},
		{"late", late, 12, lacks},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			report, s := ran(t, dir, altered(t, dir, c.less...), "--no-evidence", "--filter", "dut:GM")
			n := report.Summary
			if s.code != 0 || n[verdict.Unsupported] > c.unsupported || n[verdict.Pass]+n[verdict.Unsupported]+n[verdict.Skipped] != len(report.Specs) {
				t.Errorf("exit %d: %v\n%s", s.code, report.Summary, s.err)
			}
			for _, spec := range report.Specs {
				if spec.Verdict == verdict.Unsupported && !strings.HasPrefix(spec.Reason, c.reasons) && !strings.HasPrefix(spec.Reason, lacksAck) {
					t.Errorf("%s: %s", spec.ID, spec.Reason)
				}
			}
		})
	}
}

// What only an answer of the device could show ends specs as unsupported, never as passed.
func TestAskedForTooMuch(t *testing.T) {
	dir := t.TempDir()
	dut := altered(t, dir, append(noControl, "      events: gdoilab", "      events: {REGISTERED: ' REGISTERED '}")...)
	report, s := ran(t, dir, dut, "--filter", "subject:sequence || subject:ack")
	if s.code != 0 || report.Summary[verdict.Unsupported] < 20 || report.Summary[verdict.Pass] == 0 {
		t.Errorf("exit %d: %v", s.code, report.Summary)
	}
	kinds := make(map[string]bool)
	for _, spec := range report.Specs {
		if spec.Verdict == verdict.Unsupported {
			kind, _, _ := strings.Cut(spec.Reason, " (")
			kinds[kind] = true
		}
	}
	for _, want := range []string{"reference as KS declares no control", "reference as GM declares no line of its log for the event REKEY_ACCEPTED"} {
		if !kinds[want] {
			t.Errorf("%q is not among %v", want, kinds)
		}
	}
}

// The manifest is named in report and evidence, what the device was given lies beside the capture, and the command that repeats
// a spec has the manifest too.
func TestManifestInEvidence(t *testing.T) {
	dir := t.TempDir()
	dut := altered(t, dir, "name: reference", "name: another", "vendor: gdoilab", "vendor: somebody")
	report, s := ran(t, dir, dut, "--spec", oneSpec)
	if s.code != 0 || report.DUT != "another" || report.Peer == nil || report.Peer.Name != "another" || report.Peer.File != dut ||
		report.Specs[0].Repeat != "gdoilab run --dut "+dut+" --fabric memory --seed 1 --spec "+oneSpec {
		t.Errorf("exit %d: %+v", s.code, report)
	}
	folder := filepath.Join(dir, "o", report.Specs[0].Evidence)
	if spec := read(t, folder, verdict.FileSpec); !strings.Contains(spec, report.Peer.Digest) {
		t.Errorf("%s", spec)
	}
	if text := read(t, folder, verdict.FileDevice, "gm1", "policy.yaml"); !strings.Contains(text, "name: gm1\n") {
		t.Errorf("%s", text)
	}
	units := read(t, dir, "o", verdict.ReportJUnit)
	if !strings.Contains(units, `name="manifest-sha256" value="`+report.Peer.Digest+`"`) {
		t.Errorf("%s", units)
	}
	if _, s := ran(t, dir, dut, "--spec", oneSpec, "--redact"); s.code != 0 {
		t.Errorf("exit %d", s.code)
	}
	if _, err := os.Stat(filepath.Join(folder, verdict.FileDevice)); !os.IsNotExist(err) {
		t.Error("a redacted run shows the device's configuration, which has keys in it")
	}
}

// What is wrong with a manifest is said before anything is written.
func TestBadManifests(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		dut, want string
		args      []string
	}{
		{"nobody", "there is no manifest nobody; name a file, or one that is built in: " + strings.Join(peer.Builtin(), ", "), nil},
		{altered(t, t.TempDir(), "{{ .Document }}", "{{ .Document"), "dut.yaml:16:20: roles.KS.process.files[0].content: line 1 of the text that begins in line 16: unclosed action", nil},
		{"example-cli", "--mutant: example-cli as KS declares no core and no mutant_args (", []string{"--mutant", "member.push.seq=off"}},
	} {
		s := start(t, dir, append([]string{"run", "--dut", c.dut}, c.args...)...)
		if s.code != 2 || !strings.Contains(s.err, c.want) {
			t.Errorf("%s: exit %d\n%s\nwant %s", c.dut, s.code, s.err, c.want)
		}
	}
	if !empty(t, dir) {
		t.Error("something was written")
	}
}

// The selftest of another device's manifest alters that device.
func TestSelftestOfAManifest(t *testing.T) {
	dir := t.TempDir()
	dut := altered(t, dir, "name: reference", "name: another")
	if s := start(t, dir, "selftest", "--dut", dut, "member.push.seq"); s.code != 0 || !strings.Contains(s.out, "0 survived") {
		t.Errorf("%+v", s)
	}
	if s := start(t, dir, "selftest", "--dut", "nobody", "member.push.seq"); s.code != 1 || !strings.Contains(s.out, "there is no manifest nobody") {
		t.Errorf("%+v", s)
	}
}

// "peer check" tries a manifest out and says what came of each step.
func TestPeerCheck(t *testing.T) {
	dir := t.TempDir()
	core := manifest(t, dir, "name: x\nfeatures: ['*']\nroles:\n  KS: {core: reference-ks, control: {}, keylog: {}}\n  GM: {core: reference-gm}\n")
	s := call("peer", "check", core)
	for _, want := range []string{
		"ok      KS  finds together with a tester", "ok      KS  rekeys when told              sequence number 1\n",
		"-       KS  its log is read               x as KS declares no syslog (" + core + ":4:7)\n",
		"-       GM  answers when asked            x as GM declares no control (" + core + ":5:7)\n", "ok      GM  leaves nothing behind",
	} {
		if !strings.Contains(s.out, want) {
			t.Errorf("%q is missing in\n%s", want, s.out)
		}
	}
	if s.code != 0 || s.err != "" {
		t.Errorf("exit %d: %s", s.code, s.err)
	}
	s = call("peer", "check", altered(t, dir, "core: reference-ks", "core: dead", "    process:", "    none:"))
	if s.code != 2 || !strings.Contains(s.err, "roles.KS.none: unknown field") {
		t.Errorf("%+v", s)
	}
	s = call("peer", "check", manifest(t, dir, "name: x\nfeatures: ['*']\nroles: {GM: {core: dead}}\n"))
	if s.code != 1 || !strings.Contains(s.out, "FAILED  GM  finds together with a tester  the tester's key server knows of no member 192.0.2.21:848 after 15s\n") {
		t.Errorf("%+v", s)
	}
	s = call("peer", "check", manifest(t, dir, "name: x\nfeatures: []\nroles: {GM: {core: dead}}\n"))
	if s.code != 1 || !strings.Contains(s.out, "x does not declare the feature ") {
		t.Errorf("%+v", s)
	}
	if s := call("peer", "check", "ios-xe"); s.code != 1 || !strings.Contains(s.out, "FAILED  GM  can be reached") || !strings.Contains(s.out, "the environment has no variable GDOILAB_ROUTER") {
		t.Errorf("%+v", s)
	}
	if s := call("peer", "check", "example-cli"); s.code != 1 || !strings.Contains(s.out, "FAILED  KS  its program is there") {
		t.Errorf("%+v", s)
	}
}
