package keyserver_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// backward has members that join get nothing from before.
func backward(cfg *policy.KeyServer) { cfg.Groups[0].Rekey.Backward = true }

func (w *witness) newcomers(l *lab) {
	m, n := l.member(1).phase1(), l.member(2).phase1()
	_, mine := m.join()
	_, theirs := n.join()
	w.see("another SA %t, another KEK %t", mine.SAs[0].SPI != theirs.SAs[0].SPI, !bytes.Equal(mine.Rekey.Key, theirs.Rekey.Key))
	again := m.register()
	w.see("a member that registers again: the same SA %t", again.SAs[0].SPI == theirs.SAs[0].SPI)
}

// Who joins has SAs and a KEK that nobody had before, and everybody else gets them, too. A member that comes again changes nothing.
func TestBackward(t *testing.T) {
	for name, changes := range map[string][]func(*policy.KeyServer){
		"unicast": nil, "with LKH": {hierarchical}, "with acknowledgements": {acknowledged},
	} {
		l := newLab(t, configuration(append(changes, backward)...), nil)
		m, n := l.joined(1), l.member(2).phase1()
		old := l.rekey(control.RekeyArgs{})
		before := m.receive(m.only(old))
		sent, given := n.join()
		if len(sent) != 2 || sent[0].Kind != core.Push || sent[0].To != m.addr {
			t.Fatalf("%s: %s are sent when a second member joins", name, kinds(sent))
		}
		p := m.receive(sent[0].Data)
		if spi := given.SAs[0].SPI; spi == before.policy.SAs[0].SPI || p.policy.SAs[0].SPI != spi || m.rekey.SPI != n.rekey.SPI {
			t.Errorf("%s: SPI %08x, and the other member has %08x", name, spi, p.policy.SAs[0].SPI)
		}
		if _, err := openPush(n.rekey, old[0].Data); err == nil {
			t.Errorf("%s: it reads what was sent before it came", name)
		}
		next := l.rekey(control.RekeyArgs{})
		for _, each := range []*gm{m, n} {
			i := slices.IndexFunc(next, func(s *core.Send) bool { return s.To == each.addr })
			each.receive(next[i].Data)
		}
		if sent, _ := m.join(); len(sent) != 1 {
			t.Errorf("%s: %s are sent when a member registers again", name, kinds(sent))
		}
	}
}

// Of two that join at once the second begins again, since what it was offered has been in use.
func TestBackwardTogether(t *testing.T) {
	l := newLab(t, configuration(backward), nil)
	p, q := l.member(1).phase1().begin(), l.member(2).phase1().begin()
	for _, each := range []*pull{p, q} {
		each.read2(each.only(each.deliver(each.addr, each.message1())))
	}
	first := p.read4(p.only(p.deliver(p.addr, p.message3())))
	if sent := q.deliver(q.addr, q.message3()); slices.ContainsFunc(sent, func(s *core.Send) bool { return s.Kind == core.Pull4 }) {
		t.Fatal("the second gets what the first has had")
	}
	if _, given := q.join(); given.SAs[0].SPI == first.SAs[0].SPI {
		t.Error("and gets it later")
	}
}

// join is a registration in which others may be told of something before message 4.
func (m *gm) join() ([]*core.Send, download) {
	m.t.Helper()
	p := m.begin()
	p.read2(m.only(m.deliver(m.addr, p.message1())))
	sent := m.deliver(m.addr, p.message3())
	i := slices.IndexFunc(sent, func(s *core.Send) bool { return s.Kind == core.Pull4 })
	if i < 0 {
		m.t.Fatalf("no message 4 among %s; log: %s", kinds(sent), m.lastLog())
	}
	return sent, p.read4(sent[i].Data)
}
