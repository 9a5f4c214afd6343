package member_test

import (
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// forwards reports whether a packet of the group leaves as it came.
func (l *lab) forwards() bool {
	l.Helper()
	for _, e := range l.gm.Handle(l.now, &core.Packet{From: core.Inside, Data: clearPacketTo(2)}) {
		if f, ok := e.(*core.Forward); ok && f.To == core.Outside && string(f.Data) == string(clearPacketTo(2)) {
			return true
		}
	}
	return false
}

// A member that is off its interface lets traffic pass; once it is back, what counts is what does before a first registration.
func TestAttachment(t *testing.T) {
	for _, closes := range []bool{false, true} {
		cfg := config()
		cfg.Profile, cfg.FailClose.Activate = policy.ProfileGETVPN, closes
		l := newLabWith(t, cfg, nil).start()
		if l.forwards() {
			t.Error("traffic of the group leaves in clear")
		}
		l.command(control.Detach)
		if !l.forwards() {
			t.Error("without the policy traffic does not leave in clear")
		}
		l.ks.deaf = true
		l.command(control.Attach)
		if l.forwards() == closes {
			t.Errorf("back on the interface, fail-close %t: traffic leaves in clear %t", closes, !closes)
		}
	}
}
