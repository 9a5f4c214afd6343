package keyserver_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
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

// TestSIDExhaustion registers until the SIDs of 8 bits are used up. The next registration gets new keys and SID 0, and
// the others are told before to delete what they have (RFC 6407 §3.5).
func TestSIDExhaustion(t *testing.T) {
	l := newLab(t, configuration(), nil)
	m := l.joined(1)
	other := l.member(2).phase1()
	old := other.register(gdoimap.RequestOf(255, nil))
	p := m.begin()
	p.read2(m.only(m.deliver(m.addr, p.message1())))
	l.pass(0)
	sent := m.deliver(m.addr, p.message3())
	if len(sent) != 2 || sent[0].Kind != core.Push || sent[0].To != other.addr || sent[1].Kind != core.Pull4 {
		t.Fatalf("sent %d datagrams", len(sent))
	}
	if deletes := other.receive(sent[0].Data).deletes; len(deletes) != 2 {
		t.Errorf("deletes %+v", deletes)
	}
	d := p.read4(sent[1].Data)
	if d.sids[0] != 0 || d.SAs[0].SPI == old.SAs[0].SPI || bytes.Equal(d.SAs[0].CipherKey, old.SAs[0].CipherKey) || d.Rekey.SPI == old.Rekey.SPI {
		t.Errorf("download %+v", d)
	}
	if d := other.register(); d.sids[0] != 1 || d.SAs[0].SPI == old.SAs[0].SPI {
		t.Errorf("and then %+v", d)
	}
}

// TestSIDsImpossible: more SIDs than there are.
func TestSIDsImpossible(t *testing.T) {
	l := newLab(t, configuration(), nil)
	p := l.member(1).phase1().begin()
	p.read2(p.only(p.deliver(p.addr, p.message1())))
	checkRefusal(t, p.gm, p.deliver(p.addr, p.message3(gdoimap.RequestOf(257, nil))), "group.sid.space", isakmp.NotifyInvalidSPI)
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
