package capture_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// find returns the first field of that path, as "SA/SAT/SPI".
func find(fields []capture.Field, path string) (capture.Field, bool) {
	name, rest, more := strings.Cut(path, "/")
	for _, f := range fields {
		if f.Name != name {
			continue
		}
		if !more {
			return f, true
		}
		return find(f.Children, rest)
	}
	return capture.Field{}, false
}

func TestFields(t *testing.T) {
	talk := conversation(policy.CipherAESCBC)
	got := capture.Decode(talk.Frames, talk.Keys)
	spi := talk.Rekey.SPI.String()
	for _, test := range []struct {
		frame          int
		path, value    string
		offset, length int
	}{
		{1, "SA/DOI", "GDOI (2)", 32, 4},
		{1, "SA/P/Protocol", "ISAKMP (1)", 45, 1},
		{1, "SA/P/T/Transform ID", "KEY_IKE (1)", 53, 1},
		{1, "SA/P/T/Encryption Algorithm", "AES-CBC (7)", 56, 4},
		{1, "SA/P/T/Life Duration", "86400", 80, 8},
		{mm5, "ID", "192.0.2.11", 28, 12},
		{pull1, "ID", "1001", 100, 12},
		{pull1, "ID/ID Type", "ID_KEY_ID (11)", 104, 1},
		{pull2, "SA/SA Attribute Next Payload", "SAK (15)", 112, 2},
		{pull2, "SA/SAK/SPI", spi, 137, 16},
		{pull2, "SA/SAK/Destination", "ID_IPV4_ADDR 239.192.0.1 port 848", 129, 8},
		{pull2, "SA/SAK/KEK_ACK_REQUESTED", "REKEY_ACK_KEK_SHA256 (1)", 185, 4},
		{pull2, "SA/GAP/DEACTIVATION_TIME_DELAY", "10", 197, 4},
		{pull2, "SA/SAT/Source", "ID_IPV4_ADDR_SUBNET 10.0.0.0/255.0.0.0", 207, 12},
		{pull2, "SA/SAT/Transform ID", "ESP_AES-CBC (12)", 231, 1},
		{pull2, "SA/SAT/Authentication Algorithm", "HMAC-SHA2-256 (5)", 260, 4},
		{pull4, "SEQ", "0", 64, 8},
		{pull4, "KD/Key Packets", "3", 76, 2},
		{pull4, "KD/Key Packet KEK/KEK_ALGORITHM_KEY", hex.EncodeToString(append(slices.Clone(talk.Rekey.IV), talk.Rekey.Key...)), 101, 36},
		{pull4, "KD/Key Packet TEK/TEK_INTEGRITY_KEY", hex.EncodeToString(talk.SAs[0].IntegrityKey), 464, 36},
		{pull4, "KD/Key Packet SID/SID_VALUE", "1", 509, 8},
		{espFrame, "Sequence", "1", 4, 4},
		{espFrame, "IPv4", "10.1.0.10 -> 10.2.0.10 ICMP echo request id 7 seq 7", 24, 84},
		{espFrame, "Pad Length", "10", 118, 1},
		{pushFrame, "SEQ", "1", 28, 8},
		{ackFrame, "ID", "192.0.2.11", 72, 12},
	} {
		f, ok := find(got[test.frame-1].Payloads, test.path)
		if !ok || f.Value != test.value || f.Offset != test.offset || f.Length != test.length {
			t.Errorf("frame %d, %s: %q at %d length %d, want %q at %d length %d", test.frame, test.path, f.Value, f.Offset, f.Length,
				test.value, test.offset, test.length)
		}
	}
}

// nested reports the first field that does not lie inside its parent or behind its elder.
func nested(fields []capture.Field, from, to int) (string, bool) {
	for _, f := range fields {
		if f.Offset < from || f.Length < 0 || f.Offset+f.Length > to {
			return f.Name, false
		}
		if name, ok := nested(f.Children, f.Offset, f.Offset+f.Length); !ok {
			return name, false
		}
		from = f.Offset + f.Length
	}
	return "", true
}

// Every field lies in the message, inside the one that it belongs to, and fields do not overlap.
func TestFieldsAreInPlace(t *testing.T) {
	for _, cipher := range []policy.Cipher{policy.CipherAESGCM16, policy.CipherAESCBC} {
		talk := conversation(cipher)
		for i, m := range capture.Decode(talk.Frames, talk.Keys) {
			if name, ok := nested(m.Payloads, 0, len(talk.Frames[i].Packet)); !ok {
				t.Errorf("frame %d: %s is out of place", i+1, name)
			}
		}
	}
}

// What is no proper payload is shown all the same.
func TestFieldsOfUnusualPayloads(t *testing.T) {
	talk := capturetest.New("unusual", policy.CipherAESGCM16)
	count := uint16(9)
	talk.PushPayloads(
		isakmp.Framed{Payload: gdoi.SEQ{Number: 5}, Reserved: 3},
		isakmp.Delete{DOI: 2, Protocol: 77, SPISize: 0, Count: &count},
		isakmp.Delete{DOI: 2, Protocol: 0, SPISize: 16, SPIs: [][]byte{make([]byte, 16)}},
		isakmp.Raw{PayloadType: 200, Body: []byte{1, 2, 3}},
		gdoi.SA{DOI: 2, Reserved2: 1, Attributes: []isakmp.Payload{
			gdoi.SAT{ProtocolID: 128, Raw: []byte{9, 8}}, gdoi.SAT{ProtocolID: 129, Raw: []byte{7}}, isakmp.Raw{PayloadType: 99, Body: []byte{6}}}},
		gdoi.KD{Count: &count, Reserved2: 4, Packets: []gdoi.KeyPacket{{Type: gdoi.KDTypeLKH, Reserved: 1}, {Type: 9}}},
		isakmp.Notify{NotifyType: 8192, SPI: []byte{1}, Data: []byte{2}},
	)
	m := capture.Decode(talk.Frames, talk.Keys)[0]
	if want := "HDR*, SEQ 5, D protocol 77, D KEK all, payload(200), SA {2 SAT, payload(99)}, KD, N notify(8192), SIG"; m.Summary != want {
		t.Errorf("%s\nwant %s", m.Summary, want)
	}
	for path, value := range map[string]string{"SEQ/RESERVED": "3", "D/SPIs": "9", "payload(200)": "010203", "SA/RESERVED": "1", "SA/SAT/Body": "0908",
		"KD/Key Packets": "9", "KD/RESERVED": "4", "KD/Key Packet LKH/RESERVED": "1", "N/Notify Type": "notify(8192) (8192)", "N/SPI": "01"} {
		if f, ok := find(m.Payloads, path); !ok || f.Value != value {
			t.Errorf("%s: %q, want %q", path, f.Value, value)
		}
	}
	if name, ok := nested(m.Payloads, 0, 4096); !ok {
		t.Errorf("%s is out of place", name)
	}
}

// A layout that breaks shows what came before the break, the rest as octets, and where.
func TestFieldsOfBrokenMessage(t *testing.T) {
	talk := capturetest.New("broken", policy.CipherAESGCM16)
	talk.PushPayloads(gdoi.SEQ{Number: 5}, isakmp.Framed{Payload: gdoi.KD{}, LengthDelta: 1000})
	m := capture.Decode(talk.Frames, talk.Keys)[0]
	rest, ok := find(m.Payloads, "unreadable")
	if seq, found := find(m.Payloads, "SEQ"); !found || seq.Value != "5" || !ok || rest.Offset != 36 || !rest.Secret {
		t.Errorf("%+v", m.Payloads)
	}
	if m.Summary != "HDR*, SEQ 5, unreadable" || !strings.Contains(m.Err, "octet 38") || m.Checks[0].Result != capture.Bad {
		t.Errorf("%s", line(m))
	}
}

// Endpoints of a SAK and a SAT as they are shown, of both families and without data.
func TestFieldsOfEndpoints(t *testing.T) {
	ipv6 := func(first, last byte) []byte {
		return append([]byte{0x20, 1, 0x0d, 0xb8}, append(make([]byte, 11), first, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last)...)
	}
	for _, test := range []struct {
		id   gdoi.ID16
		want string
	}{
		{gdoi.ID16{Type: isakmp.IDIPv4AddrSubnet}, "ID_IPV4_ADDR_SUBNET"},
		{gdoi.ID16{Type: isakmp.IDIPv4AddrSubnet, Port: 848}, "ID_IPV4_ADDR_SUBNET port 848"},
		{gdoi.ID16{Type: isakmp.IDIPv4AddrSubnet, Data: []byte{10, 0, 0, 0, 255, 0, 0, 0}}, "ID_IPV4_ADDR_SUBNET 10.0.0.0/255.0.0.0"},
		{gdoi.ID16{Type: isakmp.IDIPv4AddrSubnet, Data: []byte{10, 0}}, "ID_IPV4_ADDR_SUBNET 0a00"},
		{gdoi.ID16{Type: isakmp.IDIPv4AddrRange, Data: []byte{10, 0, 0, 0, 10, 0, 0, 9}}, "ID_IPV4_ADDR_RANGE 10.0.0.0-10.0.0.9"},
		{gdoi.ID16{Type: isakmp.IDIPv6AddrSubnet, Data: ipv6(0, 0)}, "ID_IPV6_ADDR_SUBNET 2001:db8::/ffff::"},
		{gdoi.ID16{Type: isakmp.IDIPv6AddrRange, Data: ipv6(1, 9)}, "ID_IPV6_ADDR_RANGE 2001:db8::1-ffff::9"},
	} {
		talk := capturetest.New("endpoints", policy.CipherAESGCM16)
		talk.PushPayloads(gdoi.SEQ{Number: 1}, gdoi.SA{DOI: gdoi.DOI, Attributes: []isakmp.Payload{gdoi.SAT{ProtocolID: gdoi.ProtoIPsecESP, ESP: &gdoi.SATESP{Source: test.id, Destination: test.id}}}})
		m := capture.Decode(talk.Frames, talk.Keys)[0]
		if f, ok := find(m.Payloads, "SA/SAT/Source"); !ok || f.Value != test.want {
			t.Errorf("%q, want %q (%s)", f.Value, test.want, line(m))
		}
	}
}
