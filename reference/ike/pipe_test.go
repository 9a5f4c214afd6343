package ike

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

var (
	gmAddr = netip.MustParseAddrPort("192.0.2.1:848")
	ksAddr = netip.MustParseAddrPort("192.0.2.10:848")
	start  = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
)

// config is that of one side, with its own randomness and one key for everybody.
func config(role rule.Role, seed string) Config {
	c := Config{Role: role, Rand: keymat.Seeded(seed, role.String()), Local: gmAddr}
	if role == rule.KS {
		c.Local = ksAddr
	}
	c.PSK = keys("gdoi-psk")
	return c
}

// keys have one for everybody, whatever the address, and others beside it.
func keys(everybody string, others ...policy.PSK) func(netip.Addr, policy.Identity) (policy.PSK, bool) {
	all := []policy.PSK{
		{Peer: netip.MustParsePrefix("0.0.0.0/0"), Key: []byte(everybody)}, {Peer: netip.MustParsePrefix("::/0"), Key: []byte(everybody)},
	}
	return policy.Phase1{PSKs: append(all, others...)}.PSK
}

// keyAt is the key of one address.
func keyAt(a netip.Addr, key string) policy.PSK {
	return policy.PSK{Peer: netip.PrefixFrom(a, a.BitLen()), Key: []byte(key)}
}

// keyNamed is the key of whoever has that name.
func keyNamed(name policy.Identity, key string) policy.PSK {
	return policy.PSK{Identity: name, Key: []byte(key)}
}

// fault is what becomes of the n-th datagram of a side: nothing, itself, or several datagrams.
type fault func(n int, d Datagram) [][]byte

func deliver(_ int, d Datagram) [][]byte { return [][]byte{d.Data} }

// pair is an initiator and a responder on a wire without delay, with time that jumps to the next deadline.
type pair struct {
	now            time.Time
	gm, ks         Config
	i, r           *Exchange
	iSA, rSA       *SA
	iErr, rErr     error // of Timeout
	refused        []error
	toKS, toGM     fault
	queue          []queued
	nToKS, nToGM   int
	onWire         []Datagram
	establishments int
}

type queued struct {
	toKS bool
	data []byte
}

func newPair(seed string) *pair {
	return &pair{now: start, gm: config(rule.GM, seed), ks: config(rule.KS, seed), toKS: deliver, toGM: deliver}
}

func (p *pair) send(toKS bool, ds []Datagram) {
	for _, d := range ds {
		p.onWire = append(p.onWire, d)
		out, n := p.toGM, &p.nToGM
		if toKS {
			out, n = p.toKS, &p.nToKS
		}
		for _, data := range out(*n, d) {
			p.queue = append(p.queue, queued{toKS, data})
		}
		*n++
	}
}

func (p *pair) begin() {
	var ds []Datagram
	p.i, ds = Initiate(p.gm, p.now, ksAddr)
	p.send(true, ds)
}

func (p *pair) take(q queued) {
	var ds []Datagram
	var sa *SA
	var err error
	data := bytes.Clone(q.data)
	switch {
	case !q.toKS:
		ds, sa, err = p.i.Handle(p.now, ksAddr, data)
	case p.r == nil:
		p.r, ds, err = Respond(p.ks, p.now, gmAddr, data)
	default:
		ds, sa, err = p.r.Handle(p.now, gmAddr, data)
	}
	clear(data) // the caller may reuse its buffer
	if err != nil {
		p.refused = append(p.refused, err)
	}
	if sa != nil {
		p.establishments++
		if q.toKS {
			p.rSA = sa
		} else {
			p.iSA = sa
		}
	}
	p.send(!q.toKS, ds)
}

// drain delivers until the wire is quiet.
func (p *pair) drain() {
	for len(p.queue) > 0 {
		q := p.queue[0]
		p.queue = p.queue[1:]
		p.take(q)
	}
}

// run begins, and delivers and repeats until both sides are over, or for as long as a mutant is worth.
func (p *pair) run() {
	p.begin()
	p.drain()
	for wakes := 0; wakes < 50 && p.wake(); wakes++ {
		p.drain()
	}
}

// wake jumps to the next deadline.
func (p *pair) wake() bool {
	due, side := time.Time{}, (*Exchange)(nil)
	for _, x := range []*Exchange{p.i, p.r} {
		if x == nil {
			continue
		}
		if at, ok := x.Deadline(); ok && (side == nil || at.Before(due)) {
			due, side = at, x
		}
	}
	if side == nil {
		return false
	}
	p.now = due
	ds, err := side.Timeout(p.now)
	if side == p.i {
		p.iErr = err
	} else {
		p.rErr = err
	}
	p.send(side == p.i, ds)
	return true
}

// established runs a pair that nothing disturbs.
func established(tb testing.TB, seed string) *pair {
	tb.Helper()
	p := newPair(seed)
	p.run()
	if p.iSA == nil || p.rSA == nil || len(p.refused) > 0 {
		tb.Fatalf("not established: initiator %v, responder %v, refused %v", p.iSA != nil, p.rSA != nil, p.refused)
	}
	return p
}

func (p *pair) wantSA(t *testing.T) {
	t.Helper()
	if p.iSA == nil || p.rSA == nil {
		t.Fatalf("not established: initiator %v, responder %v, refused %v", p.iSA != nil, p.rSA != nil, p.refused)
	}
	if p.establishments != 2 {
		t.Errorf("SAs were returned %d times, want once for each side", p.establishments)
	}
	i, r := p.iSA.Secret(), p.rSA.Secret()
	if !bytes.Equal(i.SKEYID, r.SKEYID) || !bytes.Equal(i.CipherKey, r.CipherKey) || !bytes.Equal(i.FirstIV, r.FirstIV) {
		t.Error("the two sides have different keys")
	}
	if d := p.iSA.Hash().PRF(i.SKEYID, i.Shared, i.InitiatorCookie[:], i.ResponderCookie[:], []byte{0}); !bytes.Equal(i.Shared, r.Shared) || !bytes.Equal(d, i.SKEYIDd) {
		t.Error("SKEYID_d does not follow from g^xy")
	}
	if !bytes.Equal(p.iSA.lastBlock, p.rSA.lastBlock) {
		t.Error("the two sides have different IVs")
	}
}

// octets is a message of a pair by its place, 0 to 5.
func (p *pair) octets(n int) []byte { return bytes.Clone(p.onWire[n].Data) }

func header(tb testing.TB, data []byte) isakmp.Header {
	tb.Helper()
	h, err := isakmp.ParseHeader(data)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}
