package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// Answer is what becomes of a line that an operator types.
type Answer func(ctx context.Context, args control.ConsoleArgs) (control.ConsoleResult, error)

// Server lets operators in. It is safe for concurrent use.
type Server struct {
	// Admits reports whether packets of a session pass; nil stands for all of them. It is set before Serve.
	Admits func(local, remote netip.AddrPort) bool

	listener net.Listener
	config   *ssh.ServerConfig
	group    sync.WaitGroup

	mu      sync.Mutex
	clients map[net.Conn]bool
	closed  bool
}

// Listen opens the port. It fails if a key of the configuration cannot be read.
func Listen(c policy.Console) (*Server, error) {
	config, err := serverConfig(c)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.SSH.String())
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return &Server{listener: l, config: config, clients: make(map[net.Conn]bool)}, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve talks to operators until ctx ends or the server is closed, and returns once the last of them is gone.
func (s *Server) Serve(ctx context.Context, answer Answer) {
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	defer s.group.Wait()
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		switch {
		case err != nil:
		case !s.passes(conn):
			_ = conn.Close()
		case s.admit(conn):
			s.group.Go(func() { s.talk(ctx, conn, answer) })
		}
	}
}

// admit refuses who comes when the server is closed or full.
func (s *Server) admit(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.clients) >= maxClients {
		_ = conn.Close()
		return false
	}
	s.clients[conn] = true
	return true
}

// passes reports whether packets of a connection do.
func (s *Server) passes(conn net.Conn) bool {
	return s.Admits == nil || s.Admits(addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr()))
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// sieve is a connection that ends with the first octets that come when packets do not pass any more.
type sieve struct {
	net.Conn
	passes func(net.Conn) bool
}

var errSieved = errors.New("packets of the session do not pass any more")

// Read returns what came, as long as packets pass.
func (c sieve) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && !c.passes(c.Conn) {
		return 0, errSieved
	}
	return n, err
}

// talk serves one connection, which may have several sessions.
func (s *Server) talk(ctx context.Context, conn net.Conn, answer Answer) {
	defer s.dismiss(conn)
	_ = conn.SetDeadline(time.Now().Add(handshakeTime))
	server, channels, requests, err := ssh.NewServerConn(sieve{conn, s.passes}, s.config)
	if err != nil {
		return
	}
	_ = conn.SetDeadline(time.Time{})
	mode := ""
	if server.Permissions.Extensions[privileged] != "" {
		mode = control.ConsoleExec
	}
	s.group.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		channel, asked, err := offered.Accept()
		if err != nil {
			continue
		}
		one := &session{channel: channel, answer: answer, mode: mode}
		s.group.Go(func() { one.serve(ctx, asked) })
	}
}

func (s *Server) dismiss(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, conn)
	_ = conn.Close()
}

// Close ends listening and hangs up on everybody.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for conn := range s.clients {
		_ = conn.Close()
	}
	if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
