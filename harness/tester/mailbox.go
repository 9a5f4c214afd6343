package tester

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// mailbox is the sockets of a node, and what has come to them.
type mailbox struct {
	conns    map[uint16]*net.UDPConn // by port
	arrivals chan arrival
	esp      chan []byte // ESP packets in UDP (RFC 3948 §2.1)
}

// arrival is a message of key management.
type arrival struct {
	from, to netip.AddrPort
	data     []byte
}

// backlog is how many datagrams are kept; what comes beyond is lost, as in a socket's buffer.
const backlog = 64

// newMailbox keeps what comes to the sockets of an address until they are closed.
func newMailbox(own netip.Addr, conns []*net.UDPConn) mailbox {
	m := mailbox{conns: make(map[uint16]*net.UDPConn), arrivals: make(chan arrival, backlog), esp: make(chan []byte, backlog)}
	for _, c := range conns {
		port := c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		m.conns[port] = c
		go m.listen(c, netip.AddrPortFrom(own, port))
	}
	return m
}

// listen keeps what comes to a socket until it is closed.
func (m mailbox) listen(conn *net.UDPConn, to netip.AddrPort) {
	buffer := make([]byte, 1<<16)
	for {
		length, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		a := arrival{netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), to, bytes.Clone(buffer[:length])}
		kind := natt.KindISAKMP
		if to.Port() == natt.Port {
			kind, a.data, _ = natt.Split(a.data)
		}
		switch kind {
		case natt.KindISAKMP:
			keep(m.arrivals, a)
		case natt.KindESP:
			keep(m.esp, a.data)
		}
	}
}

func keep[T any](in chan<- T, value T) {
	select {
	case in <- value:
	default:
	}
}

func (m *mailbox) write(port uint16, to netip.AddrPort, data []byte) error {
	conn, ok := m.conns[port]
	if !ok {
		return fmt.Errorf("tester: nothing to send from port %d with", port)
	}
	if _, err := conn.WriteToUDPAddrPort(data, to); err != nil {
		return fmt.Errorf("tester: %w", err)
	}
	return nil
}

// receive waits for a message until due, if that is a time, or the end of ctx. After due the error is an
// os.ErrDeadlineExceeded.
func (m *mailbox) receive(ctx context.Context, due time.Time) (arrival, error) {
	var end <-chan time.Time
	if !due.IsZero() {
		timer := time.NewTimer(time.Until(due))
		defer timer.Stop()
		end = timer.C
	}
	select {
	case a := <-m.arrivals:
		return a, nil
	case <-end:
		return arrival{}, os.ErrDeadlineExceeded
	case <-ctx.Done():
		return arrival{}, ctx.Err()
	}
}
