package phase1

import (
	"context"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/suites/kit"
)

// talk is the conversation of a device and a tester, as the WAN sees it.
type talk struct {
	*lab.Lab
	device, tester *lab.Peer
}

// prepare builds the network without starting anything. The tester is the key server, or else the first member.
func prepare(ctx context.Context, setup lab.Setup) *talk {
	GinkgoHelper()
	l := kit.Lab(ctx, setup)
	if l.KS.Device() {
		return &talk{l, l.KS, l.GM[0]}
	}
	return &talk{l, l.GM[0], l.KS}
}

// begin has the first member register with the key server; the tester's messages deviate.
func begin(ctx context.Context, setup lab.Setup, ds ...tester.Deviation) *talk {
	GinkgoHelper()
	t := prepare(ctx, setup)
	Expect(t.tester.Misbehave(tester.Taps(ds...))).To(Succeed())
	t.start(ctx, t.KS, t.GM[0])
	return t
}

func (t *talk) start(ctx context.Context, peers ...*lab.Peer) {
	GinkgoHelper()
	for _, p := range peers {
		kit.Precondition(p.Start(ctx), p.Name()+" starts")
	}
}

// datagram is a key management message on the WAN.
type datagram struct {
	frame    int // number of the frame, from 1, as capture.Message counts
	at       time.Time
	from, to netip.AddrPort
	header   isakmp.Header // zero if it is too short for one
	data     []byte
	packet   []byte
}

// sent returns what a peer sent on port 848 and was not withheld, oldest first.
func (t *talk) sent(p *lab.Peer) []datagram { return t.sentBy(p.Addr().Addr()) }

func (t *talk) sentBy(a netip.Addr) []datagram {
	var found []datagram
	for i, f := range kit.WANSince(t.Lab, 0) {
		ip, ok := lab.ParseIPv4(f.Packet)
		if !ok || ip.Source != a {
			continue
		}
		if from, to, data, ok := ip.UDP(); ok && to.Port() == lab.Port {
			h, _ := isakmp.ParseHeader(data)
			found = append(found, datagram{i + 1, f.At, from, to, h, data, f.Packet})
		}
	}
	return found
}

// messages returns the different messages that a peer sent, without their copies.
func (t *talk) messages(p *lab.Peer) []datagram { return distinct(t.sent(p)) }

func distinct(ds []datagram) []datagram {
	var once []datagram
	for _, d := range ds {
		if !slices.ContainsFunc(once, func(have datagram) bool { return string(have.data) == string(d.data) }) {
			once = append(once, d)
		}
	}
	return once
}

// ofRegistration reports whether a message belongs to a registration: to Phase 1 or to a PULL.
func ofRegistration(d datagram) bool {
	return establishes(d) || d.header.Exchange == isakmp.ExchangePull
}

func establishes(d datagram) bool {
	return d.header.Exchange == isakmp.ExchangeMainMode || d.header.Exchange == isakmp.ExchangeAggressive
}

// registering are the messages of registrations.
func registering(ds []datagram) []datagram {
	return slices.DeleteFunc(ds, func(d datagram) bool { return !ofRegistration(d) })
}

// answers returns the device's different messages of Phase 1 and PULL in the exchanges that begin with a cookie, or in
// all others.
func (t *talk) answers(cookie isakmp.Cookie, with bool) []datagram {
	return slices.DeleteFunc(t.messages(t.device), func(d datagram) bool {
		return !ofRegistration(d) || (d.header.InitiatorCookie == cookie) != with
	})
}

// place is a message's place in a registration: 1 to 6 in Main Mode, 7 to 10 in the GROUPKEY-PULL behind it, 1 to 3 in
// Aggressive Mode.
func place(kind core.Kind) int {
	if kind >= core.Aggressive1 {
		return int(kind-core.Aggressive1) + 1
	}
	if kind >= core.Pull1 {
		return int(kind-core.Pull1) + 7
	}
	return int(kind)
}

// reaches waits until that message of the device is out, and reports whether it came.
func (t *talk) reaches(ctx context.Context, kind core.Kind) bool {
	return t.Wait(ctx, lab.Patience, func() bool { return t.goes(t.sends(kind)) })
}

// sends is how many messages of a registration the sender of this one has sent with it. Of Aggressive Mode a member sends two.
func (t *talk) sends(kind core.Kind) int {
	aggressive := slices.ContainsFunc(t.openings(t.GM[0]), func(d datagram) bool { return d.header.Exchange == isakmp.ExchangeAggressive })
	if n, pull := map[core.Kind]int{core.Pull1: 3, core.Pull2: 2, core.Pull3: 4, core.Pull4: 3}[kind]; aggressive && pull {
		return n
	}
	return (place(kind) + 1) / 2
}

// goes reports whether the device has sent so many different messages in one and the same registration.
func (t *talk) goes(messages int) bool {
	return slices.ContainsFunc(t.openings(t.GM[0]), func(opening datagram) bool {
		return len(t.answers(opening.header.InitiatorCookie, true)) >= messages
	})
}

// afresh has the member forget everything and begin again, with a tester that deviates no longer, and returns the new
// initiator cookie. Of what has begun before, the tester says no more: a device that repeats a message while it is told to
// forget would get a right answer.
func (t *talk) afresh(ctx context.Context) isakmp.Cookie {
	GinkgoHelper()
	Expect(t.tester.Misbehave(silentOn(t.openings(t.GM[0])))).To(Succeed())
	return t.again(ctx)
}

// silentOn withholds every message in the exchanges that begin so.
func silentOn(openings []datagram) core.Tap {
	return func(_ core.Stage, o *core.Outgoing) {
		o.Withhold = o.Withhold || slices.ContainsFunc(openings, func(d datagram) bool { return d.header.InitiatorCookie == o.Header.InitiatorCookie })
	}
}

// again has the member forget everything and begin again.
func (t *talk) again(ctx context.Context) isakmp.Cookie {
	GinkgoHelper()
	before := len(t.openings(t.GM[0]))
	kit.Precondition(t.GM[0].Clear(ctx), "the member begins again")
	kit.Reached(t.Wait(ctx, lab.Patience, func() bool { return len(t.openings(t.GM[0])) > before }), "the member sends a new first message")
	openings := t.openings(t.GM[0])
	return openings[len(openings)-1].header.InitiatorCookie
}

// openings are the first messages of Phase 1.
func (t *talk) openings(p *lab.Peer) []datagram {
	return slices.DeleteFunc(t.messages(p), func(d datagram) bool {
		return !establishes(d) || !d.header.ResponderCookie.IsZero()
	})
}

// replay puts a datagram of the first member's on the WAN once more, as it was.
func (t *talk) replay(d datagram) { t.Inject(t.GM[0].Name(), d.packet) }

// decoded returns the decoded messages of a peer, of one kind if it is not KindUnknown.
func (t *talk) decoded(p *lab.Peer, kind core.Kind) []capture.Message {
	return slices.DeleteFunc(kit.MessagesSince(t.Lab, 0, ""), func(m capture.Message) bool {
		return m.Header == nil || m.From.Addr() != p.Addr().Addr() || (kind != core.KindUnknown && m.Kind != kind.String())
	})
}

// field finds a field by its path of names.
func field(fields []capture.Field, path ...string) (capture.Field, bool) {
	for _, f := range fields {
		if f.Name == path[0] && len(path) == 1 {
			return f, true
		}
		if f.Name == path[0] {
			return field(f.Children, path[1:]...)
		}
	}
	return capture.Field{}, false
}

// value is a field's value, or "" if it is not there.
func value(m capture.Message, path ...string) string {
	f, _ := field(m.Payloads, path...)
	return f.Value
}

// result is the outcome of a check of that name.
func result(m capture.Message, name string) capture.Result {
	for _, c := range m.Checks {
		if c.Name == name {
			return c.Result
		}
	}
	return capture.Unchecked
}
