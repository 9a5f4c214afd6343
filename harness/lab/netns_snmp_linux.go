package lab

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/gdoilab/gdoilab/reference/policy"
)

var (
	_ managed       = (*process)(nil)
	_ managedByUser = (*process)(nil)
	_ managed       = (*visited)(nil)
	_ managedByUser = (*visited)(nil)
)

func (p *process) community() string { return p.launch.Community }

func (p *process) user() *policy.SNMPUser { return p.launch.SNMPUser }

func (v *visited) community() string { return v.visit.Community }

func (v *visited) user() *policy.SNMPUser { return v.visit.SNMPUser }

func (v *visited) home(f func() error) error { return within(v.net.home, f) }

func (v *visited) reach(open func(string) error) error {
	return v.home(func() error { return open(v.visit.SNMP) })
}

// manageBy sends the router's agent a message, from where its operators are.
func (v *visited) manageBy(ctx context.Context, message []byte) ([]byte, error) {
	return manage(ctx, v.home, v.visit.SNMP, message)
}

func (p *process) reach(open func(string) error) error {
	return p.enter(func() error { return open(p.launch.SNMP) })
}

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
