package keyserver_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

// course is the conversation of one member with the key server, from Main Mode 1 to the acknowledgement of a PUSH, one message
// after the other. It ends early if an answer does not come.
type course struct {
	*gm
	x     *ike.Exchange
	pull  *pull
	sent  [][]byte // the member's messages; the last one has not been delivered
	over  bool
	third bool // message 3 of the PULL was delivered as it should be
}

func newCourse(l *lab) *course {
	c := &course{gm: l.member(1)}
	var out []ike.Datagram
	c.x, out = ike.Initiate(c.config(), l.now, ksAddress)
	c.sent = append(c.sent, out[0].Data)
	return c
}

// step delivers the next message and makes the one after it of the answer.
func (c *course) step() {
	if c.over {
		return
	}
	answers := c.deliver(c.addr, c.sent[len(c.sent)-1])
	c.third = c.third || c.pull != nil && c.pull.nr != nil
	if len(answers) == 0 {
		c.over = true
		return
	}
	c.follow(answers[0].Data)
}

func (c *course) follow(answer []byte) {
	switch {
	case c.sa == nil:
		out, sa, err := c.x.Handle(c.now, ksAddress, answer)
		if c.sa = sa; sa != nil {
			c.pull = c.begin()
			c.sent = append(c.sent, c.pull.message1())
		} else if err == nil && len(out) > 0 {
			c.sent = append(c.sent, out[0].Data)
		} else {
			c.over = true
		}
	case c.pull.nr == nil:
		c.pull.read2(answer)
		c.sent = append(c.sent, c.pull.message3())
	case c.rekey.Key == nil:
		c.pull.read4(answer)
		push := c.lab.rekey(control.RekeyArgs{}) // to where message 3 came from last
		c.receive(push[0].Data)
		c.sent = append(c.sent, ackOf(c.rekey, 1, c.addr.Addr()))
	default:
		c.over = true
	}
}

// FuzzConversation has messages of a member's whole conversation come altered, again, too early or from elsewhere, at any point
// of it. Nobody is recorded for a message that was altered behind its header, no more is kept than the limits say, and
// whatever happened another member registers.
func FuzzConversation(f *testing.F) {
	for which := range byte(7) {
		advance := make([]byte, 4*int(which))
		f.Add(append(advance, which, 1, 200, 1, which, 132, 16, 0, which, 0, 0, 1))
		f.Add(append(advance, which, 9, 0, 4, which, 11, 0, 1, which, 2, 4, 0x81))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		l := newLab(t, configuration(acknowledged, narrow), nil)
		c := newCourse(l)
		for _, s := range wiretest.Steps(script, 24) {
			if s.How == 0 && s.Value == 0 {
				c.step()
				continue
			}
			c.disturb(t, s)
		}
		other := l.member(2)
		other.completes(t)
		l.pass(10 * time.Minute)
		if kept := l.ks.Kept(); kept.Sessions > 2 || kept.Openings > kept.Sessions || kept.Addresses > 0 {
			t.Errorf("ten minutes later it keeps %+v", kept)
		}
	})
}

// disturb gives the key server a message of the conversation as the step says.
func (c *course) disturb(t *testing.T, s wiretest.Step) {
	t.Helper()
	genuine := s.Choose(c.sent)
	data, from := s.Alter(genuine), c.addr
	switch {
	case s.Value >= 224:
		from = netip.MustParseAddrPort("192.0.2.77:848")
	case s.Value >= 192:
		from = netip.AddrPortFrom(from.Addr(), 4849)
	}
	before := c.status()
	for _, answer := range c.deliver(from, data) {
		if answer.Kind == core.Push {
			t.Errorf("%x brings about a PUSH", data)
		}
	}
	after := c.status()
	if len(after.Groups[0].Members) > len(before.Groups[0].Members) && !wiretest.SameBody(data, genuine) {
		t.Errorf("%x instead of %x lets a member in", data, genuine)
	}
	if !c.third && len(after.Groups[0].Members) == 0 && after.Groups[0].NextSID != before.Groups[0].NextSID {
		t.Errorf("%x takes a Sender-ID", data)
	}
	if kept := c.ks.Kept(); after.HalfOpen > 10 || kept.Sessions > 10+len(c.sent) || kept.Pulls > len(c.sent)*24 {
		t.Errorf("it keeps %+v", kept)
	}
}

// completes has another member register without disturbance.
func (m *gm) completes(t *testing.T) {
	t.Helper()
	x, out := ike.Initiate(m.config(), m.now, ksAddress)
	for len(out) > 0 {
		var err error
		if out, m.sa, err = x.Handle(m.now, ksAddress, m.only(m.deliver(m.addr, out[0].Data))); err != nil {
			t.Fatal(err)
		}
	}
	m.register()
}
