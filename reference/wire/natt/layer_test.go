package natt_test

import (
	"bytes"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/wire/esp"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// datagram is an IP packet from port 4500 to a port that a NAT chose.
func datagram(tb testing.TB, data []byte) []byte {
	tb.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: net.IP{192, 0, 2, 10}, DstIP: net.IP{192, 0, 2, 1}}
	udp := &layers.UDP{SrcPort: natt.Port, DstPort: 40000}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		tb.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, ip, udp, gopacket.Payload(data)); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

func TestLayersOnPort4500(t *testing.T) {
	message, packet := wiretest.Vector(t, "isakmp/main-1"), wiretest.Vector(t, "esp/packet")
	tests := []struct {
		name string
		data []byte
		kind natt.Kind
		want gopacket.LayerType
	}{
		{"ISAKMP behind a marker", append(natt.AppendMarker(nil), message...), natt.KindISAKMP, isakmp.LayerTypeISAKMP},
		{"ESP", packet, natt.KindESP, esp.LayerTypeESP},
		{"keepalive", natt.AppendKeepalive(nil), natt.KindKeepalive, natt.LayerTypeNATT},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := gopacket.NewPacket(datagram(t, tt.data), layers.LayerTypeIPv4, gopacket.Default)
			l, _ := p.Layer(natt.LayerTypeNATT).(*natt.Layer)
			if l == nil || l.Kind != tt.kind || p.Layer(tt.want) == nil || p.ErrorLayer() != nil || p.Metadata().Truncated {
				t.Fatalf("%v", p)
			}
			buf := gopacket.NewSerializeBuffer()
			err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{}, l, gopacket.Payload(l.LayerPayload()))
			if err != nil || !bytes.Equal(buf.Bytes(), tt.data) {
				t.Errorf("%x (%v), want %x", buf.Bytes(), err, tt.data)
			}
		})
	}
}

func TestLayersCutOff(t *testing.T) {
	for _, whole := range [][]byte{append(natt.AppendMarker(nil), wiretest.Vector(t, "isakmp/main-1")...), wiretest.Vector(t, "esp/packet")[:esp.HeaderLen]} {
		for n := 1; n < len(whole); n++ {
			p := gopacket.NewPacket(whole[:n:n], natt.LayerTypeNATT, gopacket.DecodeOptions{SkipDecodeRecovery: true})
			if !p.Metadata().Truncated || p.ErrorLayer() == nil {
				t.Errorf("%d octets of %x…: truncated %v, error %v", n, whole[:4], p.Metadata().Truncated, p.ErrorLayer())
			}
		}
	}
}

func TestLayersInAParser(t *testing.T) {
	var udpEncap natt.Layer
	var message isakmp.Layer
	parser := gopacket.NewDecodingLayerParser(natt.LayerTypeNATT, &udpEncap, &message)
	var found []gopacket.LayerType
	data := append(natt.AppendMarker(nil), wiretest.Vector(t, "isakmp/main-1")...)
	if err := parser.DecodeLayers(data, &found); err != nil || len(found) != 2 || len(message.Payloads) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	if err := parser.DecodeLayers([]byte{0xff}, &found); err != nil || len(found) != 1 || udpEncap.Kind != natt.KindKeepalive {
		t.Errorf("%v, %v", found, err)
	}
}

func FuzzLayer(f *testing.F) {
	f.Add([]byte{0xff})
	f.Add(append(natt.AppendMarker(nil), wiretest.Vector(f, "isakmp/main-1")...))
	f.Add(wiretest.Vector(f, "esp/packet"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := gopacket.NewPacket(b, natt.LayerTypeNATT, gopacket.DecodeOptions{SkipDecodeRecovery: true})
		_ = p.String()
	})
}
