package keyserver_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// target is a key server in the middle of its work: a Phase 1 half open, an established one with a member registered and
// a PULL waiting for message 3, and a PUSH waiting for its acknowledgement.
type target struct {
	*gm
	half   []byte // cookies of the Phase 1 that is half open
	waits  *pull
	before control.KSGroup
}

func newTarget(t testing.TB) *target {
	l := newLab(t, configuration(acknowledged, func(c *policy.KeyServer) { c.Phase1.HalfOpen.Total = 20 }), nil)
	other := l.member(2)
	half := other.only(other.deliver(other.addr, other.opening()))[:16]
	m := l.joined(1)
	m.receive(m.only(l.rekey(control.RekeyArgs{})))
	p := m.begin()
	p.read2(m.only(m.deliver(m.addr, p.message1())))
	return &target{gm: m, half: half, waits: p, before: l.status().Groups[0]}
}

// shape makes a datagram of arbitrary octets that gets past the first hurdles.
func (t *target) shape(how uint8, data []byte) []byte {
	i, r := t.sa.Cookies()
	session := append(bytes.Clone(i[:]), r[:]...)
	switch how % 6 {
	case 1:
		return append(session, data...)
	case 2:
		return append(bytes.Clone(t.rekey.SPI[:]), data...)
	case 3:
		return append(bytes.Clone(t.half), data...)
	case 4: // a PULL that decrypts to these octets, with whatever HASH they bring
		return t.encrypted(session, t.begin().id, data)
	case 5: // an acknowledgement of the right length
		h := isakmp.Header{
			InitiatorCookie: isakmp.Cookie(t.rekey.SPI[:8]), ResponderCookie: isakmp.Cookie(t.rekey.SPI[8:]), NextPayload: isakmp.PayloadHASH,
			Version: 0x10, Exchange: isakmp.ExchangePushACK, Length: uint32(isakmp.HeaderLen + len(data)),
		}
		return append(h.Append(nil), data...)
	}
	return data
}

// encrypted is message 1 of a PULL with a plaintext of HASH and these octets.
func (t *target) encrypted(cookies []byte, id uint32, data []byte) []byte {
	secret := t.sa.Secret()
	stream := t.sa.NewStream(isakmp.ExchangePull, id)
	hash := func(mid [4]byte, after []byte) []byte { return t.sa.Hash().PRF(t.sa.SKEYIDa(), mid[:], data) }
	probe, err := stream.Seal(core.Pull1, hash, nil)
	if err != nil || len(data) == 0 {
		return probe.Data
	}
	plain, _, err := keymat.AES.DecryptCBC(secret.CipherKey, t.firstIV(id), probe.Data[isakmp.HeaderLen:])
	if err != nil {
		return probe.Data
	}
	plain = append(plain[:36:36], data...)
	plain[0] = byte(isakmp.PayloadNonce)
	body, _, err := keymat.AES.EncryptCBC(secret.CipherKey, t.firstIV(id), plain)
	if err != nil {
		return probe.Data
	}
	h := isakmp.Header{
		InitiatorCookie: isakmp.Cookie(cookies[:8]), ResponderCookie: isakmp.Cookie(cookies[8:]), NextPayload: isakmp.PayloadHASH, Version: 0x10,
		Exchange: isakmp.ExchangePull, Flags: 1, MessageID: id, Length: uint32(isakmp.HeaderLen + len(body)),
	}
	return append(h.Append(nil), body...)
}

// firstIV is the IV of message 1, found by what it makes of a known plaintext.
func (t *target) firstIV(id uint32) []byte {
	secret := t.sa.Secret()
	hash := func([4]byte, []byte) []byte { return make([]byte, 12) }
	d, err := t.sa.NewStream(isakmp.ExchangePull, id).Seal(core.Pull1, hash, nil)
	if err != nil {
		t.t.Fatal(err)
	}
	block, _, err := keymat.AES.DecryptCBC(secret.CipherKey, make([]byte, 16), d.Data[isakmp.HeaderLen:])
	if err != nil {
		t.t.Fatal(err)
	}
	known := append([]byte{0, 0, 0, 16}, make([]byte, 12)...)
	for i := range known {
		known[i] ^= block[i]
	}
	return known
}

// FuzzHandle throws arbitrary datagrams at a key server at work. None may stop it, and none that is not proven may change
// a group.
func FuzzHandle(f *testing.F) {
	t := newTarget(f)
	wrong := ackOf(t.rekey, 1, t.addr.Addr())[isakmp.HeaderLen:]
	wrong[10]++
	for how := range uint8(6) {
		f.Add(how, []byte(nil))
		f.Add(how, make([]byte, 28))
		f.Add(how, wrong)
	}
	f.Add(uint8(0), t.opening())
	f.Add(uint8(4), []byte{5, 0, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 0, 0, 12, 11, 0, 0, 0, 0, 0, 4, 210})
	f.Add(uint8(1), []byte{8, 0x10, 5, 1, 0, 0, 0, 1, 0, 0, 0, 44, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Fuzz(func(ft *testing.T, how uint8, data []byte) {
		t.t = ft
		t.logs, t.secrets = nil, nil
		datagram := t.shape(how, data)
		original := bytes.Clone(datagram)
		for _, s := range t.deliver(t.addr, datagram) {
			if len(s.Data) < isakmp.HeaderLen || s.From != ksAddress {
				ft.Errorf("it sends %x", s.Data)
			}
		}
		if !bytes.Equal(datagram, original) {
			ft.Error("it writes to the datagram")
		}
		s := t.status()
		if !reflect.DeepEqual(s.Groups[0], t.before) {
			ft.Errorf("before %+v\nafter %+v", t.before, s.Groups[0])
		}
		if s.HalfOpen > 20 {
			ft.Errorf("%d half open", s.HalfOpen)
		}
	})
}

// TestAfterRubbish: a key server that has been thrown at still serves.
func TestAfterRubbish(t *testing.T) {
	target := newTarget(t)
	noise := keymat.Seeded("noise")
	for how := range 600 {
		data := make([]byte, how%120)
		noise.Read(data)
		target.deliver(target.addr, target.shape(uint8(how), data))
	}
	target.waits.read4(target.only(target.deliver(target.addr, target.waits.message3())))
	target.register()
}
