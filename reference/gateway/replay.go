package gateway

import (
	"errors"
	"maps"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/pseudotime"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/sadb"
	"github.com/gdoilab/gdoilab/reference/wire/metadata"
)

// What a member owes, and asks, of the pseudotime in packets (profile getvpn).
var (
	guardStamped = rule.Duty("gateway.replay.stamp", "GETVPN-TBAR-05", rule.GM,
		"packets of an SA with time-based anti-replay carry a pseudotime in front of the inner packet")
	guardStampTime = rule.Duty("gateway.replay.time", "GETVPN-TBAR-06", rule.GM,
		"the pseudotime in a packet is the sender's when the packet was made")
	guardStampTick = rule.Duty("gateway.replay.tick", "GETVPN-TBAR-09", rule.GM,
		"packets of one tick carry the same pseudotime")
	guardStampLen = rule.Duty("gateway.replay.length", "GETVPN-TBAR-24", rule.GM,
		"the header with the pseudotime has the length that the configuration says")
	guardTagged = rule.Duty("gateway.tag.sent", "GETVPN-SGT-01", rule.GM,
		"packets of an SA that says so carry the tag of their security group")
	guardTagValue = rule.Duty("gateway.tag.value", "GETVPN-SGT-02", rule.GM,
		"the tag is that of the member's hosts")
	guardTagRead = rule.Duty("gateway.tag.read", "GETVPN-SGT-01", rule.GM,
		"the tag of a packet is there for who receives it")
	guardBare = rule.Check("gateway.replay.bare", "GETVPN-TBAR-05", rule.GM,
		"a packet without a pseudotime is not taken under an SA with time-based anti-replay")
)

// guardStampable is asked when an SA is to be installed.
var guardStampable = rule.Check("gateway.install.stamped", "GETVPN-TBAR-29", rule.GM,
	"a member without the function takes no SA with time-based anti-replay")

// stampable refuses SAs whose packets carry a pseudotime to a gateway that cannot make such packets.
func (g *Gateway) stampable(t policy.TrafficSA) error {
	stamped := t.Replay != nil && t.Replay.Method == policy.ReplayTime
	if !guardStampable.Holds(g.rules, !stamped || !g.cfg.Metadata.Lacking) {
		return guardStampable.Violated("SPI %08x has time-based anti-replay", t.SPI)
	}
	return nil
}

// replay is what a group of the profile getvpn knows of packets that are repeated.
type replay struct {
	clock   pseudotime.Clock
	history pseudotime.History // of stamps outside the window
	counted pseudotime.History // of sequence numbers, so that a flood of them is sampled too
	failed  *pseudotime.Failure
	errors  uint64           // times that the key server and the member were apart by more than the skew
	apart   pseudotime.Stamp // the most that they were
}

// Synchronise has the pseudotime of the group go on from that of the key server.
func (m *Group) Synchronise(now time.Time, s pseudotime.Stamp) { m.replay.clock.Set(now, s) }

var guardTimeOfDay = rule.Duty("gateway.pseudotime.time_of_day", "GETVPN-TBAR-01", rule.GM,
	"the pseudotime goes on as it was when the time of day is set")

// ClockSet tells the group that the time of day has been set forward by so much, or back.
func (m *Group) ClockSet(now time.Time, by time.Duration) {
	if !guardTimeOfDay.Kept(m.gateway.rules) {
		m.replay.clock.Turn(now, by)
	}
}

// Pseudotime is the group's pseudotime at the beginning of a tick, and whether it has one.
func (m *Group) Pseudotime(now time.Time, tick time.Duration) (pseudotime.Stamp, bool) {
	return m.replay.clock.TickAt(now, tick), m.replay.clock.Running()
}

// Apart notes that the key server and the member differ by so much, more than they should.
func (m *Group) Apart(by pseudotime.Stamp) {
	m.replay.errors++
	m.replay.apart = max(m.replay.apart, by)
}

// Repeated returns the packet that was refused as repeated since it was asked last; ok is false if there was none, or if there are
// so many that this one is passed over.
func (m *Group) Repeated() (f pseudotime.Failure, ok bool) {
	failed := m.replay.failed
	if m.replay.failed = nil; failed == nil {
		return f, false
	}
	return *failed, true
}

// ClearReplay forgets what was counted.
func (m *Group) ClearReplay() {
	m.replay = replay{clock: m.replay.clock}
	for _, e := range m.gateway.db.Entries() {
		if e.Group == m.place {
			*e.Tally = sadb.Tally{}
		}
	}
}

// Replay describes the pseudotime of the group; nil if it has none.
func (m *Group) Replay(now time.Time) *control.Pseudotime {
	if !m.replay.clock.Running() {
		return nil
	}
	s := &control.Pseudotime{Value: m.replay.clock.At(now).String(), SyncErrors: m.replay.errors, MaxDelta: m.replay.apart.String()}
	for _, f := range m.replay.history.List() {
		s.Errors = append(s.Errors, control.ReplayError{Time: f.At, Source: f.Source.String(), SPI: policy.FormatSPI(f.SPI), Sequence: f.Sequence,
			Own: f.Own.String(), Peer: f.Peer.String()})
	}
	return s
}

// replayStatus describes how packets of an SA are known that are repeated; nil if its SAT says nothing of it.
func replayStatus(e *sadb.Entry) *control.Replay {
	r := e.Policy.Replay
	if r == nil {
		return nil
	}
	s := control.Replay{In: e.Tally.In, Out: e.Tally.Out, InErrors: e.Tally.InErrors, OutErrors: e.Tally.OutErrors}
	s.Method, s.Window = r.Words()
	s.Tag, s.Tags = r.TagMethod(), maps.Clone(e.Tally.Tags)
	return &s
}

// window is the size of the window over the sequence numbers of an SA: what the SAT says, or else the member's own.
func (g *Gateway) window(t policy.TrafficSA) int {
	if t.Replay != nil && (t.Replay.Method != policy.ReplayUnsaid || g.cfg.ReplayWindow == 0) {
		return t.Replay.Packets()
	}
	return g.cfg.ReplayWindow
}

// timed reports whether packets of an SA carry a pseudotime.
func timed(e *sadb.Entry) bool {
	return e.Policy.Replay != nil && e.Policy.Replay.Method == policy.ReplayTime
}

// tagged reports whether packets of an SA carry the tag of their security group.
func tagged(e *sadb.Entry) bool { return e.Policy.Replay != nil && e.Policy.Replay.Tagged }

// metadataLen is how many octets stand between ESP and what it protects.
func (g *Gateway) metadataLen(e *sadb.Entry) (n int) {
	if timed(e) {
		n = g.stampLen()
	}
	if tagged(e) {
		n += metadata.TagLen
	}
	return n
}

func (g *Gateway) stampLen() int {
	if !guardStampLen.Kept(g.rules) {
		return metadata.ShortStampLen + metadata.LongStampLen - g.cfg.Metadata.Length
	}
	return g.cfg.Metadata.Length
}

// stamp puts what an SA asks for in front of what is to be protected: the sender's pseudotime, and the tag of its hosts. The result is
// valid until the next call.
func (g *Gateway) stamp(x *parcel, payload []byte, next uint8) ([]byte, uint8) {
	stamps, tags := timed(x.entry) && guardStamped.Kept(g.rules), tagged(x.entry) && guardTagged.Kept(g.rules)
	if !stamps && !tags {
		return payload, next
	}
	g.stamped = g.stamped[:0]
	if stamps {
		sent := g.sentStamp(x)
		if g.watched != nil {
			g.see(x.now.UnixNano(), x.flow.Source.As16(), Seen{Out: true, SPI: x.entry.Policy.SPI, Own: sent, Peer: sent})
		}
		h := metadata.Header{Next: next, Length: g.stampLen(), Kind: metadata.KindStamp, Stamp: uint64(sent)}
		if tags {
			h.Next = g.cfg.Metadata.Protocol
		}
		g.stamped = h.Append(g.stamped)
	}
	if tags {
		h := metadata.Header{Next: next, Length: metadata.TagLen, Kind: metadata.KindTag, Tag: g.cfg.Metadata.Tag}
		if !guardTagValue.Kept(g.rules) {
			h.Tag++
		}
		g.stamped = h.Append(g.stamped)
	}
	g.stamped = append(g.stamped, payload...)
	return g.stamped, g.cfg.Metadata.Protocol
}

// sentStamp is the pseudotime of a packet that is made now.
func (g *Gateway) sentStamp(x *parcel) pseudotime.Stamp {
	m, tick := g.groups[x.entry.Group], x.entry.Policy.Replay.Ticks()
	if !guardStampTick.Kept(g.rules) {
		tick = 0
	}
	if !guardStampTime.Kept(g.rules) {
		return 0
	}
	return m.replay.clock.TickAt(x.now, tick)
}

// unstamp takes what stands in front of the packet off one that was opened, whose first octets up to at are its outer headers, and
// judges it. The error is a *rule.Violation.
func (g *Gateway) unstamp(now time.Time, e *sadb.Entry, outer *packet, plain []byte, at int, next uint8) ([]byte, uint8, error) {
	if e.Policy.Replay == nil {
		return plain, next, nil
	}
	body, stamped := plain[at:], false
	for h, ok := g.header(e, body, next); ok; h, ok = g.header(e, body, next) {
		if body, next = body[h.Length:], h.Next; h.Kind == metadata.KindTag {
			count(e.Tally, h.Tag, g.rules)
			continue
		}
		stamped = true
		if v := g.judge(now, e, outer, pseudotime.Stamp(h.Stamp)); v != nil {
			return nil, 0, v
		}
	}
	if timed(e) && !guardBare.Holds(g.rules, stamped) {
		e.Tally.InErrors++
		return nil, 0, guardBare.Violated("ESP SPI %08x has next header %d and no pseudotime", e.Policy.SPI, next)
	}
	e.Tally.In++
	taken := len(plain) - at - len(body)
	copy(plain[taken:], plain[:at])
	return plain[taken:], next, nil
}

// count notes the tag of a packet.
func count(t *sadb.Tally, tag uint16, rules *rule.Switches) {
	if !guardTagRead.Kept(rules) {
		return
	}
	if t.Tags == nil {
		t.Tags = make(map[uint16]uint64)
	}
	t.Tags[tag]++
}

// header reads a header in front of a packet, if there is one and the SA asks for it.
func (g *Gateway) header(e *sadb.Entry, b []byte, next uint8) (h metadata.Header, ok bool) {
	if next != g.cfg.Metadata.Protocol {
		return h, false
	}
	h, err := metadata.Parse(b)
	return h, err == nil && (h.Kind == metadata.KindStamp && timed(e) || h.Kind == metadata.KindTag && tagged(e))
}

// judge compares the stamp of a packet with the group's pseudotime.
func (g *Gateway) judge(now time.Time, e *sadb.Entry, outer *packet, stamp pseudotime.Stamp) error {
	m, r := g.groups[e.Group], e.Policy.Replay
	own, window := m.replay.clock.TickAt(now, r.Ticks()), pseudotime.Span(r.Time())
	if g.watched != nil {
		g.see(now.UnixNano(), outer.flow.Source.As16(), Seen{SPI: e.Policy.SPI, Own: own, Peer: stamp})
	}
	v := pseudotime.Packet(g.rules, own, stamp, window)
	if v == nil {
		return nil
	}
	e.Tally.InErrors++
	_, sequence, _ := outer.protection()
	f := pseudotime.Failure{At: now, Source: outer.flow.Source, SPI: e.Policy.SPI, Sequence: sequence, Own: own, Peer: stamp, Window: window}
	if m.replay.history.Add(f) {
		m.replay.failed = &f
	}
	v.Detail = "ESP SPI " + policy.FormatSPI(e.Policy.SPI) + ": " + v.Detail
	return v
}

// notRepeated counts a packet that the window over sequence numbers refused.
func (g *Gateway) notRepeated(now time.Time, e *sadb.Entry, outer *packet, err error) {
	var v *rule.Violation
	if e.Policy.Replay == nil || !errors.As(err, &v) || !esp.Repeated(v) {
		return
	}
	e.Tally.InErrors++
	_, sequence, _ := outer.protection()
	f := pseudotime.Failure{At: now, Source: outer.flow.Source, SPI: e.Policy.SPI, Sequence: sequence}
	if m := g.groups[e.Group]; m.replay.counted.Add(f) {
		m.replay.failed = &f
	}
}

// tallyOut counts a packet that was to be sent.
func tallyOut(e *sadb.Entry, err error) {
	switch {
	case e.Policy.Replay == nil:
	case err != nil:
		e.Tally.OutErrors++
	default:
		e.Tally.Out++
	}
}
