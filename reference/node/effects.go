package node

import (
	"encoding/json"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keylog"
)

// do does one thing that the core asks for. The caller holds the lock.
func (p *place) do(now time.Time, e core.Effect) {
	switch e := e.(type) {
	case *core.Send:
		p.send(now, e)
	case *core.Join:
		p.join(now, e)
	case *core.Leave:
		p.udp.leave(e.Stream)
	case *core.Forward:
		p.inject(e.To, e.Data)
	case *core.Log:
		p.log(now, e)
	case *core.Reply:
		p.reply(e)
	case *core.Secret:
		p.secret(now, e)
	case *core.SetClock:
		p.ahead = e.Time.Sub(now)
	case *core.Track:
		if p.cfg.Track != nil {
			p.cfg.Track(e)
		}
	}
}

func (p *place) send(now time.Time, s *core.Send) {
	if err := p.udp.send(s); err != nil {
		p.trouble(now, "SEND_FAILED", err, core.Field{Name: "kind", Value: s.Kind.String()}, core.Field{Name: "to", Value: s.To.String()})
	}
}

// join opens a socket for the group and reads it until the group is left.
func (p *place) join(now time.Time, j *core.Join) {
	conn, at, err := p.udp.join(j.Stream)
	if err != nil {
		p.trouble(now, "JOIN_FAILED", err, core.Field{Name: "multicast", Value: j.Group.String()})
		return
	}
	if conn != nil {
		p.spawn(func() { p.receive(conn, at) })
	}
}

func (p *place) inject(to core.Side, packet []byte) {
	if p.device != nil {
		p.device.Emit(to, packet)
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
