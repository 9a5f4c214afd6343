package member

import (
	"encoding/json"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
)

// setClock sets the time of day, which is that of log lines. Lifetimes and pseudotimes do not go by it.
func (m *Member) setClock(now time.Time, args json.RawMessage) error {
	var what control.ClockArgs
	if err := json.Unmarshal(args, &what); err != nil {
		return err
	}
	m.emit(&core.Log{Severity: core.Notice, Tag: "CLOCK_SET", Text: "the operator sets the time of day",
		Fields: []core.Field{{Name: "to", Value: what.Time.UTC().Format(time.RFC3339)}}})
	m.emit(&core.SetClock{Time: what.Time})
	for _, g := range m.groups {
		g.gateway.ClockSet(now, what.Time.Sub(now)-m.ahead)
	}
	m.ahead = what.Time.Sub(now)
	return nil
}
