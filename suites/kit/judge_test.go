package kit

import (
	"maps"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/verdict"
	"github.com/gdoilab/gdoilab/reference/rule"
)

// reported is a spec as Ginkgo reports it.
func reported(state types.SpecState, labels ...string) ginkgo.SpecReport {
	return ginkgo.SpecReport{
		State: state, LeafNodeType: types.NodeTypeIt, LeafNodeText: "drops a rekey whose SIG is wrong", LeafNodeLabels: labels,
		ContainerHierarchyTexts: []string{"GROUPKEY-PUSH"}, ContainerHierarchyLabels: [][]string{{"subject:rekey", "dut:GM"}},
		Failure: types.Failure{Message: "it did not", Location: types.CodeLocation{FileName: "/some/where/gm.go", LineNumber: 12,
			FullStackTrace: "the stack"}, ForwardedPanic: "index out of range"},
	}
}

func TestJudge(t *testing.T) {
	inconclusive := &state{verdict: verdict.Inconclusive, reason: "not reached: every member registers"}
	for _, c := range []struct {
		name   string
		report ginkgo.SpecReport
		state  *state
		want   verdict.Verdict
		reason string
	}{
		{"passed", reported(types.SpecStatePassed), &state{}, verdict.Pass, ""},
		{"negative with its control", reported(types.SpecStatePassed, "negative"), &state{controls: 1}, verdict.Pass, ""},
		{"negative without its control", reported(types.SpecStatePassed, "negative"), &state{}, verdict.Error,
			"a negative spec ended without its positive control"},
		{"failed", reported(types.SpecStateFailed), &state{}, verdict.Fail, "it did not (gm.go:12)"},
		{"negative that failed before its control", reported(types.SpecStateFailed, "negative"), &state{}, verdict.Fail, "it did not (gm.go:12)"},
		{"precondition", reported(types.SpecStateFailed), inconclusive, verdict.Inconclusive, "not reached: every member registers"},
		{"negative whose precondition was not reached", reported(types.SpecStateFailed, "negative"), inconclusive, verdict.Inconclusive,
			"not reached: every member registers"},
		{"skipped by itself", reported(types.SpecStateSkipped), &state{verdict: verdict.Skipped, reason: "no kernel"}, verdict.Skipped, "no kernel"},
		{"unsupported", reported(types.SpecStateSkipped), &state{verdict: verdict.Unsupported, reason: "no AH"}, verdict.Unsupported, "no AH"},
		{"a fault of ours", reported(types.SpecStateFailed), &state{verdict: verdict.Error, reason: "no lab"}, verdict.Error, "no lab"},
		{"passed, but the lab did not close", reported(types.SpecStatePassed), &state{verdict: verdict.Error, reason: "closing the lab: x"},
			verdict.Error, "closing the lab: x"},
		{"too slow", reported(types.SpecStateTimedout), &state{}, verdict.Fail, "took longer than 1m30s: it did not (gm.go:12)"},
		{"interrupted", reported(types.SpecStateInterrupted), &state{}, verdict.Error, "interrupted"},
		{"interrupted while a precondition was waited for", reported(types.SpecStateInterrupted), inconclusive, verdict.Error, "interrupted"},
		{"aborted", reported(types.SpecStateAborted), &state{}, verdict.Error, "interrupted"},
		{"panicked", reported(types.SpecStatePanicked), &state{}, verdict.Error, "panic: index out of range it did not (gm.go:12)\nthe stack"},
		{"pending", reported(types.SpecStatePending), &state{}, verdict.Error, "not run: pending"},
	} {
		got := judge(c.report, c.state)
		if got.Verdict != c.want || got.Reason != c.reason {
			t.Errorf("%s: %s, %q; want %s, %q", c.name, got.Verdict, got.Reason, c.want, c.reason)
		}
	}
}

// What a spec says of itself comes from its labels.
func TestDescribe(t *testing.T) {
	got := describe(reported(types.SpecStatePassed, "negative", "req:RFC6407-4.4-03", "req:RFC6407-4.4-02", "needs:kernel", "feature:esp:aes-gcm-16", "req:RFC6407-4.4-03"))
	if got.ID != "rekey/drops-a-rekey-whose-sig-is-wrong" || got.Subject != "rekey" || got.DUT != "GM" || !got.Negative {
		t.Errorf("%+v", got)
	}
	if strings.Join(got.Requirements, " ") != "RFC6407-4.4-03 RFC6407-4.4-02" || strings.Join(got.Needs, " ") != "kernel" ||
		strings.Join(got.Features, " ") != "esp:aes-gcm-16" {
		t.Errorf("%v, %v, %v", got.Requirements, got.Needs, got.Features)
	}
	if !strings.HasSuffix(got.Repeat, "--fabric memory --seed 1 --spec "+got.ID) {
		t.Errorf("%q", got.Repeat)
	}
}

func TestRan(t *testing.T) {
	left := reported(types.SpecStateSkipped)
	left.Failure.Message = ""
	if ran(left) {
		t.Error("a spec that was left out counts as run")
	}
	if !ran(reported(types.SpecStateSkipped)) || !ran(reported(types.SpecStateFailed)) || !ran(reported(types.SpecStateInterrupted)) {
		t.Error("a spec that was run does not count")
	}
}

func TestSpecID(t *testing.T) {
	for text, want := range map[string]string{
		"drops a rekey":                     "s/drops-a-rekey",
		"HASH(1), Ni & ID -- twice!":        "s/hash-1-ni-id-twice",
		"(RFC 6407 §4.4) größer als 2^32-1": "s/rfc-6407-4-4-gr-er-als-2-32-1",
	} {
		if got := SpecID("s", text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// An It without a requirement is refused when the tree is built; containers need none.
func TestCheckSpec(t *testing.T) {
	body := func() {}
	if _, _, errs := checkSpec(types.NodeTypeIt, ginkgo.Offset(0), "does it", []any{Negative, body}); len(errs) != 1 ||
		errs[0].Error() != `the spec "does it" names no requirement` {
		t.Errorf("%v", errs)
	}
	if _, args, errs := checkSpec(types.NodeTypeIt, ginkgo.Offset(0), "does it", []any{Requirement("RFC6407-4.4-02"), body}); len(errs) != 0 ||
		len(args) < 3 {
		t.Errorf("%v, %v", args, errs)
	}
	if _, _, errs := checkSpec(types.NodeTypeContainer, ginkgo.Offset(0), "group", []any{Feature("ack", "mulitcast"), body}); len(errs) != 1 ||
		errs[0].Error() != `there is no feature "mulitcast"; did you mean multicast?` {
		t.Errorf("%v", errs)
	}
	if _, args, errs := checkSpec(types.NodeTypeContainer, ginkgo.Offset(0), "group", []any{Subject("a"), body}); len(errs) != 0 || len(args) != 2 {
		t.Errorf("%v, %v", args, errs)
	}
}

// Two specs of one name are refused; what a filter left out is no spec.
func TestIdentify(t *testing.T) {
	one, other := reported(types.SpecStatePassed), reported(types.SpecStatePassed)
	other.LeafNodeText = "accepts one whose SIG is right"
	left := other
	left.State = types.SpecStateSkipped
	specs, err := identify(types.SpecReports{one, left, other, {LeafNodeType: types.NodeTypeReportAfterEach, State: types.SpecStatePassed}})
	if err != nil || len(specs) != 2 || specs[0].ID != "rekey/accepts-one-whose-sig-is-right" {
		t.Errorf("%v, %v", specs, err)
	}
	other.LeafNodeText = "drops a rekey: whose SIG is wrong"
	if _, err := identify(types.SpecReports{one, other}); err == nil || err.Error() != "two specs are called rekey/drops-a-rekey-whose-sig-is-wrong" {
		t.Error(err)
	}
}

func TestRoleUnderTest(t *testing.T) {
	for _, role := range []rule.Role{rule.KS, rule.GM, rule.Both} {
		if got := roleUnderTest(DUT(role)); got != role {
			t.Errorf("%s: %s", role, got)
		}
	}
	if got := roleUnderTest(nil); got != rule.Both {
		t.Errorf("%s", got)
	}
}

// The names of a lab's nodes come from the lab and not from who speaks first.
func TestNodes(t *testing.T) {
	l, err := lab.New(t.Context(), lab.Env{Fabric: lab.Memory{}, Seed: "1"}, lab.Setup{Members: 2, Hosts: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := nodes(l)
	for addr, name := range map[string]string{lab.KeyServerAddr.String(): "ks", lab.MemberAddr(2).String(): "gm2", lab.HostAddr(1).String(): "h1"} {
		if got[addr] != name {
			t.Errorf("%s: %q, want %q", addr, got[addr], name)
		}
	}
	if len(got) != 5 {
		t.Errorf("%v", got)
	}
}

// Nodes with addresses of both versions have one name.
func TestNodesOfBothVersions(t *testing.T) {
	l, err := lab.New(t.Context(), lab.Env{Fabric: lab.Memory{}, Seed: "1"}, lab.Setup{Hosts: true, Family: lab.IPv6Family})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := map[string]string{
		lab.KeyServerAddr6.String(): "ks", lab.MemberAddr6(1).String(): "gm1", lab.MemberAddr(1).String(): "gm1",
		lab.HostAddr(1).String(): "h1", lab.HostAddr6(1).String(): "h1",
	}
	if got := nodes(l); !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
