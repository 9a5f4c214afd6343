package capture_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Every transform opens, with both lengths of sequence numbers, and the ICV stands where it should.
func TestEveryTransformOpens(t *testing.T) {
	for _, esn := range []bool{false, true} {
		for _, transform := range policy.Transforms() {
			transform.ESN = esn
			talk := capturetest.New("transform", policy.CipherAESGCM16)
			talk.NewTransform(transform)
			talk.Sender(1).Send(capturetest.Host1, capturetest.Host2, 7)
			m := capture.Decode(talk.Frames, talk.Keys)[0]
			icv, _ := find(m.Payloads, "ICV")
			if !m.Decrypted || m.Err != "" || icv.Length != transform.ICVLen() || icv.Offset+icv.Length != len(talk.Frames[0].Packet)-20 {
				t.Errorf("%s esn %v: %+v", transform.Name(), esn, m)
			}
			flip(talk.Last(), -1)
			if m := capture.Decode(talk.Frames, talk.Keys)[0]; m.Decrypted {
				t.Errorf("%s esn %v: opened with a wrong ICV", transform.Name(), esn)
			}
		}
	}
}

// Two senders of one SA cross the end of a cycle, each with its own numbers; what comes late or twice opens as well.
func TestExtendedSequenceNumbers(t *testing.T) {
	for _, first := range []uint64{1, 1<<32 - 3, math.MaxUint64 - 5} {
		talk := capturetest.New("esn", policy.CipherAESGCM16)
		talk.NewTransform(policy.Transform{Cipher: policy.CipherAESCBC, KeyBits: 128, Integrity: policy.IntegrityHMACSHA256, ESN: true})
		talk.FirstSequence = first
		one := talk.Sender(1)
		talk.FirstSequence = 1
		other := talk.Sender(2)
		for n := range uint16(6) {
			one.Send(capturetest.Host1, capturetest.Host2, n)
			other.Send(capturetest.Host2, capturetest.Host1, n)
		}
		talk.Frames[8], talk.Frames[2] = talk.Frames[2], talk.Frames[8]
		talk.Frames = append(talk.Frames, slices.Clone(talk.Frames[:3])...)
		for i, m := range capture.Decode(talk.Frames, talk.Keys) {
			if !m.Decrypted {
				t.Errorf("first %#x, frame %d: %+v", first, i+1, m.Checks)
			}
		}
	}
}
