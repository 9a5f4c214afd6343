package node

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
)

// maxLine is the length of the longest request in octets.
const maxLine = 1 << 16

// patience is how long a client may leave an answer unread, and a core a request unanswered.
const patience = 30 * time.Second

// server is the control socket and its clients.
type server struct {
	listener *net.UnixListener
	group    sync.WaitGroup

	mu      sync.Mutex
	clients map[net.Conn]bool
	closed  bool
}

// listen opens the control socket, for the owner of the process only. The socket of a daemon that died is replaced.
func listen(path string) (*server, error) {
	at := &net.UnixAddr{Name: path, Net: "unix"}
	l, err := net.ListenUnix("unix", at)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeDead(path); err != nil {
			return nil, err
		}
		l, err = net.ListenUnix("unix", at)
	}
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &server{listener: l, clients: make(map[net.Conn]bool)}, nil
}

// removeDead removes a socket that nobody listens on.
func removeDead(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("control socket: %s is there and is no socket", path)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		return fmt.Errorf("control socket: a running daemon listens on %s", path)
	}
	return os.Remove(path)
}

// serve answers clients until the server is closed and the last of them is gone.
func (s *server) serve(answer func(line []byte) control.Response) {
	defer s.group.Wait()
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a client that hung up while it was being accepted
		}
		if s.admit(conn) {
			s.group.Go(func() { s.talk(conn, answer) })
		}
	}
}

func (s *server) admit(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.clients[conn] = true
	return true
}

// talk answers one client line by line.
func (s *server) talk(conn net.Conn, answer func([]byte) control.Response) {
	defer s.dismiss(conn)
	in, out := bufio.NewReaderSize(conn, maxLine), json.NewEncoder(conn)
	for {
		line, err := readLine(in)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		resp := control.Response{Error: fmt.Sprintf("the line is longer than %d octets", maxLine)}
		if err == nil {
			resp = answer(line)
		}
		_ = conn.SetWriteDeadline(time.Now().Add(patience))
		if out.Encode(resp) != nil {
			return
		}
	}
}

// readLine returns a line, or bufio.ErrBufferFull after it has skipped one that is too long.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if err == io.EOF && len(line) > 0 {
		return line, nil // the last line may lack its end
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	if err != nil {
		return nil, err
	}
	return nil, bufio.ErrBufferFull
}

func (s *server) dismiss(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, conn)
	_ = conn.Close()
}

// close ends listening, which removes the socket's file, and hangs up on every client.
func (s *server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for conn := range s.clients {
		_ = conn.Close()
	}
	return ignoreClosed(s.listener.Close())
}

// answer reads one line of a client and has the core answer it.
func (n *Node) answer(line []byte) control.Response {
	var req control.Request
	if err := json.Unmarshal(line, &req); err != nil {
		return control.Response{ID: req.ID, Error: fmt.Sprintf("the line is no request: %v", err)}
	}
	if req.Command == "" {
		return control.Response{ID: req.ID, Error: `the request has no "command"`}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return n.Do(ctx, req)
}
