package keyserver_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/gdoimap"
	"github.com/gdoilab/gdoilab/reference/ike"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// gm is a group member that does what a test tells it to.
type gm struct {
	*lab
	addr  netip.AddrPort
	rand  interface{ Read([]byte) (int, error) }
	name  policy.Identity // the one it proves; zero: its address
	sa    *ike.SA
	rekey policy.RekeySA // the Rekey SA it has, after a PULL or a PUSH
}

func memberAddr(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 848)
}

func (l *lab) member(n int) *gm {
	return &gm{lab: l, addr: memberAddr(n), rand: keymat.Seeded(fmt.Sprint("gm", n, l.now))}
}

func (m *gm) config() ike.Config {
	return ike.Config{
		Role: rule.GM, Rand: m.rand, Local: m.addr, Identity: m.name, Suites: ike.Suites(m.offers), PSK: func(netip.Addr, policy.Identity) (policy.PSK, bool) { return policy.PSK{Key: psk}, true },
	}
}

// phase1 does Main Mode.
func (m *gm) phase1() *gm {
	m.t.Helper()
	x, out := ike.Initiate(m.config(), m.now, m.server())
	for len(out) > 0 {
		replies := m.deliver(m.addr, out[0].Data)
		if out = nil; len(replies) == 0 {
			break
		}
		var err error
		if out, m.sa, err = x.Handle(m.now, m.server(), replies[0].Data); err != nil {
			m.t.Fatal(err)
		}
	}
	if m.sa == nil {
		m.t.Fatal("Phase 1 was not established")
	}
	return m
}

// pull is a GROUPKEY-PULL, message by message.
type pull struct {
	*gm
	id     uint32
	stream *ike.Stream
	ni, nr []byte
	sa2    gdoi.SA
}

func (m *gm) begin() *pull {
	p := &pull{gm: m, id: m.sa.NewMessageID(m.rand), ni: make([]byte, 16)}
	m.rand.Read(p.ni)
	p.stream = m.sa.NewStream(isakmp.ExchangePull, p.id)
	return p
}

func groupIdentity(id uint32) gdoi.ID {
	return gdoi.ID{IDType: isakmp.IDKeyID, Data: binary.BigEndian.AppendUint32(nil, id)}
}

func (p *pull) hash(nonces ...[]byte) func([4]byte, []byte) []byte {
	return func(mid [4]byte, after []byte) []byte {
		return p.sa.Hash().PRF(p.sa.SKEYIDa(), append(append([][]byte{mid[:]}, nonces...), after)...)
	}
}

// wrong makes the HASH of a message wrong.
func wrong(hash func([4]byte, []byte) []byte) func([4]byte, []byte) []byte {
	return func(mid [4]byte, after []byte) []byte {
		h := bytes.Clone(hash(mid, after))
		h[0] ^= 1
		return h
	}
}

func (p *pull) seal(kind core.Kind, hash func([4]byte, []byte) []byte, ps ...isakmp.Payload) []byte {
	p.t.Helper()
	d, err := p.stream.Seal(kind, hash, ps)
	if err != nil {
		p.t.Fatal(err)
	}
	return d.Data
}

// message1 is message 1, with other payloads than usual if there are any.
func (p *pull) message1(ps ...isakmp.Payload) []byte {
	if len(ps) == 0 {
		ps = []isakmp.Payload{isakmp.Nonce{Data: p.ni}, groupIdentity(groupID)}
	}
	return p.seal(core.Pull1, p.hash(), ps...)
}

func (p *pull) message3(ps ...isakmp.Payload) []byte {
	return p.seal(core.Pull3, p.hash(p.ni, p.nr), ps...)
}

func (p *pull) open(data []byte, nonces ...[]byte) *ike.Opened {
	p.t.Helper()
	o, err := p.stream.Open(data, gdoi.Pull)
	if err != nil {
		p.t.Fatal(err)
	}
	var mid [4]byte
	binary.BigEndian.PutUint32(mid[:], p.id)
	if !bytes.Equal(o.Hash, p.hash(nonces...)(mid, o.After)) {
		p.t.Fatalf("HASH of %s does not verify", chain(o.Payloads))
	}
	o.Commit()
	return o
}

// read2 takes message 2.
func (p *pull) read2(data []byte) {
	p.t.Helper()
	o := p.open(data, p.ni)
	if got := chain(o.Payloads); got != "HASH, NONCE, SA" {
		p.t.Fatalf("message 2 is %s", got)
	}
	nr, _, _ := isakmp.Find[isakmp.Nonce](o.Payloads)
	p.nr = slices.Clone(nr.Data)
	p.sa2, _, _ = isakmp.Find[gdoi.SA](o.Payloads)
}

// download is what message 4 gave. Seq is -1 if there was no SEQ.
type download struct {
	gdoimap.Policy
	seq  int64
	sids []uint32
	kd   gdoi.KD
}

// read4 takes message 4.
func (p *pull) read4(data []byte) download {
	p.t.Helper()
	o := p.open(data, p.ni, p.nr)
	d := download{seq: -1}
	if seq, _, ok := isakmp.Find[gdoi.SEQ](o.Payloads); ok {
		d.seq = int64(seq.Number)
	}
	d.kd, _, _ = isakmp.Find[gdoi.KD](o.Payloads)
	var err error
	if d.Policy, err = gdoimap.ReadVendorSA(p.sa2, gdoimap.Vendor{}, nil); err != nil {
		p.t.Fatal(err)
	}
	sids, err := d.AddKeys(d.kd, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if sids != nil {
		d.sids = sids.Values
	}
	if d.Rekey != nil {
		p.rekey = *d.Rekey
	}
	return d
}

// only returns the one datagram that was sent.
func (m *gm) only(sent []*core.Send) []byte {
	m.t.Helper()
	if len(sent) != 1 {
		m.t.Fatalf("%d datagrams; log: %s", len(sent), m.lastLog())
	}
	if sent[0].To != m.addr || sent[0].From != m.server() {
		m.t.Fatalf("from %v to %v", sent[0].From, sent[0].To)
	}
	return sent[0].Data
}

func (l *lab) lastLog() string {
	if len(l.logs) == 0 {
		return "nothing"
	}
	return l.logs[len(l.logs)-1].Text
}

// register does a whole PULL, with ps in message 3.
func (m *gm) register(ps ...isakmp.Payload) download {
	m.t.Helper()
	p := m.begin()
	p.read2(m.only(m.deliver(m.addr, p.message1())))
	return p.read4(m.only(m.deliver(m.addr, p.message3(ps...))))
}

// joined is a member with Phase 1 and a registration behind it.
func (l *lab) joined(n int) *gm {
	l.t.Helper()
	m := l.member(n).phase1()
	m.register()
	return m
}

// chain lists the types of payloads.
func chain(ps []isakmp.Decoded) string {
	var names []string
	for _, p := range ps {
		names = append(names, p.Payload.Type().String())
	}
	return strings.Join(names, ", ")
}
