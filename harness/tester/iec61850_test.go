package tester

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// iecMessage is message 2 with a SAT of IEC 61850 and one of ESP.
func iecMessage() *core.Outgoing {
	return &core.Outgoing{Kind: core.Pull2, Payloads: []isakmp.Payload{gdoi.SA{DOI: 2, Attributes: []isakmp.Payload{
		gdoi.SAT{ProtocolID: gdoi.ProtoIEC61850, IEC61850: &gdoi.SATIEC61850{Traffic: isakmp.OIDIdentity{OID: []byte{6, 1, 0x2a}}, SPI: 7,
			Authentication: gdoi.IECAuthHMACSHA256, Encryption: gdoi.IECEncryptionAES128CBC, Remaining: 60}},
		gdoi.SAT{ProtocolID: gdoi.ProtoIPsecESP, ESP: &gdoi.SATESP{SPI: 8}},
	}}}}
}

// TestIECDeviations has each deviation change what it says in the SAT of IEC 61850 and nothing in the other.
func TestIECDeviations(t *testing.T) {
	for _, c := range []struct {
		deviation Deviation
		want      func(s *gdoi.SATIEC61850) bool
	}{
		{IECTraffic(core.Pull2, []byte{9}), func(s *gdoi.SATIEC61850) bool { return bytes.Equal(s.Traffic.OID, []byte{9}) }},
		{IECSPI(core.Pull2, 0), func(s *gdoi.SATIEC61850) bool { return s.SPI == 0 }},
		{IECLifetime(core.Pull2, 5), func(s *gdoi.SATIEC61850) bool { return s.Remaining == 5 }},
		{IECAuthentication(core.Pull2, 6), func(s *gdoi.SATIEC61850) bool { return s.Authentication == 6 }},
		{IECEncryption(core.Pull2, 6), func(s *gdoi.SATIEC61850) bool { return s.Encryption == 6 }},
		{IECUnauthenticated(core.Pull2, 3), func(s *gdoi.SATIEC61850) bool { return s.Encryption == 3 && s.Authentication == gdoi.IECAuthNone }},
		{IECAttributes(core.Pull2, "one more", wire.TV(2, 9)), func(s *gdoi.SATIEC61850) bool { return len(s.Attributes) == 1 }},
	} {
		o, before := iecMessage(), iecMessage()
		c.deviation.Tap.See(core.Built, o)
		sa, was := o.Payloads[0].(gdoi.SA), before.Payloads[0].(gdoi.SA)
		if !c.want(sa.Attributes[0].(gdoi.SAT).IEC61850) || c.want(was.Attributes[0].(gdoi.SAT).IEC61850) || sa.Attributes[1].(gdoi.SAT).ESP.SPI != 8 {
			t.Errorf("%s: %+v", c.deviation.Name, sa)
		}
		if !strings.HasPrefix(c.deviation.Section, "RFC 8052") {
			t.Errorf("%s is of %q", c.deviation.Name, c.deviation.Section)
		}
	}
}

// TestKeyOctets cuts a key and makes one longer.
func TestKeyOctets(t *testing.T) {
	for _, octets := range []int{2, 6} {
		o := &core.Outgoing{Kind: core.Pull4, Payloads: []isakmp.Payload{gdoi.KD{Packets: []gdoi.KeyPacket{gdoi.TEKPacket(1,
			wire.TLV(gdoi.TEKAlgorithmKey, []byte("aaaa")), wire.TLV(gdoi.TEKIntegrityKey, []byte("bbbb")))}}}}
		KeyOctets(core.Pull4, gdoi.TEKIntegrityKey, octets).Tap.See(core.Built, o)
		as := o.Payloads[0].(gdoi.KD).Packets[0].Attributes
		if len(as[0].Value) != 4 || len(as[1].Value) != octets {
			t.Errorf("keys of %d and %d octets, want 4 and %d", len(as[0].Value), len(as[1].Value), octets)
		}
	}
}

// TestAHKeys makes packets and reads them; of a changed one the ICV is not right.
func TestAHKeys(t *testing.T) {
	entry := keylog.Entry{Kind: keylog.KindAH, SPI: "00001234", Integrity: 5, IntegrityKey: strings.Repeat("ab", 32)}
	keys, err := NewAHKeys(entry)
	if err != nil {
		t.Fatal(err)
	}
	inner := lab.IPv4{Source: netip.MustParseAddr("10.0.0.1"), Destination: netip.MustParseAddr("10.0.0.2"), Protocol: 1, Payload: []byte("12345678")}.Bytes()
	ip, _ := lab.ParseIPv4(keys.Packet(inner, AHSequence(9)))
	c, err := keys.Read(ip)
	if err != nil || c.Sequence != 9 || c.SPI != 0x1234 || c.Next != 4 || c.ICV != 16 || !bytes.Equal(c.Payload, inner) {
		t.Errorf("%+v: %v", c, err)
	}
	ip.ID++
	if _, err := keys.Read(ip); err == nil {
		t.Error("another Identification does no harm")
	}
	if other, _ := lab.ParseIPv4(keys.Packet(inner, AHUnder(5))); other.Protocol != ProtocolAH {
		t.Errorf("protocol %d", other.Protocol)
	}
	entry.Kind = keylog.KindTraffic
	if _, err := NewAHKeys(entry); err == nil {
		t.Error("the key of another protocol is taken")
	}
}
