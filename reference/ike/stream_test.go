package ike

import (
	"bytes"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// pullHash stands for HASH(n) of a PULL: over the Message ID and what follows.
func pullHash(sa *SA) func(mid [4]byte, after []byte) []byte {
	return func(mid [4]byte, after []byte) []byte { return sa.Hash().PRF(sa.SKEYIDa(), mid[:], after) }
}

func nonceOf(text string) []isakmp.Payload { return []isakmp.Payload{isakmp.Nonce{Data: []byte(text)}} }

// say seals a nonce on one stream and opens and commits it on the other.
func say(t *testing.T, from, to *Stream, text string) {
	t.Helper()
	d, err := from.Seal(core.Pull1, pullHash(from.sa), nonceOf(text))
	if err != nil {
		t.Fatal(err)
	}
	o, err := to.Open(d.Data, isakmp.Phase1)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	mid := [4]byte(d.Data[atMessageID:atLength])
	if !bytes.Equal(o.Hash, pullHash(to.sa)(mid, o.After)) {
		t.Errorf("%q: HASH does not verify over After", text)
	}
	if n, _, _ := isakmp.Find[isakmp.Nonce](o.Payloads); string(n.Data) != text {
		t.Errorf("opened %q, want %q", n.Data, text)
	}
	o.Commit()
}

func TestStreamsSideBySide(t *testing.T) {
	p := established(t, "streams")
	var gm, ks [3]*Stream
	for n := range gm {
		id := p.iSA.NewMessageID(p.gm.Rand)
		gm[n], ks[n] = p.iSA.NewStream(isakmp.ExchangePull, id), p.rSA.NewStream(isakmp.ExchangePull, id)
	}
	for _, text := range []string{"1", "a longer second one", "3"} {
		for n := range gm {
			say(t, gm[n], ks[n], "to the key server "+text)
		}
		for n := range gm {
			say(t, ks[n], gm[n], "to the member "+text)
		}
	}
}

func TestStreamChain(t *testing.T) {
	p := established(t, "chain")
	s := p.iSA.NewStream(isakmp.ExchangePull, 7)
	iv := keymat.PhaseTwoIV(p.iSA.Hash(), p.octets(5)[len(p.octets(5))-16:], 7)
	for range 3 {
		d, err := s.Seal(core.Pull1, pullHash(p.iSA), nonceOf("text"))
		if err != nil {
			t.Fatal(err)
		}
		plain, next, err := keymat.AES.DecryptCBC(p.iSA.key, iv, d.Data[isakmp.HeaderLen:])
		if err != nil || plain[0] != byte(isakmp.PayloadNonce) || plain[3] != 36 {
			t.Fatalf("not chained: %x, %v", plain, err)
		}
		if d.Kind != core.Pull1 || d.To != ksAddr || len(d.Data)%16 != isakmp.HeaderLen%16 {
			t.Errorf("datagram %s to %s, %d octets", d.Kind, d.To, len(d.Data))
		}
		iv = next
	}
}

// A message that was opened changes nothing until Commit.
func TestOpenWithoutCommit(t *testing.T) {
	p := established(t, "commit")
	gm, ks := p.iSA.NewStream(isakmp.ExchangePull, 7), p.rSA.NewStream(isakmp.ExchangePull, 7)
	first, _ := gm.Seal(core.Pull1, pullHash(p.iSA), nonceOf("first"))
	for range 2 {
		if _, err := ks.Open(first.Data, isakmp.Phase1); err != nil {
			t.Fatal(err)
		}
	}
	for i := isakmp.HeaderLen; i < len(first.Data); i++ {
		_, _ = ks.Open(set(first.Data, i, first.Data[i]^0x55), isakmp.Phase1)
	}
	o, err := ks.Open(first.Data, isakmp.Phase1)
	if err != nil {
		t.Fatal(err)
	}
	o.Commit()
	say(t, gm, ks, "second")
	if o, err := ks.Open(first.Data, isakmp.Phase1); err == nil && bytes.Equal(o.Hash, pullHash(p.rSA)([4]byte{0, 0, 0, 7}, o.After)) {
		t.Error("the first message passes again after the second")
	}
}

const pullID = 0x01020304

// pullCases are messages of a new PULL from one side, and the guard that refuses them.
func pullCases(tb testing.TB, from *SA) []badCase {
	tb.Helper()
	stream := from.NewStream(isakmp.ExchangePull, pullID)
	d, _ := stream.Seal(core.Pull1, pullHash(from), nonceOf("nonce"))
	good := d.Data
	reseal := func(padding []byte, ps ...isakmp.Payload) []byte {
		body, err := isakmp.AppendPayloads(nil, ps)
		if err != nil {
			tb.Fatal(err)
		}
		iv := from.NewStream(isakmp.ExchangePull, pullID).iv
		sealed, _, _ := keymat.AES.EncryptCBC(from.key, iv, append(body, padding...))
		h := header(tb, good)
		h.NextPayload, h.Length = isakmp.FirstType(ps), uint32(isakmp.HeaderLen+len(sealed))
		return append(h.Append(nil), sealed...)
	}
	hash, nonce := isakmp.Hash{Data: make([]byte, 32)}, isakmp.Nonce{Data: []byte("n")}
	inClear := header(tb, good)
	inClear.Flags = 0
	zero, _ := from.NewStream(isakmp.ExchangePull, 0).Seal(core.Pull1, pullHash(from), nonceOf("nonce"))
	return []badCase{
		{"as it should be", good, ""},
		{"commit flag", set(good, atFlags, 3), ""},
		{"no payload behind HASH", reseal(nil, hash), ""},
		{"27 octets", good[:27], "ike.header.length"},
		{"length", longer(good, 0)[:len(good)], "ike.header.length"},
		{"another SA", set(good, 0, 9, 9), "ike.header.cookies"},
		{"swapped cookies", set(good, 0, append(bytes.Clone(good[8:16]), good[:8]...)...), "ike.header.cookies"},
		{"exchange 33", set(good, atExchange, 33), "ike.header.exchange"},
		{"version 2", set(good, atVersion, 0x20), "ike.pull.version"},
		{"version 0", set(good, atVersion, 0), "ike.pull.version"},
		{"flag 7", set(good, atFlags, 0x81), "ike.header.flags"},
		{"not marked as encrypted", set(good, atFlags, 0), "ike.pull.encrypted"},
		{"in clear", assemble(tb, inClear, hash, nonce), "ike.pull.encrypted"},
		{"Message ID 0", zero.Data, "ike.pull.mid"},
		{"another Message ID", set(good, atMessageID, 9), "ike.pull.mid"},
		{"broken block", longer(good, 1), "ike.chain.blocks"},
		{"nothing encrypted", longer(good[:isakmp.HeaderLen]), "ike.chain.form"},
		{"HASH second, for the receiver to see", reseal(nil, nonce, hash), ""},
		{"reserved", reseal(nil, hash, isakmp.Framed{Payload: nonce, Reserved: 1}), "ike.chain.reserved"},
		{"too long", reseal(nil, hash, isakmp.Framed{Payload: nonce, LengthDelta: 100}), "ike.chain.form"},
		{"zeros behind", reseal(make([]byte, 40), hash, nonce), ""},
		{"a few octets behind", reseal([]byte{1, 2, 3}, hash, nonce), ""},
		{"a block of octets behind", reseal(bytes.Repeat([]byte{1}, 16), hash, nonce), "ike.chain.end"},
	}
}

func TestOpenRefuses(t *testing.T) {
	p := established(t, "refuse")
	for _, tc := range pullCases(t, p.iSA) {
		t.Run(tc.name, func(t *testing.T) {
			o, err := p.rSA.NewStream(isakmp.ExchangePull, pullID).Open(tc.data, isakmp.Phase1)
			if tc.guard != "" {
				wantGuard(t, err, tc.guard)
			} else if err != nil || o.Hash == nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

func TestAfterLeavesOutPadding(t *testing.T) {
	p := established(t, "after")
	for n := range 40 {
		id := uint32(n + 1)
		var sealed []byte
		d, err := p.iSA.NewStream(isakmp.ExchangePull, id).Seal(core.Pull1, func(mid [4]byte, after []byte) []byte {
			sealed = bytes.Clone(after)
			return make([]byte, 32)
		}, []isakmp.Payload{isakmp.Nonce{Data: make([]byte, n)}, isakmp.ID{IDType: 11, Data: []byte{0, 0, 4, 0xd2}}})
		if err != nil {
			t.Fatal(err)
		}
		o, err := p.rSA.NewStream(isakmp.ExchangePull, id).Open(d.Data, isakmp.Phase1)
		if err != nil || !bytes.Equal(o.After, sealed) {
			t.Errorf("nonce of %d: After %x, hashed %x, %v", n, o.After, sealed, err)
		}
	}
}

func TestSealFailsOnWhatDoesNotFit(t *testing.T) {
	p := established(t, "fit")
	s := p.iSA.NewStream(isakmp.ExchangePull, 7)
	if _, err := s.Seal(core.Pull1, pullHash(p.iSA), []isakmp.Payload{isakmp.Nonce{Data: make([]byte, 1<<16)}}); err == nil {
		t.Error("a payload of 65536 octets was sealed")
	}
	say(t, s, p.rSA.NewStream(isakmp.ExchangePull, 7), "the chain has not moved")
}

func TestInformational(t *testing.T) {
	p := established(t, "informational")
	for _, dir := range []struct{ from, to *SA }{{p.iSA, p.rSA}, {p.rSA, p.iSA}} {
		n := dir.from.Notify(isakmp.NotifyAuthenticationFailed, []byte("why"))
		d, err := dir.from.SealInformational(keymat.Seeded("info"), n)
		if err != nil || d.Kind != core.Informational || d.To != dir.from.Peer() {
			t.Fatalf("%+v, %v", d, err)
		}
		h := header(t, d.Data)
		if i, r := dir.from.Cookies(); h.InitiatorCookie != i || h.ResponderCookie != r || h.MessageID == 0 {
			t.Errorf("header %+v", h)
		}
		o, err := dir.to.OpenInformational(d.Data)
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := isakmp.Find[isakmp.Notify](o.Payloads)
		if got.NotifyType != isakmp.NotifyAuthenticationFailed || got.DOI != 2 || got.Protocol != 1 || string(got.Data) != "why" {
			t.Errorf("notification %+v", got)
		}
		if deleted, err := dir.to.Deleted(o); deleted || err != nil {
			t.Errorf("a notification deletes the SA: %v", err)
		}
		o.Commit()
	}
}

func TestDelete(t *testing.T) {
	p := established(t, "delete")
	d, err := p.rSA.SealDelete(p.ks.Rand)
	if err != nil {
		t.Fatal(err)
	}
	o, err := p.iSA.OpenInformational(d.Data)
	if err != nil {
		t.Fatal(err)
	}
	if deleted, err := p.iSA.Deleted(o); !deleted || err != nil {
		t.Fatalf("the SA lives on: %v", err)
	}
	del, _, _ := isakmp.Find[isakmp.Delete](o.Payloads)
	i, r := p.iSA.Cookies()
	if del.DOI != 2 || del.Protocol != 1 || del.SPISize != 16 || len(del.SPIs) != 1 || !bytes.Equal(del.SPIs[0], append(i[:], r[:]...)) {
		t.Errorf("delete %+v", del)
	}
	other := isakmp.Delete{DOI: 2, Protocol: 1, SPISize: 16, SPIs: [][]byte{make([]byte, 16)}}
	esp := isakmp.Delete{DOI: 2, Protocol: 3, SPISize: 4, SPIs: [][]byte{{1, 2, 3, 4}}}
	for _, del := range []isakmp.Delete{other, esp} {
		d, _ := p.rSA.SealInformational(p.ks.Rand, del)
		o, err := p.iSA.OpenInformational(d.Data)
		if err != nil {
			t.Fatal(err)
		}
		if deleted, err := p.iSA.Deleted(o); deleted || (err != nil) != (del.Protocol == 1) {
			t.Errorf("%+v deletes the SA: %v, %v", del, deleted, err)
		}
	}
}

// infoCases are Deletes of the SA gone wrong.
func infoCases(tb testing.TB, from *SA, good []byte) []badCase {
	tb.Helper()
	i, r := from.Cookies()
	h := isakmp.Header{InitiatorCookie: i, ResponderCookie: r, Version: isakmp.Version10,
		Exchange: isakmp.ExchangeInformational, MessageID: 5}
	del := isakmp.Delete{DOI: 2, Protocol: 1, SPISize: 16, SPIs: [][]byte{from.spi()}}
	after, _ := isakmp.AppendPayloads(nil, []isakmp.Payload{del})
	proven := isakmp.Hash{Data: from.informationalHash([4]byte{0, 0, 0, 5}, after)}
	return []badCase{
		{"unprotected", assemble(tb, h, del), "ike.info.protected"},
		{"in clear, with HASH(1)", assemble(tb, h, proven, del), "ike.info.protected"},
		{"27 octets", good[:27], "ike.header.length"},
		{"version", set(good, atVersion, 0x20), "ike.header.version.above"},
		{"old version", set(good, atVersion, 0), "ike.header.version.below"},
		{"no Message ID", set(good, atMessageID, 0, 0, 0, 0), "ike.header.mid"},
		{"another Message ID", set(good, atMessageID, good[atMessageID]^1), "ike.chain.form"},
		{"exchange", set(good, atExchange, 6), "ike.header.exchange"},
		{"cookies", set(good, 0, 1, 2, 3), "ike.header.cookies"},
	}
}

func TestInformationalRefused(t *testing.T) {
	p := established(t, "info refuse")
	d, _ := p.rSA.SealDelete(p.ks.Rand)
	good := d.Data
	for _, tc := range infoCases(t, p.rSA, good) {
		t.Run(tc.name, func(t *testing.T) {
			_, err := p.iSA.OpenInformational(tc.data)
			wantGuard(t, err, tc.guard)
		})
	}
	for n := isakmp.HeaderLen; n < len(good); n++ {
		if _, err := p.iSA.OpenInformational(set(good, n, good[n]^1)); err == nil && n < len(good)-16 {
			t.Errorf("octet %d altered, and HASH(1) verifies", n)
		}
	}
	bad, _ := p.rSA.NewStream(isakmp.ExchangeInformational, 9).Seal(core.Informational,
		func([4]byte, []byte) []byte { return make([]byte, 32) }, nil)
	_, err := p.iSA.OpenInformational(bad.Data)
	wantGuard(t, err, "ike.info.hash")
	o, err := p.iSA.OpenInformational(good)
	if err != nil {
		t.Fatalf("the right one afterwards: %v", err)
	}
	if deleted, err := p.iSA.Deleted(o); !deleted {
		t.Errorf("the right one afterwards: %v", err)
	}
}

func TestMessageIDs(t *testing.T) {
	p := established(t, "mid")
	seen := make(map[uint32]bool)
	for range 500 {
		id := p.iSA.NewMessageID(p.gm.Rand)
		if id == 0 || seen[id] {
			t.Fatalf("Message ID %08x", id)
		}
		seen[id] = true
	}
	if id := newMessageID(bytes.NewReader([]byte{0, 0, 0, 0, 0, 0, 0, 1})); id != 1 {
		t.Errorf("Message ID %d, want the first that is not zero", id)
	}
}
