package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gdoilab/gdoilab/reference/keylog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a driver that answers with what it was asked, so that everything that travels is seen.
type echo struct {
	Unsupported
	prepared Preparation
	applied  Policy
	resets   int
	entered  chan struct{} // Start has been called
	ended    chan error    // how its context ended
}

func (e *echo) Hello(_ context.Context, g Greeting) (Identity, error) {
	return Identity{Version: g.Versions[0], Name: "echo of " + g.Harness, Release: "1", Roles: []string{"KS"}}, nil
}
func (e *echo) Capabilities(_ context.Context, names []string) (map[string]Answer, error) {
	return map[string]Answer{names[0]: Supported, names[1]: NotSupported}, nil
}
func (e *echo) Prepare(_ context.Context, p Preparation) error { e.prepared = p; return nil }
func (e *echo) Apply(_ context.Context, p Policy) (Applied, error) {
	e.applied = p
	return Applied{[]File{{"config", string(p.Document)}}}, nil
}
func (e *echo) Start(ctx context.Context) error {
	close(e.entered)
	<-ctx.Done()
	e.ended <- ctx.Err()
	return ctx.Err()
}
func (e *echo) Stop(context.Context) error  { return fmt.Errorf("%w: it runs not", ErrNotNow) }
func (e *echo) Reset(context.Context) error { e.resets++; return nil }
func (e *echo) Trigger(_ context.Context, t Trigger) (json.RawMessage, error) {
	if t.Name == TriggerRoleChange {
		return nil, fmt.Errorf("%w: it has one role", ErrUnsupported)
	}
	return t.Args, nil
}
func (e *echo) State(context.Context) (State, error) {
	return State{time.Unix(7, 0).UTC(), "a table", json.RawMessage(`{"role":"KS"}`)}, nil
}
func (e *echo) Events(_ context.Context, after int) (Events, error) {
	return Events{[]Event{{Text: "line", Name: "STARTED", Fields: map[string]string{"a": "b"}}}, after + 1}, nil
}
func (e *echo) Clock(context.Context) (Clock, error) {
	return Clock{time.Unix(8, 0).UTC(), "a clock"}, nil
}
func (e *echo) Secrets(context.Context) (Secrets, error) {
	return Secrets{[]keylog.Entry{{Kind: keylog.KindTraffic, SPI: "01020304"}}}, nil
}
func (e *echo) Traffic(context.Context) (Traffic, error) {
	return Traffic{time.Unix(9, 0).UTC(), "a counter", map[string]uint64{"encrypted": 3}}, nil
}

// connected serves a driver and returns the client at the other end. All ends with the test.
func connected(t *testing.T, d Driver, within time.Duration) *Client {
	t.Helper()
	requestsIn, requestsOut := io.Pipe()
	answersIn, answersOut := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- errors.Join(Serve(context.Background(), d, requestsIn, answersOut), answersOut.Close())
	}()
	c := NewClient("it", answersIn, requestsOut, within)
	t.Cleanup(func() {
		_ = c.Hangup()
		if err := <-served; err != nil {
			t.Error(err)
		}
		<-c.ended
	})
	return c
}

// every calls each method of a driver once, and returns what came of it in order.
func every(ctx context.Context, d Driver) (results []any, errs []error) {
	keep := func(result any, err error) { results, errs = append(results, result), append(errs, err) }
	i, err := d.Hello(ctx, Greeting{[]int{Version}, "a test"})
	keep(i, err)
	c, err := d.Capabilities(ctx, []string{"a", "b"})
	keep(c, err)
	lan := Interface{Name: "lan0", Addresses: []string{"10.0.1.1/24"}}
	keep(nil, d.Prepare(ctx, Preparation{Role: "KS", Network: Network{WAN: lan, LAN: &lan}, Credentials: Credentials{PSKs: []PSK{{Key: []byte("k")}}}}))
	a, err := d.Apply(ctx, Policy{"KS", json.RawMessage(`{"name":"ks"}`)})
	keep(a, err)
	keep(nil, d.Stop(ctx))
	keep(nil, d.Reset(ctx))
	raw, err := d.Trigger(ctx, Trigger{"rekey", json.RawMessage(`{"group":1}`)})
	keep(string(raw), err)
	_, err = d.Trigger(ctx, Trigger{Name: TriggerRoleChange})
	keep(nil, err)
	s, err := d.State(ctx)
	keep(s, err)
	e, err := d.Events(ctx, 4)
	keep(e, err)
	k, err := d.Clock(ctx)
	keep(k, err)
	x, err := d.Secrets(ctx)
	keep(x, err)
	f, err := d.Traffic(ctx)
	keep(f, err)
	g, err := d.Collect(ctx)
	keep(g, err)
	return results, errs
}

// What a driver answers and refuses comes through the wire as it is.
func TestEverythingTravels(t *testing.T) {
	here, there := new(echo), new(echo)
	want, wantErrs := every(t.Context(), here)
	got, gotErrs := every(t.Context(), connected(t, there, 0))
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%d: %+v, want %+v", i, got[i], want[i])
		}
		for _, kind := range []error{ErrUnsupported, ErrNotNow} {
			if errors.Is(gotErrs[i], kind) != errors.Is(wantErrs[i], kind) {
				t.Errorf("%d: %v, want %v", i, gotErrs[i], wantErrs[i])
			}
		}
		if (gotErrs[i] == nil) != (wantErrs[i] == nil) {
			t.Errorf("%d: %v, want %v", i, gotErrs[i], wantErrs[i])
		}
	}
	if !reflect.DeepEqual(here.prepared, there.prepared) || !reflect.DeepEqual(here.applied, there.applied) {
		t.Errorf("%+v, %+v", there.prepared, there.applied)
	}
	if err := gotErrs[4]; err.Error() != "driver: it: stop: not now: it runs not" {
		t.Errorf("%v", err)
	}
}

// A driver that embeds Unsupported answers everything, with the same word.
func TestUnsupported(t *testing.T) {
	_, errs := every(t.Context(), connected(t, Unsupported{}, 0))
	for i, err := range errs {
		if greets := i < 2; greets != (err == nil) || !greets && !errors.Is(err, ErrUnsupported) {
			t.Errorf("%d: %v", i, err)
		}
	}
	answers, _ := Unsupported{}.Capabilities(t.Context(), []string{"a"})
	if answers["a"] != Unknown {
		t.Errorf("%v", answers)
	}
}

// Who gives up a call ends it at the driver too, and the driver can be asked on.
func TestCancel(t *testing.T) {
	d := &echo{entered: make(chan struct{}), ended: make(chan error, 1)}
	c := connected(t, d, 0)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-d.entered; cancel() }()
	if err := c.Start(ctx); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "driver: it: start: ") {
		t.Errorf("%v", err)
	}
	if err := <-d.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := c.State(t.Context()); err != nil || len(c.Strays()) != 0 {
		t.Errorf("%v, %q", err, c.Strays())
	}
}

// A driver that is silent for too long is an error of its own.
func TestSilence(t *testing.T) {
	d := &echo{entered: make(chan struct{}), ended: make(chan error, 1)}
	c := connected(t, d, 20*time.Millisecond)
	if err := c.Start(t.Context()); !errors.Is(err, ErrSilent) {
		t.Errorf("%v", err)
	}
}

// saying is a client of a driver that says this, whatever it is asked, and then ends.
func saying(text string) *Client {
	in := new(gate)
	in.text = strings.NewReader(text)
	in.opened = make(chan struct{})
	return NewClient("it", in, in, 10*time.Second)
}

// gate is a driver that says nothing before it is asked something.
type gate struct {
	text   io.Reader
	opened chan struct{}
	asked  bytes.Buffer
}

func (g *gate) Read(b []byte) (int, error) { <-g.opened; return g.text.Read(b) }
func (g *gate) Write(b []byte) (int, error) {
	if g.asked.Len() == 0 {
		close(g.opened)
	}
	return g.asked.Write(b)
}
func (g *gate) Close() error { return nil }

const answer = `{"jsonrpc":"2.0","id":1,"result":{"time":"2026-01-02T03:04:05Z","source":"x","status":{}}}` + "\n"

// Whatever stands around an answer, the answer is found, and what is none is kept.
func TestStrays(t *testing.T) {
	for _, c := range []struct{ name, before, stray string }{
		{"nothing", "", ""},
		{"empty lines", "\n\r\n  \n", ""},
		{"a line of a log", "starting up\n", "no JSON-RPC: "},
		{"a number", "7\n", "no JSON-RPC: "},
		{"a refusal of nothing", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}` + "\n", ""},
		{"a batch", "[{}]\n", "no JSON-RPC: "},
		{"another version", `{"jsonrpc":"1.0","id":1,"result":{}}` + "\n", `jsonrpc is "1.0"`},
		{"no id", `{"jsonrpc":"2.0","result":{}}` + "\n", "the id  is none of ours"},
		{"id null", `{"jsonrpc":"2.0","id":null,"result":{}}` + "\n", "the id null is none of ours"},
		{"an id of nobody", `{"jsonrpc":"2.0","id":99,"result":{}}` + "\n", "nobody has asked for it"},
		{"a text as id", `{"jsonrpc":"2.0","id":"1","result":{}}` + "\n", `the id "1" is none of ours`},
		{"a request", `{"jsonrpc":"2.0","id":1,"method":"state"}` + "\n", "a driver only answers"},
		{"octets", "\xff\xfe\x00\x01\n", "no JSON-RPC: "},
		{"a huge line", strings.Repeat("x", longestLine+5) + "\n", "the line is too long: xxx"},
		{"a huge answer", `{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", longestLine) + "\"}\n", "the line is too long: {"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := saying(c.before + answer)
			s, err := client.State(t.Context())
			<-client.ended
			strays := client.Strays()
			if err != nil || s.Source != "x" {
				t.Errorf("%+v, %v", s, err)
			}
			if c.stray == "" && len(strays) > 0 || c.stray != "" && (len(strays) != 1 || !strings.HasPrefix(strays[0], c.stray)) {
				t.Errorf("%.300q, want %q", strays, c.stray)
			}
		})
	}
}

// Answers that are none of the contract are errors that say what is wrong.
func TestBadAnswers(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"jsonrpc":"2.0","id":1}`, "neither a result nor an error"},
		{`{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}`, "both a result and an error"},
		{`{"jsonrpc":"2.0","id":1,"result":null}`, "the result is null"},
		{`{"jsonrpc":"2.0","id":1,"result":[1]}`, "the result is of another form"},
		{`{"jsonrpc":"2.0","id":1,"result":{"time":"yesterday"}}`, "the result is of another form"},
		{`{"jsonrpc":"2.0","id":1,"error":{"code":-32700,"message":"what?"}}`, "not understood: what?"},
		{`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"what?"}}`, "unsupported: what?"},
		{`{"jsonrpc":"2.0","id":1,"error":{"code":5,"message":"no licence"}}`, "failed: no licence"},
		{`some text`, "the driver ended: it wrote what is no answer: no JSON-RPC"},
		{``, "the driver ended"},
	} {
		_, err := saying(c.text + "\n").State(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "driver: it: state: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}

// Cut off at any octet, an answer is an error and nothing hangs; the last octet, a line feed, may be missing only from a stray.
func TestEveryTruncation(t *testing.T) {
	for n := range len(answer) {
		if _, err := saying(answer[:n]).State(t.Context()); !errors.Is(err, ErrDied) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
	for n := range len(answer) {
		s := saying(answer + answer[:n])
		if _, err := s.State(t.Context()); err != nil {
			t.Errorf("whole and %d octets: %v", n, err)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(answer)
	f.Add(answer + answer)
	f.Add("x\n" + answer[:20])
	f.Add(`{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"x"}}` + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := saying(text)
		s, err := c.State(t.Context())
		var typed *Error
		if err != nil && !errors.As(err, &typed) {
			t.Errorf("%v", err)
		}
		if err == nil && !strings.Contains(text, "2.0") {
			t.Errorf("%+v of %q", s, text)
		}
		<-c.ended
	})
}
