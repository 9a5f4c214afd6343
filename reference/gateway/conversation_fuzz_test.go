package gateway

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// FuzzConversation has the packets of one gateway come at another altered, again and in another order, in tunnel mode with each
// sort of cipher, and in UDP. Nothing comes out for the inside but what the first one was given, each packet once at most, and whatever
// happened the next one is delivered.
func FuzzConversation(f *testing.F) {
	for which := range byte(4) {
		f.Add(uint8(0), []byte{which, 0, 0, 0, which, 0, 0, 0, which, 1, 200, 1})
		f.Add(uint8(1), []byte{which, 11, 3, 1, which, 2, 2, 0x80, which, 4, 16, 0})
		f.Add(uint8(2), []byte{which, 2, 23, 1, which, 2, 28, 0x80, which, 4, 30, 0})
	}
	sas := []policy.TrafficSA{gcmSA(1), cbcSA(1), inUDPSA(gcmSA(256))}
	f.Fuzz(func(t *testing.T, choice uint8, script []byte) {
		sa := sas[int(choice)%len(sas)]
		windowed := func(c *Config) { c.ReplayWindow, c.UDP = 64, true }
		a, b := newGateway(t, gatewayA, windowed, sa), newGateway(t, gatewayB, windowed, sa)
		var sent [][]byte
		given, out := make(map[string]bool), make(map[string]bool)
		for n := range 4 {
			inner := udp(t, hostA, hostB, 100+n)
			given[string(inner[headerLen:])] = true
			sent = append(sent, one(t, a, at(1), core.Inside, inner, core.Outside))
		}
		for _, s := range wiretest.Steps(script, 40) {
			packet := s.Alter(s.Choose(sent))
			resealed(packet, s)
			emitted, _ := handle(b, at(1), core.Outside, packet)
			for _, e := range emitted {
				if e.to != core.Inside || !protected(e.bytes, sa.Selector) {
					continue
				}
				text := string(e.bytes[headerLen:])
				if !given[text] {
					t.Errorf("%x brings %x inside", packet, e.bytes)
				}
				if out[text] {
					t.Errorf("%x comes inside again", e.bytes)
				}
				out[text] = true
			}
		}
		next := udp(t, hostA, hostB, 200)
		one(t, b, at(2), core.Outside, one(t, a, at(2), core.Inside, next, core.Outside), core.Inside)
	})
}

// protected reports whether a packet is of the traffic that the SA is for; what is not, passes without.
func protected(packet []byte, sel policy.Selector) bool {
	p, err := parse(packet)
	return err == nil && sel.Source.Contains(p.flow.Source) && sel.Destination.Contains(p.flow.Destination)
}

// resealed mends the checksum of an altered outer header, so that more than it is looked at, unless the step says otherwise.
func resealed(packet []byte, s wiretest.Step) {
	if s.Value < 0xf0 && len(packet) >= headerLen && packet[0] == 0x45 {
		packet[2], packet[3] = byte(len(packet)>>8), byte(len(packet))
		resum(packet, headerLen)
	}
}
