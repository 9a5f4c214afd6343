package lab

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
)

var (
	_ notifying = (*process)(nil)
	_ notifying = (*driven)(nil)
)

// trapSocket receives the traps of a device in its namespace.
type trapSocket struct {
	*lines // each in hexadecimal
	conn   *net.UDPConn
	ended  chan struct{}
}

// openTraps opens the receiver that a device notifies where enter leads; nil if it notifies nobody.
func (n *kernelNet) openTraps(s Station, enter func(func() error) error) (t *trapSocket, err error) {
	agent := s.agent()
	if agent == nil || len(agent.Traps) == 0 {
		return nil, nil
	}
	t = &trapSocket{lines: &lines{net: n}, ended: make(chan struct{})}
	err = enter(func() (err error) {
		t.conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(agent.Traps[0]))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: receiver of the traps of %s: %w", s.Name, err)
	}
	go t.read()
	return t, nil
}

func (t *trapSocket) read() {
	defer close(t.ended)
	buffer := make([]byte, 1<<16)
	for {
		n, err := t.conn.Read(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			_, _ = withNewline{t.lines}.Write([]byte(hex.EncodeToString(buffer[:n])))
		}
	}
}

func (t *trapSocket) close() error {
	if t == nil {
		return nil
	}
	err := t.conn.Close()
	<-t.ended
	return err
}

func (p *process) traps() [][]byte { return p.trapped.messages() }

func (d *driven) traps() [][]byte { return d.trapped.messages() }

func (t *trapSocket) messages() (messages [][]byte) {
	if t == nil {
		return nil
	}
	for _, line := range t.all() {
		if message, err := hex.DecodeString(line); err == nil {
			messages = append(messages, message)
		}
	}
	return messages
}
