package ike

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// at brings a pair to the point where the n-th message (0 to 5) is in the queue, alone.
func at(tb testing.TB, seed string, n int) *pair {
	tb.Helper()
	return newPair(seed).at(tb, n)
}

// at is at for a pair that was prepared.
func (p *pair) at(tb testing.TB, n int) *pair {
	tb.Helper()
	p.begin()
	for range n {
		q := p.queue[0]
		p.queue = p.queue[1:]
		p.take(q)
	}
	if len(p.queue) != 1 || len(p.refused) > 0 {
		tb.Fatalf("no message %d: %v", n+1, p.refused)
	}
	return p
}

// hand gives data instead of the message in the queue to the side that awaits it, and returns the error.
func (p *pair) hand(data []byte) error {
	if p.queue[0].toKS {
		_, _, err := p.r.Handle(p.now, gmAddr, data)
		return err
	}
	_, _, err := p.i.Handle(p.now, ksAddr, data)
	return err
}

// try is hand with a copy of the exchange, which stays as it was.
func (p *pair) try(data []byte) error {
	x, from := p.i, ksAddr
	if p.queue[0].toKS {
		x, from = p.r, gmAddr
	}
	probe := *x
	_, _, err := probe.Handle(p.now, from, data)
	return err
}

// parse reads a message in clear.
func parse(tb testing.TB, data []byte) (isakmp.Header, []isakmp.Payload) {
	tb.Helper()
	h := header(tb, data)
	ps, _, err := isakmp.Phase1.Parse(h.NextPayload, data[isakmp.HeaderLen:], isakmp.HeaderLen)
	if err != nil {
		tb.Fatal(err)
	}
	return h, isakmp.Payloads(ps)
}

func assemble(tb testing.TB, h isakmp.Header, ps ...isakmp.Payload) []byte {
	tb.Helper()
	data, err := isakmp.Assemble(h, ps)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// keCases are message 3 or 4, which is the one in the queue, gone wrong.
func (p *pair) keCases(tb testing.TB) []badCase {
	tb.Helper()
	group := suiteAES.group()
	short := bytes.Repeat([]byte{5}, group.PublicLen()-1)
	number := func(v byte) []byte { return fit([]byte{v}, group.PublicLen()) }
	huge := bytes.Repeat([]byte{0xff}, group.PublicLen())
	good := p.queue[0].data
	h, ps := parse(tb, good)
	ke, nonce := ps[0], ps[1]
	cases := []badCase{
		{"another exchange", set(good, atExchange, 4), "ike.main.exchange"},
		{"encrypted", set(good, atFlags, 1), "ike.header.flags"},
		{"initiator cookie", set(good, 0, 0xee, 0xee), "ike.header.cookies"},
		{"responder cookie", set(good, 8, 0xee, 0xee), "ike.header.cookies"},
	}
	for _, tc := range []struct {
		name  string
		ps    []isakmp.Payload
		guard string
	}{
		{"no KE", []isakmp.Payload{nonce}, "ike.main.ke.length"},
		{"no nonce", []isakmp.Payload{ke}, "ike.main.nonce.min"},
		{"nothing known", []isakmp.Payload{isakmp.VID{}}, "ike.main.ke.length"},
		{"short KE", []isakmp.Payload{isakmp.KE{Data: short}, nonce}, "ike.main.ke.length"},
		{"long KE", []isakmp.Payload{isakmp.KE{Data: append(short, 5, 5)}, nonce}, "ike.main.ke.length"},
		{"value 0", []isakmp.Payload{isakmp.KE{Data: number(0)}, nonce}, "ike.main.ke.value"},
		{"value 1", []isakmp.Payload{isakmp.KE{Data: number(1)}, nonce}, "ike.main.ke.value"},
		{"value above the prime", []isakmp.Payload{isakmp.KE{Data: huge}, nonce}, "ike.main.ke.value"},
		{"nonce of 7", []isakmp.Payload{ke, isakmp.Nonce{Data: make([]byte, 7)}}, "ike.main.nonce.min"},
		{"nonce of 8", []isakmp.Payload{ke, isakmp.Nonce{Data: make([]byte, 8)}}, ""},
		{"nonce of 256", []isakmp.Payload{ke, isakmp.Nonce{Data: make([]byte, 256)}}, ""},
		{"nonce of 257", []isakmp.Payload{ke, isakmp.Nonce{Data: make([]byte, 257)}}, "ike.main.nonce.max"},
		{"two KEs", []isakmp.Payload{ke, ke, nonce}, "ike.main.once"},
		{"two nonces", []isakmp.Payload{ke, nonce, nonce}, "ike.main.once"},
		{"SA", []isakmp.Payload{goodSA(), ke, nonce}, "ike.main.payload"},
		{"HASH", []isakmp.Payload{ke, nonce, isakmp.Hash{}}, "ike.main.payload"},
		{"KE reserved", []isakmp.Payload{isakmp.Framed{Payload: ke, Reserved: 1}, nonce}, "ike.chain.reserved"},
	} {
		cases = append(cases, badCase{tc.name, assemble(tb, h, tc.ps...), tc.guard})
	}
	return cases
}

func TestKeyExchangeMessages(t *testing.T) {
	for n := 2; n <= 3; n++ {
		p := at(t, "ke", n)
		for _, tc := range p.keCases(t) {
			if err := p.try(tc.data); tc.guard != "" {
				wantGuard(t, err, tc.guard)
				wantGuard(t, p.hand(tc.data), tc.guard)
			} else if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
		// The other order and more payloads are fine.
		h, ps := parse(t, p.queue[0].data)
		natd := isakmp.Raw{PayloadType: isakmp.PayloadNATD, Body: make([]byte, 32)}
		p.queue[0].data = assemble(t, h, ps[1], natd, isakmp.VID{Data: []byte("x")}, ps[0], natd)
		p.drain()
		p.wantSA(t)
	}
}

// sender is the side whose message is in the queue.
func (p *pair) sender() *Exchange {
	if p.queue[0].toKS {
		return p.i
	}
	return p.r
}

// resealed is message 5 or 6 with altered payloads, encrypted as its sender would.
func (p *pair) resealed(tb testing.TB, padding []byte, alter func(ps []isakmp.Payload) []isakmp.Payload) []byte {
	tb.Helper()
	from, iv, data := p.sender(), p.sender().firstIV, p.queue[0].data
	if !p.queue[0].toKS {
		iv = keymat.NextIV(iv, p.octets(4))
	}
	cipher := from.chosen.suite.Cipher()
	plain, _, err := cipher.DecryptCBC(from.key, iv, data[isakmp.HeaderLen:])
	if err != nil {
		tb.Fatal(err)
	}
	h := header(tb, data)
	ps, _, err := isakmp.Phase1.Parse(h.NextPayload, plain, isakmp.HeaderLen)
	if err != nil {
		tb.Fatal(err)
	}
	out := alter(isakmp.Payloads(ps))
	body, err := isakmp.AppendPayloads(nil, out)
	if err != nil {
		tb.Fatal(err)
	}
	sealed, _, err := cipher.EncryptCBC(from.key, iv, append(body, padding...))
	if err != nil {
		tb.Fatal(err)
	}
	h.NextPayload, h.Length = isakmp.FirstType(out), uint32(isakmp.HeaderLen+len(sealed))
	return append(h.Append(nil), sealed...)
}

// inClear is message 5 or 6 as it would be without encryption.
func (p *pair) inClear(tb testing.TB) []byte {
	var payloads []isakmp.Payload
	data := p.resealed(tb, nil, func(ps []isakmp.Payload) []isakmp.Payload { payloads = ps; return ps })
	h := header(tb, data)
	h.Flags = 0
	return assemble(tb, h, payloads...)
}

// withID replaces the identity and makes the HASH anew, so that only the identity can be refused.
func (p *pair) withID(tb testing.TB, id isakmp.ID, more ...isakmp.Payload) []byte {
	return p.resealed(tb, nil, func(ps []isakmp.Payload) []isakmp.Payload {
		x, of := p.sender(), hashFunc(keymat.HashR)
		if p.queue[0].toKS {
			of = keymat.HashI
		}
		idBody, _ := id.AppendBody(nil)
		return append([]isakmp.Payload{id, isakmp.Hash{Data: x.hash(of, x.offer.body, idBody)}}, more...)
	})
}

// identityCases are message 5 or 6, which is the one in the queue, with other identities and a HASH that fits.
func (p *pair) identityCases(tb testing.TB) []badCase {
	tb.Helper()
	address := []byte{192, 0, 2, 77}
	var cases []badCase
	for _, tc := range []struct {
		name  string
		id    isakmp.ID
		guard string
	}{
		{"another address", isakmp.ID{IDType: 1, Data: address}, ""},
		{"UDP 848", isakmp.ID{IDType: 1, Protocol: 17, Port: 848, Data: address}, ""},
		{"UDP 500", isakmp.ID{IDType: 1, Protocol: 17, Port: 500, Data: address}, ""},
		{"FQDN", isakmp.ID{IDType: 2, Data: []byte("gm.example")}, ""},
		{"IPv6 address", isakmp.ID{IDType: 5, Data: make([]byte, 16)}, ""},
		{"UDP 0", isakmp.ID{IDType: 1, Protocol: 17, Data: address}, "ike.main.id.port"},
		{"TCP 22", isakmp.ID{IDType: 1, Protocol: 6, Port: 22, Data: address}, "ike.main.id.port"},
		{"no protocol but a port", isakmp.ID{IDType: 1, Port: 848, Data: address}, "ike.main.id.port"},
		{"type 0", isakmp.ID{IDType: 0, Data: address}, "ike.main.id.type"},
		{"subnet", isakmp.ID{IDType: 4, Data: make([]byte, 8)}, "ike.main.id.type"},
		{"list", isakmp.ID{IDType: 12, Data: address}, "ike.main.id.type"},
		{"type 200", isakmp.ID{IDType: 200, Data: address}, "ike.main.id.type"},
		{"five octets", isakmp.ID{IDType: 1, Data: make([]byte, 5)}, "ike.main.id.type"},
		{"nothing", isakmp.ID{IDType: 1}, "ike.main.id.type"},
		{"empty FQDN", isakmp.ID{IDType: 2}, "ike.main.id.type"},
	} {
		cases = append(cases, badCase{tc.name, p.withID(tb, tc.id), tc.guard})
	}
	return cases
}

// authCases are message 5 or 6, which is the one in the queue, gone wrong.
func (p *pair) authCases(tb testing.TB) []badCase {
	tb.Helper()
	same := func(ps []isakmp.Payload) []isakmp.Payload { return ps }
	good, block := p.queue[0].data, p.sender().chosen.suite.Cipher().BlockSize()
	return []badCase{
		{"not marked as encrypted", set(good, atFlags, 0), "ike.main.encrypted"},
		{"in clear", p.inClear(tb), "ike.main.encrypted"},
		{"flag 7", set(good, atFlags, 0x81), "ike.header.flags"},
		{"Message ID", set(good, atMessageID, 1), "ike.header.mid"},
		{"broken block", longer(good, 0), "ike.chain.blocks"},
		{"nothing encrypted", longer(good[:isakmp.HeaderLen]), "ike.chain.form"},
		{"a block of something", p.resealed(tb, bytes.Repeat([]byte{1}, block), same), "ike.chain.end"},
		{"bad HASH", p.resealed(tb, nil, func(ps []isakmp.Payload) []isakmp.Payload {
			return []isakmp.Payload{ps[0], isakmp.Hash{Data: make([]byte, 32)}}
		}), "ike.main.hash"},
		{"short HASH", p.resealed(tb, nil, func(ps []isakmp.Payload) []isakmp.Payload {
			return []isakmp.Payload{ps[0], isakmp.Hash{Data: ps[1].(isakmp.Hash).Data[1:]}}
		}), "ike.main.hash"},
		{"no HASH", p.resealed(tb, nil, func(ps []isakmp.Payload) []isakmp.Payload { return ps[:1] }), "ike.main.hash"},
		{"no ID", p.resealed(tb, nil, func(ps []isakmp.Payload) []isakmp.Payload { return ps[1:] }), "ike.main.id.type"},
		{"two IDs", p.resealed(tb, nil, func(ps []isakmp.Payload) []isakmp.Payload {
			return append(ps, ps[0])
		}), "ike.main.once"},
		{"Delete", p.resealed(tb, nil, func(ps []isakmp.Payload) []isakmp.Payload {
			return append(ps, isakmp.Delete{})
		}), "ike.main.payload"},
	}
}

func TestAuthenticationMessages(t *testing.T) {
	for n := 4; n <= 5; n++ {
		p := at(t, "auth", n)
		for _, tc := range append(p.authCases(t), p.identityCases(t)...) {
			t.Run(tc.name, func(t *testing.T) {
				if err := p.try(tc.data); tc.guard != "" {
					wantGuard(t, err, tc.guard)
					wantGuard(t, p.hand(tc.data), tc.guard)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		// The other order, a notification and any number of zeros behind are fine.
		if err := p.try(p.resealed(t, make([]byte, 64), func(ps []isakmp.Payload) []isakmp.Payload {
			return []isakmp.Payload{ps[1], ps[0], isakmp.Notify{DOI: 1, Protocol: 1, NotifyType: isakmp.NotifyInitialContact}}
		})); err != nil {
			t.Error(err)
		}
		p.drain()
		p.wantSA(t)
	}
}
