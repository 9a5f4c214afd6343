package console

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestTracked(t *testing.T) {
	g := gmGroup{GMGroup: control.GMGroup{Track: "up"}}
	if got := g.tracked(); got != "disabled" {
		t.Error(got)
	}
	if g.cfg.Track = (&policy.Track{Number: 99}); g.tracked() != "99/UP" {
		t.Error(g.tracked())
	}
}
