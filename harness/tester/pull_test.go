package tester

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// pullSA is a Phase 1 SA of these two.
var (
	pullSA = keylog.Entry{Kind: keylog.KindPhase1, CookieI: "1111111111111111", CookieR: "2222222222222222",
		SKEYID: strings.Repeat("aa", 32), SKEYIDa: strings.Repeat("ab", 32), CipherKey: strings.Repeat("ac", 16), FirstIV: strings.Repeat("ad", 16)}
	pullGM = netip.MustParseAddrPort("192.0.2.21:848")
	pullKS = netip.MustParseAddrPort("192.0.2.10:848")
)

// mainMode makes an encrypted message of Main Mode under that SA: HDR*, ID, HASH.
func mainMode(t *testing.T) []byte {
	t.Helper()
	plain := must(t)(isakmp.AppendPayloads(nil, []isakmp.Payload{isakmp.ID{IDType: isakmp.IDIPv4Addr, Data: []byte{192, 0, 2, 10}},
		isakmp.Hash{Data: make([]byte, 32)}}))
	body, _, err := keymat.AES.EncryptCBC(bytes.Repeat([]byte{0xac}, 16), bytes.Repeat([]byte{0xad}, 16), plain)
	h := isakmp.Header{InitiatorCookie: isakmp.Cookie(bytes.Repeat([]byte{0x11}, 8)), ResponderCookie: isakmp.Cookie(bytes.Repeat([]byte{0x22}, 8)),
		NextPayload: isakmp.PayloadID, Version: isakmp.Version10, Exchange: isakmp.ExchangeMainMode, Flags: isakmp.FlagEncryption,
		Length: uint32(isakmp.HeaderLen + len(body))}
	return must(t)(append(h.Append(nil), body...), err)
}

func newPull(t *testing.T, id uint32) *Pull {
	t.Helper()
	p, err := NewPull(pullSA, mainMode(t), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// must returns what was made.
func must(t *testing.T) func(data []byte, err error) []byte {
	return func(data []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
}

// under gives pullSA the lengths of another hash and cipher.
func under(hash, key, iv int) keylog.Entry {
	e := pullSA
	e.SKEYID, e.SKEYIDa = strings.Repeat("aa", hash), strings.Repeat("ab", hash)
	e.CipherKey, e.FirstIV = strings.Repeat("ac01", key/2), strings.Repeat("ad", iv)
	return e
}

// The lengths of its keys say which algorithms the SA has.
func TestPullUnderOtherAlgorithms(t *testing.T) {
	for _, sa := range []keylog.Entry{under(20, 24, 8), under(16, 32, 16), under(64, 24, 8), under(48, 24, 16)} {
		last := mainMode(t)
		p, err := NewPull(sa, last, 7)
		if err != nil {
			t.Fatal(err)
		}
		first := must(t)(p.First([]byte("nonce of the member"), 1234))
		frames := []capture.Frame{pullFrame(t, pullGM, pullKS, last), pullFrame(t, pullGM, pullKS, first)}
		m := capture.Decode(frames, []keylog.Entry{sa})[1]
		if m.Summary != "HDR*, HASH(1), Ni, ID" || len(m.Checks) != 1 || m.Checks[0].Result != capture.OK {
			t.Errorf("SKEYID of %d octets, key of %d, IV of %d: %q, checks %v", len(sa.SKEYID)/2, len(sa.CipherKey)/2, len(sa.FirstIV)/2, m.Summary, m.Checks)
		}
	}
}

// TestPull has what it makes read and proven by the decoder of captures, which shares no code with it but primitives.
func TestPull(t *testing.T) {
	for _, id := range []uint32{0, 1, 0xfffffffe} {
		p := newPull(t, id)
		ni := []byte("nonce of the member")
		first := must(t)(p.First(ni, 1234))
		keyServer := *p // continues the chain as the other side does
		second := must(t)(keyServer.seal([][]byte{ni}, isakmp.Nonce{Data: []byte("nonce of the server")}, gdoi.SA{DOI: gdoi.DOI,
			Attributes: []isakmp.Payload{gdoi.GAP{}}}))
		if err := p.Second(second); err != nil {
			t.Fatal(err)
		}
		third := must(t)(p.Third(gdoi.GAP{}))

		frames := []capture.Frame{pullFrame(t, pullGM, pullKS, mainMode(t)), pullFrame(t, pullGM, pullKS, first),
			pullFrame(t, pullKS, pullGM, second), pullFrame(t, pullGM, pullKS, third)}
		messages := capture.Decode(frames, []keylog.Entry{pullSA})
		for n, want := range []string{"HDR*, HASH(1), Ni, ID", "HDR*, HASH(2), Nr, SA {GAP}", "HDR*, HASH(3), GAP"} {
			m := messages[n+1]
			if m.Summary != want || m.Header.MessageID != id || len(m.Checks) != 1 || m.Checks[0].Result != capture.OK || m.Err != "" {
				t.Errorf("Message ID %08x: %q, checks %v, error %q; want %q", m.Header.MessageID, m.Summary, m.Checks, m.Err, want)
			}
		}
	}
}

func pullFrame(t *testing.T, from, to netip.AddrPort, data []byte) capture.Frame {
	t.Helper()
	return capture.Frame{Link: "wan", Packet: must(t)(lab.UDPPacket(from, to, 64, data))}
}

func TestPullWithoutPhase1(t *testing.T) {
	whole := mainMode(t)
	for _, tt := range []struct {
		name  string
		spoil func(*keylog.Entry)
		last  []byte
	}{
		{"no cookies", func(e *keylog.Entry) { e.CookieI, e.CookieR = "", "" }, whole},
		{"cookies that are no octets", func(e *keylog.Entry) { e.CookieI = "no" }, whole},
		{"an SKEYID_a that no hash gives", func(e *keylog.Entry) { e.SKEYIDa = "abababab" }, whole},
		{"an IV that no cipher has", func(e *keylog.Entry) { e.FirstIV = "adad" }, whole},
		{"no SKEYID_a", func(e *keylog.Entry) { e.SKEYIDa = "" }, whole},
		{"a last message without a block", func(*keylog.Entry) {}, whole[:isakmp.HeaderLen+keymat.BlockSize-1]},
	} {
		e := pullSA
		tt.spoil(&e)
		if _, err := NewPull(e, tt.last, 1); !errors.Is(err, ErrPhase1) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestPullOutOfOrder(t *testing.T) {
	p := newPull(t, 1)
	if _, err := p.Third(); err == nil {
		t.Error("message 3 before message 2")
	}
	first := must(t)(p.First([]byte("12345678"), 1))
	bare := *p
	withoutNonce := must(t)(bare.seal(nil))
	for name, data := range map[string][]byte{"nothing": nil, "half a block": first[:isakmp.HeaderLen+7], "message 1 itself": first, "no nonce": withoutNonce} {
		q := *p
		if err := q.Second(data); err == nil {
			t.Errorf("%s taken for message 2", name)
		}
	}
}
