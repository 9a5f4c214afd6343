package keyserver_test

import (
	"bytes"
	"net/netip"
	"strings"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

func (w *witness) notAsked(l *lab) {
	m := l.joined(1)
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
	m.deliver(m.addr, ackOf(m.rekey, 1, m.addr.Addr()))
	w.see("acked %d", l.status().Groups[0].Members[0].Acked)
}

func (w *witness) algorithms(l *lab) {
	m := l.joined(1)
	for _, sa := range m.register().SAs {
		w.see("%s for %s", sa.Transform, sa.Selector)
	}
}

func (w *witness) outsiders(l *lab) {
	m := l.member(200).phase1()
	w.see("not authorised: %s", kinds(m.deliver(m.addr, m.begin().message1())))
	m = l.member(1).phase1()
	w.see("from elsewhere: %s", kinds(m.deliver(netip.MustParseAddrPort("203.0.113.9:9"), m.begin().message1())))
}

func kinds(sent []*core.Send) string {
	var names []string
	for _, s := range sent {
		names = append(names, s.Kind.String())
	}
	return strings.Join(names, " ")
}

func (w *witness) seeDownload(d download) {
	own := len(d.SAs) == 2 && !bytes.Equal(d.SAs[0].CipherKey, d.SAs[1].CipherKey)
	w.see("seq %d sids %v sas %d own keys %t high SPIs %t", d.seq, d.sids, len(d.SAs), own, len(d.SAs) > 0 && d.SAs[0].SPI > 255)
}

func (w *witness) registrations(l *lab) {
	m := l.member(1).phase1()
	w.seeDownload(m.register())
	w.seeDownload(m.register())
	w.seeDownload(m.register(gdoimap.RequestOf(3, nil)))
	other := l.member(2).phase1()
	w.seeDownload(other.register())
	p := other.begin()
	p.read2(p.only(p.deliver(p.addr, p.message1())))
	q := other.begin()
	q.read2(q.only(q.deliver(q.addr, q.message1())))
	w.see("nonces differ %t", !bytes.Equal(p.nr, q.nr))
	l.rekey(control.RekeyArgs{})
	w.seeDownload(m.register())
	w.see("last SEQ %d", l.status().Groups[0].Sequence)
}

func (w *witness) keyMaterial(l *lab) {
	d := l.member(1).phase1().register()
	counter, triple := d.SAs[0].CipherKey, d.SAs[1].CipherKey
	w.see("salt drawn %t, parts differ %t", !bytes.Equal(counter[16:], make([]byte, 4)), !bytes.Equal(triple[:8], triple[16:]))
}

func (w *witness) firstMessages(l *lab) {
	m := l.member(1).phase1()
	for range 5 {
		m.only(m.deliver(m.addr, m.begin().message1()))
	}
	g := l.status().Groups[0]
	w.see("members %d next SID %d", len(g.Members), g.NextSID)
}

func (w *witness) openings(l *lab) {
	template := l.member(1).opening()
	for n := range 12 {
		l.deliver(station(1), first(template, n))
		w.see("half open %d", l.status().HalfOpen)
	}
	for n := range 24 {
		l.deliver(station(2+n), first(template, 100+n))
		w.see("half open %d", l.status().HalfOpen)
	}
}

func (w *witness) badFirstMessages(l *lab) {
	m := l.member(1).phase1()
	nonce := func(n int) isakmp.Nonce { return isakmp.Nonce{Data: bytes.Repeat([]byte{7}, n)} }
	id := groupIdentity(groupID)
	send := func(ps ...isakmp.Payload) { w.see("%s", kinds(m.deliver(m.addr, m.begin().message1(ps...)))) }
	for _, n := range []int{7, 8, 128, 129} {
		send(nonce(n), id)
	}
	send(nonce(16), id, id)
	send(nonce(16), gdoi.ID{IDType: isakmp.IDIPv4Addr, Data: id.Data})
	send(nonce(16), gdoi.ID{IDType: isakmp.IDKeyID, Data: append(bytes.Clone(id.Data), 0)})
	send(nonce(16), groupIdentity(9))
	send(id)
	p := m.begin()
	w.see("wrong HASH(1): %s", kinds(m.deliver(m.addr, p.seal(core.Pull1, wrong(p.hash()), nonce(16), id))))
}

func (w *witness) thirdMessages(l *lab) {
	m := l.member(1).phase1()
	begin := func() (*pull, []byte) {
		p := m.begin()
		first := p.message1()
		p.read2(m.only(m.deliver(m.addr, first)))
		return p, first
	}
	p, _ := begin()
	w.see("wrong HASH(3): %s", kinds(m.deliver(m.addr, p.seal(core.Pull3, wrong(p.hash(p.ni, p.nr))))))
	p, _ = begin()
	w.see("form: %s", kinds(m.deliver(m.addr, p.message3(gdoi.KD{}))))
	p, first := begin()
	p.read4(m.only(m.deliver(m.addr, p.message3())))
	w.see("again: %s", kinds(m.deliver(m.addr, first)))
	p, _ = begin()
	p.read4(m.only(m.deliver(m.addr, p.message3())))
	fresh := &pull{gm: m, id: p.id, stream: m.sa.NewStream(isakmp.ExchangePull, p.id), ni: bytes.Repeat([]byte{9}, 16)}
	w.see("another: %s", kinds(m.deliver(m.addr, fresh.message1())))
}

func (w *witness) strangers(l *lab) {
	m := l.member(1)
	second := m.only(m.deliver(m.addr, m.opening()))
	m.deliver(m.addr, append(bytes.Clone(second[:16]), 8, 0x10, byte(isakmp.ExchangePull), 1, 0, 0, 0, 9, 0, 0, 0, 28))
	m.deliver(m.addr, make([]byte, 27))
	m.deliver(m.addr, bytes.Repeat([]byte{1}, 28))
	m.phase1()
	i, r := m.sa.Cookies()
	h := isakmp.Header{InitiatorCookie: i, ResponderCookie: r, Version: 0x10, Exchange: 34, MessageID: 1, Length: 28}
	m.deliver(m.addr, h.Append(nil))
}

func (w *witness) rekeys(l *lab) {
	m := l.joined(1)
	for _, what := range []control.RekeyArgs{{}, {KEK: true}, {}, {DeleteAll: true}} {
		old := m.rekey
		data := m.only(l.rekey(what))
		h, _ := isakmp.ParseHeader(data)
		w.see("%+v cookies %t exchange %v flags %v mid %d length %d", what, bytes.Equal(data[:16], old.SPI[:]), h.Exchange, h.Flags,
			h.MessageID, int(h.Length)-len(data))
		p := m.receive(data)
		w.see("%s seq %d sas %d packets %d", chain(p.payloads), p.seq, len(p.policy.SAs), len(p.kd.Packets))
		for _, d := range p.deletes {
			w.see("delete %d %d %d %x", d.DOI, d.Protocol, d.SPISize, d.SPIs)
		}
		if k := p.policy.Rekey; k != nil {
			w.see("new cookies %t", k.SPI != old.SPI)
		}
	}
}

func (w *witness) schedule(l *lab) {
	m := l.joined(1)
	for range 3 {
		var sent []*core.Send
		for len(sent) == 0 {
			if sent = l.pass(500 * time.Millisecond); l.now.Sub(epoch) > time.Hour {
				w.Fatal("no rekey")
			}
		}
		w.see("rekey by %v, new KEK %t", l.now.Sub(epoch), m.receive(sent[0].Data).policy.Rekey != nil)
	}
}

func (w *witness) exhaustion(l *lab) {
	m := l.member(1).phase1()
	before := m.register(gdoimap.RequestOf(256, nil))
	n := l.member(2).phase1()
	p := n.begin()
	p.read2(n.only(n.deliver(n.addr, p.message1())))
	sent := n.deliver(n.addr, p.message3())
	w.see("next registration: %s", kinds(sent))
	d := p.read4(sent[len(sent)-1].Data)
	w.see("sids %v new SA %t", d.sids, d.SAs[0].SPI != before.SAs[0].SPI)
	q := n.begin()
	q.read2(n.only(n.deliver(n.addr, q.message1())))
	w.see("too many: %s", kinds(n.deliver(n.addr, q.message3(gdoimap.RequestOf(257, nil)))))
}

// sharing leaves the key server three Sender-IDs.
func sharing(cfg *policy.KeyServer) { cfg.Groups[0].SIDRange = policy.SIDRange{First: 100, Last: 102} }

func (w *witness) share(l *lab) {
	m := l.member(1).phase1()
	for range 4 {
		w.see("SIDs %v", m.register().sids)
	}
}

func (w *witness) acknowledgements(l *lab) {
	m := l.joined(1)
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
	me := m.addr.Addr()
	forge := func(change func(h *isakmp.Header, ps *[]isakmp.Payload)) {
		m.deliver(m.addr, ackOf(m.rekey, 1, me, change))
	}
	forge(func(h *isakmp.Header, _ *[]isakmp.Payload) { h.Version = 0x20 })
	forge(func(h *isakmp.Header, _ *[]isakmp.Payload) { h.Flags = 1 })
	forge(func(h *isakmp.Header, _ *[]isakmp.Payload) { h.MessageID = 1 })
	forge(func(_ *isakmp.Header, ps *[]isakmp.Payload) { *ps = append(*ps, isakmp.VID{Data: []byte("vendor")}) })
	forge(func(_ *isakmp.Header, ps *[]isakmp.Payload) {
		(*ps)[1] = gdoi.ID{IDType: isakmp.IDKeyID, Data: me.AsSlice()}
	})
	forge(func(_ *isakmp.Header, ps *[]isakmp.Payload) { (*ps)[0] = isakmp.Framed{Payload: (*ps)[0], Reserved: 1} })
	m.deliver(m.addr, append(ackOf(m.rekey, 1, me), 0))
	m.deliver(m.addr, ackOf(m.rekey, 1, memberAddr(99).Addr()))
	bad := ackOf(m.rekey, 1, me)
	bad[40]++
	m.deliver(m.addr, bad)
	m.deliver(m.addr, ackOf(m.rekey, 2, me))
	w.see("before: acked %d", l.status().Groups[0].Members[0].Acked)
	m.deliver(m.addr, ackOf(m.rekey, 1, me))
	m.deliver(m.addr, ackOf(m.rekey, 1, me))
	w.see("after: acked %d", l.status().Groups[0].Members[0].Acked)
	m.rekeyAndAck(control.RekeyArgs{KEK: true}, 5*time.Second)
	w.see("new KEK: acked %d, %d lines", l.status().Groups[0].Members[0].Acked, len(l.tagged("ACK_RECEIVED")))
}

func (w *witness) silence(l *lab) {
	m, n := l.joined(1), l.joined(2)
	n.receive(m.receiveFor(l.rekey(control.RekeyArgs{})))
	m.deliver(m.addr, ackOf(m.rekey, 1, m.addr.Addr()))
	l.rekey(control.RekeyArgs{})
	for range 15 {
		l.pass(time.Second)
		w.see("%v: %d missing", l.now.Sub(epoch), len(l.tagged("ACK_MISSING")))
	}
}

// receiveFor takes its own copy of a PUSH and returns the octets.
func (m *gm) receiveFor(sent []*core.Send) []byte {
	m.t.Helper()
	if len(sent) == 0 {
		m.t.Fatal("no PUSH")
	}
	m.receive(sent[0].Data)
	return sent[0].Data
}
