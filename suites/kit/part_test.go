package kit

import (
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/gdoilab/gdoilab/harness/verdict"
)

func TestParts(t *testing.T) {
	parts := Parts{"rekey/GM", "natt/both"}
	for _, c := range []struct {
		subject, dut string
		want         bool
	}{
		{"rekey", "GM", true}, {"rekey", "", true}, {"", "GM", true}, {"", "", true},
		{"rekey", "KS", false}, {"natt", "GM", false}, {"lkh", "", false}, {"", "KS", false},
	} {
		if parts.have(c.subject, c.dut) != c.want {
			t.Errorf("%s/%s: want %t", c.subject, c.dut, c.want)
		}
	}
	if !Parts(nil).have("lkh", "KS") || (Parts{}).have("lkh", "KS") {
		t.Error("no parts at all are all of them, and an empty list is none")
	}
}

func TestSpecInContainerOfAnotherPart(t *testing.T) {
	spec := verdict.Spec{ID: "rekey/a", Subject: "rekey", DUT: "GM"}
	for labels, want := range map[string]bool{"subject:rekey": true, "dut:GM": true, "negative": true, "subject:ack": false, "dut:KS": false} {
		r := types.SpecReport{ContainerHierarchyLabels: [][]string{{"subject:rekey"}, {labels}}}
		if err := inOnePart(r, spec); (err == nil) != want {
			t.Errorf("%s: %v", labels, err)
		}
	}
}
