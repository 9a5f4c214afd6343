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
	c, id, err := k.memberOf(control.Exclude, args)
	if err != nil {
		return control.RekeyResult{}, err
	}
	plans, err := c.Exclude(now, id)
	k.carry(c, plans...)
	if err != nil {
		return control.RekeyResult{}, err
	}
	k.log(core.Notice, "MEMBER_EXCLUDED", "the operator excluded a member", field("group", c.ID()), field("member", id.Brief()))
	return resultOf(c, plans), nil
}

// readmit lets the member that the operator names register again after it was excluded.
func (k *KeyServer) readmit(args json.RawMessage) error {
	c, id, err := k.memberOf(control.Readmit, args)
	if err != nil {
		return err
	}
	if err := c.Readmit(id); err != nil {
		return err
	}
	k.log(core.Notice, "MEMBER_READMITTED", "the operator lets a member register again", field("group", c.ID()), field("member", id.Brief()))
	return nil
}

// memberOf reads the arguments of a command that is about one member.
func (k *KeyServer) memberOf(command string, args json.RawMessage) (*carried, policy.Identity, error) {
	var what control.ExcludeArgs
	if err := json.Unmarshal(args, &what); err != nil {
		return nil, policy.Identity{}, fmt.Errorf("arguments of %s: %w", command, err)
	}
	id, err := identityOf(what.Member)
	if err != nil {
		return nil, policy.Identity{}, fmt.Errorf("arguments of %s: member: %w", command, err)
	}
	c, err := k.commanded(what.Group)
	return c, id, err
}

// identityOf reads the identity of a member as a status has it: an address alone, others with their kind.
func identityOf(text string) (policy.Identity, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return policy.AddressIdentity(a), nil
	}
	return policy.ParseIdentity(text)
}
