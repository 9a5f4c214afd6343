package capture_test

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// inUDP is a talk of one packet of ESP, as it is and in UDP from a port to another.
func inUDP(cipher policy.Cipher, from, to uint16) *capturetest.Talk {
	talk := capturetest.New("udp", cipher)
	talk.NewTEK(cipher)
	talk.Sender(1).Send(capturetest.Host1, capturetest.Host2, 7)
	esp := talk.Frames[0].Packet[20:]
	talk.UDP(netip.AddrPortFrom(capturetest.Host1, from), netip.AddrPortFrom(capturetest.Host2, to), esp)
	return talk
}

// ESP in UDP reads as ESP does, whatever port a NAT has given to one of its ends.
func TestDecodeESPInUDP(t *testing.T) {
	for _, cipher := range []policy.Cipher{policy.CipherAESGCM16, policy.CipherAESCBC} {
		for _, ports := range [][2]uint16{{4500, 4500}, {40001, 4500}, {4500, 40001}} {
			talk := inUDP(cipher, ports[0], ports[1])
			plain, got := capture.Decode(talk.Frames[:1], talk.Keys)[0], capture.Decode(talk.Frames[1:], talk.Keys)[0]
			if !got.Decrypted || got.Kind != capture.KindESP || got.Summary != plain.Summary || got.From.Port() != ports[0] ||
				!reflect.DeepEqual(got.Payloads, plain.Payloads) || !reflect.DeepEqual(got.Checks, plain.Checks) {
				t.Errorf("ports %v: %+v, without UDP %+v", ports, got, plain)
			}
		}
	}
}

// Cut short, it is ESP as long as there is an SPI, and never opens.
func TestDecodeESPInUDPCutShort(t *testing.T) {
	talk := inUDP(policy.CipherAESGCM16, 4500, 4500)
	esp, end := talk.Frames[0].Packet[20:], netip.AddrPortFrom(capturetest.Host1, 4500)
	talk.Frames = nil
	for n := range esp {
		talk.UDP(end, netip.AddrPortFrom(capturetest.Host2, 4500), esp[:n])
	}
	talk.UDP(end, end, append(make([]byte, 4), esp...))
	for n, m := range capture.Decode(talk.Frames, talk.Keys) {
		want := capture.KindESP
		if n < 4 {
			want = capture.KindClear
		}
		if n < len(esp) && m.Kind != want || n == len(esp) && m.Kind == capture.KindESP || m.Decrypted {
			t.Errorf("%d octets: %s, decrypted %v", n, m.Kind, m.Decrypted)
		}
	}
}

// Wireshark opens ESP in UDP with the same profile.
func TestWiresharkOpensESPInUDP(t *testing.T) {
	talk := inUDP(policy.CipherAESGCM16, 4500, 4500)
	got := tshark(t, profile(t, talk.Keys), talk.Frames[1:], "udp.dstport", "esp.icv_good", "icmp.seq")
	if want := "4500|1|7"; len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
}
