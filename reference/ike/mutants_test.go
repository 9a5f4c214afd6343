package ike

import (
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/rule"
)

// Every guard can be seen from outside when it is altered: otherwise no conformance suite could ever prove it.
func TestEveryMutantIsSeen(t *testing.T) {
	for _, role := range []rule.Role{rule.KS, rule.GM} {
		right := observe(t, role, nil)
		if again := observe(t, role, new(rule.Switches)); !slices.Equal(right, again) {
			t.Fatal("two observations of the same behaviour differ")
		}
		for _, g := range rule.All() {
			if !strings.HasPrefix(g.Name, "ike.") || g.Role != role && g.Role != rule.Both || ofSignatures(g) {
				continue
			}
			for _, m := range g.Kind.Mutations() {
				var rules rule.Switches
				if err := rules.Set(g.Name, m.String()); err != nil {
					t.Fatal(err)
				}
				if slices.Equal(observe(t, role, &rules), right) {
					t.Errorf("%s as %s, %s: behaves like the right one", g, role, m)
				}
			}
		}
	}
}
