package keyserver

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/getvpn"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func (k *KeyServer) getvpn() bool { return k.cfg.Profile == policy.ProfileGETVPN }

// receiveOnly has the SAs of a group be for receiving only, or not any more, and tells the members.
func (k *KeyServer) receiveOnly(now time.Time, args json.RawMessage) (control.RekeyResult, error) {
	var what control.ReceiveOnlyArgs
	if err := json.Unmarshal(args, &what); err != nil {
		return control.RekeyResult{}, fmt.Errorf("arguments of %s: %w", control.ReceiveOnly, err)
	}
	c, err := k.commanded(what.Group)
	if err != nil {
		return control.RekeyResult{}, err
	}
	plans, err := c.ReceiveOnly(now, what.On)
	if err != nil {
		return control.RekeyResult{}, err
	}
	k.tellUsage(c)
	k.carry(c, plans...)
	if len(plans) == 0 { // only with a duty of the group neglected
		return control.RekeyResult{Rekey: c.RekeySPI()}, nil
	}
	return resultOf(c, plans), nil
}

// tellUsage tells the operator in which directions members are to use the SAs of a group from now on.
func (k *KeyServer) tellUsage(c *carried) {
	message := getvpn.KSConvSAsDuplex
	if c.Usage() == policy.UsageReceiveOnly {
		message = getvpn.KSConvSAsIngress
	}
	k.tell(c, message)
}
