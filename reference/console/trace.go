package console

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gateway"
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

// ofStamps are the words behind debug crypto gdoi that ask for the pseudotimes in packets of hosts. The second asks for everything.
const (
	ofStamps  = "replay"
	ofAnybody = "gdoi"
)

// messages reports whether messages are told of.
func (d debugging) messages() bool { return len(d.on) > 1 || len(d.on) == 1 && !d.on[ofStamps] }

// wants reports whether messages with a peer are told of.
func (c *Console) wants(peer netip.Addr) bool {
	d := c.debug
	return d.messages() && (len(d.peers) == 0 || slices.Contains(d.peers, peer) || !c.kept(guardCondition))
}

// stamped is a core with a data path whose packets have pseudotimes.
type stamped interface{ Gateway() *gateway.Gateway }

// watchStamps has the data path keep pseudotimes for as long as somebody wants to see them.
func (c *Console) watchStamps() {
	if m, ok := c.inner.(stamped); ok {
		m.Gateway().Watch(c.debug.on[ofStamps] || c.debug.on[ofAnybody])
	}
}

// stamps tells of the pseudotimes that were in packets since the last time.
func (c *Console) stamps() (told []core.Effect) {
	m, ok := c.inner.(stamped)
	if !ok {
		return nil
	}
	seen, passed := m.Gateway().Seen()
	for _, s := range seen {
		way := "received"
		if s.Out {
			way = "sent"
		}
		told = append(told, c.debugged(s.At, fmt.Sprintf("pseudotime %s %s in a packet from %s under SPI 0x%08X, own %s", s.Peer, way, s.Source, s.SPI, s.Own)))
	}
	if passed > 0 {
		told = append(told, c.debugged(seen[len(seen)-1].At, fmt.Sprintf("%d more packets with a pseudotime", passed)))
	}
	return told
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
	told := c.stamps()
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
	return c.debugged(now, text, core.Field{Name: "peer", Value: peer.Addr().String()})
}

// debugged tells of something that debugging shows.
func (c *Console) debugged(at time.Time, text string, fields ...core.Field) *core.Log {
	l := &core.Log{Severity: core.Debug, Tag: "DEBUG", Text: text, Fields: fields}
	c.buffer.add(at.Add(c.ahead), l)
	return l
}
