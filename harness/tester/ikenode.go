package tester

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// IKE is a node that speaks Phase 1 with the reference's own code, and under its SA what every IKE daemon understands. Its
// calls wait for the peer; between them nothing happens but that datagrams are kept. It is not safe for concurrent use.
type IKE struct {
	mailbox
	cfg     ike.Config
	sa      *ike.SA
	refused error // why the latest message was not taken
}

// NewIKE makes a node that talks over these sockets. It lives until they are closed.
func NewIKE(cfg ike.Config, conns ...*net.UDPConn) *IKE {
	return &IKE{mailbox: newMailbox(cfg.Local.Addr(), conns), cfg: cfg}
}

// SA is the established one, nil before.
func (n *IKE) SA() *ike.SA { return n.sa }

// Initiate begins Phase 1 with the peer and waits until it is established or given up.
func (n *IKE) Initiate(ctx context.Context, peer netip.AddrPort) error {
	x, out := ike.Initiate(n.cfg, time.Now(), peer)
	return n.establish(ctx, x, out)
}

// Respond waits for a Phase 1 that the peer begins, and until it is established.
func (n *IKE) Respond(ctx context.Context) error {
	for {
		a, err := n.receive(ctx, time.Time{})
		if err != nil {
			return n.failed(err)
		}
		x, out, err := ike.Respond(n.cfg, time.Now(), a.from, a.data)
		if err == nil {
			return n.establish(ctx, x, out)
		}
		n.refused = err
		if err := n.send(out...); err != nil {
			return err
		}
	}
}

// establish drives an exchange to its end. Its SA takes the place of one before.
func (n *IKE) establish(ctx context.Context, x *ike.Exchange, out []ike.Datagram) error {
	n.sa, n.refused = nil, nil
	for n.sa == nil {
		if err := n.send(out...); err != nil {
			return err
		}
		due, _ := x.Deadline()
		a, err := n.receive(ctx, due)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			out, err = x.Timeout(time.Now())
		case err == nil:
			out, n.sa, n.refused = x.HandleAt(time.Now(), a.from, a.to, a.data)
		}
		if err != nil {
			return n.failed(err)
		}
	}
	return n.send(out...)
}

// failed is an error with what was refused last, which may be the reason.
func (n *IKE) failed(err error) error {
	if n.refused != nil {
		return fmt.Errorf("tester: %w; refused last: %w", err, n.refused)
	}
	return fmt.Errorf("tester: %w", err)
}

// send sends messages, each from the port that it is to leave from.
func (n *IKE) send(out ...ike.Datagram) error {
	for _, d := range out {
		if d.Data == nil {
			continue
		}
		from := d.From
		if !from.IsValid() {
			from = n.cfg.Local
		}
		s := n.cfg.Leave(core.Send{From: from, To: d.To, Data: d.Data, Kind: d.Kind})
		if s == nil {
			continue
		}
		if err := n.write(s.From.Port(), s.To, s.Data); err != nil {
			return err
		}
	}
	return nil
}

// Delete tells the peer that the SA is gone (RFC 2408 §3.15).
func (n *IKE) Delete() error {
	d, err := n.sa.SealDelete(n.cfg.Rand)
	if err != nil {
		return err
	}
	return n.send(d)
}

// AwaitDelete waits until the peer deletes the SA.
func (n *IKE) AwaitDelete(ctx context.Context) error {
	return n.await(ctx, func(o *ike.Opened) bool {
		deleted, _ := n.sa.Deleted(o) // the Delete of another SA is none of this one
		return deleted
	})
}

// Probe asks the peer whether it is alive and waits for the answer, which has the number of the question (RFC 3706 §5.4).
func (n *IKE) Probe(ctx context.Context, number uint32) error {
	ci, cr := n.sa.Cookies()
	data := []byte{byte(number >> 24), byte(number >> 16), byte(number >> 8), byte(number)}
	d, err := n.sa.SealInformational(n.cfg.Rand, isakmp.Notify{DOI: n.cfg.DOI, Protocol: isakmp.ProtoISAKMP,
		SPI: slices.Concat(ci[:], cr[:]), NotifyType: isakmp.NotifyRUThere, Data: data})
	if err != nil {
		return err
	}
	if err := n.send(d); err != nil {
		return err
	}
	return n.await(ctx, func(o *ike.Opened) bool {
		answer, _, ok := isakmp.Find[isakmp.Notify](o.Payloads)
		return ok && answer.NotifyType == isakmp.NotifyRUThereACK && bytes.Equal(answer.Data, data)
	})
}

// Answers reports whether the peer answers one of several probes; number is that of the first.
func (n *IKE) Answers(ctx context.Context, number uint32) bool {
	const probes, each = 3, 300 * time.Millisecond
	for i := range uint32(probes) {
		short, done := context.WithTimeout(ctx, each)
		err := n.Probe(short, number+i)
		done()
		if err == nil {
			return true
		}
	}
	return false
}

// await waits for a proven Informational.
func (n *IKE) await(ctx context.Context, is func(*ike.Opened) bool) error {
	for {
		a, err := n.receive(ctx, time.Time{})
		if err != nil {
			return n.failed(err)
		}
		if again, known := n.sa.Duplicate(a.data); known {
			if err := n.send(again...); err != nil {
				return err
			}
			continue
		}
		o, err := n.sa.OpenInformational(a.data)
		if err == nil && is(o) {
			return nil
		}
		n.refused = err
	}
}
