package member

import (
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// received are the Data-Security SAs that came last to a member of GET VPN, for its operator, who sees them when they have ended, too.
type received []control.SA

// note takes the place of what came before.
func (r *received) note(now time.Time, sas []policy.TrafficSA) {
	*r = nil
	for _, sa := range sas {
		*r = append(*r, control.SA{
			SPI: policy.FormatSPI(sa.SPI), Selector: sa.Selector.String(), Cipher: sa.Transform.String(), Expiry: now.Add(sa.Lifetime), Detail: control.DetailOf(sa),
		})
	}
}

// ended are those whose lifetime is over.
func (r received) ended(now time.Time) (ended []control.SA) {
	for _, sa := range r {
		if !now.Before(sa.Expiry) {
			ended = append(ended, sa)
		}
	}
	return ended
}
