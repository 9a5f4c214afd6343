package gateway

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// ahSA is an SA of AH like another one of ESP.
func ahSA(like policy.TrafficSA, transform policy.Transform) policy.TrafficSA {
	transform.Mode, transform.Preservation = like.Transform.Mode, like.Transform.Preservation
	like.Transform, like.CipherKey = transform, nil
	like.IntegrityKey = make([]byte, transform.IntegrityKeyLen())
	return like
}

// TestAHThereAndBack carries packets of both versions of IP in both modes, and forwards AH that has no SA here.
func TestAHThereAndBack(t *testing.T) {
	for _, transform := range policy.AHTransforms() {
		for name, c := range map[string]struct {
			like   policy.TrafficSA
			packet []byte
		}{
			"tunnel, IPv4":    {gcmSA(1), udp(t, hostA, hostB, 40)},
			"tunnel, IPv6":    {gcm6(1), udp6(t, host6A, host6B, 40)},
			"transport, IPv4": {transportSA(gcmSA(1)), udp(t, hostA, hostB, 41)},
			"transport, IPv6": {transportSA(gcm6(1)), with(udp6(t, host6A, host6B, 43), hopByHop(), routing())},
		} {
			sa := ahSA(c.like, transform)
			a, b := newGateway(t, gatewayA, asHost, sa), newGateway(t, gatewayB, asHost, sa)
			outer := passes(t, a, core.Inside, c.packet, core.Outside)
			if o, err := parse(outer); err != nil || o.flow.Protocol != protocolAH {
				t.Errorf("%s %s: protocol %d, %v", name, transform, o.flow.Protocol, err)
			}
			changed := bytes.Clone(outer)
			changed[len(changed)-1] ^= 1
			if err := b.Handle(at(1), core.Outside, changed, func(core.Side, []byte) { t.Errorf("%s %s: a changed packet passes", name, transform) }); err == nil {
				t.Errorf("%s %s: a changed packet is no error", name, transform)
			}
			if inner := passes(t, b, core.Outside, outer, core.Inside); !bytes.Equal(inner, c.packet) {
				t.Errorf("%s %s: came out as\n%x, was\n%x", name, transform, inner, c.packet)
			}
		}
	}
	sa := ahSA(gcmSA(1), policy.AHTransforms()[0])
	outer := passes(t, newGateway(t, gatewayA, nil, sa), core.Inside, udp(t, hostA, hostB, 40), core.Outside)
	esp := gcmSA(1)
	refuses(t, newGateway(t, gatewayB, nil, esp), at(1), core.Outside, outer, guardClear)
	other := sa
	other.SPI = 2
	refuses(t, newGateway(t, gatewayB, nil, other), at(1), core.Outside, outer, guardSPI)
	refuses(t, newGateway(t, gatewayB, nil, ahSA(esp, policy.AHTransforms()[3]), gcmSA(2)), at(1), core.Outside, espTo(t, 1), guardSPI)
}

// passes has the gateway forward a packet and returns what comes out. It is not decoded by gopacket, which takes AH for an extension
// header of IPv6 with another unit of length.
func passes(t *testing.T, g *Gateway, from core.Side, packet []byte, to core.Side) (out []byte) {
	t.Helper()
	err := g.Handle(at(1), from, packet, func(side core.Side, b []byte) {
		if side != to || out != nil {
			t.Errorf("a packet leaves by side %v", side)
		}
		out = bytes.Clone(b)
	})
	if err != nil || out == nil {
		t.Fatalf("nothing leaves: %v", err)
	}
	return out
}

// espTo is a packet of ESP for an SPI.
func espTo(t *testing.T, spi uint32) []byte {
	t.Helper()
	return bytes.Clone(passes(t, newGateway(t, gatewayA, nil, gcmSA(spi)), core.Inside, udp(t, hostA, hostB, 40), core.Outside))
}
