package member_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// An answer that does not come: the message is repeated after 1, 2, 4 and 8 s and given up after 16 more; after a pause
// of 10 s everything begins anew.
func TestPullRepetition(t *testing.T) {
	l := newLab(t)
	l.drop = func(kind core.Kind) bool { return kind == core.Pull1 }
	l.start()
	l.talk = nil
	l.run(40 * time.Second)
	l.conversation(`
		1s GM --> PULL1 (lost)
		3s GM --> PULL1 (lost)
		7s GM --> PULL1 (lost)
		15s GM --> PULL1 (lost)`)
	l.want("state", l.status().State, "idle")
	l.drop = nil
	l.talk = nil
	l.run(time.Second)
	l.conversation(`
		41s GM --> MM1
		41s GM <-- MM2
		41s GM --> MM3
		41s GM <-- MM4
		41s GM --> MM5
		41s GM <-- MM6
		41s GM --> PULL1
		41s GM <-- PULL2
		41s GM --> PULL3
		41s GM <-- PULL4`)
}

// A copy is the same datagram, also if a tap has withheld the first one.
func TestRepetitionIsACopy(t *testing.T) {
	var sent []string
	l := newLab(t)
	l.drop = func(kind core.Kind) bool { return kind == core.Pull3 && l.dropped < 2 }
	l.ks.tap = nil
	l.start()
	l.ks.heard = nil
	seen := func(s *core.Send) { sent = append(sent, string(s.Data)) }
	for _, at := range []time.Duration{time.Second, 2 * time.Second} {
		l.now = l.now.Add(at)
		for _, e := range l.gm.Handle(l.now, &core.Timer{}) {
			if s, ok := e.(*core.Send); ok {
				seen(s)
			}
		}
	}
	if len(sent) != 2 || sent[0] != sent[1] {
		t.Fatalf("the copies differ: %x", sent)
	}
	l.ks.receive(&core.Send{From: gmAddress, To: ksAddress, Data: []byte(sent[0])})
	l.event(&core.Timer{})
	l.want("state", l.status().State, "registered")
}

// The key server's answer is late and comes twice.
func TestAnswerTwice(t *testing.T) {
	l := newLab(t)
	l.ks.hold = true
	l.start()
	l.push(l.ks.held, l.ks.held)
	l.want("state", l.status().State, "registered")
	if got := l.status().Sequence; got != 0 {
		t.Errorf("the last number is %d", got)
	}
}

// A key server that does not answer at all: the next one is asked, and then the first again.
func TestNextKeyServer(t *testing.T) {
	cfg := config()
	second := netip.MustParseAddrPort("192.0.2.11:848")
	cfg.KeyServers = []netip.AddrPort{ksAddress, second}
	cfg.RetryDelay = 5 * time.Second
	l := newLabWith(t, cfg, nil)
	l.ks.deaf = true
	l.start()
	asked := func() string { return l.status().KeyServer }
	l.want("first", asked(), ksAddress.String())
	l.run(31 * time.Second)
	l.want("state", l.status().State, "idle")
	l.run(5 * time.Second)
	l.want("state", l.status().State, "phase1")
	l.want("second", asked(), second.String())
	l.run(36 * time.Second)
	l.want("first again", asked(), ksAddress.String())
	l.want("log", l.tags(), "STARTED REGISTRATION_START PHASE1_FAILED REGISTRATION_FAILED "+
		"REGISTRATION_START PHASE1_FAILED REGISTRATION_FAILED REGISTRATION_START")
}

// No rekey comes: the member registers again before the SA ends, under the same Phase 1, and nothing is lost.
func TestReRegistration(t *testing.T) {
	for _, c := range []struct {
		name       string
		lifetime   time.Duration
		reRegister time.Duration
		at         time.Duration
	}{
		{"default", time.Hour, 0, 59 * time.Minute},
		{"default, short lifetime", 100 * time.Second, 0, 95 * time.Second},
		{"configured", time.Hour, 5 * time.Minute, 55 * time.Minute},
		{"configured, longer than the lifetime", 100 * time.Second, 5 * time.Minute, 95 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config()
			cfg.ReRegister = c.reRegister
			l := newLabWith(t, cfg, nil)
			l.ks.sas[0].Lifetime = c.lifetime
			l.start()
			l.ks.sas = []policy.TrafficSA{gcm(0x1002)}
			l.forget()
			l.run(c.at - time.Second)
			l.conversation("")
			l.run(time.Second)
			l.conversation(c.at.String() + " GM --> PULL1\n" + c.at.String() + " GM <-- PULL2\n" +
				c.at.String() + " GM --> PULL3\n" + c.at.String() + " GM <-- PULL4")
			l.want("SPIs", l.spis(), "00001002* 00001001")
			l.run(c.lifetime - c.at)
			l.want("SPIs after the old one's end", l.spis(), "00001002*")
		})
	}
}

// SAs and KEKs of a second are a burden, but no endless loop.
func TestShortLifetimes(t *testing.T) {
	l := newLab(t)
	l.ks.sas[0].Lifetime, l.ks.rekey.Lifetime = time.Second, time.Second
	l.start()
	l.talk = nil
	l.run(10 * time.Second)
	if n := len(l.talk); n != 40 {
		t.Errorf("%d messages in ten seconds", n)
	}
}

// A rekey in time makes registering again needless.
func TestRekeyInTime(t *testing.T) {
	l := registered(t)
	l.run(58 * time.Minute)
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}}))
	l.run(58 * time.Minute)
	l.conversation("")
	l.run(2 * time.Minute)
	if len(l.talk) == 0 {
		t.Error("the member does not register again before the new SA ends")
	}
}

// The SA was deleted: there is nothing to register again for until the KEK ends.
func TestNothingToRenew(t *testing.T) {
	l := registered(t)
	l.push(l.ks.makePush(pushSpec{seq: 1, deletes: nil, sas: nil}))
	l.push(l.ks.makePush(pushSpec{seq: 2, sas: nil, deletes: deleteAll()}))
	l.run(23 * time.Hour)
	l.conversation("")
}

// An SA that two registrations bring in a rollover: the youngest one counts.
func TestRolloverAtRegistration(t *testing.T) {
	l := newLab(t)
	old := gcm(0x1001)
	old.Lifetime = 5 * time.Minute
	l.ks.sas = []policy.TrafficSA{gcm(0x1002), old}
	l.start()
	l.forget()
	l.run(50 * time.Minute)
	l.conversation("")
}

// A rekey tells the SA once more, with a shorter life: the member registers again before that ends.
func TestShorterLife(t *testing.T) {
	l := registered(t)
	told := l.ks.sas[0]
	told.Lifetime = 100 * time.Second
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{told}}))
	l.ks.sas = []policy.TrafficSA{gcm(0x1002)}
	l.run(94 * time.Second)
	l.conversation("")
	l.run(time.Second)
	l.want("SPIs", l.spis(), "00001002* 00001001")
	l.run(5 * time.Second)
	l.want("SPIs after the end", l.spis(), "00001002*")
}

// The KEK ends: its PUSH is refused, the group is left, and the member registers again.
func TestKEKExpiry(t *testing.T) {
	l := newLab(t)
	l.ks.rekey.Lifetime = 10 * time.Minute
	l.start()
	late := l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}})
	l.forget()
	l.ks.deaf = true
	l.now = l.now.Add(10 * time.Minute) // the timer has not been heard yet
	l.push(late)
	l.want("refusals", l.refusals(), "RFC6407-4.4-01:1")
	l.want("joins", l.joins[0], "leave 239.1.1.1")
	l.want("state", l.status().State, "pull")
	l.want("SPIs", l.spis(), "00001001*")
	l.ks.deaf, l.ks.rekey = false, kek(2)
	l.run(time.Minute)
	l.want("rekey", l.status().Rekey, kek(2).SPI.String())
	l.want("joins", l.joins[1], "join 239.1.1.1")
}

// The key server has lost the Phase 1 that the member relied on: after the PULL is given up a new one begins at once.
func TestLostPhase1(t *testing.T) {
	l := registered(t)
	l.ks.sa, l.ks.stream = nil, nil
	l.command("register")
	l.run(30 * time.Second)
	l.talk = nil
	l.run(2 * time.Second)
	l.conversation(`
		31s GM --> MM1
		31s GM <-- MM2
		31s GM --> MM3
		31s GM <-- MM4
		31s GM --> MM5
		31s GM <-- MM6
		31s GM --> PULL1
		31s GM <-- PULL2
		31s GM --> PULL3
		31s GM <-- PULL4`)
}

// Phase 1 ends before the next registration: that begins with a new one.
func TestPhase1Lifetime(t *testing.T) {
	cfg := config()
	cfg.Phase1.Lifetime = 10 * time.Minute
	l := newLabWith(t, cfg, nil).start()
	l.forget()
	l.run(10 * time.Minute)
	l.command("register")
	l.want("messages", l.talk[0]+", "+l.talk[2], "10m0s GM --> INFO, 10m0s GM --> MM1")
	l.want("state", l.status().State, "registered")
}

// The key server deletes Phase 1 after the registration: the Rekey SA lives on.
func TestPhase1Deleted(t *testing.T) {
	l := registered(t)
	d, err := l.ks.sa.SealDelete(l.ks.ike().Rand)
	if err != nil {
		t.Fatal(err)
	}
	l.push(d.Data, l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{gcm(0x2001)}}))
	l.want("SPIs", l.spis(), "00002001* 00001001")
	l.talk = nil
	l.command("register")
	l.want("first message", l.talk[0], "GM --> MM1")
}

// A key server that never answers again: the member keeps what it has until it ends, and keeps asking.
func TestKeyServerGone(t *testing.T) {
	l := registered(t)
	l.ks.deaf = true
	l.run(59*time.Minute + 30*time.Second)
	l.want("SPIs", l.spis(), "00001001*")
	l.run(48 * time.Hour)
	l.want("SPIs", l.spis(), "")
	l.ks.deaf = false
	l.run(time.Minute)
	l.want("SPIs", l.spis(), "00001001*")
}

// A day of rekeys, a TEK each 54 minutes and a new KEK in between.
func TestADayOfRekeys(t *testing.T) {
	l := registered(t)
	under, seq, spi := l.ks.rekey, uint32(0), uint32(0x5000)
	for i := range 27 {
		l.run(54 * time.Minute)
		seq, spi = seq+1, spi+1
		l.push(l.ks.makePush(pushSpec{under: under, seq: seq, sas: []policy.TrafficSA{gcm(spi)}}))
		if i%10 == 9 {
			next := kek(byte(i))
			l.push(l.ks.makePush(pushSpec{under: under, seq: seq + 1, rekey: next}))
			under, seq = next, 0
		}
	}
	l.conversation(`24h0m0s GM --> INFO
		24h0m0s KS: Phase 1 deleted`)
	l.want("refusals", l.refusals(), "")
	if s := l.status(); s.Sequence != 7 || s.State != "registered" {
		t.Errorf("status is %+v", s)
	}
}
