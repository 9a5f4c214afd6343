package capture_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gdoilab/gdoilab/docs/schema"
	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/capture/capturetest"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

const printed = `frame 1  0.000000 s  wan  192.0.2.1:848 -> 239.192.0.1:848  PUSH  HDR*, SEQ 7, SIG
    note: the number before
    SIG: ok
        0    28  HDR
        0     8    Initiator Cookie: 0fd4c4b5e7d28ab9
        8     8    Responder Cookie: e4a5a0b2b1d63a2e
       16     1    Next Payload: SEQ (18)
       17     1    Version: 1.0
       18     1    Exchange: GROUPKEY-PUSH (33)
       19     1    Flags: 0x01 E
       20     4    Message ID: 00000000
       24     4    Length: 300
       28     8  SEQ: 7
       36   260  SIG: 5a0c… (260 octets)

frame 2  0.001000 s  wan  192.0.2.1:848 -> 239.192.0.1:848  PUSH  HDR*, SEQ 7, SIG
    the same octets as frame 1
    SIG: ok
`

func TestPrint(t *testing.T) {
	talk := capturetest.New("print", policy.CipherAESGCM16)
	talk.PushPayloads(gdoi.SEQ{Number: 7})
	talk.Again(1)
	talk.Frames[0].Note = "the number before"
	messages := capture.Decode(talk.Frames, talk.Keys)
	var b strings.Builder
	if err := capture.Print(&b, messages); err != nil {
		t.Fatal(err)
	}
	h := messages[0].Header
	want := strings.NewReplacer("0fd4c4b5e7d28ab9", h.InitiatorCookie.String(), "e4a5a0b2b1d63a2e", h.ResponderCookie.String(),
		"5a0c", messages[0].Payloads[1].Value[:64]).Replace(printed)
	if b.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", b.String(), want)
	}
}

func TestPrintClosedAndBroken(t *testing.T) {
	talk := conversation(policy.CipherAESGCM16)
	var b strings.Builder
	if err := capture.Print(&b, capture.Decode(append(talk.Frames, capture.Frame{Packet: []byte{1}}), nil)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"encrypted; no key opens it", "HASH(1): unchecked (not decrypted)", "error: not an IPv4 packet: 1 octets", "  other\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("nothing says %q", want)
		}
	}
}

// talkJSON is a conversation in its JSON form.
func talkJSON(t testing.TB, c capture.Conversation) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := capture.WriteJSON(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestJSON(t *testing.T) {
	talk := conversation(policy.CipherAESCBC)
	talk.Frames = append(talk.Frames, capture.Frame{At: talk.Now, Packet: []byte{1}, Note: "odd"})
	talk.Again(mm5)
	messages := capture.Decode(talk.Frames, talk.Keys)
	c := capture.Conversation{Nodes: capture.Nodes(messages, nil), Messages: messages}
	text := talkJSON(t, c)
	back, err := capture.ReadJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, c) {
		t.Error("what was written is not what is read")
	}
	s, err := schema.Compile(schema.Decode)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"conversation": text, "empty": talkJSON(t, capture.Conversation{})} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := capture.ReadJSON(strings.NewReader(`{"messages":7}`)); err == nil {
		t.Error("a number of messages is read as messages")
	}
}

func TestNodes(t *testing.T) {
	talk := capturetest.New("nodes", policy.CipherAESGCM16)
	talk.Register(capturetest.GM2, 2)
	talk.Register(capturetest.GM1, 1)
	talk.Push()
	talk.Sender(1).Send(capturetest.Host1, capturetest.Host2, 1)
	messages := capture.Decode(talk.Frames, talk.Keys)
	for name, test := range map[string]struct {
		known map[string]string
		want  []capture.Node
	}{
		"inferred": {nil, []capture.Node{{"192.0.2.1", "KS", "KS"}, {"192.0.2.11", "GM1", "GM"}, {"192.0.2.12", "GM2", "GM"},
			{"10.1.0.10", "host1", "host"}, {"10.2.0.10", "host2", "host"}}},
		"some known": {map[string]string{"192.0.2.12": "branch", "10.2.0.10": "printer"}, []capture.Node{{"192.0.2.1", "KS", "KS"},
			{"192.0.2.11", "GM1", "GM"}, {"192.0.2.12", "branch", "GM"}, {"10.1.0.10", "host1", "host"}, {"10.2.0.10", "printer", "host"}}},
	} {
		if got := capture.Nodes(messages, test.known); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	two := []capture.Message{{Kind: "MM2", From: netip.MustParseAddrPort("10.0.0.1:848"), To: netip.MustParseAddrPort("10.0.0.9:848")},
		{Kind: "MM2", From: netip.MustParseAddrPort("10.0.0.2:848"), To: netip.MustParseAddrPort("10.0.0.9:848")}}
	if got := capture.Nodes(two, nil); got[0].Name != "KS1" || got[1].Name != "KS2" || got[2].Name != "GM1" {
		t.Errorf("%v", got)
	}
	report := capture.Message{Kind: capture.KindClear, From: netip.MustParseAddrPort("[fe80::1]:0"), To: netip.MustParseAddrPort("[ff02::16]:0")}
	if got := capture.Nodes([]capture.Message{report}, nil); len(got) != 0 {
		t.Errorf("an address of a link is a node: %v", got)
	}
}

// secrets are all octet strings of a key log that nobody else may see.
func secrets(keys []keylog.Entry) []string {
	var all []string
	for _, k := range keys {
		for _, s := range []string{k.SKEYID, k.SKEYIDd, k.SKEYIDa, k.SKEYIDe, k.CipherKey, k.Key, k.IntegrityKey, k.FirstIV, k.Shared} {
			if s != "" {
				all = append(all, s)
			}
		}
	}
	return all
}

func TestRedact(t *testing.T) {
	for _, cipher := range []policy.Cipher{policy.CipherAESGCM16, policy.CipherAESCBC} {
		talk := conversation(cipher)
		messages := capture.Decode(talk.Frames, talk.Keys)
		before := talkJSON(t, capture.Conversation{Messages: messages})
		redacted := talkJSON(t, capture.Conversation{Messages: capture.Redact(messages)})
		if !bytes.Equal(before, talkJSON(t, capture.Conversation{Messages: messages})) {
			t.Error("Redact changes what it was given")
		}
		shown := 0
		for _, s := range append(secrets(talk.Keys), "67726f75702074726166666963") { // "group traffic"
			if bytes.Contains(before, []byte(s)) {
				shown++
			}
			if bytes.Contains(redacted, []byte(s)) {
				t.Errorf("%s is still there", s)
			}
		}
		if shown < 3 {
			t.Errorf("only %d secrets were there before: the test sees nothing", shown)
		}
		if !json.Valid(redacted) || !bytes.Contains(redacted, []byte(talk.Rekey.SPI.String())) {
			t.Error("redaction took more than secrets")
		}
	}
}
