package tester

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/harness/lab"
)

// Each way of putting a packet into UDP changes what it says and nothing else.
func TestESPInUDP(t *testing.T) {
	inner := lab.IPv4{Source: netip.MustParseAddr("10.2.0.1"), Destination: netip.MustParseAddr("10.1.0.1"), Protocol: 1, TTL: 9, Payload: make([]byte, 24)}
	plain := espKeys(t, "GCM").Packet(inner.Bytes())
	esp, _ := lab.ParseIPv4(plain)
	for name, c := range map[string]struct {
		option   ESPOption
		from, to uint16
		data     []byte
		checksum bool
		opens    bool
	}{
		"as it should": {ESPInUDP(), 4500, 4500, esp.Payload, false, true},
		"ports":        {ESPPorts(4500, 4501), 4500, 4501, esp.Payload, false, true},
		"checksum":     {ESPChecksum(), 4500, 4500, esp.Payload, true, true},
		"marker":       {ESPMarker(), 4500, 4500, append(make([]byte, 4), esp.Payload...), false, false},
		"cut":          {ESPCut(11), 4500, 4500, esp.Payload[:11], false, false},
		"nothing left": {ESPCut(0), 4500, 4500, nil, false, false},
	} {
		s := espKeys(t, "GCM")
		packet := s.Packet(inner.Bytes(), c.option)
		ip, ok := lab.ParseIPv4(packet)
		from, to, data, isUDP := ip.UDP()
		if !ok || !isUDP || from.Port() != c.from || to.Port() != c.to || !bytes.Equal(data, c.data) || (ip.Payload[6]|ip.Payload[7] != 0) != c.checksum {
			t.Errorf("%s: %x", name, packet)
		}
		content, err := s.Open(packet)
		if (err == nil) != c.opens || err == nil && !bytes.Equal(content.Inner, inner.Bytes()) {
			t.Errorf("%s: %x, %v", name, content.Inner, err)
		}
	}
}
