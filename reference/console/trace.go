package console

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// traced is how many events are kept.
const traced = 500

// event is something that the node has told its log.
type event struct {
	at  time.Time
	log *core.Log
}

// trace keeps the last events. The zero value is ready for use, and on.
type trace struct {
	events []event
	off    bool
}

func (t *trace) add(now time.Time, l *core.Log) {
	if t.off {
		return
	}
	if len(t.events) == traced {
		t.events = slices.Delete(t.events, 0, traced/4)
	}
	t.events = append(t.events, event{now, l})
}

// debugging says what is told of the messages as they pass.
type debugging struct {
	on    map[string]bool // by the words behind debug crypto gdoi
	peers []netip.Addr    // of which alone it is told; empty: of all
}

// wants reports whether messages with a peer are told of.
func (c *Console) wants(peer netip.Addr) bool {
	d := c.debug
	return len(d.on) > 0 && (len(d.peers) == 0 || slices.Contains(d.peers, peer) || !c.kept(guardCondition))
}

// watch keeps what the core tells its log, and beside it tells of the messages themselves while debugging is on.
func (c *Console) watch(now time.Time, ev core.Event, effects []core.Effect) []core.Effect {
	for _, e := range effects {
		switch e := e.(type) {
		case *core.Log:
			c.note(now, e)
		case *core.SetClock:
			c.ahead = e.Time.Sub(now)
		}
	}
	if len(c.debug.on) == 0 {
		return effects
	}
	var told []core.Effect
	if d, ok := ev.(*core.Datagram); ok && c.wants(d.From.Addr()) {
		told = append(told, c.message(now, "received from", d.From, d.Data))
	}
	for _, e := range effects {
		if s, ok := e.(*core.Send); ok && c.wants(s.To.Addr()) {
			told = append(told, c.message(now, "sent to", s.To, s.Data))
		}
	}
	return append(told, effects...)
}

// note keeps an event that the log is told of.
func (c *Console) note(now time.Time, l *core.Log) {
	c.trace.add(now.Add(c.ahead), l)
	c.buffer.add(now.Add(c.ahead), l)
}

// message tells of one datagram what its header says.
func (c *Console) message(now time.Time, what string, peer netip.AddrPort, data []byte) *core.Log {
	text := fmt.Sprintf("%d octets %s %s", len(data), what, peer)
	if h, err := isakmp.ParseHeader(data); err == nil {
		text = fmt.Sprintf("exchange %d, message ID %08x, %d octets %s %s", h.Exchange, h.MessageID, len(data), what, peer)
	}
	l := &core.Log{Severity: core.Debug, Tag: "DEBUG", Text: text, Fields: []core.Field{{Name: "peer", Value: peer.Addr().String()}}}
	c.buffer.add(now.Add(c.ahead), l)
	return l
}
