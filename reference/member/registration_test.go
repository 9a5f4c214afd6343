package member_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func sortStrings(list []string) { slices.Sort(list) }

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestRegistration(t *testing.T) {
	l := newLab(t).start()
	l.conversation(`
		GM --> MM1
		GM <-- MM2
		GM --> MM3
		GM <-- MM4
		GM --> MM5
		GM <-- MM6
		GM --> PULL1
		GM <-- PULL2
		GM --> PULL3
		GM <-- PULL4`)
	l.want("log", l.tags(), "STARTED REGISTRATION_START PHASE1_UP SA_INSTALLED REGISTERED")
	l.want("joins", strings.Join(l.joins, " "), "join 239.1.1.1")
	s := l.status()
	l.want("state", s.State, "registered")
	l.want("rekey", s.Rekey, l.ks.rekey.SPI.String())
	l.want("SPIs", l.spis(), "00001001*")
	if len(s.SIDs) != 1 || s.SIDs[0] != 5 || s.Group != group || s.Role != "GM" || s.KeyServer != ksAddress.String() {
		t.Errorf("status is %+v", s)
	}
	if want := epoch.Add(24 * time.Hour); !s.RekeyExpiry.Equal(want) {
		t.Errorf("the KEK ends at %s, want %s", s.RekeyExpiry, want)
	}
}

// What the member says in message 1 is what the group is asked by.
func TestGroupIdentity(t *testing.T) {
	l := newLab(t).start()
	want := gdoi.ID{IDType: 11, Data: []byte{0, 0, 0x04, 0xd2}}
	if got := l.ks.id; got.IDType != want.IDType || got.Port != 0 || got.Protocol != 0 || string(got.Data) != string(want.Data) {
		t.Errorf("ID is %+v, want %+v", got, want)
	}
	if n := len(l.ks.ni); n < 8 || n > 128 {
		t.Errorf("Ni has %d octets", n)
	}
	if l.ks.gap != nil {
		t.Errorf("message 3 has %+v, and nothing was to be asked for", l.ks.gap)
	}
}

func TestSenderIDRequest(t *testing.T) {
	for _, c := range []struct {
		name string
		sa   policy.TrafficSA
		ask  bool
	}{{"counter mode", gcm(0x1001), true}, {"no counter mode", cbc(0x1001), false}} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config()
			cfg.SIDRequest = 3
			l := newLabWith(t, cfg, nil)
			l.ks.sas = []policy.TrafficSA{c.sa}
			l.start()
			if (l.ks.gap != nil) != c.ask {
				t.Fatalf("GAP is %v", l.ks.gap)
			}
			if c.ask {
				a := l.ks.gap.Attributes
				if len(a) != 1 || a[0].Type != gdoi.GAPSenderIDRequest || !a[0].Basic || string(a[0].Value) != "\x00\x03" {
					t.Errorf("GAP has %+v", a)
				}
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	l := newLab(t).start()
	var phase1, rekey, traffic, sids int
	for _, s := range l.secret {
		switch {
		case s.Phase1 != nil && len(s.Phase1.SKEYIDa) == 32:
			phase1++
		case s.Rekey != nil && s.Rekey.SPI == l.ks.rekey.SPI && s.Group == group:
			rekey++
		case s.Traffic != nil && s.Traffic.SPI == 0x1001 && len(s.Traffic.CipherKey) == 20:
			traffic++
		case s.SIDs != nil && s.SIDs.Values[0] == 5:
			sids++
		}
	}
	if phase1 != 1 || rekey != 1 || traffic != 1 || sids != 1 {
		t.Errorf("%d, %d, %d, %d secrets of Phase 1, KEK, TEK and SIDs; want one of each", phase1, rekey, traffic, sids)
	}
}

// A group without a KEK, one without TEKs, and one without rekey or TEKs.
func TestWhatARegistrationBrings(t *testing.T) {
	for _, c := range []struct {
		name        string
		rekey       *policy.RekeySA
		sas         []policy.TrafficSA
		spis, state string
	}{
		{"KEK and TEK", kek(1), []policy.TrafficSA{gcm(0x1001)}, "00001001*", "registered"},
		{"no KEK", nil, []policy.TrafficSA{gcm(0x1001)}, "00001001*", "registered"},
		{"KEK only", kek(1), nil, "", "registered"},
		{"two flows", kek(1), []policy.TrafficSA{gcm(0x1001), cbc(0x1002)}, "00001001* 00001002", "registered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.ks.rekey, l.ks.sas = c.rekey, c.sas
			if c.sas == nil {
				l.ks.sids = nil
			}
			l.start()
			l.want("state", l.status().State, c.state)
			l.want("SPIs", l.spis(), c.spis)
		})
	}
}

// The KEK came without TEKs: they come by PUSH.
func TestTrafficKeysByPush(t *testing.T) {
	l := newLab(t)
	l.ks.sas, l.ks.sids = nil, nil
	l.start()
	l.push(l.ks.makePush(pushSpec{seq: 1, sas: []policy.TrafficSA{cbc(0x2001)}}))
	l.want("SPIs", l.spis(), "00002001*")
}

// GM --> KS  the identity of another server: no group is asked for.
func TestForeignIdentity(t *testing.T) {
	l := newLab(t)
	l.ks.identity = netip.MustParseAddrPort("192.0.2.11:848")
	l.start()
	l.conversation(`
		GM --> MM1
		GM <-- MM2
		GM --> MM3
		GM <-- MM4
		GM --> MM5
		GM <-- MM6
		GM --> INFO
		KS: Phase 1 deleted`)
	l.want("refusals", l.refusals(), "RFC6407-3.1-02:1")
	l.want("state", l.status().State, "idle")
}

// Messages of the PULL that are not as they should be: the member drops them and waits for the right one.
func TestDroppedPullMessages(t *testing.T) {
	type change = func(o *core.Outgoing)
	nonce := func(n int) change {
		return func(o *core.Outgoing) { o.Payloads[0] = isakmp.Nonce{Data: make([]byte, n)} }
	}
	add := func(p isakmp.Payload) change { return func(o *core.Outgoing) { o.Payloads = append(o.Payloads, p) } }
	flip := func(o *core.Outgoing) {
		h := o.Payloads[0].(isakmp.Hash)
		h.Data = slices.Clone(h.Data)
		h.Data[3] ^= 1
		o.Payloads[0] = h
	}
	first := func(o *core.Outgoing) { o.Payloads = o.Payloads[:1] }
	last := func(o *core.Outgoing) { o.Payloads = o.Payloads[1:] }
	swap := func(o *core.Outgoing) { slices.Reverse(o.Payloads) }
	for _, c := range []struct {
		name   string
		stage  core.Stage
		kind   core.Kind
		change change
		id     string // of the refusal; empty: it is accepted
	}{
		{"HASH(2)", core.Authenticated, core.Pull2, flip, "RFC6407-3.3-01"},
		{"HASH(4)", core.Authenticated, core.Pull4, flip, "RFC6407-3.3-04"},
		{"Nr of 7", core.Built, core.Pull2, nonce(7), "RFC6407-5.8-01"},
		{"Nr of 8", core.Built, core.Pull2, nonce(8), ""},
		{"Nr of 128", core.Built, core.Pull2, nonce(128), ""},
		{"Nr of 129", core.Built, core.Pull2, nonce(129), "RFC6407-5.8-01"},
		{"no SA", core.Built, core.Pull2, first, "RFC6407-3.2-01"},
		{"no Nr", core.Built, core.Pull2, last, "RFC6407-3.2-01"},
		{"SA before Nr", core.Built, core.Pull2, swap, "RFC6407-3.2-01"},
		{"VID in message 2", core.Built, core.Pull2, add(isakmp.VID{Data: []byte("x")}), "RFC6407-3.2-01"},
		{"no SEQ", core.Built, core.Pull4, last, "RFC6407-3.2-01"},
		{"no KD", core.Built, core.Pull4, first, "RFC6407-3.2-01"},
		{"KD before SEQ", core.Built, core.Pull4, swap, "RFC6407-3.2-01"},
		{"Nonce in message 4", core.Built, core.Pull4, add(isakmp.Nonce{Data: make([]byte, 16)}), "RFC6407-3.2-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.ks.tap = alterAt(c.stage, c.kind, c.change)
			l.start()
			state, refusals := "pull", c.id+":1"
			if c.id == "" {
				state, refusals = "registered", ""
			}
			l.want("state", l.status().State, state)
			l.want("refusals", l.refusals(), refusals)
			if c.id != "" {
				l.want("SPIs", l.spis(), "")
			}
		})
	}
}

// Policy and keys that are not acceptable: the key server is told, and the member drops Phase 1.
func TestUnacceptablePolicy(t *testing.T) {
	policyIs := func(change func(sa *gdoi.SA)) core.Tap {
		return alter(core.Pull2, func(o *core.Outgoing) {
			sa := o.Payloads[1].(gdoi.SA)
			change(&sa)
			o.Payloads[1] = sa
		})
	}
	for _, c := range []struct {
		name, id string
		tap      core.Tap
		end      string
	}{
		{"unknown transform", "RFC2407-4.5.3-01", policyIs(func(sa *gdoi.SA) {
			esp := *sa.Attributes[1].(gdoi.SAT).ESP
			esp.TransformID = 4
			sa.Attributes[1] = gdoi.SAT{ProtocolID: 1, ESP: &esp}
		}), "GM --> INFO"},
		{"unknown SAK attribute", "RFC6407-5.3.2-01", policyIs(func(sa *gdoi.SA) {
			sak := sa.Attributes[0].(gdoi.SAK)
			sak.Attributes[0].Type = 77
			sa.Attributes[0] = sak
		}), "GM --> INFO"},
		{"one TEK of two", "RFC6407-3.2-18", alter(core.Pull4, func(o *core.Outgoing) {
			kd := o.Payloads[1].(gdoi.KD)
			kd.Packets = slices.Delete(kd.Packets, 1, 2)
			o.Payloads[1] = kd
		}), "GM --> INFO"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.ks.tap = c.tap
			l.ks.sas = []policy.TrafficSA{gcm(0x1001), gcm(0x1002)}
			l.start()
			if at := slices.Index(l.talk, c.end); at < 0 || l.talk[len(l.talk)-1] != "KS: Phase 1 deleted" {
				t.Errorf("the key server was not told:\n%s", l.story())
			}
			l.want("state", l.status().State, "idle")
			l.want("SPIs", l.spis(), "")
			if !strings.Contains(l.refusals(), c.id) {
				t.Errorf("refusals %s, want %s", l.refusals(), c.id)
			}
			l.ks.tap = nil
			l.run(10 * time.Second)
			l.want("state after the pause", l.status().State, "registered")
		})
	}
}

// Flows that the member does not let the group protect are left out; if nothing remains, the policy is not acceptable.
func TestAuthorisedFlows(t *testing.T) {
	sa := func(spi uint32, src, dst string) policy.TrafficSA {
		sa := gcm(spi)
		sa.Selector = policy.Selector{Source: prefix(src), Destination: prefix(dst)}
		return sa
	}
	for _, c := range []struct {
		name  string
		sas   []policy.TrafficSA
		spis  string
		state string
		count string
	}{
		{"inside", []policy.TrafficSA{sa(1, "10.1.0.0/16", "10.2.0.0/16")}, "00000001*", "registered", ""},
		{"equal", []policy.TrafficSA{sa(1, "10.0.0.0/8", "10.0.0.0/8")}, "00000001*", "registered", ""},
		{"one of two", []policy.TrafficSA{sa(1, "10.0.0.0/8", "10.0.0.0/8"), sa(2, "0.0.0.0/0", "10.0.0.0/8")},
			"00000001*", "registered", "RFC5374-4.1.3.5-03:1"},
		{"wider", []policy.TrafficSA{sa(1, "0.0.0.0/0", "0.0.0.0/0")}, "", "idle", "RFC5374-4.1.3.5-03:1"},
		{"elsewhere", []policy.TrafficSA{sa(1, "10.0.0.0/8", "172.16.0.0/12")}, "", "idle", "RFC5374-4.1.3.5-03:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config()
			cfg.Authorised = policy.Flows(policy.Selector{Source: prefix("10.0.0.0/8"), Destination: prefix("10.0.0.0/8")})
			l := newLabWith(t, cfg, nil)
			l.ks.sas = c.sas
			l.start()
			l.want("SPIs", l.spis(), c.spis)
			l.want("state", l.status().State, c.state)
			l.want("refusals", l.refusals(), c.count)
		})
	}
}

// The key server notifies an error, or ends Phase 1, in the middle of the PULL.
func TestInformationalDuringPull(t *testing.T) {
	for _, c := range []struct {
		name   string
		inform func(k *testKS) []byte
		state  string
	}{
		{"error", func(k *testKS) []byte {
			d, _ := k.sa.SealInformational(k.ike().Rand, k.sa.Notify(isakmp.NotifyInvalidIDInformation, nil))
			return d.Data
		}, "idle"},
		{"status", func(k *testKS) []byte {
			d, _ := k.sa.SealInformational(k.ike().Rand, k.sa.Notify(isakmp.NotifyType(24578), nil))
			return d.Data
		}, "pull"},
		{"delete", func(k *testKS) []byte { d, _ := k.sa.SealDelete(k.ike().Rand); return d.Data }, "idle"},
		{"forged", func(k *testKS) []byte {
			d, _ := k.sa.SealDelete(k.ike().Rand)
			d.Data[len(d.Data)-1] ^= 1
			return d.Data
		}, "pull"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.ks.hold = true
			l.start()
			l.push(c.inform(l.ks))
			l.want("state", l.status().State, c.state)
		})
	}
}

// A PULL message without a PULL, and one with cookies of nobody.
func TestStrayMessages(t *testing.T) {
	l := newLab(t)
	l.ks.hold = true
	l.start()
	message4 := l.ks.held
	l.push(message4)
	l.want("state", l.status().State, "registered")
	l.push(message4)
	stranger := slices.Clone(message4)
	stranger[0] ^= 1
	l.push(stranger, message4[:27], nil)
	l.want("refusals", l.refusals(), "RFC6407-7.2.4-01:4")
	l.want("SPIs", l.spis(), "00001001*")
}

func TestClear(t *testing.T) {
	l := registered(t)
	l.ks.deaf = true
	if r := l.command(control.Clear); r.Err != "" || string(r.Body) != "{}" {
		t.Errorf("clear answers %+v", r)
	}
	s := l.status()
	if s.State != "phase1" || s.Rekey != "" || len(s.SAs) != 0 || len(s.SIDs) != 0 {
		t.Errorf("after clear the status is %+v", s)
	}
	l.ks.deaf = false
	l.run(2 * time.Second)
	l.want("SPIs", l.spis(), "00001001*")
}

func TestRegisterCommand(t *testing.T) {
	l := registered(t)
	l.ks.sas = []policy.TrafficSA{gcm(0x1002)}
	l.ks.sids = &policy.SIDs{Bits: 8, Values: []uint32{6}}
	if r := l.command(control.Register); r.Err != "" {
		t.Errorf("register answers %+v", r)
	}
	l.want("SPIs", l.spis(), "00001002* 00001001")
	l.want("log", l.tags(), "REREGISTRATION REGISTRATION_START SA_INSTALLED REGISTERED")
}

// A registration that brings a counter mode without a Sender-ID: the member receives, but does not send.
func TestNoSenderIDAtRegistration(t *testing.T) {
	l := registered(t)
	l.ks.sas, l.ks.sids = []policy.TrafficSA{gcm(0x1002)}, nil
	l.command(control.Register)
	l.want("SPIs", l.spis(), "00001002 00001001")
	l.event(&core.Packet{From: core.Inside, Data: clearPacket()})
	if len(l.passed) != 0 {
		t.Errorf("%v left", l.passed)
	}
}

func TestUnknownCommand(t *testing.T) {
	l := registered(t)
	if r := l.command("reboot"); r.Err == "" || r.Body != nil {
		t.Errorf("an unknown command is answered by %+v", r)
	}
}
