package capture_test

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// ahTalk is a conversation under one SA of AH.
type ahTalk struct {
	t    testing.TB
	sa   policy.TrafficSA
	from *esp.AH
	keys []keylog.Entry
}

func newAH(t testing.TB, transform policy.Transform, first uint64) *ahTalk {
	t.Helper()
	sa := policy.TrafficSA{SPI: 0x1234abcd, Transform: transform, IntegrityKey: []byte(strings.Repeat("k", transform.IntegrityKeyLen()))}
	from, err := esp.NewAH(sa, esp.Options{Window: 64, First: first})
	if err != nil {
		t.Fatal(err)
	}
	return &ahTalk{t, sa, from, keylog.Of("KS", capturetest.Start, &core.Secret{Traffic: &sa})}
}

// frame makes a packet of the headers, whose length is filled in.
func (a *ahTalk) frame(headers, payload []byte, next uint8) capture.Frame {
	a.t.Helper()
	packet, err := a.from.Seal(headers[:len(headers):len(headers)], payload, next)
	if err != nil {
		a.t.Fatal(err)
	}
	if packet[0]>>4 == 6 {
		binary.BigEndian.PutUint16(packet[4:], uint16(len(packet)-40))
	} else {
		binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	}
	return capture.Frame{At: capturetest.Start, Link: "wan", Packet: packet}
}

// ahInner is a packet of ICMP, as it stands in a tunnel.
var ahInner = lab.IPv4{Source: capturetest.Host1, Destination: capturetest.Host2, Protocol: 1, TTL: 63, Payload: []byte{8, 0, 0, 0, 0, 7, 0, 9, 'd', 'a', 't', 'a'}}.Bytes()

// Headers with 20 octets or more, whose length AH fills in.
var ahOuter = map[string]string{
	"IPv4":                         "45b8 0000 1234 0000 4033 0000 0a010002 0a020002",
	"IPv4 with options":            "47b8 0000 1234 0000 4033 0000 0a010002 0a020002 01940400 00000000",
	"IPv6":                         "6b812345 00003340 20010db8000000000000000000000001 20010db8000000000000000000000002",
	"IPv6 with hop-by-hop options": "6b812345 00000040 20010db8000000000000000000000001 20010db8000000000000000000000002 3300 050200000100",
}

func unhexed(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every algorithm verifies behind every kind of headers, with both lengths of sequence numbers.
func TestAHVerifies(t *testing.T) {
	for _, transform := range policy.AHTransforms() {
		for _, transform.ESN = range []bool{false, true} {
			for name, digits := range ahOuter {
				a := newAH(t, transform, 1)
				f := a.frame(unhexed(t, digits), ahInner, 4)
				f.Packet[map[byte]int{4: 8, 6: 7}[f.Packet[0]>>4]]-- // on its way
				m := capture.Decode([]capture.Frame{f}, a.keys)[0]
				icv, _ := find(m.Payloads, "ICV")
				if m.Kind != capture.KindAH || len(m.Checks) != 1 || m.Checks[0].Result != capture.OK || icv.Length != transform.ICVLen() || m.Err != "" {
					t.Errorf("%s %s: %+v", transform, name, m)
				}
				if want := "SPI 1234abcd seq 1, 10.1.0.10 -> 10.2.0.10 ICMP echo request id 7 seq 9"; m.Summary != want {
					t.Errorf("%s %s: %s", transform, name, m.Summary)
				}
				flip(&f, -1)
				if m := capture.Decode([]capture.Frame{f}, a.keys)[0]; m.Checks[0].Result != capture.Bad {
					t.Errorf("%s %s, altered: %+v", transform, name, m.Checks)
				}
			}
		}
	}
}

// Extended numbers are followed across the end of a cycle, also at the very end of the numbers.
func TestAHExtended(t *testing.T) {
	transform := policy.AHTransforms()[0]
	transform.ESN = true
	for _, first := range []uint64{1, 1<<32 - 3, math.MaxUint64 - 6} {
		a := newAH(t, transform, first)
		var frames []capture.Frame
		for range 6 {
			frames = append(frames, a.frame(unhexed(t, ahOuter["IPv4"]), ahInner, 4))
		}
		for i, m := range capture.Decode(append(frames, frames[2]), a.keys) {
			if m.Checks[0].Result != capture.OK {
				t.Errorf("first %#x, frame %d: %+v", first, i+1, m.Checks)
			}
		}
	}
}

// A packet that travels in fragments is checked as it was before.
func TestAHInFragments(t *testing.T) {
	a := newAH(t, policy.AHTransforms()[0], 1)
	f := a.frame(unhexed(t, ahOuter["IPv4"]), make([]byte, 900), 17)
	var frames []capture.Frame
	for _, piece := range lab.Fragment(f.Packet, 500) {
		frames = append(frames, capture.Frame{At: f.At, Link: f.Link, Packet: piece})
	}
	all := capture.Decode(frames, a.keys)
	if m := all[len(all)-1]; len(all) < 2 || m.Kind != capture.KindAH || m.Checks[0].Result != capture.OK {
		t.Errorf("%d frames, the last %+v", len(all), m)
	}
	for name, headers := range map[string]string{"plain": ahOuter["IPv6"], "behind options": ahOuter["IPv6 with hop-by-hop options"]} {
		f := a.frame(unhexed(t, headers), make([]byte, 900), 17)
		all := capture.Decode(fragmented6(f, len(unhexed(t, headers))), a.keys)
		if m := all[len(all)-1]; m.Kind != capture.KindAH || m.Checks[0].Result != capture.OK {
			t.Errorf("IPv6 %s: %+v", name, m)
		}
	}
}

// fragmented6 cuts an IPv6 packet in two behind so many octets of headers.
func fragmented6(f capture.Frame, head int) (frames []capture.Frame) {
	const cut = 512
	nextAt := 6
	if head > 40 {
		nextAt = 40
	}
	for _, part := range []struct{ from, to, more int }{{head, head + cut, 1}, {head + cut, len(f.Packet), 0}} {
		b := append([]byte(nil), f.Packet[:head]...)
		fragment := []byte{b[nextAt], 0, 0, 0, 0, 0, 0, 5}
		binary.BigEndian.PutUint16(fragment[2:], uint16(part.from-head|part.more))
		b[nextAt] = 44
		b = append(append(b, fragment...), f.Packet[part.from:part.to]...)
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
		frames = append(frames, capture.Frame{At: f.At, Link: f.Link, Packet: b})
	}
	return frames
}

// Without a key, with one that is malformed, cut short, or of another SA, there is a message all the same.
func TestAHWithoutKey(t *testing.T) {
	a := newAH(t, policy.AHTransforms()[0], 1)
	f := a.frame(unhexed(t, ahOuter["IPv4"]), []byte("of the transport"), 17)
	bad := a.keys[0]
	bad.IntegrityKey = "00"
	nameless := a.keys[0]
	nameless.SPI = "SPI"
	m := capture.Decode([]capture.Frame{f}, []keylog.Entry{bad, nameless})[0]
	if m.Checks[0].Result != capture.Unchecked || m.Summary != "SPI 1234abcd seq 1" {
		t.Errorf("%+v", m)
	}
	if data, ok := find(m.Payloads, "Data"); !ok || data.Length != 16 {
		t.Errorf("data %+v", data)
	}
	for n := 20; n < len(f.Packet); n++ {
		cut := capture.Frame{At: f.At, Link: f.Link, Packet: append([]byte(nil), f.Packet[:n]...)}
		binary.BigEndian.PutUint16(cut.Packet[2:], uint16(n))
		for _, m := range capture.Decode([]capture.Frame{cut}, a.keys) {
			if len(m.Checks) > 0 && m.Checks[0].Result == capture.OK || m.Err == "" && len(m.Checks) == 0 {
				t.Errorf("%d octets: %+v", n, m)
			}
		}
	}
	if m := capture.Decode([]capture.Frame{f, f}, a.keys)[1]; m.Repeats != 1 || m.Checks[0].Result != capture.OK {
		t.Errorf("the same once more: %+v", m)
	}
}

// Padding against traffic analysis stands in a field of its own, and a dummy packet says that it is one.
func TestTrafficPadding(t *testing.T) {
	talk := capturetest.New("tfc", policy.CipherAESGCM16)
	s := talk.Sender(1)
	s.SendInner(append(append([]byte(nil), ahInner...), make([]byte, 100)...), 4)
	s.SendInner(make([]byte, 40), 59)
	all := capture.Decode(talk.Frames, talk.Keys)
	if f, ok := find(all[0].Payloads, "TFC Padding"); !ok || f.Length != 100 || f.Offset != 16+len(ahInner) {
		t.Errorf("padding %+v of %+v", f, all[0].Payloads)
	}
	if !strings.HasSuffix(all[1].Summary, ", dummy") {
		t.Errorf("dummy: %s", all[1].Summary)
	}
}
