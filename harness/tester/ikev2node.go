package tester

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/gdoilab/gdoilab/reference/ikev2"
	"github.com/gdoilab/gdoilab/reference/wire/natt"
)

// IKEv2 is a node that speaks the base exchanges of IKEv2 with the reference's own code. As with IKE, its calls wait for the peer, and
// it is not safe for concurrent use.
type IKEv2 struct {
	mailbox
	cfg     ikev2.Config
	sa      *ikev2.SA
	refused error // why the latest message was not taken
}

// NewIKEv2 makes a node that talks over these sockets. It lives until they are closed.
func NewIKEv2(cfg ikev2.Config, conns ...*net.UDPConn) *IKEv2 {
	return &IKEv2{mailbox: newMailbox(cfg.Local.Addr(), conns), cfg: cfg}
}

// SA is the established one, nil before.
func (n *IKEv2) SA() *ikev2.SA { return n.sa }

// Initiate begins an SA with the peer and waits until it is established or given up.
func (n *IKEv2) Initiate(ctx context.Context, peer netip.AddrPort) error {
	sa, out, err := ikev2.Initiate(n.cfg, time.Now(), peer)
	if err != nil {
		return err
	}
	if err := n.send(out); err != nil {
		return err
	}
	return n.establish(ctx, sa)
}

// Respond waits for an SA that the peer begins, and until it is established.
func (n *IKEv2) Respond(ctx context.Context) error {
	for {
		a, err := n.receive(ctx, time.Time{})
		if err != nil {
			return n.failed(err)
		}
		sa, out, err := ikev2.Respond(n.cfg, time.Now(), a.from, a.to, a.data)
		if sendErr := n.send(out); sendErr != nil {
			return sendErr
		}
		if err == nil {
			return n.establish(ctx, sa)
		}
		n.refused = err
	}
}

// establish drives an SA until both sides have proven who they are.
func (n *IKEv2) establish(ctx context.Context, sa *ikev2.SA) error {
	n.sa, n.refused = nil, nil
	err := n.drive(ctx, sa, func() bool { return sa.State() == ikev2.Established })
	if err == nil {
		n.sa = sa
	}
	return err
}

// drive gives an SA what comes until something is so. The error is what was refused last, if the SA is closed.
func (n *IKEv2) drive(ctx context.Context, sa *ikev2.SA, until func() bool) error {
	for !until() {
		if sa.State() == ikev2.Closed {
			return n.failed(ikev2.ErrClosed)
		}
		due, _ := sa.Deadline()
		a, err := n.receive(ctx, due)
		var out []ikev2.Datagram
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			out, err = sa.Timeout(time.Now())
		case err == nil:
			out, n.refused = sa.Handle(time.Now(), a.from, a.to, a.data)
		}
		if err != nil {
			return n.failed(err)
		}
		if err := n.send(out); err != nil {
			return err
		}
	}
	return nil
}

func (n *IKEv2) failed(err error) error {
	if n.refused != nil && !errors.Is(n.refused, ikev2.ErrRepeated) {
		return fmt.Errorf("tester: %w; refused last: %w", err, n.refused)
	}
	return fmt.Errorf("tester: %w", err)
}

// send sends messages, with the marker from port 4500 (RFC 7296 §2.23).
func (n *IKEv2) send(out []ikev2.Datagram) error {
	for _, d := range out {
		data := d.Data
		if d.From.Port() == natt.Port {
			data = append(natt.AppendMarker(nil), data...)
		}
		if err := n.write(d.From.Port(), d.To, data); err != nil {
			return err
		}
	}
	return nil
}

// under sends an own request under the SA and waits for its answer.
func (n *IKEv2) under(ctx context.Context, ask func(*ikev2.SA, time.Time) ([]ikev2.Datagram, error)) error {
	sa := n.sa
	out, err := ask(sa, time.Now())
	if err != nil {
		return err
	}
	if err := n.send(out); err != nil {
		return err
	}
	return n.drive(ctx, sa, func() bool { return sa.Idle() })
}

// Probe asks the peer whether it is alive and waits for the answer (RFC 7296 §2.4).
func (n *IKEv2) Probe(ctx context.Context) error { return n.under(ctx, (*ikev2.SA).Probe) }

// Delete tells the peer that the SA ends and waits for the answer (RFC 7296 §1.4.1).
func (n *IKEv2) Delete(ctx context.Context) error { return n.under(ctx, (*ikev2.SA).Delete) }

// Rekey has the peer take another SA for this one, and deletes this one (RFC 7296 §2.18).
func (n *IKEv2) Rekey(ctx context.Context) error {
	if err := n.under(ctx, (*ikev2.SA).Rekey); err != nil {
		return err
	}
	next := n.sa.Successor()
	if next == nil {
		return n.failed(errors.New("the peer has made no other SA"))
	}
	if err := n.Delete(ctx); err != nil {
		return err
	}
	n.sa = next
	return nil
}

// AwaitRekey waits until the peer has asked for another SA and has deleted the one before.
func (n *IKEv2) AwaitRekey(ctx context.Context) error {
	if err := n.drive(ctx, n.sa, func() bool { return n.sa.Successor() != nil }); err != nil {
		return err
	}
	next := n.sa.Successor()
	if err := n.AwaitDelete(ctx); err != nil {
		return err
	}
	n.sa = next
	return nil
}

// AwaitDelete waits until the peer has deleted the SA.
func (n *IKEv2) AwaitDelete(ctx context.Context) error {
	return n.drive(ctx, n.sa, func() bool { return n.sa.State() == ikev2.Closed })
}

// AwaitProbes waits until the peer has asked so often whether this side is alive.
func (n *IKEv2) AwaitProbes(ctx context.Context, count int) error {
	return n.drive(ctx, n.sa, func() bool { return n.sa.Probes() >= count })
}
