package gdoimap

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

func TestRoundTrip(t *testing.T) {
	acked := exampleRekey()
	acked.Ack = policy.AckKEKSHA256
	acked.KeyBits, acked.Key = 256, from(0, 32)
	strong := exampleRekey()
	strong.Ack, strong.SigHash = policy.AckKEKSHA512, policy.SigHashSHA512
	strong.KeyBits, strong.Key = 192, from(0, 24)
	unicast := exampleRekey()
	unicast.Destination = netip.AddrPortFrom(netip.IPv4Unspecified(), 848)
	everything := cbcSA()
	everything.SPI = 0x200
	everything.Selector = policy.Selector{Source: anyAddress, Destination: anyAddress}
	everything.Transform.KeyBits, everything.CipherKey = 192, from(0, 24)
	rekey6 := exampleRekey()
	rekey6.Source, rekey6.Destination = netip.MustParseAddrPort("[2001:db8::1]:848"), netip.MustParseAddrPort("[ff05::848]:848")
	prefix6, host6, any6 := gcmSA(), gcmSA(), gcmSA()
	prefix6.Selector.Source, prefix6.Selector.Destination = netip.MustParsePrefix("2001:db8:8000::/33"), netip.MustParsePrefix("ff15::1/128")
	host6.SPI, any6.SPI = 0x201, 0x202
	host6.Selector.Source, host6.Selector.Destination = netip.MustParsePrefix("2001:db8::7/128"), netip.MustParsePrefix("::/0")
	any6.Selector.Source, any6.Selector.Destination = netip.MustParsePrefix("::/0"), netip.MustParsePrefix("2001:db8::/127")
	transport := gcmSA()
	transport.Transform.Mode, transport.Transform.Preservation = policy.ModeTransport, policy.PreserveAbsent
	inUDP, transportInUDP := gcmSA(), transport
	inUDP.Transform.Mode, transportInUDP.Transform.Mode = policy.ModeUDPTunnel, policy.ModeUDPTransport
	shared := gcmSA() // a second flow of the same SA
	shared.Selector.Destination = netip.MustParsePrefix("172.16.0.0/12")

	for name, c := range map[string]struct {
		rekey *policy.RekeySA
		act   policy.Activation
		sas   []policy.TrafficSA
		sids  *policy.SIDs
	}{
		"all":              {exampleRekey(), exampleActivation(), []policy.TrafficSA{exampleSA(), cbcSA()}, &policy.SIDs{Bits: 12, Values: []uint32{0xabc, 0}}},
		"KEK alone":        {acked, policy.Activation{}, nil, nil},
		"SHA-512":          {strong, policy.Activation{}, nil, nil},
		"3DES":             {tripleRekey(), policy.Activation{}, nil, nil},
		"ECDSA":            {ecdsaRekey(), policy.Activation{}, nil, nil},
		"unicast":          {unicast, policy.Activation{ATD: seconds(0)}, []policy.TrafficSA{everything}, nil},
		"TEK alone":        {nil, policy.Activation{DTD: seconds(65535)}, []policy.TrafficSA{gcmSA()}, &policy.SIDs{Bits: 32, Values: []uint32{0xffffffff}}},
		"SAs of one key":   {nil, policy.Activation{}, []policy.TrafficSA{gcmSA(), cbcSA(), shared}, nil},
		"no SID to give":   {nil, policy.Activation{}, []policy.TrafficSA{gcmSA()}, &policy.SIDs{Bits: 16}},
		"IPv6":             {rekey6, policy.Activation{}, []policy.TrafficSA{prefix6, host6, any6}, nil},
		"transport mode":   {nil, policy.Activation{}, []policy.TrafficSA{transport}, nil},
		"tunnel in UDP":    {nil, policy.Activation{}, []policy.TrafficSA{inUDP}, nil},
		"transport in UDP": {nil, policy.Activation{}, []policy.TrafficSA{transportInUDP}, nil},
		"several GCM SAs":  {exampleRekey(), policy.Activation{}, []policy.TrafficSA{exampleSA(), cbcSA(), everything}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{sa: SAOf(c.rekey, c.act, c.sas, nil), kd: KDOf(c.rekey, c.sas, c.sids, nil)}
			p, sids, err := f.receive(t, nil)
			if err != nil {
				t.Fatal(err)
			}
			if want := (Policy{Rekey: c.rekey, Activation: c.act, SAs: c.sas}); !reflect.DeepEqual(p, want) {
				t.Errorf("got  %+v\nwant %+v", p, want)
			}
			if !reflect.DeepEqual(sids, c.sids) {
				t.Errorf("SIDs %+v, want %+v", sids, c.sids)
			}
		})
	}
}

// Every transform comes back, with and without extended sequence numbers.
func TestTransforms(t *testing.T) {
	var sas []policy.TrafficSA
	for _, transform := range policy.Transforms() {
		for _, esn := range []bool{false, true} {
			sa := exampleSA()
			transform.ESN, transform.Mode = esn, policy.ModeTunnel
			sa.SPI, sa.Transform, sa.CipherKey, sa.IntegrityKey = uint32(1000+len(sas)), transform, nil, nil
			if n := transform.CipherKeyLen(); n > 0 {
				sa.CipherKey = from(byte(len(sas)), n)
			}
			if n := transform.IntegrityKeyLen(); n > 0 {
				sa.IntegrityKey = from(byte(len(sas)), n)
			}
			sas = append(sas, sa)
		}
	}
	f := &fixture{sa: SAOf(nil, policy.Activation{}, sas, nil), kd: KDOf(nil, sas, nil, nil)}
	p, _, err := f.receive(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.SAs, sas) {
		t.Errorf("got  %+v\nwant %+v", p.SAs, sas)
	}
}

// The datagram that keys came in is not theirs.
func TestNothingIsShared(t *testing.T) {
	f := newFixture(nil)
	p, kdBody := offered(t, f), body(t, f.kd)
	kd, err := gdoi.ParseKD(kdBody, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.AddKeys(kd, nil); err != nil {
		t.Fatal(err)
	}
	clear(kdBody)
	want := Policy{Rekey: exampleRekey(), Activation: exampleActivation(), SAs: []policy.TrafficSA{gcmSA(), cbcSA()}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

// offered is the policy of message 2.
func offered(t *testing.T, f *fixture) Policy {
	t.Helper()
	sa, err := gdoi.ParseSA(body(t, f.sa), 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadSA(sa, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Keys find their SAs in any order of key packets (RFC 6407 §3.3).
func TestOrderOfKeyPackets(t *testing.T) {
	f := newFixture(nil)
	f.packets(atSID, atTEKofCBC, atKEK, atTEKofGCM)
	p, _, err := f.receive(t, nil)
	if err != nil || !reflect.DeepEqual(p.SAs, []policy.TrafficSA{gcmSA(), cbcSA()}) {
		t.Errorf("%+v, %v", p.SAs, err)
	}
}

// With an error the policy is as it was.
func TestAllKeysOrNone(t *testing.T) {
	f := newFixture(nil)
	p, before := offered(t, f), offered(t, f)
	f.packets(atKEK, atTEKofGCM)
	if _, err := p.AddKeys(f.kd, nil); err == nil {
		t.Fatal("a KD that lacks a key was taken")
	}
	if !reflect.DeepEqual(p, before) {
		t.Errorf("policy is now %+v", p)
	}
}

// Without any TEK packet the member waits for a PUSH (RFC 6407 §5.6.1), if one can come.
func TestKeysByPush(t *testing.T) {
	f := newFixture(nil)
	f.packets(atKEK)
	p, _, err := f.receive(t, nil)
	if err != nil || len(p.SAs) != 0 || p.Rekey == nil {
		t.Errorf("%+v, %v", p, err)
	}
	f = newFixture(nil)
	f.order(atGAP, atGCM)
	f.packets()
	if _, _, err := f.receive(t, nil); err == nil || violated(t, err) != checkComplete {
		t.Errorf("without Rekey SA: %v", err)
	}
}

// Whatever a receiver may be sent, and has to take.
func TestTolerance(t *testing.T) {
	for name, c := range map[string]struct {
		alter func(*fixture)
		want  func(Policy, *policy.SIDs) bool
	}{
		"KEK_KEY_LIFETIME as TV": {
			func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Attributes = with(p.Attributes, wire.TV(4, 3600)) }) },
			func(p Policy, _ *policy.SIDs) bool { return p.Rekey.Lifetime == time.Hour },
		},
		"no KEK_KEY_LIFETIME": {
			func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Attributes = without(p.Attributes, 4) }) },
			func(p Policy, _ *policy.SIDs) bool { return p.Rekey.Lifetime == 24*time.Hour },
		},
		"no SIG_KEY_LENGTH": {
			func(f *fixture) { f.sak(func(p *gdoi.SAK) { p.Attributes = without(p.Attributes, 7) }) },
			func(p Policy, _ *policy.SIDs) bool { return p.Rekey.SigKeyBits == 2048 },
		},
		"KEK_KEY_LENGTH of 3DES": {
			both(withRekey(tripleRekey), sakWith(wire.TV(gdoi.KEKKeyLength, 192))),
			func(p Policy, _ *policy.SIDs) bool { return p.Rekey.Cipher == policy.KEK3DES && p.Rekey.KeyBits == 192 },
		},
		"no SIG_HASH_ALGORITHM with ECDSA": {
			both(withRekey(ecdsaRekey), sakWithout(gdoi.SigHashAlgorithm)),
			func(p Policy, _ *policy.SIDs) bool { return p.Rekey.SigHash == policy.SigHashSHA256 },
		},
		"SIG_ALGORITHM_KEY as RSAPublicKey": {
			func(f *fixture) {
				k := &f.kd.Packets[atKEK]
				k.Attributes = with(k.Attributes, wire.TLV(gdoi.SigAlgorithmKey, pkcs1()))
			},
			func(p Policy, _ *policy.SIDs) bool { return string(p.Rekey.PublicKey) == string(der(signerPEM)) },
		},
		"SA Life Duration as TV": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Attributes = with(p.ESP.Attributes, wire.TV(2, 600)) })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Lifetime == 10*time.Minute },
		},
		"SA Life Duration of eight octets": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Attributes = with(p.ESP.Attributes, wire.TLV(2, from(0xff, 8))) })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Lifetime == (1<<32-1)*time.Second },
		},
		"the same lifetime twice": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) {
					p.ESP.Attributes = append(p.ESP.Attributes, wire.TV(1, 1), wire.TLV32(2, 3600))
				})
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Lifetime == time.Hour },
		},
		"the same attribute twice": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Attributes = append(p.ESP.Attributes, wire.TV(4, 1)) })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Transform.Mode == policy.ModeTunnel },
		},
		"no Address Preservation": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Attributes = without(p.ESP.Attributes, 14) })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Transform.Preservation == policy.PreserveAbsent },
		},
		"no Encapsulation Mode": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Attributes = without(p.ESP.Attributes, 4) })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Transform.Mode == policy.ModeTunnel },
		},
		"source of no octets": {
			func(f *fixture) { f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Source = gdoi.ID16{} }) },
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Selector.Source == anyAddress },
		},
		"source 0.0.0.0": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Source = gdoi.ID16{Type: 1, Data: make([]byte, 4)} })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Selector.Source == anyAddress },
		},
		"source of no octets to IPv6": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) {
					p.ESP.Source, p.ESP.Destination = gdoi.ID16{}, gdoi.ID16{Type: 5, Data: from(0x20, 16)}
				})
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Selector.Source.String() == "::/0" },
		},
		"source ::": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) {
					p.ESP.Source, p.ESP.Destination = gdoi.ID16{Type: 5, Data: make([]byte, 16)}, gdoi.ID16{Type: 5, Data: from(0x20, 16)}
				})
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Selector.Source.String() == "::/0" },
		},
		"a range that is a prefix": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Destination = gdoi.ID16{Type: 7, Data: []byte{10, 2, 4, 0, 10, 2, 7, 255}} })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Selector.Destination.String() == "10.2.4.0/22" },
		},
		"a range of one address": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Destination = gdoi.ID16{Type: 7, Data: []byte{10, 2, 4, 1, 10, 2, 4, 1}} })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Selector.Destination.String() == "10.2.4.1/32" },
		},
		"a range of all addresses": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Source = gdoi.ID16{Type: 7, Data: []byte{0, 0, 0, 0, 255, 255, 255, 255}} })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Selector.Source == anyAddress },
		},
		"a range of IPv6 that is a prefix": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) {
					first, last := make([]byte, 16), []byte{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff}
					copy(first, last[:15])
					p.ESP.Source = gdoi.ID16{}
					p.ESP.Destination = gdoi.ID16{Type: 8, Data: append(first, last...)}
				})
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Selector.Destination.String() == "2001:db8::/120" },
		},
		"transport mode": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Attributes = with(p.ESP.Attributes, wire.TV(4, 2)) })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Transform.Mode == policy.ModeTransport },
		},
		"host bits in a subnet": {
			func(f *fixture) {
				f.sat(atGCM, func(p *gdoi.SAT) { p.ESP.Source.Data = []byte{10, 1, 2, 3, 255, 255, 0, 0} })
			},
			func(p Policy, _ *policy.SIDs) bool { return p.SAs[0].Selector.Source.String() == "10.1.0.0/16" },
		},
		"SIDs of one to four octets": {
			func(f *fixture) {
				f.kd.Packets[atSID].Attributes = []wire.Attribute{wire.TV(1, 8), wire.TLV(2, []byte{1}), wire.TLV(2, []byte{0, 2}),
					wire.TV(2, 3), wire.TLV(2, []byte{0, 0, 4}), wire.TLV32(2, 255)}
			},
			func(_ Policy, s *policy.SIDs) bool { return reflect.DeepEqual(s.Values, []uint32{1, 2, 3, 4, 255}) },
		},
		"two SID packets": {
			func(f *fixture) { f.packets(atSID, atKEK, atTEKofGCM, atTEKofCBC, atSID) },
			func(_ Policy, s *policy.SIDs) bool { return reflect.DeepEqual(s.Values, []uint32{5, 6, 5, 6}) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(nil)
			c.alter(f)
			p, sids, err := f.receive(t, nil)
			if err != nil || !c.want(p, sids) {
				t.Errorf("%+v, %+v, %v", p, sids, err)
			}
		})
	}
}
