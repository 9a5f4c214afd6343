package isakmp_test

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func datagram(tb testing.TB, port layers.UDPPort, data []byte) []byte {
	tb.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: net.IP{192, 0, 2, 1}, DstIP: net.IP{192, 0, 2, 10}}
	udp := &layers.UDP{SrcPort: 40000, DstPort: port}
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

func layerOf(p gopacket.Packet) *isakmp.Layer {
	l, _ := p.Layer(isakmp.LayerTypeISAKMP).(*isakmp.Layer)
	return l
}

func TestLayerOnItsPorts(t *testing.T) {
	golden := wiretest.Vector(t, "isakmp/main-1")
	for _, port := range []layers.UDPPort{500, 848} {
		p := gopacket.NewPacket(datagram(t, port, golden), layers.LayerTypeIPv4, gopacket.Default)
		l := layerOf(p)
		if l == nil || p.ErrorLayer() != nil || p.Metadata().Truncated {
			t.Fatalf("port %d: %v", port, p)
		}
		if len(l.Payloads) != 1 || l.Header != headerOfMain1 || len(l.Payload()) != 0 || p.ApplicationLayer() != l {
			t.Errorf("port %d: %+v", port, l)
		}
	}
}

func TestLayerOfAnEncryptedMessage(t *testing.T) {
	golden := wiretest.Vector(t, "isakmp/informational")
	l := layerOf(gopacket.NewPacket(golden, isakmp.LayerTypeISAKMP, gopacket.Default))
	if l == nil || l.Payloads != nil || !bytes.Equal(l.LayerPayload(), golden[isakmp.HeaderLen:]) {
		t.Fatalf("%+v", l)
	}
	if err := l.DecodePlain(golden, isakmp.Phase1, gopacket.NilDecodeFeedback); err != nil || len(l.Payloads) != 4 {
		t.Errorf("plain: %+v, %v", l, err)
	}
}

func TestLayerString(t *testing.T) {
	tests := map[string]string{
		"isakmp/main-1":        "Identity Protection 1111111111111111/0000000000000000 flags - message 00000000 length 84: SA",
		"isakmp/informational": "Informational 1111111111111111/2222222222222222 flags E message 0a0b0c0d length 144: 116 octets encrypted",
	}
	for name, want := range tests {
		p := gopacket.NewPacket(wiretest.Vector(t, name), isakmp.LayerTypeISAKMP, gopacket.Default)
		if got := layerOf(p).String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got := p.String(); !strings.Contains(got, want) {
			t.Errorf("the packet's string lacks it: %q", got)
		}
	}
}

func TestLayerCutOff(t *testing.T) {
	for _, name := range []string{"isakmp/main-1", "isakmp/main-3", "isakmp/informational"} {
		golden := wiretest.Vector(t, name)
		for n := range len(golden) {
			p := gopacket.NewPacket(golden[:n:n], isakmp.LayerTypeISAKMP, gopacket.DecodeOptions{SkipDecodeRecovery: true})
			if !p.Metadata().Truncated || p.ErrorLayer() == nil {
				t.Errorf("%s, %d octets: truncated %v, error %v", name, n, p.Metadata().Truncated, p.ErrorLayer())
			}
			if l := layerOf(p); n >= isakmp.HeaderLen && (l == nil || l.Header.Length != uint32(len(golden))) {
				t.Errorf("%s, %d octets: the header is lost", name, n)
			}
		}
	}
}

func TestLayerSerializes(t *testing.T) {
	for _, name := range []string{"isakmp/main-1", "isakmp/informational"} {
		golden := wiretest.Vector(t, name)
		l := layerOf(gopacket.NewPacket(golden, isakmp.LayerTypeISAKMP, gopacket.Default))
		for _, fix := range []bool{false, true} {
			if fix {
				l.Header.Length = 0
			}
			buf := gopacket.NewSerializeBuffer()
			err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: fix}, l, gopacket.Payload(l.Payload()))
			if err != nil || !bytes.Equal(buf.Bytes(), golden) {
				t.Errorf("%s: %x (%v)", name, buf.Bytes(), err)
			}
		}
	}
}

func FuzzLayer(f *testing.F) {
	f.Add(wiretest.Vector(f, "isakmp/main-1"))
	f.Add(wiretest.Vector(f, "isakmp/informational"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := gopacket.NewPacket(b, isakmp.LayerTypeISAKMP, gopacket.DecodeOptions{SkipDecodeRecovery: true})
		_ = p.String()
	})
}
