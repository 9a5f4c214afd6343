package capture_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// A view for analysers finds the SA of Phase 1 behind the marker of port 4500 too.
func TestPhase1ViewBehindMarker(t *testing.T) {
	message := known().Frames[0].Packet[28:]
	talk := capturetest.New("marker", policy.CipherAESGCM16)
	natt := netip.MustParseAddrPort("192.0.2.1:4500")
	talk.UDP(natt, natt, append(make([]byte, 4), message...))
	f := talk.Frames[0]
	view := capture.Phase1View(talk.Frames)[0]
	const doi = 28 + 4 + isakmp.HeaderLen + isakmp.GenericLen
	if binary.BigEndian.Uint32(view.Packet[doi:]) != 1 || binary.BigEndian.Uint32(f.Packet[doi:]) != 2 {
		t.Errorf("% x", view.Packet)
	}
	if !bytes.Equal(view.Packet[:26], f.Packet[:26]) || !bytes.Equal(view.Packet[doi+8:], f.Packet[doi+8:]) {
		t.Errorf("% x\n% x", f.Packet, view.Packet)
	}
}

// A message that is seen on both sides of a NAT has one place in its exchange.
func TestDecodeOnBothSidesOfANAT(t *testing.T) {
	whole := known()
	var frames []capture.Frame
	for _, f := range whole.Frames {
		inside := f
		inside.Link = "nat"
		inside.Packet = bytes.Clone(f.Packet)
		for _, at := range []int{12, 16} { // another address for the initiator, which a decoder takes without a checksum
			if bytes.Equal(inside.Packet[at:at+4], whole.Frames[0].Packet[12:16]) {
				copy(inside.Packet[at:], []byte{10, 9, 8, 7})
			}
		}
		frames = append(frames, inside, f)
	}
	got, want := capture.Decode(frames, whole.Keys), capture.Decode(whole.Frames, whole.Keys)
	for i, m := range want {
		for side, seen := range got[2*i : 2*i+2] {
			if seen.Kind != m.Kind || seen.Summary != m.Summary {
				t.Errorf("frame %d, side %d: %s %s, want %s %s", i+1, side, seen.Kind, seen.Summary, m.Kind, m.Summary)
			}
		}
	}
}
