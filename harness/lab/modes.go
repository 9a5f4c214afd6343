package lab

import (
	"context"

	"github.com/gdoilab/gdoilab/reference/control"
)

// ReceiveOnly has a key server of GET VPN make the SAs of its only group receive-only, or end that.
func (p *Peer) ReceiveOnly(ctx context.Context, on bool) (r control.RekeyResult, err error) {
	err = p.ask(ctx, control.ReceiveOnly, control.ReceiveOnlyArgs{On: on}, &r)
	return r, err
}

// Direction has a member of GET VPN use its SAs in these directions until the next rekey: both, inbound-optional.
func (p *Peer) Direction(ctx context.Context, direction string) error {
	return p.ask(ctx, control.Direction, control.DirectionArgs{Direction: direction}, nil)
}
