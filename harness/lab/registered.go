package lab

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// registered is the event by which a log tells of a registration.
const registered = "REGISTERED"

// Offers reports whether the peer can be asked for this. In contrast to Can it is no demand.
func (p *Peer) Offers(a peer.Ability) bool { return !p.Device() || p.station.Device.Lacks(a) == "" }

// Tells reports whether the peer's log tells of an event.
func (p *Peer) Tells(event string) bool {
	return !p.Device() || p.station.Device.LacksEvent(event) == ""
}

// Registered reports whether a member is registered in all of its groups: by its status, or its log since it was started or cleared last,
// or else by what the wire shows.
func (p *Peer) Registered(ctx context.Context) bool {
	if !p.Offers(peer.ControlStatus) && (p.Tells(registered) || !p.Offers(peer.ReadState)) {
		return p.Registrations()-p.over >= len(p.station.GM.Memberships())
	}
	s, err := p.GMState(ctx)
	return err == nil && len(s.Memberships()) >= len(p.station.GM.Memberships()) && !slices.ContainsFunc(s.Memberships(), func(g control.GMGroup) bool { return g.State != "registered" })
}

// Registrations counts how often a member has registered since a spec has started it last: by its log, or else by what the
// wire shows. Of a member of several groups the wire does not show enough: that it begins anew may be for another one of them.
func (p *Peer) Registrations() int {
	if p.Tells(registered) {
		return p.earlier + len(p.Logged(registered))
	}
	if len(p.station.GM.Memberships()) > 1 {
		_ = p.unsupported(p.station.Device.LacksEvent(registered))
		return p.earlier
	}
	n := p.earlier
	for _, pull := range p.pulls() {
		if pull.id == p.proven || pull.led(p.lab.Now(), p.retryDelay()) {
			n++
		}
	}
	return n
}

// AwaitRegistrations waits until the member has registered more than n times.
func (p *Peer) AwaitRegistrations(ctx context.Context, n int, limit time.Duration) bool {
	return p.lab.Wait(ctx, limit, func() bool { return p.Registrations() > n })
}

// prove has a member whose log tells nothing of it show whether it uses the keys of its registration as soon as it has been given
// them. A window against repeated packets is left as it is.
func (p *Peer) prove(ctx context.Context) {
	given := func() bool {
		pulls := p.pulls()
		return len(pulls) > 0 && !pulls[len(pulls)-1].given.IsZero()
	}
	if p.Tells(registered) || len(p.station.GM.Memberships()) > 1 || p.station.GM.ReplayWindow > 0 || p.lab.Windowed() || p.lab.env.Opens == nil || !p.lab.Wait(ctx, Patience, given) {
		return
	}
	pulls := p.pulls()
	if last := pulls[len(pulls)-1].id; last != p.proven && p.lab.env.Opens(ctx, p.lab, p.index()) {
		p.proven = last
	}
}

// index is the number of a member, from 1.
func (p *Peer) index() int {
	for i, gm := range p.lab.GM {
		if gm == p {
			return i + 1
		}
	}
	return 0
}

// retryDelay is after how long a member whose registration failed begins another.
func (p *Peer) retryDelay() time.Duration {
	if d := p.station.GM.RetryDelay; d > 0 {
		return d
	}
	return 10 * time.Second
}

// pull is a GROUPKEY-PULL as it crosses the WAN, and what its member did afterwards.
type pull struct {
	id       pullID
	answers  map[string]bool // the key server's different messages
	given    time.Time       // when message 4 came
	used     bool            // a packet has left under an SA that was not there before
	doubtful time.Time       // when the member first sent an Informational, or began anew, after message 4
}

type pullID struct {
	initiator, responder isakmp.Cookie
	message              uint32
}

// doubt has the member show that it may not be content with a registration.
func (r *pull) doubt(at time.Time) {
	if r != nil && !r.given.IsZero() && r.doubtful.IsZero() {
		r.doubtful = at
	}
}

// led reports whether the registration led to membership: the member uses the keys, or it was given them and neither complains
// nor begins anew for longer than it would wait after a failure.
func (r *pull) led(now time.Time, retryDelay time.Duration) bool {
	content := r.given.Add(retryDelay + time.Second)
	if r.used || r.given.IsZero() {
		return r.used
	}
	return now.After(content) && (r.doubtful.IsZero() || r.doubtful.After(content))
}

// pulls are those of a member since a spec has started it last, oldest first.
func (p *Peer) pulls() []*pull {
	w := pullWatch{member: p, known: make(map[uint32]bool)}
	link := "wan"
	if slices.Contains(p.lab.setup.NAT, p.index()) {
		link = NATLink // where it has its own address
	}
	for _, f := range p.lab.Frames()[p.begun:] {
		if f.Link == link && f.Note == "" {
			w.see(f)
		}
	}
	return w.pulls
}

// pullWatch goes through the frames of the WAN.
type pullWatch struct {
	member *Peer
	known  map[uint32]bool // SPIs that the member has sent under
	pulls  []*pull
}

func (w *pullWatch) last() *pull {
	if len(w.pulls) == 0 {
		return nil
	}
	return w.pulls[len(w.pulls)-1]
}

func (w *pullWatch) see(f capture.Frame) {
	ip, ok := Parse(f.Packet)
	if !ok {
		return
	}
	if spi, _, ok := ip.SPI(); ok {
		w.protected(ip.Source, spi)
		return
	}
	from, to, data, ok := ip.UDP()
	if kind, message, err := natt.Split(data); from.Port() == natt.Port || to.Port() == natt.Port {
		if err != nil || kind != natt.KindISAKMP {
			return
		}
		data = message
	}
	h, err := isakmp.ParseHeader(data)
	member := w.member.Addr().Addr()
	if !ok || err != nil || from.Addr() != member && to.Addr() != member {
		return
	}
	w.message(f.At, h, string(data), from.Addr() == member)
}

func (w *pullWatch) message(at time.Time, h isakmp.Header, data string, own bool) {
	id := pullID{h.InitiatorCookie, h.ResponderCookie, h.MessageID}
	switch {
	case h.Exchange == isakmp.ExchangePull && own && (w.last() == nil || w.last().id != id):
		w.last().doubt(at)
		w.pulls = append(w.pulls, &pull{id: id, answers: make(map[string]bool)})
	case h.Exchange == isakmp.ExchangePull && !own && w.last() != nil && w.last().id == id:
		w.last().answers[data] = true
		if len(w.last().answers) == 2 && w.last().given.IsZero() {
			w.last().given = at
		}
	case own && (h.Exchange == isakmp.ExchangeInformational || h.Exchange == isakmp.ExchangeMainMode || h.Exchange == isakmp.ExchangeAggressive):
		w.last().doubt(at)
	}
}

// protected sees a packet in ESP, which comes from the member if its host has sent it.
func (w *pullWatch) protected(source netip.Addr, spi uint32) {
	host := w.member.index()
	if source != HostAddr(host) && source != HostAddr6(host) {
		return
	}
	if r := w.last(); r != nil && !r.given.IsZero() && !w.known[spi] {
		r.used = true
	}
	w.known[spi] = true
}
