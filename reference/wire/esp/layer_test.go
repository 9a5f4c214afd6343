package esp_test

import (
	"bytes"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/wire/esp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func packet(tb testing.TB, ls ...gopacket.SerializableLayer) []byte {
	tb.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolESP, SrcIP: net.IP{10, 0, 0, 1}, DstIP: net.IP{10, 0, 1, 1}}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, append([]gopacket.SerializableLayer{ip}, ls...)...); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

func TestLayerBehindIP(t *testing.T) {
	golden := wiretest.Vector(t, "esp/packet")
	b := packet(t, &esp.Layer{Header: header}, gopacket.Payload(golden[esp.HeaderLen:]))
	if !bytes.Equal(b[20:], golden) {
		t.Fatalf("serialized %x, want %x", b[20:], golden)
	}
	p := gopacket.NewPacket(b, layers.LayerTypeIPv4, gopacket.Default)
	l, ok := p.Layer(esp.LayerTypeESP).(*esp.Layer)
	if !ok || p.ErrorLayer() != nil {
		t.Fatal(p)
	}
	if l.Header != header || !bytes.Equal(l.LayerPayload(), golden[esp.HeaderLen:]) {
		t.Errorf("%+v", l)
	}
}

func TestLayerOfAShortPacket(t *testing.T) {
	for n := 1; n < esp.HeaderLen; n++ {
		b := packet(t, gopacket.Payload(make([]byte, n)))
		p := gopacket.NewPacket(b, layers.LayerTypeIPv4, gopacket.DecodeOptions{SkipDecodeRecovery: true})
		if p.ErrorLayer() == nil || !p.Metadata().Truncated || p.Layer(esp.LayerTypeESP) != nil {
			t.Errorf("%d octets: %v", n, p)
		}
	}
}

func TestLayerInAParser(t *testing.T) {
	var ip layers.IPv4
	var l esp.Layer
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, &ip, &l)
	parser.IgnoreUnsupported = true
	var found []gopacket.LayerType
	b := packet(t, gopacket.Payload(wiretest.Vector(t, "esp/packet")))
	if err := parser.DecodeLayers(b, &found); err != nil || len(found) != 2 || l.Header != header {
		t.Errorf("%v, %+v, %v", found, l, err)
	}
}
