package keyserver

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
)

// setClock sets the time of day, which is that of log lines. Lifetimes, schedules and pseudotimes do not go by it.
func (k *KeyServer) setClock(now time.Time, args json.RawMessage) error {
	var what control.ClockArgs
	if err := json.Unmarshal(args, &what); err != nil {
		return fmt.Errorf("arguments of clock: %w", err)
	}
	k.log(core.Notice, "CLOCK_SET", "the operator sets the time of day", field("to", what.Time.UTC().Format(time.RFC3339)))
	k.out = append(k.out, &core.SetClock{Time: what.Time})
	for _, c := range k.groups {
		c.ClockSet(now, what.Time.Sub(now)-k.ahead)
	}
	k.ahead = what.Time.Sub(now)
	return nil
}
