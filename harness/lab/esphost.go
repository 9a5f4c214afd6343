package lab

import (
	"context"

	"github.com/gdoilab/gdoilab/harness/esphost"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// ESPHost is a host with ESP that somebody else wrote, in the place of a member. Its address is that of the host behind the member.
type ESPHost interface {
	// Install has it use these SAs and no others.
	Install(ctx context.Context, sas ...esphost.SA) error
	// Send sends a UDP datagram to the same port of an address.
	Send(ctx context.Context, d esphost.Datagram) error
	// Received returns the datagrams that came so far.
	Received() []esphost.Datagram
	exhibit
	Stop() error
}

// Seat starts a host with ESP in the place of member i (NeedKernel), who must not run. What it has to show is kept with the lab. Beside a
// router it is a *Lacking.
func (l *Lab) Seat(ctx context.Context, i int, f *peer.Foreign) (ESPHost, error) {
	w, ok := l.Net.(Workshop)
	if !ok {
		return nil, errNoWorkshop
	}
	h, err := w.Seat(ctx, i, f)
	if h != nil {
		l.foreign = append(l.foreign, h)
	}
	return h, err
}

// Handed are the keys of the group's Data-Security SAs that somebody has logged, the latest last.
func (l *Lab) Handed() (entries []keylog.Entry) {
	seen := make(map[string]bool)
	for _, k := range l.Keys() {
		if k.Kind == keylog.KindTraffic && !seen[k.SPI] {
			seen[k.SPI] = true
			entries = append(entries, k)
		}
	}
	return entries
}
