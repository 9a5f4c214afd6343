package operator_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gdoilab/gdoilab/reference/operator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers every line of one client with the same text, and hands the lines out.
func serve(t *testing.T, answer string) (c *operator.Client, lines chan string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	lines = make(chan string, 10)
	done := make(chan bool)
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for in := bufio.NewScanner(conn); in.Scan(); {
			lines <- in.Text()
			_, _ = conn.Write([]byte(answer))
		}
	}()
	if c, err = operator.Dial(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(); _ = l.Close(); <-done })
	return c, lines
}

func TestCall(t *testing.T) {
	c, lines := serve(t, `{"id":77}`+"\n"+`{"id":1,"body":{"x":5}}`+"\n") // the first answers nobody
	var got struct{ X int }
	if err := c.Call(t.Context(), "rekey", map[string]int{"group": 3}, &got); err != nil || got.X != 5 {
		t.Errorf("%+v, %v", got, err)
	}
	if line := <-lines; line != `{"id":1,"command":"rekey","args":{"group":3}}` {
		t.Error(line)
	}
}

func TestCallFails(t *testing.T) {
	for answer, want := range map[string]string{
		`{"id":1,"error":"no such group"}` + "\n": "the node refuses: no such group",
		"hello\n":                   "invalid character",
		`{"id":1,"body":[]}` + "\n": "cannot unmarshal",
	} {
		c, _ := serve(t, answer)
		var got struct{}
		err := c.Call(t.Context(), "status", nil, &got)
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, operator.ErrRefused) != strings.Contains(answer, "error") {
			t.Errorf("%q: %v", answer, err)
		}
	}
	c, _ := serve(t, "")
	if err := c.Call(t.Context(), "status", make(chan int), nil); err == nil || !strings.Contains(err.Error(), "arguments of status") {
		t.Error(err)
	}
}

func TestCallIsCancelled(t *testing.T) {
	c, lines := serve(t, "") // never an answer
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-lines; cancel() }()
	if err := c.Call(ctx, "status", nil, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
