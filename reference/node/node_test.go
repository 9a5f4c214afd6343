package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/internal/nettest"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/syslog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a core that does what a test tells it. The node's lock guards it.
type script struct {
	start    []core.Effect
	onPacket func(*core.Datagram) []core.Effect
	command  func(*core.Command) []core.Effect
	deadline time.Time
	timers   chan time.Time
}

func (s *script) Handle(now time.Time, ev core.Event) []core.Effect {
	switch ev := ev.(type) {
	case *core.Start:
		return s.start
	case *core.Datagram:
		if s.onPacket != nil {
			return s.onPacket(ev)
		}
	case *core.Command:
		if s.command != nil {
			return s.command(ev)
		}
	case *core.Timer:
		if !s.deadline.IsZero() && !now.Before(s.deadline) {
			s.deadline = time.Time{}
			s.timers <- now
		}
	}
	return nil
}

func (s *script) Deadline() (time.Time, bool) { return s.deadline, !s.deadline.IsZero() }

// writer gathers lines.
type writer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *writer) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Split(strings.TrimSuffix(w.text.String(), "\n"), "\n")
}

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// run opens a node and runs it until the test ends or stop is called.
func run(t *testing.T, cfg Config) (n *Node, stop func()) {
	t.Helper()
	if !cfg.Listen.IsValid() {
		cfg.Listen = loopback
	}
	n, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n, runOpened(t, n)
}

func runOpened(t *testing.T, n *Node) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	nettest.Eventually(t, "the start", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return n.running })
	return stop
}

// dial opens a socket that talks to the node.
func dial(t *testing.T, n *Node) net.Conn {
	t.Helper()
	conn, err := net.Dial("udp4", n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

func TestDatagramsComeAndGo(t *testing.T) {
	var n *Node
	s := &script{onPacket: func(d *core.Datagram) []core.Effect {
		return []core.Effect{&core.Send{From: d.To, To: d.From, Data: append([]byte(d.To.String()+" "), d.Data...)}}
	}}
	n, _ = run(t, Config{Core: s})
	conn := dial(t, n)
	for _, text := range []string{"one", "", strings.Repeat("x", 4000)} {
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 8000)
		size, err := conn.Read(got)
		if want := n.Addr().String() + " " + text; err != nil || string(got[:size]) != want {
			t.Errorf("%.40q: %v", got[:size], err)
		}
	}
}

func TestAddressInUse(t *testing.T) {
	n, _ := run(t, Config{Core: new(script)})
	if second, err := Open(Config{Name: "second", Core: new(script), Listen: n.Addr()}); err == nil {
		t.Error("no error", second.Close())
	} else if !strings.Contains(err.Error(), "node second: ") || !strings.Contains(err.Error(), "address already in use") {
		t.Error(err)
	}
}

func TestTimer(t *testing.T) {
	s := &script{timers: make(chan time.Time, 1), deadline: time.Now().Add(30 * time.Millisecond)}
	want := s.deadline
	s.command = func(c *core.Command) []core.Effect {
		s.deadline = time.Now()
		return []core.Effect{&core.Reply{ID: c.ID, Body: json.RawMessage("{}")}}
	}
	n, _ := run(t, Config{Core: s})
	if at := <-s.timers; at.Before(want) {
		t.Errorf("the timer came %s early", want.Sub(at))
	}
	n.Do(context.Background(), control.Request{Command: "soon"}) // a deadline that an event sets
	<-s.timers
}

func TestDo(t *testing.T) {
	s := &script{command: func(c *core.Command) []core.Effect {
		switch c.Name {
		case "echo":
			return []core.Effect{&core.Reply{ID: c.ID, Body: c.Args}}
		case "fail":
			return []core.Effect{&core.Reply{ID: c.ID, Err: "no such thing"}}
		}
		return nil
	}}
	n, stop := run(t, Config{Core: s})
	ctx := context.Background()
	r := n.Do(ctx, control.Request{ID: 7, Command: "echo", Args: json.RawMessage(`{"a":1}`)})
	if r.ID != 7 || string(r.Body) != `{"a":1}` || r.Error != "" {
		t.Errorf("%+v", r)
	}
	if r := n.Do(ctx, control.Request{ID: 8, Command: "fail"}); r.ID != 8 || r.Error != "no such thing" || r.Body != nil {
		t.Errorf("%+v", r)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if r := n.Do(short, control.Request{ID: 9, Command: "never"}); r.Error != context.DeadlineExceeded.Error() {
		t.Errorf("%+v", r)
	}
	waiting := make(chan control.Response, 1)
	go func() { waiting <- n.Do(ctx, control.Request{ID: 10, Command: "never"}) }()
	nettest.Eventually(t, "the request", func() bool { n.mu.Lock(); defer n.mu.Unlock(); return len(n.pending) == 1 })
	stop()
	if r := <-waiting; r.Error != ErrNotRunning.Error() {
		t.Errorf("while stopping: %+v", r)
	}
	if r := n.Do(ctx, control.Request{ID: 11, Command: "echo"}); r.Error != ErrNotRunning.Error() {
		t.Errorf("after the end: %+v", r)
	}
}

func TestOpenedAndNeverRun(t *testing.T) {
	n, err := Open(Config{Core: new(script), Listen: loopback, Control: t.TempDir() + "/c"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(n.Close(), n.Close()); err != nil {
		t.Error(err)
	}
}

func TestLogAndKeyLog(t *testing.T) {
	var log, keys writer
	s := &script{start: []core.Effect{
		&core.Log{Severity: core.Notice, Tag: "STARTED", Text: "two\nlines"},
		&core.Log{Severity: core.Warning, Tag: "REFUSED", Requirement: "RFC6407-4.4-02", Text: "stale",
			Fields: []core.Field{{Name: "guard", Value: "g"}}},
		&core.Secret{Group: 5, SIDs: &policy.SIDs{Bits: 8, Values: []uint32{1, 2}}, Traffic: &policy.TrafficSA{SPI: 0x1234}},
		&core.Send{To: netip.MustParseAddrPort("127.0.0.1:9"), Data: make([]byte, maxDatagram), Kind: core.Push},
		&core.Join{Stream: core.Stream{Group: netip.MustParseAddr("10.0.0.1")}},
	}}
	notes := []*core.Log{{Severity: core.Info, Tag: "NOTE", Text: "from the configuration"}}
	_, stop := run(t, Config{Name: "n1", Core: s, Log: &log, KeyLog: &keys, Notes: notes})
	stop()
	var tags []string
	for _, text := range log.lines() {
		line, err := syslog.Parse(text)
		if err != nil || line.Host != "n1" {
			t.Errorf("%q: %+v, %v", text, line, err)
		}
		tags = append(tags, line.Tag)
		if line.Tag == "REFUSED" && (line.Requirement != "RFC6407-4.4-02" || line.Fields["guard"] != "g" || line.Text != "stale") {
			t.Errorf("%q", text)
		}
	}
	if got := strings.Join(tags, " "); got != "NOTE STARTED REFUSED SEND_FAILED JOIN_FAILED STOPPED" {
		t.Errorf("%s", got)
	}
	var kinds []string
	for _, line := range keys.lines() {
		var e keylog.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Node != "n1" || e.Group != 5 {
			t.Errorf("%s: %v", line, err)
		}
		kinds = append(kinds, e.Kind)
	}
	if got := strings.Join(kinds, " "); got != "traffic sids" {
		t.Errorf("key log has %s", got)
	}
}

// A request about a VRF is for a node that stands in several.
func TestNoVRF(t *testing.T) {
	n, stop := run(t, Config{Core: new(script)})
	defer stop()
	if r := n.Do(t.Context(), control.Request{Command: control.Status, VRF: "red"}); !strings.Contains(r.Error, `there is no VRF "red"`) {
		t.Errorf("%+v", r)
	}
}

func TestLogText(t *testing.T) {
	var log writer
	s := &script{start: []core.Effect{&core.Log{Severity: core.Warning, Tag: "REFUSED", Requirement: "RFC6407-4.4-02", Text: "stale",
		Fields: []core.Field{{Name: "from", Value: "10.0.0.1:848"}}}}}
	_, stop := run(t, Config{Core: s, Log: &log, LogFormat: LogText})
	stop()
	if got := log.lines()[0]; !strings.HasSuffix(got, " warning REFUSED stale requirement=RFC6407-4.4-02 from=10.0.0.1:848") {
		t.Error(got)
	}
}

// With NAT traversal a node has port 4500 too, and it may have further addresses: what it sends from there leaves from there.
func TestFurtherSockets(t *testing.T) {
	at, further := netip.MustParseAddrPort("127.0.45.1:0"), netip.MustParseAddrPort("127.0.45.2:848")
	s := &script{onPacket: func(d *core.Datagram) []core.Effect {
		return []core.Effect{&core.Send{From: d.To, To: d.From, Data: []byte(d.To.String())}}
	}}
	n, _ := run(t, Config{Core: s, Listen: at, Also: []netip.AddrPort{further}, NATT: true})
	for _, want := range []netip.AddrPort{n.Addr(), further, netip.AddrPortFrom(at.Addr(), 4500)} {
		conn, err := net.Dial("udp4", want.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 100)
		if size, err := conn.Read(got); err != nil || string(got[:size]) != want.String() {
			t.Errorf("%s: %q, %v", want, got[:size], err)
		}
	}
}
