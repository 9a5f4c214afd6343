package member_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/member"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// tappedMember is a lab whose member has a tap.
func tappedMember(t *testing.T, tap core.Tap) *lab {
	t.Helper()
	l := newLab(t)
	gm, err := member.New(config(), member.Options{Rand: keymat.Seeded("member", "gm"), Tap: tap})
	if err != nil {
		t.Fatal(err)
	}
	l.gm = gm
	return l
}

// A nonce that a tap puts into message 1 counts as the member's.
func TestTapChangesNonce(t *testing.T) {
	other := bytes.Repeat([]byte{9}, 20)
	l := tappedMember(t, alter(core.Pull1, func(o *core.Outgoing) { o.Payloads[0] = isakmp.Nonce{Data: other} })).start()
	l.want("state", l.status().State, "registered")
	if !bytes.Equal(l.ks.ni, other) {
		t.Errorf("the key server saw nonce %x", l.ks.ni)
	}
}

// A tap adds a GAP to message 3, and HASH(3) covers it.
func TestTapAddsPayload(t *testing.T) {
	gap := gdoi.GAP{}
	l := tappedMember(t, alter(core.Pull3, func(o *core.Outgoing) { o.Payloads = append(o.Payloads, gap) })).start()
	l.want("state", l.status().State, "registered")
	if l.ks.gap == nil {
		t.Error("no GAP arrived")
	}
}

// A message that a tap withholds is repeated, and the tap sees the copy.
func TestTapWithholds(t *testing.T) {
	for _, kind := range []core.Kind{core.Pull1, core.Pull3} {
		var copies [][]byte
		l := tappedMember(t, alterAt(core.Sealed, kind, func(o *core.Outgoing) {
			copies = append(copies, slices.Clone(o.Bytes))
			o.Withhold = len(copies) == 1
		})).start()
		l.run(time.Second)
		l.want("state", l.status().State, "registered")
		if len(copies) != 2 || !bytes.Equal(copies[0], copies[1]) {
			t.Errorf("%s: %d copies", kind, len(copies))
		}
	}
}

// The acknowledgement passes the tap at each stage.
func TestTapOnAcknowledgement(t *testing.T) {
	var stages []core.Stage
	l := tappedMember(t, func(s core.Stage, o *core.Outgoing) {
		if o.Kind == core.PushACK {
			stages = append(stages, s)
			o.Withhold = true
		}
	})
	l.ks.rekey.Ack = policy.AckKEKSHA256
	l.start()
	l.push(l.ks.makePush(pushSpec{seq: 1}))
	if !slices.Equal(stages, []core.Stage{core.Built, core.Authenticated, core.Sealed}) || len(l.ks.acks) != 0 {
		t.Errorf("stages %v, %d acknowledgements", stages, len(l.ks.acks))
	}
}
