package keyserver

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

var (
	guardAnyPort = rule.Duty("keyserver.natt.port", "RFC3947-3-01", rule.KS,
		"a message is served whatever port it comes from")
	guardBegins = rule.Duty("keyserver.natt.begins", "RFC3947-4-05", rule.KS,
		"a Phase 1 may begin on port 4500")
	guardTranslated = rule.Duty("keyserver.natt.translated", "RFC3947-4-04", rule.KS,
		"answers go to the port that a NAT has given the peer")
	guardLatest = rule.Duty("keyserver.natt.latest", "RFC3947-3-02", rule.KS,
		"what the key server sends of its own accord goes to where the peer was last")
	guardMoved = rule.Check("keyserver.natt.moved", "RFC3947-3-02", rule.KS,
		"a peer moves only by a message that it has proven")
)

// arrived returns a datagram as its message came, without the marker of port 4500; nil if there is no message in it.
func (k *KeyServer) arrived(now time.Time, d *core.Datagram) *core.Datagram {
	if !guardAnyPort.Kept(k.opts.Rules) && d.From.Port() != defaultPort && d.From.Port() != natt.Port {
		return nil
	}
	if d.To.Port() != natt.Port {
		return d
	}
	message, err := k.phase1.Arrive(d.Data)
	k.refuse(now, err, d.From)
	if err != nil || message == nil {
		k.noEvidence(d)
		return nil
	}
	return &core.Datagram{From: d.From, To: d.To, Data: message}
}

// emit has a datagram leave.
func (k *KeyServer) emit(s core.Send) {
	if !k.phase1.NATT {
		k.out = append(k.out, &s)
		return
	}
	k.keepers.sent(path{s.From, s.To}, k.silent())
	if s.From.Port() == natt.Port && !guardTranslated.Kept(k.opts.Rules) {
		s.To = netip.AddrPortFrom(s.To.Addr(), natt.Port)
	}
	if out := k.phase1.Leave(s); out != nil {
		k.out = append(k.out, out)
	}
}

// phase1At is Phase 1 with a peer whose first message came to that address and port.
func (k *KeyServer) phase1At(to netip.AddrPort) ike.Config {
	cfg := k.phase1
	if i := k.cfg.Router.At(to.Addr()); i != nil {
		cfg.Local, cfg.Elsewhere = i.Address, true
	}
	if cfg.NATT {
		cfg.Local = netip.AddrPortFrom(cfg.Local.Addr(), to.Port())
	}
	return cfg
}

// begins reports whether a Phase 1 may begin on the port that a message came to.
func (k *KeyServer) begins(d *core.Datagram) bool {
	return d.To.Port() != natt.Port || guardBegins.Kept(k.opts.Rules)
}

// back addresses the answer to a datagram: to where that came from (RFC 3947 §3).
func (s *session) back(answer ike.Datagram, d *core.Datagram) ike.Datagram {
	answer.From, answer.To = s.sa.Local(), d.From
	return answer
}

// again addresses an answer that is sent once more. Who repeats a request has proven nothing by it, and gets the answer sent to
// another place than before only if a NAT may have moved the peer there.
func (k *KeyServer) again(s *session, answer ike.Datagram, d *core.Datagram) ike.Datagram {
	if !k.phase1.NATT {
		return answer
	}
	return s.back(answer, d)
}

// track has everything for a peer go to where a proven message of it came from, PUSH messages too. A NAT may give it another
// port at any time (RFC 3947 §3).
func (k *KeyServer) track(s *session, d *core.Datagram) {
	if !k.phase1.NATT || s.sa.Peer() == d.From && s.sa.Local().Port() == d.To.Port() {
		return
	}
	s.sa.Follow(d.From, d.To)
	k.keep(s, d)
	if !guardLatest.Kept(k.opts.Rules) {
		return
	}
	id := k.recordedAs(s, d)
	k.floats.set(id, d.From, d.To)
	for _, c := range k.groups {
		c.Move(id, d.From)
	}
}

// unproven is track for a message that nobody has proven yet, which a mutant is taken in by.
func (k *KeyServer) unproven(s *session, d *core.Datagram) {
	if s.sa != nil && k.phase1.NATT && guardMoved.Holds(k.opts.Rules, false) {
		k.track(s, d)
	}
}

// floats knows which members are to be reached from port 4500, by identity and by where they are. Only NAT traversal has any.
type floats struct {
	at   map[policy.Identity]netip.AddrPort
	from map[netip.AddrPort]netip.AddrPort
}

// set notes where a member is and which of the own ports it talks to.
func (f *floats) set(id policy.Identity, at, from netip.AddrPort) {
	if f.at == nil {
		f.at, f.from = make(map[policy.Identity]netip.AddrPort), make(map[netip.AddrPort]netip.AddrPort)
	}
	delete(f.from, f.at[id])
	delete(f.at, id)
	if from.Port() == natt.Port {
		f.at[id], f.from[at] = at, from
	}
}

// path is the port from which a member is to be reached; not valid: the usual one.
func (f *floats) path(to netip.AddrPort) netip.AddrPort { return f.from[to] }
