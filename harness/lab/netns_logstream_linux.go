package lab

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
)

// logListener receives syslog over TCP, as many connections one after another or at once as a device makes.
type logListener struct {
	*lines
	listener net.Listener
	readers  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

// receiveStream is receiveLog over TCP.
func (n *kernelNet) receiveStream(node, at string, enter func(func() error) error) (logSource, error) {
	s := &logListener{lines: &lines{net: n}}
	err := enter(func() (err error) {
		s.listener, err = net.Listen("tcp4", at)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: syslog receiver of %s: %w", node, err)
	}
	s.readers.Go(s.accept)
	return s, nil
}

func (s *logListener) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		s.readers.Go(func() { s.read(conn) })
	}
}

func (s *logListener) read(conn net.Conn) {
	defer conn.Close()
	scanner := bufio.NewScanner(conn)
	scanner.Buffer(nil, 1<<18)
	scanner.Split(peer.SplitLog)
	for scanner.Scan() {
		_, _ = withNewline{s.lines}.Write(scanner.Bytes())
	}
}

// close reads what a device has sent before it ended.
func (s *logListener) close() error {
	err := s.listener.Close()
	s.mu.Lock()
	for _, conn := range s.conns {
		_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // the device has ended, and its connections with it
	}
	s.mu.Unlock()
	s.readers.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
