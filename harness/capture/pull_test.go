package capture_test

import (
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// decodeLast decodes the talk and returns its last n messages.
func decodeLast(talk *capturetest.Talk, n int) []capture.Message {
	got := capture.Decode(talk.Frames, talk.Keys)
	return got[len(got)-n:]
}

var (
	ni = make([]byte, 32)
	nr = slices.Repeat([]byte{1}, 32)
	id = isakmp.ID{IDType: isakmp.IDKeyID, Data: []byte{0, 0, 3, 233}}
)

// Whatever a message carries, its sender, its place and the formula of its HASH say which one it is.
func TestPullStepWithPayloadsOutOfPlace(t *testing.T) {
	talk := capturetest.New("out of place", policy.CipherAESGCM16)
	s := talk.MainMode(capturetest.GM1).Stream(isakmp.ExchangePull)
	seq, kd, sa := gdoi.SEQ{Number: 7}, gdoi.KD{}, gdoi.SA{DOI: gdoi.DOI}
	s.Send(true, nil, isakmp.Nonce{Data: ni}, id, seq)
	s.Send(false, [][]byte{ni}, isakmp.Nonce{Data: nr}, sa, seq)
	s.Send(false, [][]byte{ni}, seq, kd)
	s.Send(true, [][]byte{ni, nr}, isakmp.Nonce{Data: nr})
	s.Send(false, [][]byte{ni, nr}, isakmp.Nonce{Data: ni}, sa)
	s.Send(true, nil, gdoi.GAP{})
	expect(t, decodeLast(talk, 6),
		"PULL1 | HDR*, HASH(1), Ni, ID, SEQ 7 | HASH(1): ok",
		"PULL2 | HDR*, HASH(2), Nr, SA, SEQ 7 | HASH(2): ok",
		"PULL2 | HDR*, HASH(2), SEQ 7, KD | HASH(2): ok",
		"PULL3 | HDR*, HASH(3), Nr | HASH(3): ok",
		"PULL4 | HDR*, HASH(4), Nr, SA | HASH(4): ok",
		"PULL1 | HDR*, HASH(1), GAP | HASH(1): ok")
}

const (
	noNonce = "unchecked (a nonce is unknown: the message that brought it is missing or stayed closed)"
	badHash = "bad (it is not the one that the keys give)"
)

// A HASH over nonces that nobody has seen is not called wrong, and is called wrong when they are known.
func TestPullHashWithoutNonces(t *testing.T) {
	for name, test := range map[string]struct {
		lost                []int
		hash2, hash3, hash4 string
	}{
		"message 1":       {[]int{pull1}, noNonce, noNonce, noNonce},
		"message 2":       {[]int{pull2}, "", noNonce, noNonce},
		"messages 1 to 3": {[]int{pull1, pull2, pull3}, "", "", noNonce},
		"message 3":       {[]int{pull3}, "ok", "", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			talk := conversation(policy.CipherAESGCM16)
			for _, n := range test.lost { // another key on the way: nothing in them can be read
				f := &talk.Frames[n-1]
				f.Packet = slices.Clone(f.Packet)
				for i := 56; i < len(f.Packet)-16; i++ {
					f.Packet[i] ^= 0x55
				}
			}
			got := capture.Decode(talk.Frames, talk.Keys)
			for n, want := range map[int]string{pull2: test.hash2, pull3: test.hash3, pull4: test.hash4} {
				check := got[n-1].Checks[0]
				if want != "" && check.String() != check.Name+": "+want {
					t.Errorf("frame %d: %v, want %s", n, check, want)
				}
			}
		})
	}
}

// A forged message with another nonce does not make the real ones wrong.
func TestPullHashWithForgedNonces(t *testing.T) {
	talk := capturetest.New("forged", policy.CipherAESGCM16)
	s := talk.MainMode(capturetest.GM1).Stream(isakmp.ExchangePull)
	s.Send(true, nil, isakmp.Nonce{Data: ni}, id)
	s.Send(true, [][]byte{nr}, isakmp.Nonce{Data: nr}, id) // its HASH is of no formula
	s.Send(false, [][]byte{nr, ni}, isakmp.Nonce{Data: ni}, gdoi.SA{DOI: gdoi.DOI})
	s.Send(false, [][]byte{ni}, isakmp.Nonce{Data: nr}, gdoi.SA{DOI: gdoi.DOI})
	s.Send(true, [][]byte{ni, nr})
	s.Send(false, [][]byte{ni, nr}, gdoi.KD{})
	expect(t, decodeLast(talk, 6),
		"PULL1 | HDR*, HASH(1), Ni, ID | HASH(1): ok",
		"PULL1 | HDR*, HASH(1), Ni, ID | HASH(1): "+badHash,
		"PULL2 | HDR*, HASH(2), Nr, SA | HASH(2): "+badHash,
		"PULL2 | HDR*, HASH(2), Nr, SA | HASH(2): ok",
		"PULL3 | HDR*, HASH(3) | HASH(3): ok",
		"PULL4 | HDR*, HASH(4), KD | HASH(4): ok")
}

// What was damaged in Main Mode 5 or 6 on the way is lost, but not what follows.
func TestDecodeAfterDamagedMainMode(t *testing.T) {
	for _, n := range []int{mm5, mm6} {
		for _, at := range []int{30, 46} { // in the first and the second of three blocks
			talk := conversation(policy.CipherAESGCM16)
			f := &talk.Frames[n-1]
			for i := range 4 {
				flip(f, at+i)
			}
			for _, m := range capture.Decode(talk.Frames, talk.Keys) {
				if m.Frame != n && m.Encrypted && (!m.Decrypted || m.Checks[0].Result != capture.OK) {
					t.Errorf("frame %d damaged at %d, frame %d: %s", n, at, m.Frame, line(m))
				}
			}
		}
	}
}

// However many messages nobody can open come first, the end of the right chain is not forgotten for them.
func TestDecodeAfterFlood(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	frames := slices.Clone(talk.Frames[:mm6])
	for i := range 40 {
		f := talk.Frames[mm6-1]
		f.Packet = slices.Clone(f.Packet)
		for j := 56; j < len(f.Packet); j++ {
			f.Packet[j] ^= byte(i + 1)
		}
		frames = append(frames, f)
	}
	got := capture.Decode(append(frames, talk.Frames[mm6:]...), talk.Keys)
	if m := got[mm6+40]; line(m) != "PULL1 | HDR*, HASH(1), Ni, ID | HASH(1): ok" {
		t.Error(line(m))
	}
}
