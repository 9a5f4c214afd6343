package keyserver_test

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// tapped registers a member and rekeys with a tap on PUSH messages.
func tapped(t *testing.T, tap core.Tap) (*gm, []*core.Send) {
	t.Helper()
	l := newLab(t, configuration(), func(stage core.Stage, o *core.Outgoing) {
		if o.Kind == core.Push {
			tap(stage, o)
		}
	})
	m := l.joined(1)
	return m, l.rekey(control.RekeyArgs{})
}

// TestTapBuilt: what is changed when the message is built is covered by SIG.
func TestTapBuilt(t *testing.T) {
	m, sent := tapped(t, func(stage core.Stage, o *core.Outgoing) {
		if stage == core.Built {
			o.Payloads[0] = gdoi.SEQ{Number: 77}
			o.Header.MessageID = 5
		}
	})
	p := m.receive(m.only(sent))
	if p.seq != 77 || p.header.MessageID != 5 || chain(p.payloads) != "SEQ, SA, KD, SIG" {
		t.Errorf("PUSH %+v", p)
	}
	if s := m.status().Groups[0]; s.Sequence != 1 {
		t.Errorf("the key server believes in %d", s.Sequence)
	}
}

// TestTapAuthenticated: what is changed after signing is not covered.
func TestTapAuthenticated(t *testing.T) {
	m, sent := tapped(t, func(stage core.Stage, o *core.Outgoing) {
		if stage == core.Authenticated {
			o.Payloads[0] = gdoi.SEQ{Number: 77}
		}
	})
	if _, err := openPush(m.rekey, m.only(sent)); err == nil {
		t.Error("the signature verifies")
	}
}

// TestTapSealed: the octets themselves, and the choice not to send them.
func TestTapSealed(t *testing.T) {
	m, sent := tapped(t, func(stage core.Stage, o *core.Outgoing) {
		if stage == core.Sealed {
			o.Bytes = []byte("something else")
		}
	})
	if got := m.only(sent); string(got) != "something else" {
		t.Errorf("sent %x", got)
	}
	for _, at := range []core.Stage{core.Built, core.Authenticated, core.Sealed} {
		m, sent := tapped(t, func(stage core.Stage, o *core.Outgoing) { o.Withhold = o.Withhold || stage == at })
		if len(sent) != 0 || m.status().Groups[0].Sequence != 1 {
			t.Errorf("withheld when %d, and yet %d sent", at, len(sent))
		}
	}
}

// TestTapHeader: a header field that a tap sets is left as it is.
func TestTapHeader(t *testing.T) {
	m, sent := tapped(t, func(stage core.Stage, o *core.Outgoing) {
		if stage == core.Built {
			o.Header.NextPayload, o.Header.Length, o.Header.Flags = isakmp.PayloadSA, 1000, 0
		}
	})
	data := m.only(sent)
	h, _ := isakmp.ParseHeader(data)
	if h.NextPayload != isakmp.PayloadSA || h.Length != 1000 || data[28] != byte(isakmp.PayloadSA) {
		t.Errorf("header %+v, then %x", h, data[28:32])
	}
}

// TestTapImpossible: a message that cannot be encoded is not sent, and harms nobody.
func TestTapImpossible(t *testing.T) {
	m, sent := tapped(t, func(stage core.Stage, o *core.Outgoing) {
		if stage == core.Built {
			o.Payloads = append(o.Payloads, isakmp.VID{Data: make([]byte, 70000)})
		}
	})
	if len(sent) != 0 || len(m.tagged("FAILED")) != 1 {
		t.Errorf("%d sent", len(sent))
	}
	m.register()
}

// TestPushKEK: a PUSH with a new KEK is signed and encrypted under the old one, and the next one is under the new
// (RFC 6407 §4.3).
func TestPushKEK(t *testing.T) {
	l := newLab(t, configuration(acknowledged), nil)
	m := l.joined(1)
	old := m.rekey
	first := m.only(l.rekey(control.RekeyArgs{KEK: true}))
	p := m.receive(first)
	if !bytes.Equal(first[:16], old.SPI[:]) || p.policy.Rekey == nil || p.policy.Rekey.SPI == old.SPI || p.policy.Rekey.Ack != policy.AckKEKSHA256 {
		t.Errorf("PUSH %+v", p)
	}
	second := m.only(l.rekey(control.RekeyArgs{}))
	if q := m.receive(second); q.seq != 1 || !bytes.Equal(second[:16], m.rekey.SPI[:]) {
		t.Errorf("number %d under %x", q.seq, second[:16])
	}
}

// TestPushSigned: the signature covers the label and the header. A verifier without either does not accept it.
func TestPushSigned(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.joined(1)
	data := m.only(l.rekey(control.RekeyArgs{}))
	for i := range 24 { // the last field is Length, which is not signed as it is sent
		if i == 16 {
			continue // another first payload is another message altogether
		}
		forged := bytes.Clone(data)
		forged[i] ^= 1
		if _, err := openPush(m.rekey, forged); err == nil {
			t.Errorf("octet %d of the header is not covered", i)
		}
	}
}
