package kit

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/harness/peer"
	"github.com/gdoilab/gdoilab/reference/control"
)

// ESP is one ESP packet seen on the WAN.
type ESP struct {
	At            time.Time
	SPI, Sequence uint32
	From, To      netip.Addr
	Packet        []byte // IPv4 or IPv6
	Note          string // of a tap that touched it
}

// Mark is a place in a lab's record: what came before is left out of what is asked since.
type Mark int

// Now marks the present.
func Now(l *lab.Lab) Mark { return Mark(len(l.Frames())) }

// WANSince returns the packets that crossed the WAN since the mark, without those that a tap withheld and without probes.
func WANSince(l *lab.Lab, m Mark) []capture.Frame {
	var wan []capture.Frame
	probes := gathered().probes
	for _, f := range l.Frames()[m:] {
		if f.Link == "wan" && f.Note == "" && (len(probes) == 0 || !probes[string(f.Packet)]) {
			wan = append(wan, f)
		}
	}
	return wan
}

// ESPSince returns the ESP packets that crossed the WAN since the mark.
func ESPSince(l *lab.Lab, m Mark) []ESP {
	var seen []ESP
	for _, f := range WANSince(l, m) {
		ip, ok := lab.Parse(f.Packet)
		if !ok {
			continue
		}
		if spi, sequence, ok := ip.SPI(); ok {
			seen = append(seen, ESP{f.At, spi, sequence, ip.Source, ip.Destination, f.Packet, f.Note})
		}
	}
	return seen
}

// ClearSince returns the packets between protected addresses that crossed the WAN without ESP since the mark.
func ClearSince(l *lab.Lab, m Mark) []capture.Frame {
	var clear []capture.Frame
	for _, f := range WANSince(l, m) {
		ip, ok := lab.Parse(f.Packet)
		if _, esp := ip.ESP(); ok && !esp && ip.Protocol != lab.ProtocolESP && protected(ip.Source) && protected(ip.Destination) {
			clear = append(clear, f)
		}
	}
	return clear
}

func protected(a netip.Addr) bool { return lab.Protected.Contains(a) || lab.Protected6.Contains(a) }

// Ping sends so many echo requests from one of the lab's hosts to another, numbered from 1, and waits for the answers.
func Ping(ctx context.Context, l *lab.Lab, from, to, count int) lab.PingResult {
	ginkgo.GinkgoHelper()
	return PingTo(ctx, l, from, l.Hosts[to-1].Addr(), count)
}

// PingTo is Ping to an address, of either IP version.
func PingTo(ctx context.Context, l *lab.Lab, from int, to netip.Addr, count int) lab.PingResult {
	ginkgo.GinkgoHelper()
	probe, err := l.Hosts[from-1].Ping(ctx, to, lab.Ping{Count: count})
	if err != nil {
		end("error", err.Error())
	}
	l.Wait(ctx, lab.Patience+time.Duration(count)*time.Second, probe.Done)
	return probe.Stop()
}

// SendingSPI has the host behind member i send a packet to the host behind member j and returns the SPI of the ESP packet
// that it left in: what the member encrypts with, seen from outside. It is 0 if nothing encrypted left.
func SendingSPI(ctx context.Context, l *lab.Lab, i, j int) uint32 {
	ginkgo.GinkgoHelper()
	return SendingSPITo(ctx, l, i, l.Hosts[j-1].Addr())
}

// SendingSPITo is SendingSPI for a packet to an address, of either IP version.
func SendingSPITo(ctx context.Context, l *lab.Lab, i int, to netip.Addr) uint32 {
	ginkgo.GinkgoHelper()
	before := Now(l)
	PingTo(ctx, l, i, to, 1)
	for _, p := range ESPSince(l, before) {
		if h := l.Hosts[i-1]; p.From == h.Addr() || p.From == h.Addr6() {
			return p.SPI
		}
	}
	return 0
}

// SPI writes an SPI as status answers do.
func SPI(spi uint32) string { return fmt.Sprintf("%08x", spi) }

// NeedsKeys ends the spec as unsupported if nobody in the lab can say what was encrypted with: no tester, and no device by its
// declaration.
func NeedsKeys(l *lab.Lab) {
	ginkgo.GinkgoHelper()
	if !slices.ContainsFunc(l.Peers(), func(p *lab.Peer) bool { return p.Offers(peer.ReadKeys) }) {
		_ = l.KS.Can(peer.ReadKeys)
	}
}

// MessagesSince decodes what crossed the WAN since the mark.
func MessagesSince(l *lab.Lab, m Mark, kind string) []capture.Message {
	frames := WANSince(l, m)
	if kind != "" && kind != capture.KindESP {
		for i, f := range frames {
			if carriesESP(f) { // most of what there is, and nothing else depends on it
				frames[i].Packet = nil
			}
		}
	}
	var found []capture.Message
	for _, message := range capture.Decode(frames, l.Keys()) {
		if kind == "" || message.Kind == kind {
			found = append(found, message)
		}
	}
	return found
}

// carriesESP reports whether a frame is a whole packet of ESP.
func carriesESP(f capture.Frame) bool {
	const esp = 50
	if ip, ok := lab.ParseIPv4(f.Packet); ok {
		return ip.Protocol == esp && !ip.Fragment
	}
	ip, ok := lab.ParseIPv6(f.Packet)
	return ok && ip.Protocol == esp && !ip.Fragment
}

// Rekey has the key server rekey now and ends the spec as inconclusive if it does not.
func Rekey(ctx context.Context, l *lab.Lab, args control.RekeyArgs) control.RekeyResult {
	ginkgo.GinkgoHelper()
	p := sending(l)
	result, err := l.KS.Rekey(ctx, args)
	Precondition(err, "the key server rekeys")
	p.sent(result)
	return result
}

// SwitchesTo waits until member i sends to the host behind member j under that SPI, and reports whether it does.
func SwitchesTo(ctx context.Context, l *lab.Lab, i, j int, spi string) bool {
	ginkgo.GinkgoHelper()
	return SwitchesToward(ctx, l, i, l.Hosts[j-1].Addr(), spi)
}

// SwitchesToward is SwitchesTo for any address.
func SwitchesToward(ctx context.Context, l *lab.Lab, i int, to netip.Addr, spi string) bool {
	ginkgo.GinkgoHelper()
	return GoesOverTo(ctx, l, i, to, spi) && SPI(SendingSPITo(ctx, l, i, to)) == spi
}

// GoesOverTo waits until member i says that it sends under an SA, or else sends to an address under it, and reports whether it does.
func GoesOverTo(ctx context.Context, l *lab.Lab, i int, to netip.Addr, spi string) bool {
	ginkgo.GinkgoHelper()
	if !l.GM[i-1].Offers(peer.ControlStatus) {
		l.Pass(ctx, Settle) // a look takes as long as there is patience if nobody answers what the host sends
		return repeatedly(ctx, l, func() bool { return SPI(SendingSPITo(ctx, l, i, to)) == spi })
	}
	return l.Wait(ctx, lab.Patience, func() bool { return hasSA(ctx, l, i, spi) })
}

func hasSA(ctx context.Context, l *lab.Lab, i int, spi string) bool {
	status, err := l.GM[i-1].GMStatus(ctx)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(status.Memberships(), func(g control.GMGroup) bool {
		return slices.ContainsFunc(g.SAs, func(sa control.SA) bool { return sa.SPI == spi && sa.Sending })
	})
}
