package lab

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/harness/peer"
)

// logSource is where the log of a device comes from. After close it goes on giving what it has.
type logSource interface {
	all() []string
	close() error
}

// openLog opens the log that the manifest names; without one there are no lines.
func (p *process) openLog(s *peer.Syslog) (logSource, error) {
	if s == nil {
		return noLog{}, nil
	}
	switch s.From {
	case peer.SourceStdout:
		return logStream{p.stdout}, nil
	case peer.SourceFile:
		return &logFile{of: p.launch}, nil
	case peer.SourceUDP:
		return p.net.receiveLog(p.name, logReceiver, p.enter)
	case peer.SourceTCP:
		return p.net.receiveStream(p.name, logReceiver, p.enter)
	}
	return logStream{p.stderr}, nil
}

type noLog struct{}

func (noLog) all() []string { return nil }
func (noLog) close() error  { return nil }

// logStream is what a process writes to one of its outputs.
type logStream struct{ *lines }

func (logStream) close() error { return nil }

// logFile is a file that a process writes.
type logFile struct {
	of   *peer.Launch
	last []string // what it held when the process ended
}

func (f *logFile) all() []string {
	if f.last != nil {
		return f.last
	}
	text, err := os.ReadFile(f.of.LogFile)
	if err != nil || len(text) == 0 {
		return nil
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1] // a line may be under way
	return strings.Split(strings.TrimSuffix(string(whole), "\n"), "\n")
}

func (f *logFile) close() error {
	if f.last = f.all(); f.last == nil {
		f.last = []string{}
	}
	return nil
}

// logSocket receives syslog datagrams.
type logSocket struct {
	*lines
	conn  *net.UDPConn
	ended chan struct{}
}

// lastDatagram ends a logSocket; what a device sent before it has been read then.
const lastDatagram = "\x00the end"

// receiveLog receives a node's log at an address of the namespace that is entered.
func (n *kernelNet) receiveLog(node, at string, enter func(func() error) error) (logSource, error) {
	s := &logSocket{lines: &lines{net: n}, ended: make(chan struct{})}
	err := enter(func() error {
		address, err := netip.ParseAddrPort(at)
		if err == nil {
			s.conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(address))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: syslog receiver of %s: %w", node, err)
	}
	go s.read()
	return s, nil
}

func (s *logSocket) read() {
	defer close(s.ended)
	buffer := make([]byte, 1<<16)
	for {
		n, err := s.conn.Read(buffer)
		if err != nil || string(buffer[:n]) == lastDatagram {
			return
		}
		_, _ = withNewline{s.lines}.Write(buffer[:n])
	}
}

func (s *logSocket) close() error {
	_ = s.conn.SetReadDeadline(time.Now().Add(time.Second)) // in case there is no room for the last one
	if _, err := s.conn.WriteTo([]byte(lastDatagram), s.conn.LocalAddr()); err != nil {
		return errors.Join(err, s.conn.Close())
	}
	<-s.ended
	return s.conn.Close()
}

// listens reports whether somebody has bound that port in a node's namespace: for TCP, listens on it.
func (n *kernelNet) listens(node string, port peer.Port) bool {
	found := false
	_ = n.inside(node, func() error {
		for _, family := range []string{"", "6"} {
			table, err := os.Open("/proc/thread-self/net/" + port.Protocol + family)
			if err != nil {
				continue // a kernel without IPv6
			}
			found = found || bound(table, port)
			_ = table.Close()
		}
		return nil
	})
	return found
}

// bound reads a table of sockets as the kernel shows it.
func bound(table *os.File, port peer.Port) bool {
	const tcpListen = "0A"
	scanner := bufio.NewScanner(table)
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) < 4 || port.Protocol == "tcp" && fields[3] != tcpListen {
			continue
		}
		_, digits, ok := strings.Cut(fields[1], ":")
		if number, err := strconv.ParseUint(digits, 16, 16); ok && err == nil && uint16(number) == port.Number {
			return true
		}
	}
	return false
}
