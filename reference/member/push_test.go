package member_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func TestTrafficRekey(t *testing.T) {
	l := registered(t)
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}}))
	l.want("SPIs", l.spis(), "00002001* 00001001")
	l.want("log", l.tags(), "SA_INSTALLED REKEY_ACCEPTED")
	if s := l.status(); s.Sequence != 1 || s.Rekey != l.ks.rekey.SPI.String() {
		t.Errorf("status is %+v", s)
	}
}

// ATD 5 and DTD 10: the new SA is there at once and sends after 5 s; the old one is gone after 10 s.
func TestRolloverDelays(t *testing.T) {
	l := registered(t)
	atd, dtd := 5*time.Second, 10*time.Second
	act := policy.Activation{ATD: &atd, DTD: &dtd}
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}, act: act}))
	l.want("SPIs at once", l.spis(), "00002001 00001001*")
	l.run(5 * time.Second)
	l.want("SPIs after ATD", l.spis(), "00002001* 00001001")
	l.run(5 * time.Second)
	l.want("SPIs after DTD", l.spis(), "00002001*")
}

// A SAK replaces the Rekey SA: the old cookies mean nothing any more, and the numbers start anew.
func TestKEKRekey(t *testing.T) {
	l := registered(t)
	l.push(l.ks.makePush(pushSpec{seq: 50, sas: []policy.TrafficSA{gcm(0x2001)}}))
	change := l.ks.makePush(pushSpec{seq: 51, rekey: kek(2)})
	l.push(change)
	if s := l.status(); s.Rekey != kek(2).SPI.String() || s.Sequence != 0 {
		t.Fatalf("status is %+v\n%s", s, l.story())
	}
	l.push(l.ks.makePush(pushSpec{seq: 52, sas: []policy.TrafficSA{gcm(0x2002)}}), change)
	l.want("refusals under the old KEK", l.refusals(), "RFC6407-4.4-01:1 RFC6407-7.3.4-02:1")
	l.push(l.ks.makePush(pushSpec{seq: 1, under: kek(2), sas: []policy.TrafficSA{gcm(0x2003)}}))
	if got := l.spis(); !strings.HasPrefix(got, "00002003* ") {
		t.Errorf("SPIs are %s\n%s", got, l.story())
	}
	if len(l.joins) != 0 {
		t.Errorf("the multicast group is the same: %v", l.joins)
	}
}

func TestKEKRekeyToAnotherGroup(t *testing.T) {
	l := registered(t)
	next := kek(2)
	next.Destination = ksAddress
	l.push(l.ks.makePush(pushSpec{seq: 1, rekey: next}))
	l.want("joins", strings.Join(l.joins, " "), "leave 239.1.1.1")
	last := kek(3)
	l.push(l.ks.makePush(pushSpec{seq: 1, under: next, rekey: last}))
	l.want("joins", strings.Join(l.joins, " "), "leave 239.1.1.1 join 239.1.1.1")
}

// A SAK with the SPI that is in force takes nothing back.
func TestSameKEKAgain(t *testing.T) {
	l := registered(t)
	l.push(l.ks.makePush(pushSpec{seq: 9, rekey: kek(1)}))
	l.push(l.ks.makePush(pushSpec{seq: 9, sas: []policy.TrafficSA{gcm(0x2001)}}))
	l.want("refusals", l.refusals(), "RFC6407-4.4-02:1")
}

func TestDeletes(t *testing.T) {
	esp := func(spis ...uint32) (d isakmp.Delete) {
		for _, spi := range spis {
			d.SPIs = append(d.SPIs, spi4(spi))
		}
		d.DOI, d.Protocol, d.SPISize = gdoi.DOI, 1, 4
		return d
	}
	own, none, other := kek(1).SPI, [16]byte{}, kek(9).SPI
	for _, c := range []struct {
		name    string
		deletes []isakmp.Delete
		sas     []policy.TrafficSA
		spis    string
		again   bool // registers again
	}{
		{"one SA", []isakmp.Delete{esp(0x1001)}, nil, "00001002*", false},
		{"both in one payload", []isakmp.Delete{esp(0x1001, 0x1002)}, nil, "", false},
		{"both in two", []isakmp.Delete{esp(0x1001), esp(0x1002)}, nil, "", false},
		{"unknown SPI", []isakmp.Delete{esp(0x7777)}, nil, "00001001* 00001002*", false},
		{"all", []isakmp.Delete{esp(0)}, nil, "", false},
		{"all of AH", []isakmp.Delete{deleteOf(2, spi4(0))}, nil, "00001001* 00001002*", false},
		{"all, and a new one", []isakmp.Delete{esp(0)}, []policy.TrafficSA{gcm(0x2001)}, "00002001*", false},
		{"the KEK", []isakmp.Delete{deleteOf(0, own[:])}, nil, "00001001* 00001002*", true},
		{"any KEK", []isakmp.Delete{deleteOf(0, none[:])}, nil, "00001001* 00001002*", true},
		{"any KEK, SPI of four octets", []isakmp.Delete{deleteOf(0, spi4(0))}, nil, "00001001* 00001002*", true},
		{"another KEK", []isakmp.Delete{deleteOf(0, other[:])}, nil, "00001001* 00001002*", false},
		{"everything", []isakmp.Delete{esp(0), deleteOf(0, none[:])}, nil, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			second := gcm(0x1002)
			second.Selector.Protocol = 17
			l.ks.sas = []policy.TrafficSA{gcm(0x1001), second}
			l.start()
			l.ks.deaf = true
			l.push(l.ks.makePush(pushSpec{seq: 1, deletes: c.deletes, sas: c.sas}))
			l.want("refusals", l.refusals(), "")
			l.want("SPIs", l.spis(), c.spis)
			if again := l.status().State == "pull"; again != c.again {
				t.Errorf("state %s\n%s", l.status().State, l.story())
			}
			if gone := l.status().Rekey == ""; gone != c.again {
				t.Errorf("the Rekey SA is %q", l.status().Rekey)
			}
		})
	}
}

// A clean slate: everything is deleted and the member comes back.
func TestCleanSlate(t *testing.T) {
	l := registered(t)
	none := make([]byte, 16)
	clean := l.ks.makePush(pushSpec{seq: 1, deletes: []isakmp.Delete{deleteOf(1, spi4(0)), deleteOf(0, none)}})
	l.ks.rekey, l.ks.sas, l.ks.sids = kek(2), []policy.TrafficSA{gcm(0x3001)}, &policy.SIDs{Bits: 8, Values: []uint32{9}}
	l.push(clean)
	l.conversation(`
		GM --> PULL1
		GM <-- PULL2
		GM --> PULL3
		GM <-- PULL4`)
	l.want("SPIs", l.spis(), "00003001*")
	l.want("log", l.tags(), "SA_REMOVED SA_REMOVED REKEY_ACCEPTED REREGISTRATION REGISTRATION_START SA_INSTALLED REGISTERED")
	l.want("joins", strings.Join(l.joins, " "), "leave 239.1.1.1 join 239.1.1.1")
	if s := l.status(); s.SIDs[0] != 9 || s.Rekey != kek(2).SPI.String() {
		t.Errorf("status is %+v", s)
	}
}

// Numbers have to rise. What is refused moves nothing.
func TestSequence(t *testing.T) {
	l := newLab(t)
	l.ks.given = 10
	l.start()
	spi := uint32(0x2000)
	for _, c := range []struct {
		seq      uint32
		accepted bool
	}{{9, false}, {10, false}, {0, false}, {11, true}, {11, false}, {10, false}, {12, true}, {1012, true}, {1011, false},
		{1012, false}, {1013, true}, {0xffffffff, true}, {0, false}, {1014, false}} {
		spi++
		before := l.spis()
		l.push(l.ks.makePush(pushSpec{seq: c.seq, sas: []policy.TrafficSA{gcm(spi)}}))
		if accepted := l.spis() != before; accepted != c.accepted {
			t.Errorf("SEQ %d: accepted is %v\n%s", c.seq, accepted, l.story())
		}
		if c.accepted && l.status().Sequence != c.seq {
			t.Errorf("the last number is %d, want %d", l.status().Sequence, c.seq)
		}
	}
}

// The signed header may count the encryption padding or not.
func TestSignedLength(t *testing.T) {
	for name, alter := range map[string]func(*policy.RekeySA){"AES": func(*policy.RekeySA) {}, "3DES": triple} {
		for _, padded := range []bool{false, true} {
			l := newLab(t)
			alter(l.ks.rekey)
			l.start()
			sas := []policy.TrafficSA{gcm(0x2001)}
			aligned := l.ks.makePush(pushSpec{seq: 1, signPadded: padded, sas: sas})
			l.push(aligned)
			l.want("SPIs under "+name, l.spis(), "00002001* 00001001")
		}
	}
}

// Each of these is refused, and then the right message with the same number is accepted.
func TestRefusedPushes(t *testing.T) {
	sas := []policy.TrafficSA{gcm(0x2001)}
	header := func(change func(h *isakmp.Header)) pushSpec { return pushSpec{seq: 1, sas: sas, header: change} }
	payloads := func(change func(ps []isakmp.Payload) []isakmp.Payload) pushSpec {
		return pushSpec{seq: 1, sas: sas, payloads: change}
	}
	deletes := func(d isakmp.Delete) pushSpec { return pushSpec{seq: 1, deletes: []isakmp.Delete{d}} }
	framed := func(i int) pushSpec {
		return payloads(func(ps []isakmp.Payload) []isakmp.Payload {
			ps[i] = isakmp.Framed{Payload: ps[i], Reserved: 1}
			return ps
		})
	}
	wrongDOI := deleteOf(1, spi4(0x1001))
	wrongDOI.DOI = 1
	twoSizes := deleteOf(1, make([]byte, 16))
	const form, reserved = "RFC6407-4.4-01", "RFC2408-5.3-01"
	for _, c := range []struct {
		name string
		id   string
		spec pushSpec
	}{
		{"version 1.1", "RFC2408-5.2-03", header(func(h *isakmp.Header) { h.Version = 0x11 })},
		{"version 2.0", "RFC2408-5.2-03", header(func(h *isakmp.Header) { h.Version = 0x20 })},
		{"exchange 32", "RFC2408-5.2-04", header(func(h *isakmp.Header) { h.Exchange = 32 })},
		{"exchange 34", "RFC2408-5.2-04", header(func(h *isakmp.Header) { h.Exchange = 34 })},
		{"no E flag", "RFC2408-5.2-05", header(func(h *isakmp.Header) { h.Flags = 0 })},
		{"C flag", "RFC2408-5.2-05", header(func(h *isakmp.Header) { h.Flags = 3 })},
		{"unknown flag", "RFC2408-5.2-05", header(func(h *isakmp.Header) { h.Flags = 0x81 })},
		{"Message ID", "RFC2408-5.2-06", header(func(h *isakmp.Header) { h.MessageID = 1 })},
		{"Length", "RFC2408-5.1-01", pushSpec{seq: 1, sas: sas, sent: func(b []byte) { b[27]-- }}},
		{"cookies", form, header(func(h *isakmp.Header) { h.ResponderCookie[7] = 0x55 })},
		{"SEQ last", form, payloads(func(ps []isakmp.Payload) []isakmp.Payload { return append(ps[1:], ps[0]) })},
		{"no SEQ", form, payloads(func(ps []isakmp.Payload) []isakmp.Payload { return ps[1:] })},
		{"two SEQ", form, payloads(func(ps []isakmp.Payload) []isakmp.Payload { return slices.Insert(ps, 1, ps[0]) })},
		{"KD before SA", form, payloads(func(ps []isakmp.Payload) []isakmp.Payload { ps[1], ps[2] = ps[2], ps[1]; return ps })},
		{"SA without KD", form, payloads(func(ps []isakmp.Payload) []isakmp.Payload { return ps[:2] })},
		{"KD without SA", form, payloads(func(ps []isakmp.Payload) []isakmp.Payload { return slices.Delete(ps, 1, 2) })},
		{"two SA", form, payloads(func(ps []isakmp.Payload) []isakmp.Payload { return slices.Insert(ps, 1, ps[1]) })},
		{"VID", form, payloads(func(ps []isakmp.Payload) []isakmp.Payload { return append(ps, isakmp.VID{}) })},
		{"D behind SA", form, payloads(func(ps []isakmp.Payload) []isakmp.Payload {
			return append(ps, deleteOf(1, spi4(0x1001)))
		})},
		{"SIG not last", form, pushSpec{seq: 1, sas: sas, after: []isakmp.Payload{isakmp.VID{}}}},
		{"no SIG", form, pushSpec{seq: 1, sas: sas, noSIG: true}},
		{"reserved of SEQ", reserved, framed(0)},
		{"reserved of SA", reserved, framed(1)},
		{"reserved of KD", reserved, framed(2)},
		{"too much padding", "RFC2409-B-05", pushSpec{seq: 1, sas: sas, padding: 1}},
		{"SIG", "RFC6407-4.4-03", pushSpec{seq: 1, sas: sas, sig: func(sig []byte) { sig[9] ^= 1 }}},
		{"SEQ before SIG", "RFC6407-4.4-02", pushSpec{seq: 0, sas: sas, sig: func(sig []byte) { sig[9] ^= 1 }}},
		{"Delete of another DOI", "RFC2408-3.15-01", deletes(wrongDOI)},
		{"Delete of protocol 3", "RFC2408-3.15-01", deletes(deleteOf(3, spi4(0x1001)))},
		{"Delete of ESP with 16 octets", "RFC2408-3.15-01", deletes(twoSizes)},
		{"Sender-IDs", "RFC6054-5-01", pushSpec{seq: 1, sas: sas, sids: &policy.SIDs{Bits: 8, Values: []uint32{7}}}},
		{"unknown transform", "RFC2407-4.5.3-01", payloads(func(ps []isakmp.Payload) []isakmp.Payload {
			sa := ps[1].(gdoi.SA)
			sa.Attributes[0].(gdoi.SAT).ESP.TransformID = 4
			return ps
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := registered(t)
			before := l.status()
			l.push(l.ks.makePush(c.spec))
			l.want("refusals", l.refusals(), c.id+":1")
			if len(l.logs) != 1 || l.logs[0].Tag != "REFUSED" || string(l.logs[0].Requirement) != c.id {
				t.Errorf("the log is %s", l.story())
			}
			l.unchanged(before.Sequence, "00001001*")
			l.push(l.ks.makePush(pushSpec{seq: 1, sas: sas}))
			l.want("SPIs after the right one", l.spis(), "00002001* 00001001")
		})
	}
}

// unchanged checks that a refused PUSH has left everything as it was.
func (l *lab) unchanged(seq uint32, spis string) {
	l.Helper()
	s := l.status()
	l.want("SPIs", l.spis(), spis)
	l.want("rekey", s.Rekey, l.ks.rekey.SPI.String())
	if s.Sequence != seq || s.SIDs[0] != 5 || s.State != "registered" {
		l.Errorf("status is %+v", s)
	}
	if len(l.talk) > 0 {
		l.Errorf("the member answered:\n%s", l.story())
	}
}

// The same message again, ten thousand times: nothing but a count.
func TestDuplicates(t *testing.T) {
	l := registered(t)
	push := l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}})
	for range 10_001 {
		l.push(push)
	}
	l.want("refusals", l.refusals(), "RFC6407-7.3.4-02:10000")
	l.want("SPIs", l.spis(), "00002001* 00001001")
}

// Every truncation of a PUSH and every change of one octet is refused; nothing changes, and the message itself is accepted
// in the end.
func TestDamagedPush(t *testing.T) {
	l := registered(t)
	push := l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}})
	damaged := 0
	try := func(b []byte) {
		damaged++
		for _, e := range l.gm.Handle(l.now, &core.Datagram{From: ksAddress, To: gmAddress, Data: b}) {
			if _, ok := e.(*core.Log); !ok {
				t.Fatalf("%x gives %T", b, e)
			}
		}
	}
	for n := range len(push) {
		try(push[:n])
	}
	for i := range push {
		for _, bit := range []byte{0x01, 0x80, 0xff} {
			b := slices.Clone(push)
			b[i] ^= bit
			try(b)
		}
	}
	l.now = l.now.Add(time.Minute)
	l.forget()
	l.unchanged(0, "00001001*")
	var refused uint64
	for _, n := range l.status().Rejects {
		refused += n
	}
	if refused != uint64(damaged) {
		t.Errorf("%d refusals of %d damaged messages: %s", refused, damaged, l.refusals())
	}
	l.push(push)
	l.want("SPIs", l.spis(), "00002001* 00001001")
}

// A member without a Sender-ID leaves counter-mode SAs alone and asks for one.
func TestNoSenderID(t *testing.T) {
	l := newLab(t)
	l.ks.sas, l.ks.sids = []policy.TrafficSA{cbc(0x1001)}, nil
	l.start()
	l.ks.deaf = true
	both := []policy.TrafficSA{gcm(0x2001), cbc(0x2002)}
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: both}))
	l.want("SPIs", l.spis(), "00002002* 00001001")
	l.want("refusals", l.refusals(), "RFC6407-4.4-07:1")
	l.want("state", l.status().State, "pull")
}

// What is authorised is installed, the rest is not.
func TestUnauthorisedByPush(t *testing.T) {
	cfg := config()
	cfg.Authorised = policy.Flows(gcm(0).Selector)
	l := newLabWith(t, cfg, nil).start()
	wide := gcm(0x2002)
	wide.Selector = policy.Selector{Source: prefix("0.0.0.0/0"), Destination: prefix("0.0.0.0/0")}
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001), wide}}))
	l.want("SPIs", l.spis(), "00002001* 00001001")
	l.want("refusals", l.refusals(), "RFC5374-4.1.3.5-03:1")
}

// A PUSH that comes while a registration is on its way: what the registration brings is older.
func TestRegistrationOvertaken(t *testing.T) {
	l := registered(t)
	l.ks.given, l.ks.hold = 5, true
	l.command("register")
	push := l.ks.makePush(pushSpec{seq: 6, sas: []policy.TrafficSA{gcm(0x2001)}})
	l.push(push)
	l.ks.hold, l.ks.given = false, 6
	l.ks.sas = []policy.TrafficSA{gcm(0x2001)}
	l.push(l.ks.held)
	l.want("SPIs", l.spis(), "00002001* 00001001")
	if s := l.status(); s.Sequence != 6 || s.State != "registered" {
		t.Errorf("status is %+v\n%s", s, l.story())
	}
	l.push(push, l.ks.makePush(pushSpec{seq: 6, sas: []policy.TrafficSA{gcm(0x2002)}}))
	l.want("SPIs after the replay", l.spis(), "00002001* 00001001")
}

// The number of a registration only raises.
func TestStaleNumber(t *testing.T) {
	l := registered(t)
	l.push(l.ks.makePush(pushSpec{seq: 6}))
	l.ks.given = 5
	l.command("register")
	l.push(l.ks.makePush(pushSpec{seq: 6, sas: []policy.TrafficSA{gcm(0x2001)}}))
	l.want("refusals", l.refusals(), "RFC6407-4.4-02:1")
	l.ks.given = 20
	l.command("register")
	l.push(l.ks.makePush(pushSpec{seq: 20, sas: []policy.TrafficSA{gcm(0x2001)}}))
	l.want("refusals", l.refusals(), "RFC6407-4.4-02:2")
}

// deleteAll deletes all ESP SAs.
func deleteAll() []isakmp.Delete { return []isakmp.Delete{deleteOf(1, spi4(0))} }
