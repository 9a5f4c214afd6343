package tester

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// Life is what Watch has seen: questions of the peer whether the node is alive, which it has answered, and answers of the peer to the
// node's own.
type Life struct{ Questions, Answers int }

// errEnded is what Watch returns when there is no SA any more.
var errEnded = errors.New("the SA has ended")

// Watch keeps the SA as a daemon does, until that is enough: it answers the peer's questions and asks its own when the configuration
// says so (RFC 3706). It fails if the SA ends.
func (n *IKE) Watch(ctx context.Context, enough func(Life) bool) (life Life, err error) {
	for !enough(life) {
		a, err := n.receive(ctx, n.sa.Wake())
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = n.wake()
		} else if err == nil {
			err = n.informed(&life, a.data)
		}
		if err != nil {
			return life, n.failed(err)
		}
	}
	return life, nil
}

// wake does what is due under the SA.
func (n *IKE) wake() error {
	out, ending := n.sa.Timer(time.Now(), n.cfg.Rand)
	if err := n.send(out...); err != nil {
		return err
	}
	if ending != ike.Alive {
		return errEnded
	}
	return nil
}

// informed takes a message under the SA. One that is refused leaves it as it was.
func (n *IKE) informed(life *Life, data []byte) error {
	if again, known := n.sa.Duplicate(data); known {
		return n.send(again...)
	}
	o, err := n.sa.OpenInformational(data)
	if err != nil {
		n.refused = err
		return nil
	}
	deleted, err := n.sa.Deleted(o)
	switch {
	case deleted:
		return errEnded
	case err != nil:
		n.refused = err
		return nil
	}
	answers, err := n.sa.Liveness(time.Now(), o, n.cfg.Rand)
	if err != nil {
		n.refused = err
		return nil
	}
	life.count(o)
	return n.send(answers...)
}

func (l *Life) count(o *ike.Opened) {
	switch n, _, _ := isakmp.Find[isakmp.Notify](o.Payloads); n.NotifyType {
	case isakmp.NotifyRUThere:
		l.Questions++
	case isakmp.NotifyRUThereACK:
		l.Answers++
	}
}
