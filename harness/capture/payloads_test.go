package capture_test

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// shown decodes payloads in a message of an exchange in clear.
func shown(t *testing.T, x isakmp.ExchangeType, ps ...isakmp.Payload) capture.Message {
	t.Helper()
	data, err := isakmp.Assemble(isakmp.Header{InitiatorCookie: isakmp.Cookie{1}, Version: isakmp.Version10, Exchange: x}, ps)
	if err != nil {
		t.Fatal(err)
	}
	talk := capturetest.New("payloads", policy.CipherAESGCM16)
	talk.UDP(netip.AddrPortFrom(capturetest.GM1, 848), netip.AddrPortFrom(capturetest.KS, 848), data)
	m := capture.Decode(talk.Frames, nil)[0]
	if name, ok := nested(m.Payloads, 0, len(data)); !ok {
		t.Errorf("%s is out of place", name)
	}
	return m
}

// place is a field that is to be found, and what is to be there.
type place struct {
	path, value    string
	offset, length int
}

func expectFields(t *testing.T, m capture.Message, places []place) {
	t.Helper()
	for _, p := range places {
		f, ok := find(m.Payloads, p.path)
		if !ok || f.Value != p.value || f.Offset != p.offset || f.Length != p.length {
			t.Errorf("%s: %q at %d length %d, want %q at %d length %d", p.path, f.Value, f.Offset, f.Length, p.value, p.offset, p.length)
		}
	}
}

func TestFieldsOfPhase1Payloads(t *testing.T) {
	m := shown(t, isakmp.ExchangeAggressive,
		isakmp.CERT{Encoding: isakmp.CertX509Signature, Data: []byte{0x30, 0}},
		isakmp.CR{Encoding: 77, Authority: []byte{0x30, 0}},
		isakmp.NATD{Data: []byte{1, 2, 3}},
		isakmp.NATOA{IDType: isakmp.IDIPv4Addr, Reserved2: [3]byte{0, 1, 2}, Address: []byte{192, 0, 2, 1}},
		isakmp.Raw{PayloadType: 130, Body: []byte{9}},
		isakmp.Notify{DOI: 1, Protocol: 1, NotifyType: isakmp.NotifyNoProposalChosen},
		isakmp.Delete{Protocol: 1, SPISize: 16, SPIs: [][]byte{make([]byte, 16)}},
		isakmp.ID{IDType: isakmp.IDFQDN, Protocol: 17, Port: 848, Data: []byte("gm")})
	expectFields(t, m, []place{
		{"CERT", "X.509 certificate - signature", 28, 7},
		{"CERT/Encoding", "X.509 certificate - signature (4)", 32, 1},
		{"CERT/Data", "3000", 33, 2},
		{"CR/Encoding", "77", 39, 1},
		{"CR/Data", "3000", 40, 2},
		{"NAT-D", "010203", 42, 7},
		{"NAT-OA", "192.0.2.1", 49, 12},
		{"NAT-OA/ID Type", "ID_IPV4_ADDR (1)", 53, 1},
		{"NAT-OA/RESERVED", "258", 54, 3},
		{"NAT-OA/Address", "c0000201", 57, 4},
		{"payload(130)", "09", 61, 5},
		{"N/DOI", "IPSEC (1)", 70, 4},
		{"N/Protocol", "ISAKMP (1)", 74, 1},
		{"N/Notify Type", "NO-PROPOSAL-CHOSEN (14)", 76, 2},
		{"D/DOI", "ISAKMP (0)", 82, 4},
		{"D/Protocol", "ISAKMP (1)", 86, 1},
		{"ID/Protocol", "UDP (17)", 111, 1},
		{"ID/Data", hex.EncodeToString([]byte("gm")), 114, 2},
	})
}

func TestFieldsOfSATs(t *testing.T) {
	traffic := isakmp.OIDIdentity{OID: wiretest.Hex(t, "060b2a8648ce5683e31a080102"), Payload: []byte{0xab}}
	m := shown(t, isakmp.ExchangePull, gdoi.SA{DOI: gdoi.DOI, Attributes: []isakmp.Payload{
		gdoi.SAT{ProtocolID: gdoi.ProtoIEC61850, IEC61850: &gdoi.SATIEC61850{Traffic: traffic, SPI: 0x61850001,
			Authentication: gdoi.IECAuthHMACSHA256, Encryption: 99, Remaining: 3600,
			Attributes: []wire.Attribute{wire.TLV32(gdoi.IECActivation, 5), wire.TV(gdoi.IECKeyAssurance, 100)}}},
	}})
	expectFields(t, m, []place{
		{"SA/SAT", "1.2.840.10070.61850.8.1.2 ab", 44, 46},
		{"SA/SAT/Protocol-ID", "IEC 61850 (3)", 48, 1},
		{"SA/SAT/OID Length", "13", 49, 1},
		{"SA/SAT/OID", "060b2a8648ce5683e31a080102", 50, 13},
		{"SA/SAT/OID Payload Length", "1", 63, 2},
		{"SA/SAT/OID Payload", "ab", 65, 1},
		{"SA/SAT/SPI", "61850001", 66, 4},
		{"SA/SAT/Auth Alg", "HMAC-SHA256 (3)", 70, 2},
		{"SA/SAT/Enc Alg", "99", 72, 2},
		{"SA/SAT/Remaining Lifetime", "3600", 74, 4},
		{"SA/SAT/SA_ATD", "5", 78, 8},
		{"SA/SAT/SA_KDA", "100", 86, 4},
	})

	m = shown(t, isakmp.ExchangePull, gdoi.SA{DOI: gdoi.DOI, Attributes: []isakmp.Payload{
		gdoi.SAT{ProtocolID: gdoi.ProtoIPsecAH, ESP: &gdoi.SATESP{TransformID: gdoi.AHSHA256, SPI: 7,
			Attributes: []wire.Attribute{wire.TV(gdoi.AuthAlgorithm, gdoi.AuthAES256GMAC), wire.TV(gdoi.ECNTunnel, 2)}}},
	}})
	expectFields(t, m, []place{
		{"SA/SAT/Protocol-ID", "AH (2)", 48, 1},
		{"SA/SAT/Protocol", "0", 49, 1},
		{"SA/SAT/Transform ID", "AH_SHA2-256 (5)", 58, 1},
		{"SA/SAT/Authentication Algorithm", "AES-256-GMAC (13)", 63, 4},
		{"SA/SAT/ECN Tunnel", "forbidden (2)", 67, 4},
	})
}

func TestFieldsOfLKHArrays(t *testing.T) {
	download, update := wiretest.Vector(t, "gdoi/lkh-download"), wiretest.Vector(t, "gdoi/lkh-update")
	spi := [16]byte{0xc0}
	kd := gdoi.KD{Packets: []gdoi.KeyPacket{
		gdoi.LKHPacket(spi, wire.TLV(gdoi.LKHDownloadArray, download)),
		gdoi.LKHPacket(spi, wire.TLV(gdoi.LKHUpdateArray, update), wire.TLV(gdoi.LKHSigAlgorithmKey, []byte{5})),
	}}
	m := shown(t, isakmp.ExchangePull, kd)
	const first = "KD/Key Packet LKH/LKH_DOWNLOAD_ARRAY"
	expectFields(t, m, []place{
		{first, hex.EncodeToString(download), 57, 104},
		{first + "/LKH Version", "1", 61, 1},
		{first + "/Keys", "2", 62, 2},
		{first + "/LKH Key/LKH ID", "4", 65, 2},
		{first + "/LKH Key/Key Type", "AES (3)", 67, 1},
		{first + "/LKH Key/Creation Date", "2023-09-12T06:06:56Z (1694498816)", 69, 4},
		{first + "/LKH Key/Expiration Date", "0", 73, 4},
		{first + "/LKH Key/Key Handle", "1", 77, 4},
		{first + "/LKH Key/Key Data", hex.EncodeToString(download[20:52]), 81, 32},
	})
	second := m.Payloads[0].Children[2].Children
	for i, want := range []string{"LKH Version", "Keys", "LKH ID", "Key Handle", "LKH Key"} {
		if got := second[1].Children[i].Name; second[1].Name != "LKH_UPDATE_ARRAY" || got != want {
			t.Errorf("%s, field %d is %s, want %s", second[1].Name, i, got, want)
		}
	}
	if !second[1].Secret || second[2].Name != "SIG_ALGORITHM_KEY" || second[2].Secret {
		t.Errorf("%+v", second)
	}
	for _, l := range capture.Redact([]capture.Message{m})[0].Lines() {
		if strings.HasPrefix(l.Name, "LKH Key") || strings.Contains(l.Value, "a0a1a2") {
			t.Errorf("%s is left: %s", l.Name, l.Value)
		}
	}
}

// An array that cannot be taken apart is shown as octets.
func TestFieldsOfBrokenLKHArrays(t *testing.T) {
	download := wiretest.Vector(t, "gdoi/lkh-download")
	unequal := append([]byte{1, 0, 3, 0}, make([]byte, 40+32+48)...) // as long as three keys of 40 octets
	unequal[6], unequal[46], unequal[78] = gdoi.KEKCipherAES, gdoi.KEKCipherDES, gdoi.KEKCipher3DES
	for name, array := range map[string][]byte{
		"nothing": nil, "cut": download[:60], "a count too high": append([]byte{1, 0, 3, 0}, download[4:]...), "unequal keys": unequal,
	} {
		m := shown(t, isakmp.ExchangePull, gdoi.KD{Packets: []gdoi.KeyPacket{gdoi.LKHPacket([16]byte{}, wire.TLV(gdoi.LKHDownloadArray, array))}})
		f, ok := find(m.Payloads, "KD/Key Packet LKH/LKH_DOWNLOAD_ARRAY")
		if !ok || f.Children != nil || f.Value != hex.EncodeToString(array) || m.Err != "" {
			t.Errorf("%s: %+v %s", name, f, m.Err)
		}
	}
}

func TestFieldsOfIdentities(t *testing.T) {
	for _, tt := range []struct {
		typ       uint8
		hex, want string
	}{
		{isakmp.IDIPv6Addr, "20010db8000000000000000000000001", "2001:db8::1"},
		{isakmp.IDIPv4Addr, "c00002", "c00002"},
		{isakmp.IDFQDN, "676d31", `"gm1"`},
		{isakmp.IDUserFQDN, "0a", `"\n"`},
		{isakmp.IDDERASN1DN, "3010310e300c06035504030c0547444c4142", `"CN=GDLAB"`},
		{isakmp.IDDERASN1DN, "3010310e", "3010310e"},
		{isakmp.IDDERASN1GN, "8201", "8201"},
		{isakmp.IDKeyID, "000004d2", "1234"},
		{isakmp.IDKeyID, "04d2", "04d2"},
		{isakmp.IDOID, "05 0603550403 0002 aabb", "2.5.4.3 aabb"},
		{isakmp.IDOID, "02 ffff 0000", "ffff"},
		{isakmp.IDOID, "05 0603", "050603"},
		{200, "01", "01"},
	} {
		m := shown(t, isakmp.ExchangePull, isakmp.ID{IDType: tt.typ, Data: wiretest.Hex(t, tt.hex)})
		if f, _ := find(m.Payloads, "ID"); f.Value != tt.want {
			t.Errorf("%v: %s, want %s", isakmp.IDType(tt.typ), f.Value, tt.want)
		}
	}
}
