package mib_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/policy"
)

var (
	now    = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	rekey  = strings.Repeat("0a", 16)
	net10  = netip.MustParsePrefix("10.0.0.0/8")
	server = netip.MustParseAddrPort("192.0.2.1:848")
	member = netip.MustParseAddrPort("192.0.2.9:848")
)

func kek() *control.KEK {
	return control.KEKOf(policy.RekeySA{Source: server, Destination: netip.MustParseAddrPort("239.1.2.3:848"), Cipher: policy.KEKAES, KeyBits: 192,
		SigHash: policy.SigHashSHA256, SigAlgorithm: policy.SigRSA, SigKeyBits: 2048, Lifetime: time.Hour})
}

func sa(spi string, sending bool, s policy.Selector, t policy.Transform) control.SA {
	return control.SA{SPI: spi, Selector: s.String(), Expiry: now.Add(90 * time.Second), Sending: sending,
		Detail: control.DetailOf(policy.TrafficSA{Selector: s, Transform: t, Lifetime: 2 * time.Minute})}
}

var (
	flow = policy.Selector{Source: net10, Destination: net10}
	gcm  = policy.Transform{Protocol: policy.ProtocolESP, Cipher: policy.CipherAESGCM16, KeyBits: 256, Mode: policy.ModeTunnel}
	gmac = policy.Transform{Protocol: policy.ProtocolESP, Cipher: policy.CipherGMAC, KeyBits: 128, Mode: policy.ModeTransport}
	cbc  = policy.Transform{Protocol: policy.ProtocolESP, Cipher: policy.CipherAESCBC, KeyBits: 128, Integrity: policy.IntegrityHMACSHA256, Mode: policy.ModeTunnel}
)

func ksStatus() control.KSStatus {
	return control.KSStatus{Time: now, Address: server.String(), Groups: []control.KSGroup{{
		Name: "red", ID: 1234, Rekey: rekey, Sequence: 7, RekeyExpiry: now.Add(30 * time.Minute), KEK: kek(),
		SAs: []control.SA{sa("00000100", true, flow, gcm)}, Members: []control.KSMember{{}, {}},
		RekeyCounts: control.RekeyCounts{Rekeys: 7, Retransmits: 2, Took: 345},
	}, {Name: "bare", ID: 9}}}
}

func gmStatus() control.GMStatus {
	return control.GMStatus{Time: now, Address: member.String(), GMGroup: control.GMGroup{
		Group: 1234, State: "registered", KeyServer: server.String(), Rekey: rekey, Sequence: 6, RekeyExpiry: now.Add(-time.Second), KEK: kek(),
		SAs: []control.SA{sa("00000200", false, flow, gcm), sa("00000100", true, flow, gcm),
			sa("00000100", true, policy.Selector{Source: netip.MustParsePrefix("10.0.0.7/32"), Destination: net10, DestinationPort: 53}, gcm)},
	}}
}

const (
	root    = ".1.3.6.1.4.1.9.9.759"
	group   = ".11.4.0.0.4.210"
	ksIndex = group + ".1.4.192.0.2.1"
	gmIndex = group + ".1.4.192.0.2.9"
)

// wants compares single instances, by the numbers that the module gives them.
func wants(t *testing.T, table mib.Table, want map[string]mib.Value) {
	t.Helper()
	for name, value := range want {
		o, ok := mib.ParseOID(root + name)
		got, found := table.Get(o)
		if diff := cmp.Diff(value, got); !ok || !found || diff != "" {
			t.Errorf("%s: %v\n%s", name, found, diff)
		}
	}
}

func text(s string) mib.Value          { return mib.Value{Kind: mib.Octets, Octets: []byte(s)} }
func integer(n uint32) mib.Value       { return mib.Value{Kind: mib.Integer, Number: n} }
func unsigned(n uint32) mib.Value      { return mib.Value{Kind: mib.Unsigned32, Number: n} }
func counter(n uint32) mib.Value       { return mib.Value{Kind: mib.Counter32, Number: n} }
func binary(b ...byte) mib.Value       { return mib.Value{Kind: mib.Octets, Octets: b} }
func spi() mib.Value                   { return binary([]byte(strings.Repeat("\x0a", 16))...) }
func network(a, m byte) []byte         { return []byte{a, 0, 0, 0, m, 0, 0, 0} }
func last(o mib.OID, n uint32) mib.OID { return append(slices.Clone(o[:len(o)-1]), n) }

func TestKeyServer(t *testing.T) {
	wants(t, mib.KeyServer(ksStatus(), true), map[string]mib.Value{
		".1.1.1.2" + group: unsigned(4), ".1.1.1.4" + group: text("red"), ".1.1.1.5" + group: unsigned(2), ".1.1.1.6" + group: unsigned(0),
		".1.1.1.7" + group: unsigned(3), ".1.1.1.8" + group: unsigned(345), ".1.1.1.4.11.4.0.0.0.9": text("bare"),
		".1.1.1.7.11.4.0.0.0.9": unsigned(0),
		".1.2.1.1.2" + ksIndex:  unsigned(4), ".1.2.1.1.4" + ksIndex: spi(), ".1.2.1.1.5" + ksIndex: counter(7), ".1.2.1.1.6" + ksIndex: integer(1),
		".1.2.1.1.7" + ksIndex: unsigned(2), ".1.2.1.1.4.11.4.0.0.0.9.1.4.192.0.2.1": {Kind: mib.Octets, Octets: []byte{}},
		".1.3.1.1.2" + ksIndex + ".1": spi(), ".1.3.1.1.3" + ksIndex + ".1": integer(1), ".1.3.1.1.4" + ksIndex + ".1": unsigned(4),
		".1.3.1.1.5" + ksIndex + ".1": binary(192, 0, 2, 1), ".1.3.1.1.6" + ksIndex + ".1": binary(3, 80),
		".1.3.1.1.9" + ksIndex + ".1": binary(239, 1, 2, 3), ".1.3.1.1.11" + ksIndex + ".1": integer(2), ".1.3.1.1.13" + ksIndex + ".1": integer(12),
		".1.3.1.1.14" + ksIndex + ".1": unsigned(192), ".1.3.1.1.15" + ksIndex + ".1": integer(5), ".1.3.1.1.16" + ksIndex + ".1": integer(1),
		".1.3.1.1.17" + ksIndex + ".1": unsigned(2048), ".1.3.1.1.19" + ksIndex + ".1": unsigned(3600), ".1.3.1.1.20" + ksIndex + ".1": unsigned(1800),
		".1.3.1.1.21" + ksIndex + ".1": integer(1), ".1.3.3.1.10" + ksIndex + ".1": integer(1), ".1.3.4.1.2" + ksIndex + ".1.1": binary(0, 0, 1, 0),
		".1.3.4.1.11" + ksIndex + ".1.1": integer(1), ".1.3.4.1.11" + ksIndex + ".1.2": integer(2),
		".1.4.1.0": integer(1), ".1.4.2.0": integer(1), ".1.4.5.0": integer(2), ".1.4.12.0": integer(2), ".1.4.15.0": integer(2),
	})
}

func TestMember(t *testing.T) {
	wants(t, mib.Member(gmStatus(), false), map[string]mib.Value{
		".1.1.1.4" + group: text("1234"), ".1.2.2.1.2" + gmIndex: unsigned(4), ".1.2.2.1.4" + gmIndex: integer(1), ".1.2.2.1.5" + gmIndex: unsigned(4),
		".1.2.2.1.6" + gmIndex: binary(192, 0, 2, 1), ".1.2.2.1.7" + gmIndex: spi(), ".1.2.2.1.8" + gmIndex: counter(6), ".1.2.2.1.9" + gmIndex: counter(2),
		".1.3.2.1.20" + gmIndex + ".1": unsigned(0),
		".1.3.5.1.2" + gmIndex + ".1":  integer(4), ".1.3.5.1.3" + gmIndex + ".1": unsigned(8), ".1.3.5.1.4" + gmIndex + ".1": binary(network(10, 255)...),
		".1.3.5.1.2" + gmIndex + ".2": integer(1), ".1.3.5.1.4" + gmIndex + ".2": binary(10, 0, 0, 7), ".1.3.5.1.9" + gmIndex + ".2": binary(0, 53),
		".1.3.6.1.2" + gmIndex + ".1.1": binary(0, 0, 2, 0), ".1.3.6.1.11" + gmIndex + ".1.1": integer(1), ".1.3.6.1.2" + gmIndex + ".1.2": binary(0, 0, 1, 0),
		".1.3.6.1.11" + gmIndex + ".1.3": integer(2), ".1.3.6.1.3" + gmIndex + ".1.1": integer(1), ".1.3.6.1.4" + gmIndex + ".1.1": integer(20),
		".1.3.6.1.5" + gmIndex + ".1.1": unsigned(256), ".1.3.6.1.6" + gmIndex + ".1.1": integer(0), ".1.3.6.1.7" + gmIndex + ".1.1": unsigned(0),
		".1.3.6.1.9" + gmIndex + ".1.1": unsigned(120), ".1.3.6.1.10" + gmIndex + ".1.1": unsigned(90), ".1.4.6.0": integer(2),
	})
}

// A member that has nothing of a key server is registered with none, though it is about to ask one.
func TestMemberWithoutKeys(t *testing.T) {
	s := gmStatus()
	s.GMGroup = control.GMGroup{Group: 1234, State: "phase1", KeyServer: server.String()}
	wants(t, mib.Member(s, false), map[string]mib.Value{
		".1.2.2.1.6" + gmIndex: {Kind: mib.Octets}, ".1.2.2.1.9" + gmIndex: counter(0), ".1.2.2.1.7" + gmIndex: {Kind: mib.Octets, Octets: []byte{}},
	})
}

func TestTransforms(t *testing.T) {
	for transform, want := range map[policy.Transform][4]uint32{gmac: {21, 128, 0, 0}, cbc: {12, 128, 12, 256}} {
		s := gmStatus()
		s.SAs = []control.SA{sa("00000100", false, flow, transform)}
		table := mib.Member(s, false)
		for i, v := range want {
			o, _ := mib.ParseOID(root + ".1.3.6.1.4" + gmIndex + ".1.1")
			o[len(mib.Root)+4] += uint32(i)
			if got, ok := table.Get(o); !ok || got.Number != v {
				t.Errorf("%s: %s is %d, want %d", transform, o, got.Number, v)
			}
		}
	}
}

// Only a window of time is one of the module's.
func TestWindow(t *testing.T) {
	for replay, want := range map[*control.Replay]uint32{{Method: "time", Window: "100s"}: 100, {Method: "counter", Window: "64"}: 0, {Method: "none"}: 0, nil: 0} {
		s := gmStatus()
		s.SAs[0].Replay = replay
		wants(t, mib.Member(s, false), map[string]mib.Value{".1.3.6.1.8" + gmIndex + ".1.1": unsigned(want)})
	}
}

// GETNEXT goes through all objects in their order, each of a known column, and every readable column is met.
func TestOrder(t *testing.T) {
	ipv6 := gmStatus()
	ipv6.Address = "[2001:db8::9]:848"
	ipv6.SAs = []control.SA{sa("00000100", true, policy.Selector{Source: netip.MustParsePrefix("2001:db8::/32"), Destination: netip.MustParsePrefix("::1/128")}, cbc)}
	met := make(map[string]bool)
	for _, table := range []mib.Table{mib.KeyServer(ksStatus(), true), mib.Member(gmStatus(), true), mib.Member(ipv6, false)} {
		at, n := mib.Root, 0
		for o, ok := table.Next(at); ok; o, ok = table.Next(at) {
			if slices.Compare(at, o.OID) >= 0 || !mib.Known(o.OID) {
				t.Fatalf("%s behind %s", o.OID, at)
			}
			if v, ok := table.Get(o.OID); !ok || !cmp.Equal(v, o.Value) {
				t.Errorf("%s: %v, %v", o.OID, v, ok)
			}
			for _, c := range mib.Columns() {
				met[c.Name] = met[c.Name] || o.OID.In(c.OID)
			}
			at, n = o.OID, n+1
		}
		if n != len(table.Objects()) {
			t.Errorf("%d of %d objects were met", n, len(table.Objects()))
		}
	}
	for _, c := range mib.Columns() {
		if !met[c.Name] {
			t.Errorf("nobody has %s", c.Name)
		}
		if found, ok := mib.Find(c.Name); !ok || !found.OID.In(c.OID) || !c.OID.In(found.OID) {
			t.Errorf("%s is found as %v", c.Name, found)
		}
	}
}

func TestOIDs(t *testing.T) {
	for _, s := range []string{"", ".", "1..2", "1.x", "1.4294967296", "-1"} {
		if o, ok := mib.ParseOID(s); ok {
			t.Errorf("%q is %s", s, o)
		}
	}
	table := mib.Member(gmStatus(), false)
	first, _ := table.Next(nil)
	if _, ok := table.Get(last(first.OID, 77)); ok || !mib.Known(last(first.OID, 77)) || mib.Known(mib.Root) {
		t.Error("an instance that is not there")
	}
	if _, ok := mib.Find("sysUpTime"); ok {
		t.Error("of another module")
	}
}

func TestNotifications(t *testing.T) {
	var teller mib.Teller
	for _, c := range []struct {
		role, tag string
		want      mib.Notification
	}{
		{"KS", "REGISTERED", mib.KSRegistrationComplete}, {"KS", "REKEY_SENT", mib.KSRekeyPushed},
		{"KS", "STARTED", 0}, {"GM", "REGISTRATION_START", mib.MemberRegister}, {"GM", "REGISTERED", mib.MemberRegistered},
		{"GM", "REREGISTRATION", mib.MemberReRegister}, {"GM", "REGISTRATION_START", 0}, {"GM", "REGISTRATION_START", mib.MemberRegister},
		{"GM", "REKEY_ACCEPTED", mib.MemberRekeyReceived}, {"KS", "REGISTRATION_ASKED", mib.KSNewRegistration},
		{"KS", "KS_NO_RSA_KEYS", mib.KSNoRSAKeys}, {"KS", "GM_DELETE", mib.KSMemberDeleted}, {"GM", "GM_INCOMPLETE_CFG", mib.MemberIncompleteConfig},
		{"GM", "GM_NO_IPSEC_FLOWS", mib.MemberNoIPsecFlows}, {"GM", "GDOI_REKEY_FAILURE", mib.MemberRekeyFailure},
		{"GM", "GDOI_REKEY_SEQ_FAILURE", mib.MemberRekeyFailure}, {"GM", "PSEUDO_TIME_TOO_OLD", mib.MemberRekeyFailure},
	} {
		if n, ok := teller.Tell(c.role, &core.Log{Tag: c.tag}); n != c.want || ok != (n != 0) {
			t.Errorf("%s of a %s: %d", c.tag, c.role, n)
		}
	}
	if got := mib.MemberRekeyReceived.OID().String(); got != root+".0.8" {
		t.Error(got)
	}
	if got := mib.MemberRekeyReceived.Carries(mib.Member(gmStatus(), true)); len(got) != 3 || got[2].Value.Number != 6 {
		t.Errorf("%v", got)
	}
	if got := mib.MemberRekeyReceived.Carries(mib.Table{}); got != nil {
		t.Errorf("%v", got)
	}
}
