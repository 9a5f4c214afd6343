package keyserver_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// TestMessage1Refused tries what must not be answered with message 2, and after each the right message, which must be.
func TestMessage1Refused(t *testing.T) {
	nonce := func(n int) isakmp.Nonce { return isakmp.Nonce{Data: bytes.Repeat([]byte{7}, n)} }
	id := groupIdentity(groupID)
	raw := func(ps ...isakmp.Payload) func(p *pull) []byte {
		return func(p *pull) []byte { return p.message1(ps...) }
	}
	tests := []struct {
		name   string
		member int
		bad    func(p *pull) []byte
		guard  string
		notify isakmp.NotifyType // 0: no answer at all
	}{
		{"wrong HASH", 1, func(p *pull) []byte { return p.seal(core.Pull1, wrong(p.hash()), nonce(16), id) }, "keyserver.pull1.hash", 0},
		{"no ID", 1, raw(nonce(16)), "keyserver.pull1.form", 0},
		{"no nonce", 1, raw(id), "keyserver.pull1.form", 0},
		{"two IDs", 1, raw(nonce(16), id, id), "keyserver.pull1.form", 0},
		{"a KD", 1, raw(nonce(16), id, gdoi.KD{}), "keyserver.pull1.form", 0},
		{"nonce of 7", 1, raw(nonce(7), id), "keyserver.pull1.nonce-min", 0},
		{"nonce of 129", 1, raw(nonce(129), id), "keyserver.pull1.nonce-max", 0},
		{"address as group", 1, raw(nonce(16), gdoi.ID{IDType: isakmp.IDIPv4Addr, Data: id.Data}), "keyserver.pull1.id-type", isakmp.NotifyInvalidIDInformation},
		{"long identifier", 1, raw(nonce(16), gdoi.ID{IDType: isakmp.IDKeyID, Data: append(bytes.Clone(id.Data), 0)}), "keyserver.pull1.id-length", isakmp.NotifyInvalidIDInformation},
		{"unknown group", 1, raw(nonce(16), groupIdentity(1)), "keyserver.pull1.group", isakmp.NotifyInvalidIDInformation},
		{"not authorised", 200, raw(nonce(16), id), "group.member.authorised", isakmp.NotifyAuthenticationFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, configuration(), nil)
			m := l.member(test.member).phase1()
			p := m.begin()
			checkRefusal(t, m, m.deliver(m.addr, test.bad(p)), test.guard, test.notify)
			if len(l.status().Groups[0].Members) != 0 {
				t.Error("somebody was recorded")
			}
			if test.member >= 128 {
				return
			}
			p = &pull{gm: m, id: p.id, stream: m.sa.NewStream(isakmp.ExchangePull, p.id), ni: p.ni}
			p.read2(m.only(m.deliver(m.addr, p.message1())))
			if d := p.read4(m.only(m.deliver(m.addr, p.message3()))); d.sids[0] != 0 {
				t.Errorf("SIDs %v", d.sids)
			}
		})
	}
}

// checkRefusal wants one refusal by that guard, answered with a protected notification or not at all.
func checkRefusal(t *testing.T, m *gm, sent []*core.Send, guard string, notify isakmp.NotifyType) {
	t.Helper()
	refused := m.tagged("REFUSED")
	if len(refused) != 1 || value(refused[0], "guard") != guard {
		t.Fatalf("refusals %+v, want one by %s", refused, guard)
	}
	if m.rejected(refused[0].Requirement) != 1 {
		t.Errorf("it was not counted under %s", refused[0].Requirement)
	}
	if notify == 0 {
		if len(sent) != 0 {
			t.Errorf("it was answered with %v", sent[0].Kind)
		}
		return
	}
	o, err := m.sa.OpenInformational(m.only(sent))
	if err != nil {
		t.Fatal(err)
	}
	if n, _, _ := isakmp.Find[isakmp.Notify](o.Payloads); n.NotifyType != notify {
		t.Errorf("notification %v, want %v", n.NotifyType, notify)
	}
}

// TestNonceLengths: 8 to 128 octets (RFC 6407 §5.8).
func TestNonceLengths(t *testing.T) {
	for _, n := range []int{8, 9, 64, 128} {
		l := newLab(t, configuration(), nil)
		p := l.member(1).phase1().begin()
		p.ni = bytes.Repeat([]byte{1}, n)
		p.read2(p.only(p.deliver(p.addr, p.message1())))
		p.read4(p.only(p.deliver(p.addr, p.message3())))
	}
}

// TestMessage3Refused: nothing is recorded and no SID given before message 3 verifies, and a wrong one does not keep the
// right one from being taken.
func TestMessage3Refused(t *testing.T) {
	other := gdoi.GAP{Attributes: []wire.Attribute{wire.TV(gdoi.GAPActivation, 5)}}
	tests := []struct {
		name  string
		bad   func(p *pull) []byte
		guard string
	}{
		{"wrong HASH", func(p *pull) []byte { return p.seal(core.Pull3, wrong(p.hash(p.ni, p.nr))) }, "keyserver.pull3.hash"},
		{"HASH without Nr", func(p *pull) []byte { return p.seal(core.Pull3, p.hash(p.ni)) }, "keyserver.pull3.hash"},
		{"a KD", func(p *pull) []byte { return p.message3(gdoi.KD{}) }, "keyserver.pull3.form"},
		{"two GAPs", func(p *pull) []byte { return p.message3(gdoimap.RequestOf(1, nil), gdoimap.RequestOf(1, nil)) }, "keyserver.pull3.form"},
		{"GAP with a delay", func(p *pull) []byte { return p.message3(other) }, "gdoimap.read.request.attribute"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, configuration(), nil)
			p := l.member(1).phase1().begin()
			p.read2(p.only(p.deliver(p.addr, p.message1())))
			before := l.status().Groups[0]
			stream := *p.stream
			checkRefusal(t, p.gm, p.deliver(p.addr, test.bad(p)), test.guard, 0)
			if after := l.status().Groups[0]; !reflect.DeepEqual(before, after) {
				t.Errorf("before %+v\nafter %+v", before, after)
			}
			p.stream = &stream
			p.read4(p.only(p.deliver(p.addr, p.message3())))
		})
	}
}

// TestOtherPhase1: a message recorded under one Phase 1 SA fails under another (RFC 6407 §3.2).
func TestOtherPhase1(t *testing.T) {
	l := newLab(t, configuration(), nil)
	old := l.member(1).phase1()
	recorded := old.begin().message1()
	l.now = l.now.Add(time.Second)
	young := l.member(1).phase1()
	i, r := young.sa.Cookies()
	copy(recorded, i[:])
	copy(recorded[8:], r[:])
	if sent := l.deliver(old.addr, recorded); len(sent) != 0 || len(l.tagged("REFUSED")) != 1 {
		t.Errorf("answered with %d datagrams", len(sent))
	}
}

// TestTooLate: a minute after message 2 its offer is forgotten.
func TestTooLate(t *testing.T) {
	l := newLab(t, configuration(), nil)
	p := l.member(1).phase1().begin()
	p.read2(p.only(p.deliver(p.addr, p.message1())))
	l.now = l.now.Add(61 * time.Second)
	if sent := p.deliver(p.addr, p.message3()); len(sent) != 0 {
		t.Errorf("answered with %v", sent[0].Kind)
	}
	p.register()
}

// TestMessageIDs: each PULL has one of its own, and 0 is none.
func TestMessageIDs(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1).phase1()
	p := &pull{gm: m, stream: m.sa.NewStream(isakmp.ExchangePull, 0), ni: make([]byte, 8)}
	checkRefusal(t, m, m.deliver(m.addr, p.message1()), "ike.pull.mid", 0)
	p = m.begin()
	p.read2(m.only(m.deliver(m.addr, p.message1())))
	data := p.message3()
	binary.BigEndian.PutUint32(data[20:], p.id+1)
	if sent := m.deliver(m.addr, data); len(sent) != 0 {
		t.Errorf("message 3 under another Message ID is answered with %v", sent[0].Kind)
	}
}
