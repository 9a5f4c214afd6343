package keyserver_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// hierarchical has the KEK be the root of a hierarchy, and acknowledgements be keyed by that.
func hierarchical(cfg *policy.KeyServer) {
	r := &cfg.Groups[0].Rekey
	r.Management, r.Ack = policy.ManagementLKH, policy.AckLKHSHA256
}

// opened makes the KEK of a PUSH out of the update that begins at a key of the member's. It is not ok if there is none.
func (m *gm) opened(r policy.RekeySA) (_ policy.RekeySA, ok bool) {
	if r.LKH == nil || m.rekey.LKH == nil {
		return r, r.LKH == nil
	}
	c := gdoimap.CipherOf(r)
	for _, u := range r.LKH.Updates {
		for i, k := range m.rekey.LKH.Path {
			if k.ID != u.ID || k.Handle != u.Handle {
				continue
			}
			path := m.rekey.LKH.Path[: i+1 : i+1]
			for _, k := range u.Keys {
				data, err := c.UnwrapLKH(path[len(path)-1].Data, k.Data)
				if err != nil {
					m.t.Fatal(err)
				}
				k.Data = data
				path = append(path, k)
			}
			kek := path[len(path)-1].Data
			r.IV, r.Key, r.LKH = kek[:c.BlockSize()], kek[c.BlockSize():], &policy.LKH{Path: path}
			return r, true
		}
	}
	return r, false
}

// exclude takes a member out and returns the two messages to another one.
func (m *gm) exclude(other *gm) (first, second []byte) {
	m.t.Helper()
	sent, err := m.command(control.Exclude, control.ExcludeArgs{Member: other.addr.Addr().String()}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	var own [][]byte
	for _, s := range sent {
		if s.To == m.addr {
			own = append(own, s.Data)
		}
		if s.To == other.addr {
			m.t.Error("the member that is excluded is told")
		}
	}
	if len(own) != 2 {
		m.t.Fatalf("%d messages", len(own))
	}
	return own[0], own[1]
}

func (w *witness) hierarchy(l *lab) {
	m, n, o := l.joined(1), l.joined(2), l.joined(3)
	mine, theirs := m.rekey.LKH.Path, n.rekey.LKH.Path
	root := len(mine) - 1
	w.see("own leaf %t", !bytes.Equal(mine[0].Data, theirs[0].Data) && !bytes.Equal(mine[0].Data, mine[root].Data))
	w.see("same root %t", bytes.Equal(mine[root].Data, theirs[root].Data))
	data := l.rekey(control.RekeyArgs{KEK: true, KEKOnly: true})[0].Data
	for _, each := range []*gm{m, n, o} {
		each.receive(data)
	}
	w.see("another handle %t", m.rekey.LKH.Path[root].Handle != mine[root].Handle)
	first, second := m.exclude(n)
	o.receive(first)
	w.see("first: %d SAs, KEK %t", len(m.receive(first).policy.SAs), m.rekey.SPI != n.rekey.SPI)
	last := m.receive(second)
	w.see("second: %d SAs under SEQ %d", len(last.policy.SAs), last.seq)
	p, err := openPush(n.rekey, first)
	if err != nil || p.policy.Rekey == nil {
		w.Fatal("no KEK for anybody", err)
	}
	_, reads := n.opened(*p.policy.Rekey)
	w.see("the excluded reads on %t", reads)
	m.deliver(m.addr, ackOf(m.rekey, last.seq, m.addr.Addr()))
	w.see("acked %d", l.status().Groups[0].Members[0].Acked)
	w.see("again: %s", kinds(n.deliver(n.addr, n.begin().message1())))
	w.see("the leaf of one before %t", bytes.Equal(l.joined(4).rekey.LKH.Path[0].Data, theirs[0].Data))
}

// Who is excluded one after the other stays out, and everybody else goes on.
func TestExclude(t *testing.T) {
	l := newLab(t, configuration(hierarchical, multicast), nil)
	var all []*gm
	for i := range 20 { // more than the first tree has leaves
		all = append(all, l.joined(i+1))
	}
	for gone := 1; gone <= 2; gone++ {
		sent, err := l.command(control.Exclude, control.ExcludeArgs{Member: all[gone].addr.Addr().String()}, nil)
		if err != nil || len(sent) != 2 {
			t.Fatalf("%d messages, %v", len(sent), err)
		}
		for i, m := range all {
			if i == 0 || i > gone {
				m.receive(sent[0].Data)
				m.receive(sent[1].Data)
			}
		}
		for _, m := range all[1 : gone+1] {
			if p, err := openPush(m.rekey, sent[0].Data); err == nil {
				if _, reads := m.opened(*p.policy.Rekey); reads {
					t.Errorf("%v reads on", m.addr)
				}
			}
			if _, err := openPush(m.rekey, sent[1].Data); err == nil {
				t.Errorf("%v reads the second message", m.addr)
			}
		}
	}
	if n := len(l.status().Groups[0].Members); n != 18 || len(l.tagged("MEMBER_EXCLUDED")) != 2 {
		t.Errorf("%d members are left", n)
	}
}

// inParts has each message have one update of a hierarchy, however many there are.
func inParts(cfg *policy.KeyServer) { cfg.Groups[0].Rekey.Updates = 1 }

func (w *witness) parts(l *lab) {
	members := []*gm{l.joined(1), l.joined(2), l.joined(3), l.joined(4)}
	sent, err := l.command(control.Exclude, control.ExcludeArgs{Member: members[1].addr.Addr().String()}, nil)
	w.see("%d messages, %v", len(sent), err)
	sent = append(sent, l.rekey(control.RekeyArgs{KEK: true})...)
	for _, m := range []*gm{members[0], members[2], members[3]} {
		for _, s := range sent {
			if s.To == m.addr {
				p := m.receive(s.Data)
				w.see("to %v: SEQ %d, %d SAs", m.addr, p.seq, len(p.policy.SAs))
			}
		}
	}
}

// Each member is sent the part with its update, with everything else that the rekey brings, and finds nothing in the others.
func TestParts(t *testing.T) {
	for name, change := range map[string]func(*policy.KeyServer){"unicast": func(*policy.KeyServer) {}, "multicast": multicast} {
		l := newLab(t, configuration(hierarchical, inParts, change), nil)
		var all []*gm
		for i := range 18 { // more than the first tree has leaves
			all = append(all, l.joined(i+1))
		}
		both := l.rekey(control.RekeyArgs{KEK: true})
		sent, err := l.command(control.Exclude, control.ExcludeArgs{Member: all[17].addr.Addr().String()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range all {
			if keks, sas := m.reads(both); keks != 1 || sas != 1 {
				t.Errorf("%s: %v reads %d KEKs and %d SAs", name, m.addr, keks, sas)
			}
			if keks, sas := m.reads(sent); (i < 17) != (keks == 1 && sas == 1) || i == 17 && keks+sas > 0 {
				t.Errorf("%s: %v reads %d KEKs and %d SAs when one is excluded", name, m.addr, keks, sas)
			}
		}
	}
}

// reads takes what a member can read of what is sent to it, and counts it.
func (m *gm) reads(sent []*core.Send) (keks, sas int) {
	for _, s := range sent {
		p, err := openPush(m.rekey, s.Data)
		if err != nil || !s.To.Addr().IsMulticast() && s.To != m.addr {
			continue // under a KEK of before, or for another member
		}
		if p.policy.Rekey != nil {
			r, ok := m.opened(*p.policy.Rekey)
			if !ok {
				continue
			}
			m.rekey, keks = r, keks+1
		}
		sas += len(p.policy.SAs)
	}
	return keks, sas
}

// Who was excluded and is let in again gets keys like anybody else; who was not excluded is no matter for it.
func TestReadmit(t *testing.T) {
	l := newLab(t, configuration(hierarchical), nil)
	m, n := l.joined(1), l.joined(2)
	m.exclude(n)
	if sent := n.deliver(n.addr, n.begin().message1()); kinds(sent) == "PULL 2" {
		t.Fatal("it is let in though it was excluded")
	}
	who := control.ExcludeArgs{Member: n.addr.Addr().String()}
	if sent, err := l.command(control.Readmit, who, nil); err != nil || len(sent) > 0 || len(l.tagged("MEMBER_READMITTED")) != 1 {
		t.Fatalf("%d messages, %v", len(sent), err)
	}
	n.register()
	n.receive(n.only(l.rekeyTo(n)))
	for _, c := range []struct {
		args any
		want string
	}{{who, "192.0.2.2 was not excluded"}, {control.ExcludeArgs{Group: 9, Member: "192.0.2.2"}, "no group 9"}, {7, "arguments of readmit"}} {
		if _, err := l.command(control.Readmit, c.args, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

// rekeyTo is what a rekey of the TEKs sends to one member.
func (l *lab) rekeyTo(m *gm) (own []*core.Send) {
	for _, s := range l.rekey(control.RekeyArgs{}) {
		if s.To == m.addr {
			own = append(own, s)
		}
	}
	return own
}

// A member that registers again has its leaf, and its keys are those in force.
func TestRegisterAgainInHierarchy(t *testing.T) {
	l := newLab(t, configuration(hierarchical), nil)
	m := l.joined(1)
	leaf := m.rekey.LKH.Path[0]
	l.rekey(control.RekeyArgs{KEK: true})
	m.register()
	if again := m.rekey.LKH.Path[0]; again.ID != leaf.ID || !bytes.Equal(again.Data, leaf.Data) {
		t.Errorf("leaf %v becomes %v", leaf, again)
	}
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
	sent := l.rekey(control.RekeyArgs{DeleteAll: true})
	if len(sent) != 1 || sent[0].Kind != core.Push {
		t.Fatalf("%d messages", len(sent))
	}
	m.register()
	if again := m.rekey.LKH.Path[0]; bytes.Equal(again.Data, leaf.Data) {
		t.Error("the leaf outlives a new beginning")
	}
	m.receive(m.only(l.rekey(control.RekeyArgs{KEK: true})))
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
}

func TestExcludeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  policy.KeyServer
		args any
		want string
	}{
		"without LKH":  {configuration(), control.ExcludeArgs{Member: "192.0.2.1"}, "without LKH"},
		"a stranger":   {configuration(hierarchical), control.ExcludeArgs{Member: "192.0.2.77"}, "192.0.2.77 is no member"},
		"no address":   {configuration(hierarchical), control.ExcludeArgs{Member: "gm1"}, "arguments of exclude: member"},
		"other group":  {configuration(hierarchical), control.ExcludeArgs{Group: 9, Member: "192.0.2.1"}, "no group 9"},
		"no arguments": {configuration(hierarchical), 7, "arguments of exclude"},
	} {
		l := newLab(t, c.cfg, nil)
		l.joined(1)
		if sent, err := l.command(control.Exclude, c.args, nil); err == nil || !strings.Contains(err.Error(), c.want) || len(sent) > 0 {
			t.Errorf("%s: %v, %d messages", name, err, len(sent))
		}
	}
}
