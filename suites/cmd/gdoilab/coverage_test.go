package main

import (
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/catalog"
)

// least is the share, in percent, of what leaves no choice and can be seen from outside that specs have to test.
const least = 85

func TestCoverage(t *testing.T) {
	for _, name := range catalog.Names {
		s := call("coverage", "--json", "--catalogue", name)
		validate(t, schema.Coverage, s.out)
		x := decode[coverageJSON](t, s.out)
		classes, total, tested := 0, 0, 0
		for _, n := range x.Classes {
			classes += n
		}
		for _, c := range x.Sections {
			total, tested = total+c.Total, tested+c.Classes[catalog.Tested]
		}
		if classes != x.Total || total != x.Total || len(x.Requirements) != total || tested != x.Classes[catalog.Tested] || s.code != 0 || s.err != "" {
			t.Errorf("%s: %d in classes, %d in sections, %d in all; exit %d, %s", name, classes, total, x.Total, s.code, s.err)
		}
		for _, flag := range []string{"--sections", "--specs", "--missing", "--places", "--kept"} {
			if s := call("coverage", "--catalogue", name, flag); s.code != 0 || (name == "gdoi" && len(s.out) < 1000) {
				t.Errorf("%s %s: %+v", name, flag, s)
			}
		}
	}
	if s := call("coverage"); s.code != 0 || !strings.Contains(s.out, "requirements are tested for every role that they bind") {
		t.Errorf("%+v", s)
	}
}

// Every requirement has a class, and the specs say nothing against it.
func TestNoRequirementIsUnaccounted(t *testing.T) {
	for _, name := range catalog.Names {
		rows, wrong, err := cover(name)
		if err != nil {
			t.Fatal(err)
		}
		if wrong != nil {
			t.Errorf("fixtures/coverage-%s.yaml:\n%v", name, wrong)
		}
		if n := catalog.Count(rows)[catalog.Unaccounted]; n > 0 {
			t.Errorf("%s: %d have no class", name, n)
		}
	}
}

func TestCoverageDoesNotFall(t *testing.T) {
	rows, _, err := cover("gdoi")
	if err != nil {
		t.Fatal(err)
	}
	if tested, of := catalog.Share(rows); percent(tested, of) < least {
		t.Errorf("%d of %d are tested, %.1f %%; %d %% are wanted", tested, of, percent(tested, of), least)
	}
}

// What a spec tested once stays tested.
func TestNothingIsLost(t *testing.T) {
	for _, name := range []string{"gdoi", "getvpn", "pfs", "ikev2"} {
		rows, _, err := cover(name)
		if err != nil {
			t.Fatal(err)
		}
		lost, err := catalog.Lost(name, rows)
		if err != nil {
			t.Fatal(err)
		}
		if len(lost) > 0 {
			t.Errorf("no longer tested: %s\nif that is meant: bin/gdoilab coverage --catalogue %s --kept > fixtures/%s", strings.Join(lost, ", "), name, catalog.KeptFile(name))
		}
	}
}

func TestCoverageRefuses(t *testing.T) {
	if s := call("coverage", "--catalogue", "cisco"); s.code != exitUsage || !strings.Contains(s.err, "only gdoi, juniper, getvpn, pfs, ikev2") {
		t.Errorf("%+v", s)
	}
}

// An entry that binds both roles is half-tested when specs test one.
func TestHalfTested(t *testing.T) {
	for _, r := range decode[coverageJSON](t, call("coverage", "--json").out).Requirements {
		roles := make(map[string]bool)
		for _, s := range r.Specs {
			roles[s.DUT] = true
			if len(s.Fabrics) == 0 {
				t.Errorf("%s runs nowhere", s.Spec)
			}
		}
		half := r.Role == "both" && !roles["both"] && roles["KS"] != roles["GM"]
		if half != (r.Class == catalog.Half) || half != (r.Other != "") {
			t.Errorf("%s binds %s, is tested for %v and %s", r.ID, r.Role, roles, r.Class)
		}
	}
}
