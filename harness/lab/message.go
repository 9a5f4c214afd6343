package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

// Messages returns the lines of the peer's log by which it tells the operator that message of GET VPN, or any if it is "".
func (p *Peer) Messages(mnemonic string) []syslog.Line {
	if p.Can(peer.ReadLog) != nil {
		return nil
	}
	events := peer.Events{Own: true}
	if p.Device() {
		events = p.station.Device.Syslog.Events
	}
	var lines []syslog.Line
	for _, text := range p.log() {
		if line, ok := events.Message(text); ok && (mnemonic == "" || line.Tag == mnemonic) {
			lines = append(lines, line)
		}
	}
	return lines
}

// AwaitMessage waits for that message beyond the first n.
func (p *Peer) AwaitMessage(ctx context.Context, mnemonic string, n int, limit time.Duration) bool {
	return p.lab.Wait(ctx, limit, func() bool { return len(p.Messages(mnemonic)) > n })
}

// ClearGroups has a key server make its groups anew, without members.
func (p *Peer) ClearGroups(ctx context.Context) error { return p.ask(ctx, control.Clear, nil, nil) }

// Attach has a member of GET VPN put the policies of its groups on its interface, Detach take them off.
func (p *Peer) Attach(ctx context.Context) error { return p.ask(ctx, control.Attach, nil, nil) }

// Detach is the reverse of Attach.
func (p *Peer) Detach(ctx context.Context) error { return p.ask(ctx, control.Detach, nil, nil) }

// GroupNames are the ways in which a device may name the group of the lab: by its name at the key server, or by its number.
func (l *Lab) GroupNames() []string {
	g := l.KS.station.KS.Groups[0]
	return []string{g.Name, fmt.Sprint(g.ID)}
}
