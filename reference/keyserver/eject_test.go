package keyserver_test

import (
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
)

// unanswered has one member acknowledge the third rekey alone and another none, and tells how many are in the group after each.
func (w *witness) unanswered(l *lab) {
	m := l.joined(1)
	l.joined(2)
	for i := 1; i <= 7; i++ {
		if sent := l.rekey(control.RekeyArgs{}); i == 3 {
			p := m.receive(m.receiveFor(sent))
			m.deliver(m.addr, ackOf(m.rekey, p.seq, m.addr.Addr()))
		}
		l.pass(50 * time.Second)
		g := l.status().Groups[0]
		w.see("rekey %d: %d members, number %d", i, len(g.Members), g.Sequence)
	}
}

// Whoever leaves three unicast rekeys unacknowledged is told no more, and the operator is told of it.
func TestEject(t *testing.T) {
	l := newLab(t, configuration(acknowledged, ofVendor), nil)
	l.joined(1)
	for i := 1; i <= 4; i++ {
		sent := l.rekey(control.RekeyArgs{})
		if told := len(sent) == 1 && sent[0].Kind == core.Push; told != (i <= 3) {
			t.Errorf("rekey %d: %d messages", i, len(sent))
		}
		l.pass(45 * time.Second)
		if ejected := len(l.tagged("KS_NACK_GM_EJECT")) == 1; ejected != (i >= 3) {
			t.Errorf("after rekey %d: %v", i, l.tagged("KS_NACK_GM_EJECT"))
		}
	}
	for _, tag := range []string{"GM_DELETE", "KS_LAST_GM"} {
		if len(l.tagged(tag)) != 1 {
			t.Errorf("%s: %v", tag, l.tagged(tag))
		}
	}
	l.joined(1)
	if sent := l.rekey(control.RekeyArgs{}); len(sent) != 1 {
		t.Errorf("who has registered again gets %d messages", len(sent))
	}
}
