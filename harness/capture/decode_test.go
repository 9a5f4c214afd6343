package capture_test

import (
	"os"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/policy"
)

func TestDump(t *testing.T) {
	talk := capturetest.New("x", policy.CipherAESGCM16)
	talk.Register(capturetest.GM1, 1)
	s := talk.Sender(1)
	s.Send(capturetest.Host1, capturetest.Host2, 1)
	talk.Push()
	talk.Ack(capturetest.GM1)
	capture.Print(os.Stdout, capture.Decode(talk.Frames, talk.Keys))
}
