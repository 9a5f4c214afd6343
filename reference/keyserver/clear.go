package keyserver

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/getvpn"
)

// clear makes the group that the operator names anew, or all of them: other keys, and no members, who are told to delete what they have.
func (k *KeyServer) clear(now time.Time, args json.RawMessage) error {
	var which control.GroupArgs
	if len(args) > 0 {
		if err := json.Unmarshal(args, &which); err != nil {
			return fmt.Errorf("arguments of %s: %w", control.Clear, err)
		}
	}
	groups := k.groups
	if which.Group != 0 {
		c, err := k.commanded(which.Group)
		if err != nil {
			return err
		}
		groups = []*carried{c}
	}
	for _, c := range groups {
		k.log(core.Notice, "GROUP_CLEARED", "the operator cleared the group", field("group", c.ID()))
		k.tell(c, getvpn.KSClearRegister)
		plans, err := c.Clear(now)
		k.carry(c, plans...)
		if err != nil {
			return err
		}
	}
	return nil
}
