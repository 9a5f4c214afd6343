package keyserver

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// exclude takes the member that the operator names out of a group, now.
func (k *KeyServer) exclude(now time.Time, args json.RawMessage) (control.RekeyResult, error) {
	var what control.ExcludeArgs
	if err := json.Unmarshal(args, &what); err != nil {
		return control.RekeyResult{}, fmt.Errorf("arguments of exclude: %w", err)
	}
	id, err := memberOf(what.Member)
	if err != nil {
		return control.RekeyResult{}, fmt.Errorf("arguments of exclude: member: %w", err)
	}
	c, err := k.commanded(what.Group)
	if err != nil {
		return control.RekeyResult{}, err
	}
	plans, err := c.Exclude(now, id)
	k.carry(c, plans...)
	if err != nil {
		return control.RekeyResult{}, err
	}
	k.log(core.Notice, "MEMBER_EXCLUDED", "the operator excluded a member", field("group", c.ID()), field("member", id.Brief()))
	last := plans[len(plans)-1]
	return control.RekeyResult{Sequence: last.Rekey.Sequence, SPIs: spis(last.Rekey), Rekey: c.RekeySPI()}, nil
}

// memberOf reads the identity of a member as a status has it: an address alone, others with their kind.
func memberOf(text string) (policy.Identity, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return policy.AddressIdentity(a), nil
	}
	return policy.ParseIdentity(text)
}
