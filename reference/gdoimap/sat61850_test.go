package gdoimap

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// TestIECRoundTrip sends every combination of algorithms, with keys, and reads it back.
func TestIECRoundTrip(t *testing.T) {
	for i, transform := range policy.IECTransforms() {
		sa := policy.TrafficSA{SPI: uint32(0x1000 + i), Lifetime: time.Hour, Transform: transform,
			Selector:  policy.Selector{Traffic: policy.OIDName{OID: "1.2.840.10070.61850.8.1.2", Payload: "\x01\x00"}},
			CipherKey: make([]byte, transform.CipherKeyLen()), IntegrityKey: make([]byte, transform.IntegrityKeyLen()),
			Handling: policy.IECHandling{ATD: new(7 * time.Second), KDA: new(100)}}
		sas := []policy.TrafficSA{sa}
		got, err := ReadSA(SAOf(nil, policy.Activation{}, sas, nil), nil)
		if err != nil {
			t.Fatalf("%s: %v", transform, err)
		}
		if _, err := got.AddKeys(KDOf(nil, sas, nil, nil), nil); err != nil {
			t.Fatalf("%s: %v", transform, err)
		}
		if diff := cmp.Diff(sas, got.SAs, cmpopts.EquateEmpty(), cmpopts.EquateComparable(policy.Selector{})); diff != "" {
			t.Errorf("%s: -want +got\n%s", transform, diff)
		}
	}
}

// TestGroupOID names groups by object identifiers, and refuses what is none.
func TestGroupOID(t *testing.T) {
	want := policy.OIDName{OID: "2.999.2147483647", Payload: "\x00\xff"}
	id, err := GroupOID(want)
	if err != nil || id.IDType != isakmp.IDOID {
		t.Fatalf("ID type %d: %v", id.IDType, err)
	}
	if got, ok := ReadGroupOID(id.Data); !ok || got != want {
		t.Errorf("got %v, %v", got, ok)
	}
	for n := range id.Data {
		if got, ok := ReadGroupOID(id.Data[:n]); ok {
			t.Errorf("%d octets name %v", n, got)
		}
	}
	if id, err := GroupOID(policy.OIDName{OID: "no numbers"}); err != nil || len(id.Data) != 3 {
		t.Errorf("what is no object identifier is sent as %x: %v", id.Data, err)
	}
}

func FuzzReadGroupOID(f *testing.F) {
	id, _ := GroupOID(policy.OIDName{OID: "1.2.840.10070.61850.8.1.2", Payload: "x"})
	f.Add(id.Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		name, ok := ReadGroupOID(data)
		if !ok {
			return
		}
		again, err := GroupOID(name)
		if err != nil {
			t.Fatalf("%v: %v", name, err)
		}
		if back, ok := ReadGroupOID(again.Data); !ok || back != name {
			t.Errorf("%v becomes %v", name, back)
		}
	})
}

// TestIECSATLifetime reads a lifetime of 0, which says that there is none.
func TestIECSATLifetime(t *testing.T) {
	body := gdoi.SATIEC61850{Traffic: oidOf(policy.OIDName{OID: "1.2.3"}), SPI: 1, Authentication: gdoi.IECAuthHMACSHA256,
		Encryption: gdoi.IECEncryptionNone}
	sa, err := read61850(&body, nil)
	if err != nil || sa.Lifetime < 100*365*24*time.Hour {
		t.Errorf("lifetime %v: %v", sa.Lifetime, err)
	}
}

// The order in a fixture of IEC 61850: SATs and TEKs alike.
const (
	atHMAC = iota
	atIECCBC
	atIECGCM
)

// iecSAs are SAs of IEC 61850.
func iecSAs() (sas []policy.TrafficSA) {
	for i, t := range []policy.Transform{
		{Authentication: policy.IECAuthHMACSHA256, Encryption: policy.IECEncryptNone},
		{Authentication: policy.IECAuthGMAC128, Encryption: policy.IECEncryptCBC256},
		{Authentication: policy.IECAuthNone, Encryption: policy.IECEncryptGCM128},
	} {
		t.Protocol = policy.ProtocolIEC61850
		sa := policy.TrafficSA{SPI: uint32(0x401 + i), Transform: t, Lifetime: time.Hour,
			Selector: policy.Selector{Traffic: policy.OIDName{OID: "1.2.3", Payload: "here"}}}
		if n := t.CipherKeyLen(); n > 0 {
			sa.CipherKey = from(1, n)
		}
		if n := t.IntegrityKeyLen(); n > 0 {
			sa.IntegrityKey = from(0x80, n)
		}
		sas = append(sas, sa)
	}
	sas[atHMAC].Handling = policy.IECHandling{ATD: new(time.Second), KDA: new(50)}
	return sas
}

func newIEC(rules *rule.Switches) *fixture {
	return &fixture{sa: SAOf(nil, policy.Activation{}, iecSAs(), rules), kd: KDOf(nil, iecSAs(), nil, rules)}
}

// neglectedIEC are what refuses when a duty about IEC 61850 is neglected; nil: nothing.
var neglectedIEC = map[*rule.Guard]*rule.Guard{
	dutyIECProtocol:       checkProtocol,
	dutyIECTraffic:        nil,
	dutyIECLifetime:       nil,
	dutyIECAuthentication: checkIECAlgorithm,
	dutyIECEncryption:     checkIECAlgorithm,
	dutyIECAttributes:     checkIECAttribute,
	dutyIECCBC:            checkIECCBC,
	dutyIECAuthenticated:  checkIECCBC,
	dutyIECDelay:          nil,
	dutyIECKey:            checkIECKey,
	dutyIECIntegrityKey:   checkIECIntegrityKey,
	dutyIECPacket:         checkKDType,
}

// iecRefusals alter the fixture of IEC 61850.
var iecRefusals = []refusal{
	{"no OID", checkIECTraffic, satIEC(atHMAC, func(s *gdoi.SATIEC61850) { s.Traffic.OID = nil })},
	{"OID that is text", checkIECTraffic, satIEC(atHMAC, func(s *gdoi.SATIEC61850) { s.Traffic.OID = []byte("1.2.3") })},
	{"SPI 0", checkIECSPI, func(f *fixture) {
		satIEC(atHMAC, func(s *gdoi.SATIEC61850) { s.SPI = 0 })(f)
		f.kd.Packets[atHMAC].SPI = make([]byte, 4)
	}},
	{"authentication 6", checkIECAlgorithm, satIEC(atHMAC, func(s *gdoi.SATIEC61850) { s.Authentication = 6 })},
	{"encryption 0", checkIECAlgorithm, satIEC(atHMAC, func(s *gdoi.SATIEC61850) { s.Encryption = 0 })},
	{"CBC without authentication", checkIECCBC, func(f *fixture) {
		satIEC(atIECCBC, func(s *gdoi.SATIEC61850) { s.Authentication = gdoi.IECAuthNone })(f)
		keyWithout(atIECCBC, gdoi.TEKIntegrityKey)(f)
	}},
	{"unknown attribute", checkIECAttribute, satIEC(atHMAC, func(s *gdoi.SATIEC61850) { s.Attributes = with(s.Attributes, wire.TV(3, 1)) })},
	{"SA_KDA of 101", checkIECAssurance, satIEC(atHMAC, func(s *gdoi.SATIEC61850) {
		s.Attributes = with(s.Attributes, wire.TV(gdoi.IECKeyAssurance, 101))
	})},
	{"HMAC key of 20 octets", checkIECIntegrityKey, keyWith(atHMAC, wire.TLV(gdoi.TEKIntegrityKey, from(0, 20)))},
	{"GCM key without salt", checkIECKey, keyWith(atIECGCM, wire.TLV(gdoi.TEKAlgorithmKey, from(0, 16)))},
}

func satIEC(at int, alter func(*gdoi.SATIEC61850)) func(*fixture) {
	return func(f *fixture) {
		f.sat(at, func(p *gdoi.SAT) {
			body := *p.IEC61850
			alter(&body)
			p.IEC61850 = &body
		})
	}
}
