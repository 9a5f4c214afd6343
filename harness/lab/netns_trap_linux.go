package lab

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
)

var _ notifying = (*process)(nil)

// trapSocket receives the traps of a device in its namespace.
type trapSocket struct {
	*lines // each in hexadecimal
	conn   *net.UDPConn
	ended  chan struct{}
}

// openTraps opens the receiver that a device notifies; nil if it notifies nobody.
func (p *process) openTraps(s Station) (t *trapSocket, err error) {
	agent := s.agent()
	if agent == nil || len(agent.Traps) == 0 {
		return nil, nil
	}
	t = &trapSocket{lines: &lines{net: p.net}, ended: make(chan struct{})}
	err = p.enter(func() (err error) {
		t.conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(agent.Traps[0]))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: receiver of the traps of %s: %w", p.name, err)
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

func (p *process) traps() (messages [][]byte) {
	if p.trapped == nil {
		return nil
	}
	for _, line := range p.trapped.all() {
		if message, err := hex.DecodeString(line); err == nil {
			messages = append(messages, message)
		}
	}
	return messages
}
