package member_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/reject"
)

// TestFlood: PUSH messages with a wrong SIG and datagrams of strangers leave a member as it was but for its counters, bring no
// more lines of its log than are allowed at once, and do not keep it from the right message.
func TestFlood(t *testing.T) {
	const messages = 3000
	l := registered(t)
	before := l.status()
	right := l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}})
	for n := range messages {
		forged := append([]byte{}, right...)
		forged[len(forged)-40-n%200] ^= byte(1 + n/200)
		l.push(forged)
		stranger := append([]byte{byte(n >> 8), byte(n)}, right[2:]...)
		l.push(stranger)
		inClear := append([]byte{}, right[:28]...)
		inClear[18], inClear[27] = 5, 28 // Informational
		l.push(inClear)
	}
	after := l.status()
	after.Rejects, before.Rejects = nil, nil
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
	if lines := len(l.logs); lines > 4*reject.Burst {
		t.Errorf("%d lines of log", lines)
	}
	for _, line := range l.talk {
		t.Errorf("it says %s", line)
		break
	}
	l.effects(l.gm.Handle(l.now, &core.Datagram{From: ksAddress, To: gmAddress, Data: right}))
	if got := l.status(); got.Sequence != 1 || len(got.SAs) != len(before.SAs)+1 {
		t.Errorf("after the right message: number %d, SAs %v", got.Sequence, l.spis())
	}
}
