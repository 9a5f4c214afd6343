package daemon

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/mib"
	"github.com/gdoilab/gdoilab/reference/node"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/snmp"
)

// agent answers SNMP beside a node, and sends its traps.
type agent struct {
	cfg    policy.SNMP
	table  func(status []byte, notifies bool) (mib.Table, error)
	logged chan core.Log // lines that may be worth a trap; nil: nobody is to be notified
}

// tableOf makes the table of a status.
func tableOf[S any](table func(S, bool) mib.Table) func([]byte, bool) (mib.Table, error) {
	return func(status []byte, notifies bool) (mib.Table, error) {
		var s S
		if err := json.Unmarshal(status, &s); err != nil {
			return mib.Table{}, err
		}
		return table(s, notifies), nil
	}
}

// maxLogged is how many lines wait for their traps. What comes while that many wait brings none: no log waits for a network.
const maxLogged = 64

// withAgent adds the agent of a configuration, if there is one, to what runs beside the node.
func (o *options) withAgent(cfg *node.Config, s *policy.SNMP, table func([]byte, bool) (mib.Table, error)) {
	if s == nil {
		return
	}
	a := &agent{cfg: *s, table: table}
	if len(s.Traps) > 0 {
		a.logged = make(chan core.Log, maxLogged)
		cfg.Told = a.hear
	}
	o.beside = append(o.beside, a)
}

func (a *agent) hear(l *core.Log) {
	select {
	case a.logged <- core.Log{Tag: l.Tag}:
	default:
	}
}

// patience is how long a node may take to say how it is.
const patience = 5 * time.Second

// start opens the agent's socket.
func (a *agent) start(n *node.Node) (io.Closer, error) {
	now := time.Now()
	view := func() (mib.Table, error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		r := n.Do(ctx, control.Request{Command: control.Status})
		if r.Error != "" {
			return mib.Table{}, errors.New(r.Error)
		}
		return a.table(r.Body, len(a.cfg.Traps) > 0)
	}
	core, err := snmp.New(a.cfg, rand.Reader, now, view)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(a.cfg.Listen))
	if err != nil {
		return nil, fmt.Errorf("snmp: %w", err)
	}
	var group sync.WaitGroup
	group.Go(func() { serveSNMP(conn, core) })
	end := make(chan struct{})
	if a.logged != nil {
		group.Go(func() { a.notify(now, view, end) })
	}
	return closer(func() error {
		close(end)
		err := conn.Close()
		group.Wait()
		return err
	}), nil
}

// serveSNMP answers requests until the socket is closed.
func serveSNMP(conn *net.UDPConn, a *snmp.Agent) {
	request := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(request)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // of an answer that nobody took
		}
		if answer, err := a.Answer(time.Now(), request[:n]); err == nil {
			_, _ = conn.WriteToUDPAddrPort(answer, from)
		}
	}
}

// notify sends the traps of what is logged, until the end.
func (a *agent) notify(began time.Time, view snmp.View, end <-chan struct{}) {
	var teller mib.Teller
	for {
		select {
		case <-end:
			return
		case l := <-a.logged:
			table, err := view()
			if err != nil {
				continue // the node ends
			}
			if n, ok := teller.Tell(table.Role(), &l); ok {
				a.trap(time.Since(began), n, table)
			}
		}
	}
}

// trap sends one to every receiver. Who does not get it has lost it, as traps are.
func (a *agent) trap(up time.Duration, n mib.Notification, table mib.Table) {
	for _, to := range a.cfg.Traps {
		if message, err := snmp.Trap(a.cfg.Community, up, n, table); err == nil {
			sendTo(to, message)
		}
	}
}

func sendTo(to netip.AddrPort, message []byte) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write(message)
}
