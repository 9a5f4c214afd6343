package keyserver_test

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func TestRegistration(t *testing.T) {
	tests := []struct {
		name   string
		change func(*policy.KeyServer)
		ask    []isakmp.Payload
		seq    int64
		sids   []uint32
	}{
		{"unicast", func(*policy.KeyServer) {}, nil, 0, []uint32{0}},
		{"multicast", multicast, nil, 0, []uint32{0}},
		{"three SIDs", multicast, []isakmp.Payload{gdoimap.RequestOf(3, nil)}, 0, []uint32{0, 1, 2}},
		{"no rekey", noRekey, nil, -1, []uint32{0}},
		{"no counter mode", func(c *policy.KeyServer) {
			c.Groups[0].SAs[0].Transform = policy.Transform{
				Cipher: policy.CipherAESCBC, KeyBits: 128, Integrity: policy.IntegrityHMACSHA256, Mode: policy.ModeTunnel,
			}
		}, nil, 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, configuration(test.change), nil)
			d := l.member(1).phase1().register(test.ask...)
			if d.seq != test.seq || !slices.Equal(d.sids, test.sids) || len(d.SAs) != 1 || (d.Rekey == nil) != (test.seq < 0) {
				t.Errorf("download %+v", d)
			}
			s := l.status()
			g := s.Groups[0]
			if len(g.Members) != 1 || g.Members[0].Identity != "192.0.2.1" || g.Members[0].Address != "192.0.2.1:848" || s.Phase1 != 1 || s.HalfOpen != 0 {
				t.Errorf("status %+v", s)
			}
			if len(l.tagged("REGISTERED")) != 1 || value(l.tagged("REGISTERED")[0], "member") != "192.0.2.1" {
				t.Error("no line about the registration")
			}
		})
	}
}

// TestPullUnderOnePhase1: several PULLs may run under one Phase 1 SA, also side by side (RFC 6407 §3).
func TestPullUnderOnePhase1(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1).phase1()
	a, b := m.begin(), m.begin()
	a.read2(m.only(m.deliver(m.addr, a.message1())))
	b.read2(m.only(m.deliver(m.addr, b.message1())))
	if d := b.read4(m.only(m.deliver(m.addr, b.message3()))); d.sids[0] != 0 {
		t.Errorf("SIDs %v", d.sids)
	}
	if d := a.read4(m.only(m.deliver(m.addr, a.message3()))); d.sids[0] != 1 {
		t.Errorf("SIDs %v", d.sids)
	}
}

// TestSequenceAtRegistration: message 4 has the number of the last PUSH, and registrations do not count.
func TestSequenceAtRegistration(t *testing.T) {
	l := newLab(t, configuration(multicast), nil)
	m := l.member(1).phase1()
	for want := range int64(3) {
		if d := m.register(); d.seq != want {
			t.Errorf("SEQ %d, want %d", d.seq, want)
		}
		if d := m.register(); d.seq != want {
			t.Errorf("SEQ %d the second time, want %d", d.seq, want)
		}
		l.rekey(control.RekeyArgs{})
	}
}

// TestMessage1Only: thousands of first messages leave no trace (RFC 6407 §3.2).
func TestMessage1Only(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1).phase1()
	before := l.status()
	for range 3000 {
		m.only(m.deliver(m.addr, m.begin().message1()))
	}
	if after := l.status(); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if d := m.register(); d.sids[0] != 0 {
		t.Errorf("SIDs %v", d.sids)
	}
}

// TestRepeats: repeats are answered with the same octets and without new work; what does not fit is refused.
//
//	GM --> KS  1        KS --> GM  2
//	GM --> KS  1 again  KS --> GM  2 again
//	GM --> KS  3        KS --> GM  4
//	GM --> KS  3 again  KS --> GM  4 again
//	GM --> KS  1 again  refused
func TestRepeats(t *testing.T) {
	l := newLab(t, configuration(), nil)
	p := l.member(1).phase1().begin()
	first := p.message1()
	second := p.only(p.deliver(p.addr, first))
	for range 3 {
		if again := p.only(p.deliver(p.addr, first)); !bytes.Equal(again, second) {
			t.Fatal("message 2 differs")
		}
	}
	p.read2(second)
	third := p.message3()
	fourth := p.only(p.deliver(p.addr, third))
	before := l.status().Groups[0]
	for range 3 {
		if again := p.only(p.deliver(p.addr, third)); !bytes.Equal(again, fourth) {
			t.Fatal("message 4 differs")
		}
	}
	if after := l.status().Groups[0]; !reflect.DeepEqual(before, after) {
		t.Error("a repeat was new work")
	}
	p.read4(fourth)
	checkRefusal(t, p.gm, p.deliver(p.addr, first), "keyserver.pull.repeat", 0)
	l.logs = nil
	checkRefusal(t, p.gm, p.deliver(p.addr, p.message3(gdoimap.RequestOf(2, nil))), "keyserver.pull.state", 0)
}

// TestRepeatsAreAnsweredToTheMember: whoever replays a message gets no keys sent to an address of its choice.
func TestRepeatsAreAnsweredToTheMember(t *testing.T) {
	l := newLab(t, configuration(), nil)
	p := l.member(1).phase1().begin()
	first := p.message1()
	p.only(p.deliver(p.addr, first))
	p.only(p.deliver(netip.MustParseAddrPort("198.51.100.1:1"), first))
}

// TestMoved: the group changes between message 2 and message 3. The member is told to begin again, and then gets what is
// in force.
func TestMoved(t *testing.T) {
	l := newLab(t, configuration(), nil)
	p := l.member(1).phase1().begin()
	p.read2(p.only(p.deliver(p.addr, p.message1())))
	l.rekey(control.RekeyArgs{})
	o, err := p.sa.OpenInformational(p.only(p.deliver(p.addr, p.message3())))
	if err != nil {
		t.Fatal(err)
	}
	if n, _, _ := isakmp.Find[isakmp.Notify](o.Payloads); n.NotifyType != isakmp.NotifyInvalidSPI {
		t.Errorf("notification %v", n.NotifyType)
	}
	if len(l.tagged("REGISTRATION_FAILED")) != 1 || len(l.status().Groups[0].Members) != 0 {
		t.Error("the registration did not fail")
	}
	p.register()
}

// TestIdentityNotAddress: what was proven in Phase 1 decides about admission, not where a message comes from.
func TestIdentityNotAddress(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1).phase1()
	moved := netip.MustParseAddrPort("192.0.2.222:4848") // behind a translator that is on no list
	p := m.begin()
	sent := m.deliver(moved, p.message1())
	if len(sent) != 1 || sent[0].To != moved {
		t.Fatalf("sent %+v", sent)
	}
	p.read2(sent[0].Data)
	p.read4(m.deliver(moved, p.message3())[0].Data)
	if g := l.status().Groups[0].Members[0]; g.Identity != "192.0.2.1" || g.Address != moved.String() {
		t.Errorf("member %+v", g)
	}
}

// TestTappedNonce: what a tap changes while a message is built is what the key server believes to have sent.
func TestTappedNonce(t *testing.T) {
	tap := func(stage core.Stage, o *core.Outgoing) {
		if stage == core.Built && o.Kind == core.Pull2 {
			o.Payloads[0] = isakmp.Nonce{Data: []byte("another nonce")}
		}
	}
	l := newLab(t, configuration(), tap)
	p := l.member(1).phase1().begin()
	p.read2(p.only(p.deliver(p.addr, p.message1())))
	if string(p.nr) != "another nonce" {
		t.Fatalf("Nr %q", p.nr)
	}
	p.read4(p.only(p.deliver(p.addr, p.message3())))
}

// TestManyPulls: the memory of PULLs is bounded, and the oldest are forgotten first.
func TestManyPulls(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.member(1).phase1()
	kept := m.begin()
	kept.read2(m.only(m.deliver(m.addr, kept.message1())))
	for range 255 {
		m.deliver(m.addr, m.begin().message1())
	}
	kept.read4(m.only(m.deliver(m.addr, kept.message3())))
	p := m.begin()
	p.read2(m.only(m.deliver(m.addr, p.message1())))
	for range 256 {
		m.deliver(m.addr, m.begin().message1())
	}
	if sent := m.deliver(m.addr, p.message3()); len(sent) != 0 {
		t.Errorf("a forgotten PULL goes on: %v", sent[0].Kind)
	}
}
