package esphost_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/esphost"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// mirror is a host that tells of what it is to send.
type mirror struct {
	place    esphost.Place
	sas      []esphost.SA
	received func(esphost.Datagram)
}

func (m *mirror) Place(p esphost.Place, received func(esphost.Datagram)) error {
	m.place, m.received = p, received
	return nil
}

func (m *mirror) Install(sas []esphost.SA) error { m.sas = sas; return nil }

func (m *mirror) Send(d esphost.Datagram) error {
	if m.received == nil {
		return errors.New("not placed")
	}
	m.received(d)
	return nil
}

// converse has requests be answered and returns what came back.
func converse(t *testing.T, h esphost.Host, requests ...[]byte) (answers []esphost.Message) {
	t.Helper()
	var out bytes.Buffer
	if err := esphost.Serve(bytes.NewReader(bytes.Join(requests, nil)), &out, h); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		m, err := esphost.Parse([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, m)
	}
	return answers
}

func request(t *testing.T, id uint64, method string, params any) []byte {
	t.Helper()
	line, err := esphost.Request(id, method, params)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

var (
	place = esphost.Place{Interface: "wan0", Inside: netip.MustParseAddr("10.0.2.2"), WAN: netip.MustParsePrefix("192.0.2.22/24"),
		Remotes: []esphost.Remote{{Host: netip.MustParseAddr("10.0.1.2"), Via: netip.MustParseAddr("192.0.2.21"), Link: "02:00:00:00:00:01"}}}
	sa       = esphost.SA{Keys: keylog.Entry{Kind: keylog.KindTraffic, SPI: "00000100"}, Window: 64, First: 1<<32 - 1}
	datagram = esphost.Datagram{From: netip.MustParseAddr("10.0.2.2"), To: netip.MustParseAddr("10.0.1.2"), Data: []byte("a\n\x00")}
)

func TestServe(t *testing.T) {
	var h mirror
	answers := converse(t, &h, request(t, 1, esphost.MethodPlace, place), request(t, 2, esphost.MethodInstall, []esphost.SA{sa}),
		request(t, 3, esphost.MethodSend, datagram))
	if len(answers) != 4 || answers[0].ID != 1 || answers[1].ID != 2 || answers[3].ID != 3 || answers[3].Error != nil {
		t.Fatalf("%+v", answers)
	}
	var got esphost.Datagram
	if err := json.Unmarshal(answers[2].Params, &got); err != nil || answers[2].Method != esphost.MethodReceived || string(got.Data) != string(datagram.Data) {
		t.Errorf("%+v: %v", answers[2], err)
	}
	if len(h.place.Remotes) != 1 || h.place.Inside != place.Inside || len(h.sas) != 1 || h.sas[0].First != sa.First || h.sas[0].Keys.SPI != sa.Keys.SPI {
		t.Errorf("%+v", h)
	}
}

func TestServeFailures(t *testing.T) {
	for _, tt := range []struct {
		line string
		code int
		want string
	}{
		{"nonsense", -32700, "invalid character"},
		{`{"id": 1, "method": "send"}`, -32700, `version "" of JSON-RPC instead of 2.0`},
		{`{"jsonrpc": "2.0", "id": 1, "method": "fly"}`, -32601, `no such method: "fly"`},
		{`{"jsonrpc": "2.0", "id": 1, "method": "send"}`, -32602, "unexpected end of JSON input"},
		{`{"jsonrpc": "2.0", "id": 1, "method": "send", "params": {"from": "nowhere"}}`, -32602, "nowhere"},
		{`{"jsonrpc": "2.0", "id": 1, "method": "send", "params": {}}`, -32000, "not placed"},
	} {
		answers := converse(t, &mirror{}, []byte(tt.line+"\n"))
		if len(answers) != 1 || answers[0].Error == nil || answers[0].Error.Code != tt.code || !strings.Contains(answers[0].Error.Message, tt.want) {
			t.Errorf("%s: %+v", tt.line, answers)
		}
	}
}

// Whatever a line is cut to, it is answered or ends the input, and the next line is read.
func TestTruncatedLines(t *testing.T) {
	whole := request(t, 1, esphost.MethodPlace, place)
	for length := 1; length < len(whole)-1; length++ {
		answers := converse(t, &mirror{}, whole[:length], []byte("\n"), request(t, 2, esphost.MethodInstall, []esphost.SA{}))
		if len(answers) != 2 || answers[0].Error == nil || answers[1].ID != 2 || answers[1].Error != nil {
			t.Fatalf("cut to %d octets: %+v", length, answers)
		}
	}
}

func TestEndlessLine(t *testing.T) {
	if err := esphost.Serve(strings.NewReader(strings.Repeat("x", 2<<20)), new(bytes.Buffer), &mirror{}); err == nil {
		t.Error("a line of two megabytes is taken")
	}
}

func FuzzServe(f *testing.F) {
	f.Add([]byte(`{"jsonrpc": "2.0", "id": 1, "method": "place", "params": {"wan": "192.0.2.22/24"}}`))
	f.Add([]byte(`{"jsonrpc": "2.0", "id": 2, "method": "install", "params": [{"keys": {"spi": "00000100"}}]}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		var out bytes.Buffer
		_ = esphost.Serve(bytes.NewReader(input), &out, &mirror{received: func(esphost.Datagram) {}})
		for line := range strings.Lines(out.String()) {
			if _, err := esphost.Parse([]byte(line)); err != nil {
				t.Errorf("it answers %q: %v", line, err)
			}
		}
	})
}
