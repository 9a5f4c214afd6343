package lab

import (
	"bytes"
	"context"
	"sync"
)

// lines gathers what arrives, line by line.
type lines struct {
	net  *kernelNet
	mu   sync.Mutex
	text []string
	rest []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			break
		}
		l.text = append(l.text, string(line))
		l.rest = rest
	}
	l.mu.Unlock()
	l.net.event()
	return len(b), nil
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.text...)
}

// withNewline ends each write with a line end if it has none.
type withNewline struct{ to *lines }

func (w withNewline) Write(b []byte) (int, error) {
	if !bytes.HasSuffix(b, []byte("\n")) {
		b = append(bytes.Clone(b), '\n')
	}
	return w.to.Write(b)
}

// Start runs a device as a process or a container in its namespace or by its driver, or has a router take its configuration, and a tester in
// this process with its sockets there.
func (n *kernelNet) Start(ctx context.Context, s Station) (Node, error) {
	if s.Device != nil && s.Device.Router() != nil {
		return n.visitRouter(ctx, s)
	}
	if s.Device != nil && s.Device.Driver() != nil {
		return n.startDriven(ctx, s)
	}
	if s.Device != nil {
		if s.Device.Container() != nil {
			return n.startContainer(ctx, s)
		}
		return n.startProcess(ctx, s)
	}
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return nil, errClosed
	}
	return n.startTester(s)
}
