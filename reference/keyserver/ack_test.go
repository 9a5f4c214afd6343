package keyserver_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// acking is a member of a group that asks for acknowledgements, with PUSH 1 on its way.
func acking(t testing.TB, change ...func(*policy.KeyServer)) *gm {
	l := newLab(t, configuration(append(change, acknowledged)...), nil)
	m := l.joined(1)
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
	return m
}

func TestAck(t *testing.T) {
	m := acking(t)
	if m.rekey.Ack != policy.AckKEKSHA256 {
		t.Fatal("the SAK does not ask for acknowledgements")
	}
	if sent := m.deliver(m.addr, ackOf(m.rekey, 1, m.addr.Addr())); len(sent) != 0 {
		t.Errorf("answered with %v", sent[0].Kind)
	}
	if g := m.status().Groups[0].Members[0]; g.Acked != 1 || !g.EverAcked {
		t.Errorf("member %+v", g)
	}
	if got := m.tagged("ACK_RECEIVED"); len(got) != 1 || value(got[0], "member") != "192.0.2.1" || value(got[0], "sequence") != "1" {
		t.Errorf("log %+v", got)
	}
}

func TestAckRefused(t *testing.T) {
	type change = func(*isakmp.Header, *[]isakmp.Payload)
	id := func(i gdoi.ID) change { return func(_ *isakmp.Header, ps *[]isakmp.Payload) { (*ps)[1] = i } }
	tests := []struct {
		name   string
		seq    uint32
		member string
		change change
		after  func([]byte) []byte
		guard  string
	}{
		{"version", 1, "", func(h *isakmp.Header, _ *[]isakmp.Payload) { h.Version = 0x20 }, nil, "keyserver.ack.version"},
		{"E flag", 1, "", func(h *isakmp.Header, _ *[]isakmp.Payload) { h.Flags = 1 }, nil, "keyserver.ack.flags"},
		{"Message ID", 1, "", func(h *isakmp.Header, _ *[]isakmp.Payload) { h.MessageID = 1 }, nil, "keyserver.ack.message-id"},
		{"exchange", 1, "", func(h *isakmp.Header, _ *[]isakmp.Payload) { h.Exchange = 33 }, nil, "keyserver.datagram.exchange"},
		{"order", 1, "", func(_ *isakmp.Header, ps *[]isakmp.Payload) { (*ps)[0], (*ps)[1] = (*ps)[1], (*ps)[0] }, nil, "keyserver.ack.form"},
		{"a payload too many", 1, "", func(_ *isakmp.Header, ps *[]isakmp.Payload) { *ps = append(*ps, isakmp.VID{}) }, nil, "keyserver.ack.form"},
		{"no ID", 1, "", func(_ *isakmp.Header, ps *[]isakmp.Payload) { *ps = (*ps)[:1] }, nil, "keyserver.ack.form"},
		{"ID of a name", 1, "", id(gdoi.ID{IDType: isakmp.IDKeyID, Data: []byte{192, 0, 2, 1}}), nil, "keyserver.ack.id"},
		{"ID of 5 octets", 1, "", id(gdoi.ID{IDType: isakmp.IDIPv4Addr, Data: []byte{192, 0, 2, 1, 0}}), nil, "keyserver.ack.id"},
		{"octet too many", 1, "", nil, func(b []byte) []byte { return append(b, 0) }, "keyserver.ack.length"},
		{"octet too few", 1, "", nil, func(b []byte) []byte { return b[:len(b)-1] }, "keyserver.ack.length"},
		{"trailing octet", 1, "", nil, func(b []byte) []byte { b[27]++; return append(b, 0) }, "keyserver.ack.form"},
		{"cut short", 1, "", nil, func(b []byte) []byte { b[27]--; return b[:len(b)-1] }, "keyserver.ack.form"},
		{"reserved", 1, "", nil, func(b []byte) []byte { b[29] = 1; return b }, "keyserver.ack.reserved"},
		{"wrong HASH", 1, "", nil, func(b []byte) []byte { b[40]++; return b }, "group.ack.proven"},
		{"number to come", 2, "", nil, nil, "group.ack.sent"},
		{"number 0", 0, "", nil, nil, "group.ack.member"},
		{"stranger", 1, "192.0.2.99", nil, nil, "group.ack.member"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := acking(t)
			from := m.addr.Addr()
			if test.member != "" {
				from = netip.MustParseAddr(test.member)
			}
			changes := []change{}
			if test.change != nil {
				changes = append(changes, test.change)
			}
			data := ackOf(m.rekey, test.seq, from, changes...)
			if test.after != nil {
				data = test.after(data)
			}
			checkRefusal(t, m, m.deliver(m.addr, data), test.guard, 0)
			if m.status().Groups[0].Members[0].EverAcked {
				t.Error("it was recorded")
			}
			m.deliver(m.addr, ackOf(m.rekey, 1, m.addr.Addr()))
			if !m.status().Groups[0].Members[0].EverAcked {
				t.Error("the right one is not taken after it")
			}
		})
	}
}

// TestAckRoom: where acknowledgements are read stays small, however many payloads somebody sends, and does not mix them up.
func TestAckRoom(t *testing.T) {
	m := acking(t)
	crowd := func(_ *isakmp.Header, ps *[]isakmp.Payload) {
		for range 1000 {
			*ps = append(*ps, isakmp.VID{})
		}
	}
	checkRefusal(t, m, m.deliver(m.addr, ackOf(m.rekey, 1, m.addr.Addr(), crowd)), "keyserver.ack.form", 0)
	m.deliver(m.addr, ackOf(m.rekey, 1, m.addr.Addr()))
	if kept := m.ks.Kept().Acked; kept == 0 || kept > 8 {
		t.Errorf("room for %d payloads", kept)
	}
	if g := m.status().Groups[0].Members[0]; g.Acked != 1 {
		t.Errorf("the right one after them: member %+v", g)
	}
}

// TestAckNotAsked: a group that wants no acknowledgements discards them (RFC 8263 §5).
func TestAckNotAsked(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.joined(1)
	l.rekey(control.RekeyArgs{})
	checkRefusal(t, m, m.deliver(m.addr, ackOf(m.rekey, 1, m.addr.Addr())), "group.ack.asked", 0)
}

func TestAckDuplicate(t *testing.T) {
	m := acking(t)
	data := ackOf(m.rekey, 1, m.addr.Addr())
	for range 50 {
		m.deliver(m.addr, data)
	}
	if n := m.rejected("RFC8263-5-03"); n != 49 || len(m.tagged("ACK_RECEIVED")) != 1 {
		t.Errorf("%d refused", n)
	}
}

// TestAckOfNewKEK: the PUSH with a new KEK is acknowledged under the old one, also when it deletes it (RFC 8263 §6).
func TestAckOfNewKEK(t *testing.T) {
	for _, what := range []control.RekeyArgs{{KEK: true}, {DeleteAll: true}} {
		m := acking(t)
		old := m.rekey
		m.rekeyAndAck(what, 4*time.Second)
		if g := m.status().Groups[0].Members; len(g) != 1 || g[0].Acked != 2 {
			t.Errorf("%+v: members %+v", what, g)
		}
		m.pass(time.Minute)
		m.deliver(m.addr, ackOf(old, 2, m.addr.Addr()))
		if m.rejected("RFC6407-7.2.4-01") != 1 {
			t.Errorf("%+v: the old KEK is known a minute later", what)
		}
	}
}

// rekeyAndAck rekeys, and acknowledges the PUSH after a while under the Rekey SA it came under.
func (m *gm) rekeyAndAck(what control.RekeyArgs, after time.Duration) {
	old := m.rekey
	p := m.receive(m.only(m.lab.rekey(what)))
	m.pass(after)
	m.deliver(m.addr, ackOf(old, p.seq, m.addr.Addr()))
}

// TestAckMissing: the identical datagram again each interval, then the end.
//
//	0 s   KS --> GM  PUSH 2
//	10 s  KS --> GM  PUSH 2    ACK_MISSING
//	20 s  KS --> GM  PUSH 2    ACK_MISSING
//	30 s                       ACK_MISSING
func TestAckMissing(t *testing.T) {
	m := acking(t, func(c *policy.KeyServer) { c.Groups[0].Rekey.Retransmit = 2 })
	m.deliver(m.addr, ackOf(m.rekey, 1, m.addr.Addr()))
	first := m.only(m.lab.rekey(control.RekeyArgs{}))
	var again []*core.Send
	for i := 1; i <= 4; i++ {
		again = append(again, m.pass(10*time.Second)...)
		if missing := len(m.tagged("ACK_MISSING")); missing != min(i, 3) {
			t.Errorf("after %d s %d lines", i*10, missing)
		}
	}
	if len(again) != 2 || !bytes.Equal(again[0].Data, first) || !bytes.Equal(again[1].Data, first) {
		t.Errorf("%d copies", len(again))
	}
	if line := m.tagged("ACK_MISSING")[0]; value(line, "member") != "192.0.2.1" || value(line, "sequence") != "2" {
		t.Errorf("log %+v", line)
	}
}
