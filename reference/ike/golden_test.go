package ike

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// The worked values were computed outside this project: SHA-256, toy public values of 32 octets, one transform of
// AES-CBC-256, SHA2-256, PSK, group 14 for 28800 s.
const (
	goldenSA    = "0000003800000002000000000000002c01010001000000240101000080010007800e010080020004800300018004000e800b0001800c7080"
	goldenA     = "8ce7a1ff1597c41b73b7bcfc2b20c35f24dfa9778146af6b9753a946d0015605"
	goldenE     = "9c69f4e7f096dd355a5dc19f5762f4d796bf28f5cd360495ce2fd76d24d24fe7"
	goldenIV    = "d8377945f0e5fb139731eb0178caab8f"
	goldenHashI = "472e4bfd5ec5055118ac7f0648e4182c16ea8e0026c4a987a761a3562ef38207"
	goldenIV2   = "9298874f877ec0cf185f14b4288f2c5c"
	goldenLast  = "f0e0d0c0b0a09080706050403020100f"
)

var goldenSuite = Suite{Encryption: 7, KeyBits: 256, Hash: keymat.SHA256, Authentication: 1, Group: 14}

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func count(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

// goldenExchange is an initiator that has all it needs for message 5.
func goldenExchange(tb testing.TB) *Exchange {
	c := config(rule.GM, "golden")
	x := &Exchange{cfg: c.withDefaults(), initiator: true, expect: core.MainMode6}
	x.ci, x.cr = isakmp.Cookie(bytes.Repeat([]byte{0x11}, 8)), isakmp.Cookie(bytes.Repeat([]byte{0x22}, 8))
	x.chosen.suite, x.psk = goldenSuite, policy.PSK{Key: []byte("gdoi-psk")}
	x.offer.body = unhex(tb, goldenSA)[isakmp.GenericLen:]
	x.ni, x.nr = count(0x00, 16), count(0x10, 16)
	x.gxi, x.gxr = bytes.Repeat([]byte{0xa1}, 32), bytes.Repeat([]byte{0xb2}, 32)
	x.derive(bytes.Repeat([]byte{0xc3}, 32))
	return x
}

func TestGoldenOffer(t *testing.T) {
	c := config(rule.GM, "golden")
	c.Lifetime, c.Suites = 28800*time.Second, []Suite{goldenSuite}
	sa := c.withDefaults().offerSA()
	life := &sa.Proposals[0].Transforms[0].Attributes[6]
	if !bytes.Equal(life.Value, []byte{0, 0, 0x70, 0x80}) || life.Basic {
		t.Errorf("life duration %+v, want four octets", life)
	}
	*life = wire.TV(isakmp.AttrLifeDuration, 28800) // the worked value has the short form
	got, err := isakmp.AppendPayload(nil, isakmp.PayloadNone, sa)
	if err != nil || hex.EncodeToString(got) != goldenSA {
		t.Errorf("offer %x, %v\nwant  %s", got, err, goldenSA)
	}
}

func TestGoldenOfferIsChosen(t *testing.T) {
	sa, err := isakmp.ParseSA(unhex(t, goldenSA)[isakmp.GenericLen:], 0)
	if err != nil {
		t.Fatal(err)
	}
	c := config(rule.KS, "golden")
	c.Suites = []Suite{suiteAES, goldenSuite}
	chosen, err := c.withDefaults().choose(sa)
	if err != nil || chosen.suite != goldenSuite || chosen.lifetime != 28800*time.Second {
		t.Errorf("chosen %+v, %v", chosen, err)
	}
	if reply, err := c.replySA(offer{sa: sa}, chosen).AppendBody(nil); err != nil || hex.EncodeToString(reply[8:]) != goldenSA[24:] {
		t.Errorf("reply %x, %v", reply, err)
	}
}

func TestGoldenKeys(t *testing.T) {
	x := goldenExchange(t)
	for _, v := range []struct {
		name string
		got  []byte
		want string
	}{
		{"SKEYID_a", x.keys.A, goldenA},
		{"SKEYID_e", x.keys.E, goldenE},
		{"cipher key", x.key, goldenE},
		{"first IV", x.firstIV, goldenIV},
		{"HASH_I", x.ownHash(keymat.HashI, []isakmp.Payload{x.cfg.identity()}), goldenHashI},
	} {
		if hex.EncodeToString(v.got) != v.want {
			t.Errorf("%s is %x, want %s", v.name, v.got, v.want)
		}
	}
}

// Message 5 has HASH_I of the worked values under the worked key and IV.
func TestGoldenMessage5(t *testing.T) {
	x := goldenExchange(t)
	m, err := x.sendAuth(core.MainMode5, keymat.HashI)
	if err != nil {
		t.Fatal(err)
	}
	plain, _, err := keymat.AES.DecryptCBC(unhex(t, goldenE), unhex(t, goldenIV), m.data[isakmp.HeaderLen:])
	want := "0800000c01000000c0000201" + "00000024" + goldenHashI
	if err != nil || hex.EncodeToString(plain) != want {
		t.Errorf("message 5 %x, %v\nwant      %s", plain, err, want)
	}
	if got := hex.EncodeToString(m.data[:isakmp.HeaderLen]); got != "1111111111111111"+"2222222222222222"+"05100201"+"00000000"+"0000004c" {
		t.Errorf("header %s", got)
	}
}

func TestGoldenStream(t *testing.T) {
	x := goldenExchange(t)
	x.iv = unhex(t, goldenLast)
	x.establish(start)
	s := x.sa.NewStream(isakmp.ExchangePull, 0x01020304)
	if hex.EncodeToString(s.iv) != goldenIV2 || s.MessageID() != 0x01020304 {
		t.Errorf("IV %x, want %s", s.iv, goldenIV2)
	}
	// HASH(1) over Ni and the group's identity.
	hash := x.sa.informationalHash([4]byte{1, 2, 3, 4}, slices.Concat(
		[]byte{5, 0, 0, 20}, count(0, 16), []byte{0, 0, 0, 12, 11, 0, 0, 0}, []byte{0, 0, 0x04, 0xd2}))
	if got := hex.EncodeToString(hash); got != "b7d06d0b7f469764d7f94e53a251f94ee8c1e5ef3a4e51c9800f79585c5d6476" {
		t.Errorf("HASH(1) %s", got)
	}
}
