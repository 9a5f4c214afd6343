package capture_test

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// shown2 decodes a message of IKEv2; cut leaves out so many of its last octets.
func shown2(t *testing.T, h isakmp.Header, cut int, ps ...isakmp.Payload) capture.Message {
	t.Helper()
	h.InitiatorCookie, h.Version = isakmp.Cookie{1}, ikev2.Version20
	data, err := ikev2.Assemble(h, ps)
	if err != nil {
		t.Fatal(err)
	}
	talk := capturetest.New("ikev2", policy.CipherAESGCM16)
	talk.UDP(netip.AddrPortFrom(capturetest.GM1, 500), netip.AddrPortFrom(capturetest.KS, 500), data[:len(data)-cut])
	return capture.Decode(talk.Frames, nil)[0]
}

func TestIKEv2(t *testing.T) {
	m := shown2(t, isakmp.Header{Exchange: ikev2.ExchangeIKESAInit, Flags: ikev2.FlagInitiator}, 0,
		ikev2.Notify{NotifyType: ikev2.NotifyCookie, Data: []byte{1, 2}},
		ikev2.SA{Proposals: []ikev2.Proposal{{Number: 1, Protocol: ikev2.ProtocolIKE, Transforms: []ikev2.Transform{
			{Type: ikev2.TransformENCR, ID: ikev2.ENCRAESCBC, Attributes: []wire.Attribute{wire.TV(ikev2.AttrKeyLength, 256)}},
			{Type: ikev2.TransformKE, ID: 19}}}}},
		ikev2.KE{Group: 19, Data: []byte{0xaa}}, ikev2.Nonce{Data: []byte{3}})
	if m.Kind != capture.KindIKEv2 || m.Summary != "IKE_SA_INIT request 0" || m.Encrypted || m.Err != "" {
		t.Errorf("%+v", m)
	}
	expectFields(t, m, []place{
		{"N", "COOKIE 0102", 28, 10}, {"SA", "1 IKE ENCR 12-256 KE 19", 38, 32}, {"KE", "group 19, aa", 70, 9}, {"Nonce", "03", 79, 5},
	})
	sealed := ikev2.SK{Inner: ikev2.PayloadIDi, Body: make([]byte, 40)}
	m = shown2(t, isakmp.Header{Exchange: ikev2.ExchangeIKEAuth, Flags: ikev2.FlagResponse, MessageID: 1}, 0, sealed)
	if m.Summary != "IKE_AUTH response 1" || !m.Encrypted { // its number is that of acknowledgements in IKEv1
		t.Errorf("%+v", m)
	}
	expectFields(t, m, []place{{"SK", "40 octets, the first payload is IDi", 28, 44}})
	if m = shown2(t, isakmp.Header{Exchange: isakmp.ExchangePushACK}, 0, isakmp.Hash{}); m.Kind != "PUSH-ACK" {
		t.Errorf("an acknowledgement that says another version: %+v", m)
	}
	// What a marker too many puts there: of these headers version and exchange are octets of a cookie, and the length is the Message ID.
	for _, header := range []string{
		"00000000" + "00000000a0be5d23de7d2d200018ee7e" + "fa2ac267" + "08102001" + "dd1a6e8f" + "0000007c",
		"00000000" + "000000008cba72dda29407c6dd451ee0" + "4b23ab51" + "05100201" + "00000000" + "0000004c",
	} {
		shifted, err := hex.DecodeString(header)
		if err != nil {
			t.Fatal(err)
		}
		talk := capturetest.New("shifted", policy.CipherAESGCM16)
		talk.UDP(netip.AddrPortFrom(capturetest.GM1, 4500), netip.AddrPortFrom(capturetest.KS, 4500), append(shifted, make([]byte, 96)...))
		if m = capture.Decode(talk.Frames, nil)[0]; m.Kind == capture.KindIKEv2 || m.Kind == "" {
			t.Errorf("a message with two markers: %+v", m)
		}
	}
	if m = shown2(t, isakmp.Header{Exchange: ikev2.ExchangeInformational}, 3, ikev2.Delete{Protocol: 1}, ikev2.Nonce{Data: []byte{3}}); m.Err == "" {
		t.Errorf("a message that is cut short: %+v", m)
	}
}
