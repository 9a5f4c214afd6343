package member_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// The ways in which a fuzzed message reaches the member: as it is, under the cookies of the Rekey SA, encrypted under the
// KEK, and signed as well.
const (
	asIs = iota
	underCookies
	encrypted
	signed
	ways
)

// wrap makes a datagram of fuzzed octets.
func wrap(l *lab, way byte, data []byte) []byte {
	h := isakmp.Header{Version: isakmp.Version10, Exchange: isakmp.ExchangePush, Flags: isakmp.FlagEncryption}
	copy(h.InitiatorCookie[:], l.ks.rekey.SPI[:8])
	copy(h.ResponderCookie[:], l.ks.rekey.SPI[8:])
	h.NextPayload = isakmp.PayloadSEQ
	body := data
	switch way % ways {
	case asIs:
		return data
	case signed:
		body = sign(l, h, data)
		fallthrough
	case encrypted:
		body, _, _ = keymat.AES.EncryptCBC(l.ks.rekey.Key, l.ks.rekey.IV, body)
	}
	h.Length = uint32(isakmp.HeaderLen + len(body))
	return append(h.Append(nil), body...)
}

// sign takes the octets as SEQ 1 and what follows it, and appends SIG. The fuzzer chooses the chain of payloads.
func sign(l *lab, h isakmp.Header, data []byte) []byte {
	next := byte(isakmp.PayloadSIG)
	if len(data) > 0 {
		next, data = data[0], data[1:]
	}
	plain := append([]byte{next, 0, 0, 8, 0, 0, 0, 1}, data...)
	h.Length = uint32(isakmp.HeaderLen + len(plain) + isakmp.GenericLen + 256)
	sig, err := scheme.Sign(signer(), scheme.Digest(h.Append(nil), plain))
	if err != nil {
		l.Fatal(err)
	}
	plain = append(plain, 0, 0, 0, 0)
	binary.BigEndian.PutUint16(plain[len(plain)-2:], uint16(isakmp.GenericLen+len(sig)))
	return append(plain, sig...)
}

// fuzzSeeds are what a key server sends, as it is and as what is encrypted.
func fuzzSeeds(f *testing.F) {
	l := registered(f)
	full := l.ks.makePush(pushSpec{seq: 1, deletes: deleteAll(), rekey: kek(2), sas: []policy.TrafficSA{gcm(0x2001), cbc(0x2002)}})
	f.Add(byte(asIs), full)
	f.Add(byte(underCookies), full[isakmp.HeaderLen:])
	plain, _, _ := keymat.AES.DecryptCBC(l.ks.rekey.Key, l.ks.rekey.IV, full[isakmp.HeaderLen:])
	f.Add(byte(encrypted), plain)
	payloads := plain[8 : len(plain)-256-4-4]
	f.Add(byte(signed), append([]byte{byte(isakmp.PayloadD)}, payloads...))
	f.Add(byte(signed), []byte{byte(isakmp.PayloadSIG)})
	l = newLab(f)
	l.ks.hold = true
	l.start()
	f.Add(byte(asIs), l.ks.held)
}

// FuzzHandle feeds a member arbitrary datagrams: it must not panic, it may send nothing but an acknowledgement or a new
// registration, and a message that was refused must change nothing.
func FuzzHandle(f *testing.F) {
	fuzzSeeds(f)
	var l *lab // kept from one message to the next, because registering takes long
	f.Fuzz(func(t *testing.T, way byte, data []byte) {
		if l == nil {
			l = registered(t)
		}
		l.attach(t)
		before := l.status()
		effects := l.gm.Handle(l.now, &core.Datagram{From: ksAddress, To: gmAddress, Data: wrap(l, way, data)})
		for _, e := range effects {
			if line, ok := e.(*core.Log); ok && line.Tag == "REKEY_ACCEPTED" {
				l = nil
				return
			}
			if s, ok := e.(*core.Send); ok {
				t.Fatalf("the member answers with %s", s.Kind)
			}
		}
		if after := l.status(); after.Rekey != before.Rekey || after.Sequence != before.Sequence || len(after.SAs) != len(before.SAs) {
			t.Errorf("a refused message has changed %+v to %+v", before, after)
		}
		if before.Sequence < 1e6 {
			l.push(l.ks.makePush(pushSpec{seq: before.Sequence + 1}))
			if got := l.status().Sequence; got != before.Sequence+1 {
				t.Errorf("the right message is not accepted: the last number is %d", got)
			}
		}
	})
}

// FuzzGuardsOff does the same to a member that checks nothing: it may do what it likes, but it must not panic.
func FuzzGuardsOff(f *testing.F) {
	fuzzSeeds(f)
	var off rule.Switches
	for _, g := range rule.All() {
		if g.Kind == rule.KindCheck || g.Kind == rule.KindBound {
			if err := off.Set(g.Name, "off"); err != nil {
				f.Fatal(err)
			}
		}
	}
	var l *lab
	f.Fuzz(func(t *testing.T, way byte, data []byte) {
		if l == nil || l.status().Rekey != kek(1).SPI.String() {
			l = newLabWith(t, config(), &off).start()
		}
		l.attach(silent{t})
		l.ks.deaf = true
		l.push(wrap(l, way, data))
		l.event(&core.Packet{From: core.Inside, Data: clearPacket()})
		l.event(&core.Packet{From: core.Outside, Data: bytes.Clone(data)})
		l.status()
	})
}

// attach gives a lab that is kept to the test that runs now.
func (l *lab) attach(t testing.TB) {
	l.forget()
	l.TB, l.ks.TB = t, t
	l.passed = nil
}

// silent is a test that does not mind what the member sends.
type silent struct{ testing.TB }

func (silent) Errorf(string, ...any) {}
