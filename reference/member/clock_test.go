package member_test

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
)

// The time of day is the driver's matter; what goes by the time of events does not see it.
func TestClock(t *testing.T) {
	l := newLab(t).start()
	deadline, _ := l.gm.Deadline()
	for _, e := range l.gm.Handle(l.now, &core.Command{ID: 1, Name: control.Clock, Args: []byte(`{"time":"2031-01-01T00:00:00Z"}`)}) {
		if set, ok := e.(*core.SetClock); ok && set.Time.Equal(time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)) {
			if after, _ := l.gm.Deadline(); !after.Equal(deadline) {
				t.Errorf("the deadline is %v, and was %v", after, deadline)
			}
			return
		}
	}
	t.Error("the driver is not told")
}

func TestClockOfNothing(t *testing.T) {
	if r := newLab(t).start().command(control.Clock, `{"time":7}`); r.Err == "" {
		t.Error("a time that is none is taken")
	}
}
