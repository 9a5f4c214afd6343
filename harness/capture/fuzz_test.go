package capture_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// known is one conversation for all inputs; its frames are not to be changed.
var known = sync.OnceValue(func() *capturetest.Talk { return conversation(policy.CipherAESGCM16) })

// digest decodes, redacts and prints: none of it may fail, whatever the frames hold.
func digest(t *testing.T, frames []capture.Frame, talkKeys bool) {
	var keys []keylog.Entry
	if talkKeys {
		keys = append(slices.Clone(known().Keys), newAH(t, policy.AHTransforms()[0], 1).keys...)
	}
	messages := capture.Decode(frames, keys)
	if len(messages) != len(frames) {
		t.Fatalf("%d messages of %d frames", len(messages), len(frames))
	}
	for _, m := range messages {
		if name, ok := nested(m.Payloads, 0, 1<<17); !ok {
			t.Errorf("frame %d: %s is out of place", m.Frame, name)
		}
	}
	redacted := capture.Redact(messages)
	if err := capture.Print(io.Discard, redacted); err != nil {
		t.Error(err)
	}
	talkJSON(t, capture.Conversation{Nodes: capture.Nodes(redacted, nil), Messages: redacted})
	capture.Phase1View(frames)
}

func FuzzDecodeFrame(f *testing.F) {
	for _, frame := range known().Frames {
		f.Add(frame.Packet, true)
	}
	frames, _ := conversation6(8)
	for _, frame := range frames {
		f.Add(frame.Packet, true)
	}
	ah := newAH(f, policy.AHTransforms()[0], 1)
	for _, headers := range ahOuter {
		f.Add(ah.frame(unhexed(f, headers), ahInner, 4).Packet, true)
	}
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, packet []byte, keys bool) {
		digest(t, []capture.Frame{{At: at, Link: "wan", Packet: packet}, {At: at, Packet: packet}}, keys)
	})
}

// One message of a conversation is changed: position, offset and new octets come from the fuzzer, and IP and UDP are made
// to fit. What is before and after is as it should be, so that the decoder is deep in a conversation.
func FuzzDecodeConversation(f *testing.F) {
	for i := range known().Frames {
		f.Add(uint8(i), uint16(28), []byte{0xff, 0xff})
		f.Add(uint8(i), uint16(0), []byte{})
	}
	f.Fuzz(func(t *testing.T, which uint8, offset uint16, octets []byte) {
		frames := slices.Clone(known().Frames)
		frame := &frames[int(which)%len(frames)]
		packet := slices.Clone(frame.Packet)
		cut := 20 + int(offset)%(len(packet)-20)
		packet = append(packet[:cut], octets...)
		if len(octets) == 0 || len(packet) > 1<<16-1 {
			packet = packet[:cut]
		}
		binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
		if packet[9] == 17 && len(packet) >= 28 {
			binary.BigEndian.PutUint16(packet[24:], uint16(len(packet)-20))
		}
		frame.Packet = packet
		digest(t, frames, true)
	})
}

// A decoded conversation of any octets is read or refused; what is read can be written, and reads the same again.
func FuzzReadJSON(f *testing.F) {
	var b bytes.Buffer
	messages := capture.Decode(known().Frames, known().Keys)
	if err := capture.WriteJSON(&b, capture.Conversation{Nodes: capture.Nodes(messages, nil), Messages: messages[:4]}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"nodes": [], "messages": [{"frame": 1, "from": "[::1]:848", "header": {"initiator_cookie": "00zz"}}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		talk, err := capture.ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := capture.WriteJSON(&first, talk); err != nil {
			return // a time that has no form in JSON
		}
		again, err := capture.ReadJSON(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("%v: %s", err, first.Bytes())
		}
		if err := capture.WriteJSON(&second, again); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%v\n%s\n%s", err, first.Bytes(), second.Bytes())
		}
	})
}
