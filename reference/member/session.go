package member

import (
	"encoding/json"
	"fmt"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/sadb"
)

const tcp = 6

// onSession says whether the packets of an operator's session with the member itself pass (GETVPN-FAILCLOSE-08).
func (m *Member) onSession(c *core.Command) {
	var ends control.SessionArgs
	if err := json.Unmarshal(c.Args, &ends); err != nil {
		m.emit(&core.Reply{ID: c.ID, Err: fmt.Sprintf("arguments of %s: %v", c.Name, err)})
		return
	}
	m.reply(c.ID, control.SessionResult{Passes: m.gateway.Admits(sadb.Flow{Protocol: tcp,
		Source: ends.Local.Addr().Unmap(), SourcePort: ends.Local.Port(), Destination: ends.Remote.Addr().Unmap(), DestinationPort: ends.Remote.Port()})})
}
