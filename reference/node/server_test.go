package node

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/operator"
)

// echoer answers each command with its arguments.
func echoer() *script {
	return &script{command: func(c *core.Command) []core.Effect {
		if c.Name != "echo" {
			return []core.Effect{&core.Reply{ID: c.ID, Err: "unknown command " + c.Name}}
		}
		return []core.Effect{&core.Reply{ID: c.ID, Body: c.Args}}
	}}
}

// client talks raw lines to a control socket.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func connect(t *testing.T, path string) *client {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) ask(line string) control.Response {
	c.t.Helper()
	if _, err := c.conn.Write([]byte(line)); err != nil {
		c.t.Fatal(err)
	}
	answer, err := c.in.ReadBytes('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	var resp control.Response
	if err := json.Unmarshal(answer, &resp); err != nil {
		c.t.Fatalf("%q: %v", answer, err)
	}
	return resp
}

func TestControlSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control")
	_, stop := run(t, Config{Core: echoer(), Control: path})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	c := connect(t, path)
	for _, x := range []struct{ line, body, err string }{
		{`{"id":1,"command":"echo","args":{"x":1}}`, `{"x":1}`, ""},
		{`{"id":2,"command":"dance"}`, "", "unknown command dance"},
		{`{"id":3}`, "", `the request has no "command"`},
		{`hello`, "", "the line is no request: invalid character 'h' looking for beginning of value"},
		{``, "", "the line is no request: unexpected end of JSON input"},
		{`{"id":"x"}`, "", "the line is no request: json: cannot unmarshal string into Go struct field Request.id of type uint64"},
		{strings.Repeat("x", 3*maxLine), "", "the line is longer than 65536 octets"},
		{`{"id":4,"command":"echo","args":[]}`, `[]`, ""},
	} {
		resp := c.ask(x.line + "\n")
		if string(resp.Body) != x.body || resp.Error != x.err {
			t.Errorf("%.40q: %s %q", x.line, resp.Body, resp.Error)
		}
	}
	stop()
	if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's file is still there: %v", err)
	}
}

func TestSeveralClients(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control")
	run(t, Config{Core: echoer(), Control: path})
	idle := connect(t, path)
	var group sync.WaitGroup
	for i := range 8 {
		c, err := operator.Dial(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			defer c.Close()
			for j := range 50 {
				var got [2]int
				if err := c.Call(t.Context(), "echo", [2]int{i, j}, &got); err != nil || got != [2]int{i, j} {
					t.Errorf("%v, %v", got, err)
				}
			}
		})
	}
	group.Wait()
	if resp := idle.ask(`{"id":5,"command":"echo","args":1}` + "\n"); resp.ID != 5 {
		t.Errorf("%+v", resp)
	}
}

func TestOperatorErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control")
	_, stop := run(t, Config{Core: echoer(), Control: path})
	c, err := operator.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Call(t.Context(), "dance", nil, nil); !errors.Is(err, operator.ErrRefused) || !strings.Contains(err.Error(), "dance") {
		t.Error(err)
	}
	stop()
	if err := c.Call(t.Context(), "echo", nil, nil); err == nil || errors.Is(err, operator.ErrRefused) {
		t.Error(err)
	}
	if _, err := operator.Dial(t.Context(), path); err == nil {
		t.Error("no error although nobody listens")
	}
}

func TestControlSocketTaken(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "control")
	run(t, Config{Core: echoer(), Control: path})
	expect := func(path, want string) {
		t.Helper()
		_, err := Open(Config{Name: "b", Core: echoer(), Listen: loopback, Control: path})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
	expect(path, "a running daemon listens on")
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(file, "is no socket")
	expect(filepath.Join(dir, "no", "folder"), "no such file or directory")
	dead := filepath.Join(dir, "dead")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	run(t, Config{Core: echoer(), Control: dead})
	if resp := connect(t, dead).ask(`{"id":1,"command":"echo","args":2}` + "\n"); string(resp.Body) != "2" {
		t.Errorf("%+v", resp)
	}
}
