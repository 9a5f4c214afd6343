package ike

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// copies lets an initiator alone until it gives up, and returns when it sent what.
func copies(t *testing.T, c Config) (times []time.Duration, datagrams [][]byte, end time.Duration) {
	t.Helper()
	x, ds := Initiate(c, start, ksAddr)
	times, datagrams = append(times, 0), append(datagrams, ds[0].Data)
	for {
		due, ok := x.Deadline()
		if !ok {
			t.Fatal("no deadline before the end")
		}
		if ds, err := x.Timeout(due.Add(-1)); ds != nil || err != nil {
			t.Fatalf("woken too early: %v, %v", ds, err)
		}
		ds, err := x.Timeout(due)
		if err != nil {
			if !errors.Is(err, ErrTimeout) || ds != nil {
				t.Fatalf("%v, %v", ds, err)
			}
			if _, ok := x.Deadline(); ok {
				t.Error("a deadline after the end")
			}
			if ds, err := x.Timeout(due.Add(time.Hour)); ds != nil || err != nil {
				t.Errorf("after the end: %v, %v", ds, err)
			}
			return times, datagrams, due.Sub(start)
		}
		times, datagrams = append(times, due.Sub(start)), append(datagrams, ds[0].Data)
	}
}

func TestRetransmission(t *testing.T) {
	c := config(0, "retransmit")
	times, datagrams, end := copies(t, c)
	want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}
	if len(times) != len(want) || end != 31*time.Second {
		t.Fatalf("sent at %v, given up at %s", times, end)
	}
	for n := range want {
		if times[n] != want[n] || !bytes.Equal(datagrams[n], datagrams[0]) {
			t.Errorf("copy %d at %s, want %s; same octets: %v", n, times[n], want[n], bytes.Equal(datagrams[n], datagrams[0]))
		}
	}
}

func TestRetransmissionAsConfigured(t *testing.T) {
	c := config(0, "configured")
	c.Retransmit, c.Retries = 4*time.Second, 1
	times, _, end := copies(t, c)
	if len(times) != 2 || times[1] != 4*time.Second || end != 12*time.Second {
		t.Errorf("sent at %v, given up at %s", times, end)
	}
}

func TestBackOffHasABound(t *testing.T) {
	c := config(0, "bound")
	c.Retransmit, c.Retries = time.Hour, 30
	times, _, end := copies(t, c)
	if len(times) != 31 || end != 31*maxInterval {
		t.Errorf("%d copies, given up after %s", len(times), end)
	}
}

// The interval follows the round trip that was measured with the message before.
func TestRetransmissionAdapts(t *testing.T) {
	for _, trip := range []time.Duration{0, 100 * time.Millisecond, 3 * time.Second} {
		p := at(t, "adapts", 1)
		now := start.Add(trip)
		if _, _, err := p.i.Handle(now, ksAddr, p.queue[0].data); err != nil {
			t.Fatal(err)
		}
		due, _ := p.i.Deadline()
		if got, want := due.Sub(now), time.Second+2*trip; got != want {
			t.Errorf("round trip %s: repeated after %s, want %s", trip, got, want)
		}
	}
}

// A round trip is not measured with a message that was repeated.
func TestRepeatedMessageMeasuresNothing(t *testing.T) {
	p := at(t, "karn", 1)
	due, _ := p.i.Deadline()
	if _, err := p.i.Timeout(due); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.i.Handle(due, ksAddr, p.queue[0].data); err != nil {
		t.Fatal(err)
	}
	if next, _ := p.i.Deadline(); next.Sub(due) != time.Second {
		t.Errorf("repeated after %s", next.Sub(due))
	}
}

// A responder repeats nothing of itself, and forgets after as long as an initiator tries.
func TestResponderGivesUp(t *testing.T) {
	p := at(t, "half open", 1)
	due, ok := p.r.Deadline()
	if !ok || due.Sub(start) != 31*time.Second {
		t.Fatalf("deadline after %s", due.Sub(start))
	}
	if ds, err := p.r.Timeout(due.Add(-1)); ds != nil || err != nil {
		t.Errorf("too early: %v, %v", ds, err)
	}
	if ds, err := p.r.Timeout(due); ds != nil || !errors.Is(err, ErrTimeout) {
		t.Errorf("%v, %v", ds, err)
	}
	if _, _, err := p.r.Handle(due, gmAddr, p.octets(0)[:40]); !errors.Is(err, ErrOver) {
		t.Errorf("after the end: %v", err)
	}
}

// Progress gives the peer the whole time again; repeats do not.
func TestResponderWaitsForEachMessage(t *testing.T) {
	p := at(t, "each", 2)
	first, _ := p.r.Deadline()
	later := start.Add(5 * time.Second)
	if _, _, err := p.r.Handle(later, gmAddr, p.octets(0)); err != nil {
		t.Fatal(err)
	}
	if due, _ := p.r.Deadline(); !due.Equal(first) {
		t.Error("a repeat moves the deadline")
	}
	if _, _, err := p.r.Handle(later, gmAddr, p.queue[0].data); err != nil {
		t.Fatal(err)
	}
	if due, _ := p.r.Deadline(); due.Sub(later) < 31*time.Second {
		t.Errorf("only %s for message 5", due.Sub(later))
	}
}
