package lab

import (
	"context"
	"fmt"
	"net"
	"time"
)

var _ managed = (*process)(nil)

func (p *process) community() string { return p.launch.Community }

// manageBy sends the device's agent a message, in the device's own namespace.
func (p *process) manageBy(ctx context.Context, message []byte) ([]byte, error) {
	return manage(ctx, p.enter, p.launch.SNMP, message)
}

// manage sends an agent a message from where enter leads.
func manage(ctx context.Context, enter func(func() error) error, agent string, message []byte) (answer []byte, err error) {
	var conn net.Conn
	err = enter(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "udp", agent)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(Patience))
	if _, err := conn.Write(message); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	answer = make([]byte, 1<<16)
	n, err := conn.Read(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return answer[:n], nil
}
