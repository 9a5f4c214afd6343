package lab_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/lab"
)

func TestFabrics(t *testing.T) {
	for _, c := range []struct{ needs, want string }{
		{"", "memory netns"}, {"kernel", "netns"}, {"virtual-time", "memory"}, {"multicast", "memory"}, {"kernel virtual-time", ""},
	} {
		var needs []lab.Need
		for _, n := range strings.Fields(c.needs) {
			needs = append(needs, lab.Need(n))
		}
		if got := lab.Fabrics(needs...); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%q: %v, want %s", c.needs, got, c.want)
		}
	}
}
