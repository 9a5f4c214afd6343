package kit

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/harness/tester"
	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// What a member has taken is seen by the best that it offers: its acknowledgement, where the group asks for them; its log, if that
// tells of rekeys; and else the data plane. Under an SA that a member has taken it opens a packet that the tester makes, at once
// and whatever the activation delay.

// Settle is how long a device that says nothing gets to do what it will do about a message.
const Settle = 2 * time.Second

// Acknowledging has the key server ask for acknowledgements of its PUSH messages, if the device knows them.
func Acknowledging(g *policy.Group) { g.Rekey.Ack = Acknowledgement() }

// Acknowledgement is the kind of acknowledgement to ask for, if the device knows it.
func Acknowledgement() policy.AckType {
	if device, err := session.device(); err != nil || device.LacksFeature("ack") != "" {
		return policy.AckNone
	}
	return policy.AckKEKSHA256
}

// push is a PUSH that the key server has been told to send.
type push struct {
	control.RekeyResult
	since  Mark
	fresh  []string    // SPIs of the SAs that nobody had before
	logged map[int]int // rekeys that each member's log told of before
	taken  map[int]bool
}

// sending makes a push of what a key server is told next; sent completes it.
func sending(l *lab.Lab) *push {
	p := &push{since: Now(l), logged: make(map[int]int), taken: make(map[int]bool)}
	if l.Acknowledged() {
		return p
	}
	p.fresh = handedOut(l)
	for i, gm := range l.GM {
		if gm.Tells(rekeyAccepted) {
			p.logged[i+1] = len(gm.Logged(rekeyAccepted))
		}
	}
	return p
}

func (p *push) sent(r control.RekeyResult) {
	p.RekeyResult, p.fresh = r, missing(r.SPIs, p.fresh)
	gathered().pushes = append(gathered().pushes, p)
}

const rekeyAccepted = "REKEY_ACCEPTED"

// pushOf is what was noted of a PUSH when it was sent.
func pushOf(r control.RekeyResult) *push {
	ginkgo.GinkgoHelper()
	for _, p := range slices.Backward(gathered().pushes) {
		if p.Sequence == r.Sequence && p.Rekey == r.Rekey && slices.Equal(p.SPIs, r.SPIs) {
			return p
		}
	}
	end("error", fmt.Sprintf("nobody was told to send rekey %d", r.Sequence))
	return nil
}

// Takes waits until member i has taken a PUSH, and reports whether it has. What brings no new SA cannot be seen at once in the
// data plane: there the member gets its time, and what it has done shows in what follows.
func Takes(ctx context.Context, l *lab.Lab, i int, r control.RekeyResult) bool {
	ginkgo.GinkgoHelper()
	p := pushOf(r)
	if shows(l, i) {
		return l.Wait(ctx, lab.Patience, func() bool { return p.shown(l, i) })
	}
	l.Wait(ctx, lab.Patience, func() bool { return len(MessagesSince(l, p.since, core.Push.String())) > 0 })
	if p.bringsNothing(l) {
		l.Pass(ctx, Settle)
		return true
	}
	return repeatedly(ctx, l, func() bool { return p.works(ctx, l, i) })
}

// bringsNothing reports whether there is no new SA in a PUSH as it was sent, which may have become another on its way.
func (p *push) bringsNothing(l *lab.Lab) bool {
	for _, m := range MessagesSince(l, p.since, core.Push.String()) {
		if names := Names(m); slices.Contains(names, "D") && !slices.Contains(names, "SA") {
			return true
		}
	}
	return len(p.fresh) == 0
}

// HasTaken reports whether member i has taken a PUSH by now.
func HasTaken(ctx context.Context, l *lab.Lab, i int, r control.RekeyResult) bool {
	ginkgo.GinkgoHelper()
	p := pushOf(r)
	if shows(l, i) {
		return p.shown(l, i)
	}
	return p.works(ctx, l, i)
}

// Taken returns the numbers of the PUSH messages that member i has shown to have taken since the mark, in their order.
func Taken(ctx context.Context, l *lab.Lab, i int, since Mark) (numbers []uint32) {
	ginkgo.GinkgoHelper()
	if l.Acknowledged() {
		return Acks(l, i, since)
	}
	for _, p := range gathered().pushes {
		if p.since >= since && !p.bringsNothing(l) && (p.taken[i] || HasTaken(ctx, l, i, p.RekeyResult)) {
			numbers = append(numbers, p.Sequence)
		}
	}
	return numbers
}

// Shown is what of Taken is to be had without asking the data plane, for waiting.
func Shown(l *lab.Lab, i int, since Mark) []uint32 {
	if l.Acknowledged() {
		return Acks(l, i, since)
	}
	return nil
}

// shows reports whether member i says itself that it has taken a PUSH.
func shows(l *lab.Lab, i int) bool { return l.Acknowledged() || l.GM[i-1].Tells(rekeyAccepted) }

// shown reports whether it has said so.
func (p *push) shown(l *lab.Lab, i int) bool {
	if l.Acknowledged() {
		return slices.Contains(Acks(l, i, p.since), p.Sequence)
	}
	lines := l.GM[i-1].Logged(rekeyAccepted)
	for _, line := range lines[min(len(lines), p.logged[i]):] {
		if line.Fields["sequence"] == strconv.FormatUint(uint64(p.Sequence), 10) {
			return true
		}
	}
	return false
}

// works reports whether member i uses all the new SAs of a PUSH.
func (p *push) works(ctx context.Context, l *lab.Lab, i int) bool {
	ginkgo.GinkgoHelper()
	var open []string
	for _, packet := range ESPSince(l, p.since) {
		if fromHost(packet.From, i) {
			open = append(open, SPI(packet.SPI))
		}
	}
	unseen := missing(p.fresh, open)
	if p.taken[i] || p.bringsNothing(l) {
		return p.taken[i]
	}
	has := Installed
	if observable(l, i, unseen) {
		has = func(ctx context.Context, l *lab.Lab, i int) []string { return uses(ctx, l, i, unseen) }
	}
	p.taken[i] = len(missing(unseen, has(ctx, l, i))) == 0
	return p.taken[i]
}

// missing are those of the SPIs that are not among the others.
func missing(spis, others []string) []string {
	return slices.DeleteFunc(slices.Clone(spis), func(spi string) bool { return slices.Contains(others, spi) })
}

// Acks are the numbers in the acknowledgements that member i has sent since the mark.
func Acks(l *lab.Lab, i int, since Mark) (numbers []uint32) {
	for _, f := range WANSince(l, since) {
		ip, ok := lab.Parse(f.Packet)
		if !ok || ip.Source != l.GM[i-1].Addr().Addr() {
			continue
		}
		_, _, data, ok := ip.UDP()
		h, err := isakmp.ParseHeader(data)
		if !ok || err != nil || h.Exchange != isakmp.ExchangePushACK {
			continue
		}
		ps, _, _ := gdoi.ACK.Parse(h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
		if seq, _, ok := isakmp.Find[gdoi.SEQ](ps); ok {
			numbers = append(numbers, seq.Number)
		}
	}
	return numbers
}

// Installed are the SPIs of the SAs that member i has: as it says, or else those that it uses of all that were handed out.
func Installed(ctx context.Context, l *lab.Lab, i int) (spis []string) {
	ginkgo.GinkgoHelper()
	if spis := handedOut(l); !l.GM[i-1].Offers(peer.ControlStatus) && observable(l, i, spis) {
		return uses(ctx, l, i, spis)
	}
	status, err := l.GM[i-1].GMStatus(ctx)
	Precondition(err, "the member tells its state")
	for _, sa := range status.SAs {
		spis = append(spis, sa.SPI)
	}
	return spis
}

// Has waits until member i has an SA, and reports whether it does.
func Has(ctx context.Context, l *lab.Lab, i int, spi string) bool {
	ginkgo.GinkgoHelper()
	if !l.GM[i-1].Offers(peer.ControlStatus) && !l.Windowed() {
		return repeatedly(ctx, l, func() bool { return len(uses(ctx, l, i, []string{spi})) > 0 })
	}
	return l.Wait(ctx, lab.Patience, func() bool {
		status, err := l.GM[i-1].GMStatus(ctx)
		return err == nil && slices.ContainsFunc(status.SAs, func(sa control.SA) bool { return sa.SPI == spi })
	})
}

// handedOut are the SPIs of all SAs for traffic that somebody has logged the keys of, oldest first.
func handedOut(l *lab.Lab) (spis []string) {
	for _, k := range l.Keys() {
		if k.Kind == keylog.KindTraffic && !slices.Contains(spis, k.SPI) {
			spis = append(spis, k.SPI)
		}
	}
	return spis
}

// uses returns those of the SPIs under which member i opens a packet of the tester for its host or, if the SA is for what it sends
// alone, sends one of its host.
func uses(ctx context.Context, l *lab.Lab, i int, spis []string) []string {
	ginkgo.GinkgoHelper()
	used, since, carried := make(map[string]bool), Now(l), make(map[string]string) // SPIs by what a packet carries
	for _, spi := range spis {
		k, flow, known := flowOf(l, i, spi)
		switch {
		case known && flow.inward:
			inner, packet := forge(k, flow, numbered(l, i, spi)...)
			carried[inner] = spi
			l.Inject(elsewhere(l, i), packet)
		case known:
			_, err := l.Hosts[i-1].Ping(ctx, flow.to, lab.Ping{Count: 1})
			Precondition(err, "the host sends")
		}
	}
	l.Wait(ctx, passage, func() bool {
		for _, p := range ESPSince(l, since) {
			used[SPI(p.SPI)] = used[SPI(p.SPI)] || fromHost(p.From, i)
		}
		for _, f := range l.Frames()[since:] {
			if ip, ok := lab.ParseIPv4(f.Packet); ok && f.Link == lab.LANName(i) {
				used[carried[string(ip.Payload)]] = true
			}
		}
		return !slices.ContainsFunc(spis, func(spi string) bool { return !used[spi] })
	})
	return slices.DeleteFunc(slices.Clone(spis), func(spi string) bool { return !used[spi] })
}

// observable reports whether there is traffic of the host behind member i for each of the SAs, and the tester can make such.
func observable(l *lab.Lab, i int, spis []string) bool {
	return !l.Windowed() && !slices.ContainsFunc(spis, func(spi string) bool {
		_, _, known := flowOf(l, i, spi)
		return !known
	})
}

// opens reports whether member i opens a packet under an SA that was handed out.
func opens(ctx context.Context, l *lab.Lab, i int) bool {
	ginkgo.GinkgoHelper()
	inward := slices.DeleteFunc(handedOut(l), func(spi string) bool {
		_, flow, known := flowOf(l, i, spi)
		return !known || !flow.inward
	})
	return len(uses(ctx, l, i, inward)) > 0
}

// passage is how long a packet may take through a member.
const passage = 500 * time.Millisecond

// flow is traffic from host to host, to the one behind a member or away from it.
type flow struct {
	from, to netip.Addr
	inward   bool
}

// flowOf finds the keys of an SPI and traffic for it of the host behind member i.
func flowOf(l *lab.Lab, i int, spi string) (keylog.Entry, flow, bool) {
	for _, k := range l.Keys() {
		if k.Kind == keylog.KindTraffic && k.SPI == spi {
			f, ok := selected(k, i)
			return k, f, ok && (f.to.Is4() || l.Hosts[i-1].Addr6().IsValid())
		}
	}
	return keylog.Entry{}, flow{}, false
}

// selected is traffic that the selectors of an SA choose: of IPv4 to the host if there is such, since that disturbs nothing.
func selected(k keylog.Entry, i int) (flow, bool) {
	source, err1 := netip.ParsePrefix(k.Source)
	destination, err2 := netip.ParsePrefix(k.Destination)
	if err1 != nil || err2 != nil {
		return flow{}, false
	}
	for _, host := range []func(int) netip.Addr{lab.HostAddr, lab.HostAddr6} {
		for j := 1; j <= others; j++ {
			own, other := host(i), host(j)
			inward := flow{other, own, true}
			if j == i {
				continue
			}
			if own.Is4() && source.Contains(other) && destination.Contains(own) && k.Direction != int(policy.DirectionSenderOnly) {
				return inward, true
			}
			if source.Contains(own) && destination.Contains(other) {
				return flow{own, other, false}, true
			}
		}
	}
	return flow{}, false
}

// others is how many hosts are tried as the other end of traffic.
const others = 4

// elsewhere is a node that packets for member i may come from.
func elsewhere(l *lab.Lab, i int) string {
	for j, gm := range l.GM {
		if j+1 != i {
			return gm.Name()
		}
	}
	return l.KS.Name()
}

// apart is how far ahead of the numbers of other senders those of probes are: further than they get meanwhile, and less than a window.
const apart = 32

// numbered has a probe under an SA have a number that no window refuses and that hardly any sender comes to, if member i has a window
// whatever is said.
func numbered(l *lab.Lab, i int, spi string) []tester.ESPOption {
	if l.GM[i-1].Lacks("no-window") == "" {
		return nil
	}
	probed, highest := gathered().probed, uint32(0)
	for _, p := range ESPSince(l, 0) {
		if SPI(p.SPI) == spi {
			highest = max(highest, p.Sequence)
		}
	}
	probed[spi] = max(probed[spi]+1, highest+apart)
	return []tester.ESPOption{tester.ESPSequence(probed[spi])}
}

// forge makes a packet of a flow under an SA, which the host that gets it takes no notice of.
func forge(k keylog.Entry, f flow, options ...tester.ESPOption) (inner string, packet []byte) {
	ginkgo.GinkgoHelper()
	s := gathered()
	if s.esp[k.SPI] == nil {
		keys, err := tester.NewESPKeys(k)
		Precondition(err, "the tester has the group's keys")
		s.esp[k.SPI] = keys
	}
	ip := lab.IPv4{Source: f.from, Destination: f.to, Protocol: max(k.Protocol, 1), TTL: 64}
	ip.Payload = binary.BigEndian.AppendUint16(nil, k.SourcePort)
	ip.Payload = binary.BigEndian.AppendUint16(ip.Payload, k.DestinationPort)
	ip.Payload = fmt.Appendf(ip.Payload, "\xba\xdcprobe %06d", len(s.probes)) // no length and no checksum that is right
	packet = s.esp[k.SPI].Packet(ip.Bytes(), options...)
	s.probes[string(packet)] = true
	return string(ip.Payload), packet
}

func fromHost(a netip.Addr, i int) bool { return a == lab.HostAddr(i) || a == lab.HostAddr6(i) }

// repeatedly looks until it is so, at most for the lab's patience.
func repeatedly(ctx context.Context, l *lab.Lab, is func() bool) bool {
	for until := l.Now().Add(lab.Patience); ctx.Err() == nil; {
		if is() {
			return true
		}
		if !l.Now().Before(until) {
			return false
		}
		l.Pass(ctx, passage)
	}
	return false
}
