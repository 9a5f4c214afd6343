package member_test

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gateway"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// gatewayB is the other member's address.
var gatewayB = netip.MustParseAddr("192.0.2.2")

// betweenGateways has members send ESP to the gateway in front of a host.
func betweenGateways(cfg *policy.Member) {
	withNATT(cfg)
	cfg.DataPath.Peers = []policy.TunnelPeer{
		{Network: prefix("10.1.0.0/16"), Gateway: gmAddress.Addr()}, {Network: prefix("10.2.0.0/16"), Gateway: gatewayB}}
}

// inUDP has the group's traffic travel in UDP between the gateways' own addresses.
func inUDP(l *lab) {
	for i := range l.ks.sas {
		l.ks.sas[i].Transform.Mode, l.ks.sas[i].Transform.Preservation = policy.ModeUDPTunnel, policy.PreserveNone
	}
}

func inUDPBehindNAT(l *lab) { inUDP(l); behindNAT(l) }

// sentTo is a packet to a host of the member, as the gateway in front of another host sends it.
func (l *lab) sentTo(clear []byte) (packet []byte) {
	cfg := config()
	betweenGateways(&cfg)
	g := gateway.New(gateway.Config{DataPath: cfg.DataPath, Address: gatewayB, UDP: true})
	err := g.Join(nil).Install(l.now, l.ks.sas, policy.Activation{}, &policy.SIDs{Bits: 8, Values: []uint32{200}}, false)
	if err == nil {
		err = g.Handle(l.now, core.Inside, clear, func(_ core.Side, p []byte) { packet = p })
	}
	if err != nil || packet == nil {
		l.Fatalf("the other gateway sends %x, %v", packet, err)
	}
	return packet
}

// arriving is ESP in UDP as the socket of a member at its address gets it.
func arriving(packet []byte, tos uint8) *core.Datagram {
	return &core.Datagram{From: netip.AddrPortFrom(gatewayB, natt.Port), To: netip.AddrPortFrom(gmAddress.Addr(), natt.Port),
		Data: packet[28:], TOS: tos}
}

// TestSocketsESP: what comes to port 4500 of the member's own address is ESP, key management or a keepalive by how it begins.
func TestSocketsESP(t *testing.T) {
	cfg := config()
	betweenGateways(&cfg)
	a := newLabWith(t, cfg, nil)
	inUDP(a)
	a.start()
	clear := clearPacket()
	copy(clear[12:], []byte{10, 2, 0, 7, 10, 1, 0, 5}) // the sum of the header stays
	clear[1] = 2
	clear[10], clear[11] = lower(clear[10], clear[11], 2)
	sent := a.sentTo(clear)
	if got := becomes(t, a, arriving(sent, 3)); got.To != core.Inside || string(got.Data[28:]) != "ping" || got.Data[1] != 3 {
		t.Errorf("from the socket comes %x to the %s\n%s", got.Data, got.To, a.story())
	}

	a.forget()
	a.event(&core.Datagram{From: netip.AddrPortFrom(gatewayB, natt.Port), To: netip.AddrPortFrom(gmAddress.Addr(), natt.Port), Data: []byte{0xff}})
	a.event(arriving(make([]byte, 64), 0))
	a.event(arriving(append(make([]byte, 28), 0, 0, 9, 9, 1, 2, 3), 0))
	a.want("refusals", a.refusals(), "RFC4303-3.4.2-01:1 RFC6407-7.2.4-01:1")
	a.event(arriving(append(make([]byte, 28), 0, 0, 9, 9, 1, 2, 3, 4), 0))
	a.want("refusals", a.refusals(), "RFC4303-3.4.2-01:2 RFC6407-7.2.4-01:1")
}

// TestCarriesESP: what a node hands over without an event is taken if it is ESP, and left to Handle if it is anything else.
func TestCarriesESP(t *testing.T) {
	cfg := config()
	betweenGateways(&cfg)
	a := newLabWith(t, cfg, nil)
	inUDP(a)
	a.start()
	clear := clearPacket()
	copy(clear[12:], []byte{10, 2, 0, 7, 10, 1, 0, 5}) // the sum of the header stays
	sent := a.sentTo(clear)
	var got []byte
	emit := func(_ core.Side, p []byte) { got = bytes.Clone(p) }
	if taken, err := a.gm.Carry(a.now, arriving(sent, 0), emit); !taken || err != nil || !bytes.Equal(got, clear) {
		t.Errorf("ESP: %t, %v, %x", taken, err, got)
	}
	if taken, err := a.gm.Carry(a.now, arriving(sent, 0), emit); !taken || err != nil && !strings.Contains(err.Error(), "replay") {
		t.Errorf("the same again: %t, %v", taken, err)
	}
	stranger := arriving(append(make([]byte, 28), 0, 0, 9, 9, 1, 2, 3, 4), 0)
	var v *rule.Violation
	if taken, err := a.gm.Carry(a.now, stranger, emit); !taken || !errors.As(err, &v) || v.Guard.ID != "RFC4303-3.4.2-01" {
		t.Errorf("ESP of nobody: %t, %v", taken, err)
	}
	elsewhere := arriving(sent, 0)
	elsewhere.To = gmAddress
	for _, d := range []*core.Datagram{elsewhere, arriving(make([]byte, 64), 0), arriving(append(make([]byte, 28), 0xff), 0)} {
		if taken, err := a.gm.Carry(a.now, d, emit); taken || err != nil {
			t.Errorf("%x to %s: %t, %v", d.Data, d.To, taken, err)
		}
	}
	n := testing.AllocsPerRun(100, func() { _, _ = a.gm.Carry(a.now, arriving(sent, 0), func(core.Side, []byte) {}) })
	if n > 1 { // that of the test is the datagram
		t.Errorf("%v allocations", n)
	}
}

// lower is a header checksum after one of its words has grown by n.
func lower(high, low byte, n uint16) (byte, byte) {
	v := uint16(high)<<8 | uint16(low)
	if v < n {
		v--
	}
	v -= n
	return byte(v >> 8), byte(v)
}
