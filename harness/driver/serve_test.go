package driver

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// served gives lines to a driver and returns its answers.
func served(t *testing.T, d Driver, lines string) []response {
	t.Helper()
	var out bytes.Buffer
	if err := Serve(t.Context(), d, strings.NewReader(lines), &out); err != nil {
		t.Fatal(err)
	}
	var answers []response
	for line := range strings.Lines(out.String()) {
		var r response
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if r.Version != rpcVersion || (r.Result == nil) == (r.Error == nil) {
			t.Errorf("%q is no answer", line)
		}
		answers = append(answers, r)
	}
	return answers
}

// What is no request is answered as JSON-RPC has it, and the next one is served.
func TestBadRequests(t *testing.T) {
	const good = `{"jsonrpc":"2.0","id":"last","method":"clock"}` + "\n"
	for _, c := range []struct {
		text, id string
		code     int
	}{
		{"what", "null", CodeParse},
		{"[]", "null", CodeInvalid},
		{"{}", "null", CodeInvalid},
		{`{"jsonrpc":"2.0","id":7}`, "7", CodeInvalid},
		{`{"jsonrpc":"1.0","id":7,"method":"clock"}`, "7", CodeInvalid},
		{`{"jsonrpc":"2.0","id":{"a":1},"method":"clock"}`, "null", CodeInvalid},
		{`{"jsonrpc":"2.0","id":7,"method":"dance"}`, "7", CodeNoMethod},
		{`{"jsonrpc":"2.0","id":7,"method":"events","params":{"after":"x"}}`, "7", CodeParams},
		{`{"jsonrpc":"2.0","id":"a b","method":"collect"}`, `"a b"`, CodeUnsupported},
		{`{"jsonrpc":"2.0","id":7,"method":"stop"}`, "7", CodeNotNow},
		{strings.Repeat("x", longestLine+1), "null", CodeParse},
	} {
		answers := served(t, new(echo), c.text+"\n"+good)
		if len(answers) != 2 || string(answers[1].ID) != `"last"` || answers[1].Error != nil {
			t.Errorf("%.80s: %+v", c.text, answers)
			continue
		}
		if r := answers[0]; string(r.ID) != c.id && !(r.ID == nil && c.id == "null") || r.Error == nil || r.Error.Code != c.code {
			t.Errorf("%.80s: %s %+v, want %s %d", c.text, r.ID, r.Error, c.id, c.code)
		}
	}
}

// Notifications are not answered, whatever they say, and when nobody asks any more the driver is reset.
func TestNotificationsAndEnd(t *testing.T) {
	d := new(echo)
	lines := `{"jsonrpc":"2.0","method":"clock"}` + "\n" + `{"jsonrpc":"2.0","method":"cancel","params":{"id":3}}` + "\n" +
		`{"jsonrpc":"2.0","method":"cancel","params":7}` + "\n"
	if answers := served(t, d, lines); len(answers) != 0 || d.resets != 1 {
		t.Errorf("%+v, %d resets", answers, d.resets)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add(`{"jsonrpc":"2.0","id":1,"method":"hello","params":{"versions":[1],"harness":"x"}}` + "\n")
	f.Add(`{"jsonrpc":"2.0","id":1,"method":"events","params":{"after":3}}` + "\n{}")
	f.Add("[]\n\n7")
	f.Fuzz(func(t *testing.T, text string) { served(t, Unsupported{}, text) })
}
