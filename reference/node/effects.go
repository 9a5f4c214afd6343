package node

import (
	"encoding/json"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// perform does what the core asks for, in order. The caller holds the lock.
func (n *Node) perform(now time.Time, effects []core.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case *core.Send:
			n.send(now, e)
		case *core.Join:
			n.join(now, e)
		case *core.Leave:
			n.udp.leave(e.Stream)
		case *core.Forward:
			n.inject(e.To, e.Data)
		case *core.Log:
			n.log(now, e)
		case *core.Reply:
			n.reply(e)
		case *core.Secret:
			n.secret(now, e)
		case *core.SetClock:
			n.ahead = e.Time.Sub(now)
		case *core.Track:
			if n.cfg.Track != nil {
				n.cfg.Track(e)
			}
		}
	}
}

func (n *Node) send(now time.Time, s *core.Send) {
	if err := n.udp.send(s); err != nil {
		n.trouble(now, "SEND_FAILED", err, core.Field{Name: "kind", Value: s.Kind.String()}, core.Field{Name: "to", Value: s.To.String()})
	}
}

// join opens a socket for the group and reads it until the group is left.
func (n *Node) join(now time.Time, j *core.Join) {
	conn, at, err := n.udp.join(j.Stream)
	if err != nil {
		n.trouble(now, "JOIN_FAILED", err, core.Field{Name: "multicast", Value: j.Group.String()})
		return
	}
	if conn != nil {
		n.spawn(func() { n.receive(conn, at) })
	}
}

func (n *Node) inject(to core.Side, packet []byte) {
	if n.device != nil {
		n.device.Emit(to, packet)
	}
}

func (n *Node) reply(r *core.Reply) {
	if waiting, ok := n.pending[r.ID]; ok {
		waiting <- &core.Reply{ID: r.ID, Body: append(json.RawMessage(nil), r.Body...), Err: r.Err}
		delete(n.pending, r.ID)
	}
}

// secret appends key material to the key log, if there is one.
func (n *Node) secret(now time.Time, s *core.Secret) {
	if n.cfg.KeyLog == nil {
		return
	}
	for _, entry := range keylog.Of(n.cfg.Name, now, s) {
		line, err := json.Marshal(entry)
		if err == nil {
			_, err = n.cfg.KeyLog.Write(append(line, '\n'))
		}
		if err != nil {
			n.trouble(now, "KEYLOG_FAILED", err)
		}
	}
}

// trouble logs what the node itself could not do.
func (n *Node) trouble(now time.Time, tag string, err error, fields ...core.Field) {
	n.log(now, &core.Log{Severity: core.Error, Tag: tag, Text: err.Error(), Fields: fields})
}
