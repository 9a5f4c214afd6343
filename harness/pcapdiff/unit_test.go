package pcapdiff

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/harness/capture"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
)

// leaf and tree make fields as a decoder does.
func leaf(name, value string) capture.Field {
	return capture.Field{Name: name, Value: value, Length: len(value) / 2}
}

func tree(name string, children ...capture.Field) capture.Field {
	return capture.Field{Name: name, Children: children}
}

var (
	ks  = netip.MustParseAddrPort("192.0.2.10:848")
	gm  = netip.MustParseAddrPort("192.0.2.21:848")
	gm9 = netip.MustParseAddrPort("198.51.100.9:848")
)

// talk is the beginning of a registration: Phase 1 in two messages, and message 2 of a PULL with these payloads.
func talk(member netip.AddrPort, cookie byte, payloads ...capture.Field) []capture.Message {
	h := func(exchange isakmp.ExchangeType, id uint32) *isakmp.Header {
		return &isakmp.Header{InitiatorCookie: isakmp.Cookie{cookie}, ResponderCookie: isakmp.Cookie{cookie, 1}, Version: 0x10, Exchange: exchange, MessageID: id}
	}
	return []capture.Message{
		{Frame: 1, Kind: "MM1", Summary: "HDR, SA", From: member, To: ks, Header: h(isakmp.ExchangeMainMode, 0)},
		{Frame: 2, Kind: "MM2", Summary: "HDR, SA", From: ks, To: member, Header: h(isakmp.ExchangeMainMode, 0)},
		{Frame: 3, Kind: "PULL1", Summary: "HDR*, HASH(1), Ni, ID", From: member, To: ks, Header: h(isakmp.ExchangePull, uint32(cookie)), Encrypted: true, Decrypted: true},
		{Frame: 4, Kind: "PULL2", Summary: "HDR*, HASH(2), Nr, SA", From: ks, To: member, Header: h(isakmp.ExchangePull, uint32(cookie)), Encrypted: true, Decrypted: true,
			Payloads: payloads, At: time.Unix(100, 0)},
	}
}

func none(string, string) []string { return nil }

// sole is the only difference between two conversations.
func sole(t *testing.T, a, b []capture.Message) Difference {
	t.Helper()
	r := Compare(a, b, none)
	if len(r.Differences) != 1 {
		t.Fatalf("%d differences: %+v", len(r.Differences), r.Differences)
	}
	return r.Differences[0]
}

func sat(spi string, more ...capture.Field) capture.Field {
	return tree("SAT", append([]capture.Field{leaf("Transform ID", "20"), leaf("SPI", spi)}, more...)...)
}

func TestRandomOctetsAreNotCompared(t *testing.T) {
	a := talk(gm, 1, leaf("NONCE", "0102"), tree("SA", sat("aaaaaaaa")))
	b := talk(gm, 2, leaf("NONCE", "0304"), tree("SA", sat("bbbbbbbb")))
	if r := Compare(a, b, none); !r.Same() || r.Compared != 4 {
		t.Errorf("%+v", r)
	}
	key := capture.Field{Name: "TEK_INTEGRITY_KEY", Value: "0a0b0c0d", Length: 8, Secret: true} // with the head of an attribute
	b[3].Payloads = append(b[3].Payloads, key)
	if d := sole(t, a, b); d.What != Presence || d.B != "4 octets" {
		t.Errorf("%+v", d)
	}
	b[3].Payloads = b[3].Payloads[:2]
	b[3].Payloads[0] = leaf("NONCE", "030405")
	if d := sole(t, a, b); d.What != Length || d.A != "2 octets" || d.B != "3 octets" {
		t.Errorf("%+v", d)
	}
}

// An address counts as the node that has it, in the header of a packet, as text and in hexadecimal.
func TestNodesAreMatchedByRole(t *testing.T) {
	a := talk(gm, 1, leaf("Source", "ID_IPV4_ADDR 192.0.2.21"), leaf("Data", "c0000215"))
	b := talk(gm9, 2, leaf("Source", "ID_IPV4_ADDR 198.51.100.9"), leaf("Data", "c6336409"))
	r := Compare(a, b, none)
	if !r.Same() || !slices.Contains(r.Nodes, NodePair{"GM", "192.0.2.21", "198.51.100.9"}) {
		t.Errorf("%+v", r)
	}
	b[3].Payloads[1].Value = "c633640a"
	if d := sole(t, a, b); d.Where != "PULL2 Data" || d.What != Value {
		t.Errorf("%+v", d)
	}
}

// An SPI that stood for one thing before cannot stand for another one.
func TestIdentifiersKeepTheirMeaning(t *testing.T) {
	kd := func(first, second string) capture.Field {
		return tree("KD", tree("Key Packet TEK", leaf("SPI", first)), tree("Key Packet TEK", leaf("SPI", second)))
	}
	a := talk(gm, 1, tree("SA", sat("aaaaaaa1"), sat("aaaaaaa2")), kd("aaaaaaa1", "aaaaaaa2"))
	b := talk(gm, 2, tree("SA", sat("bbbbbbb1"), sat("bbbbbbb2")), kd("bbbbbbb1", "bbbbbbb2"))
	if r := Compare(a, b, none); !r.Same() {
		t.Errorf("%+v", r)
	}
	b[3].Payloads[1] = kd("bbbbbbb1", "bbbbbbb9")
	if r := Compare(a, b, none); r.Same() {
		t.Error("a key for an SPI that no SAT has is no difference")
	}
	ids := newIdentities()
	if !ids.meet("a1", "b1") || ids.meet("a1", "b2") || ids.meet("a2", "b1") || !ids.meet("a2", "b2") || ids.meet("a3", "b333") {
		t.Error("identities")
	}
	if !ids.meet("00", "00") || ids.meet("00", "b3") || ids.meet("0000", "00") {
		t.Error("zeros stand for themselves alone")
	}
}

// The keys of an SA that only one capture has are no further difference, nor is its use.
func TestConsequencesAreLeftOut(t *testing.T) {
	kd := func(spis ...string) capture.Field {
		f := tree("KD", leaf("Key Packets", string(rune('0'+len(spis)))))
		for _, spi := range spis {
			f.Children = append(f.Children, tree("Key Packet TEK", leaf("SPI", spi)))
		}
		return f
	}
	esp := func(frame int, spi string) capture.Message {
		return capture.Message{Frame: frame, Kind: capture.KindESP, From: gm, To: ks, Payloads: []capture.Field{leaf("SPI", spi)}}
	}
	a := append(talk(gm, 1, tree("SA", sat("aaaaaaa1", leaf("Key Length", "128"))), kd("aaaaaaa1")), esp(5, "aaaaaaa1"))
	b := append(talk(gm, 2, tree("SA", sat("bbbbbbb0", leaf("Key Length", "256")), sat("bbbbbbb1", leaf("Key Length", "128"))), kd("bbbbbbb0", "bbbbbbb1")),
		esp(5, "bbbbbbb0"), esp(6, "bbbbbbb1"))
	if d := sole(t, a, b); d.What != Presence || d.A != "" || !strings.Contains(d.B, "Key Length=256") {
		t.Errorf("%+v", d)
	}
}

func TestOrder(t *testing.T) {
	a := talk(gm, 1, tree("SAK", leaf("X", "1"), leaf("Y", "2"), leaf("Z", "3")))
	b := talk(gm, 2, tree("SAK", leaf("Y", "2"), leaf("X", "1"), leaf("Z", "3")))
	if d := sole(t, a, b); d.What != Order || d.A != "X, Y, Z" || d.B != "Y, X, Z" {
		t.Errorf("%+v", d)
	}
}

func TestMissingAndFailed(t *testing.T) {
	a, b := talk(gm, 1), talk(gm, 2)
	if d := sole(t, a, b[:3]); d.What != Presence || d.Where != "PULL2" || d.B != "" || d.Frames[0] != (Frames{A: 4, Kind: "PULL2"}) {
		t.Errorf("%+v", d)
	}
	a[3].Checks = []capture.Check{{Name: "HASH(2)", Result: capture.OK}}
	b[3].Checks = []capture.Check{{Name: "HASH(2)", Result: capture.Bad, Detail: "why"}}
	if d := sole(t, a, b); d.What != Outcome || d.Where != "PULL2 HASH(2)" || d.B != "bad (why)" {
		t.Errorf("%+v", d)
	}
	b[3].Checks, a[3].Checks, b[3].Err = nil, nil, "where it breaks"
	if d := sole(t, a, b); d.What != Outcome || d.A != "sound" || d.B != "where it breaks" {
		t.Errorf("%+v", d)
	}
}

// What only one of the captures opens is not passed over, and what neither opens is counted.
func TestClosedMessages(t *testing.T) {
	a, b := talk(gm, 1, leaf("X", "1")), talk(gm, 2, leaf("X", "2"))
	a[3].Decrypted = false
	if d := sole(t, a, b); d.Where != "PULL2 decryption" || d.A != "no key opens it" || d.B != "opened" {
		t.Errorf("%+v", d)
	}
	b[3].Decrypted = false
	if r := Compare(a, b, none); !r.Same() || r.Closed != 1 || !strings.Contains(r.verdict(), "1 pairs stayed closed") {
		t.Errorf("%+v", r)
	}
}

// A failed attempt before the others does not move them against each other.
func TestExtraExchange(t *testing.T) {
	a := talk(gm, 1, leaf("X", "1"))
	failed := talk(gm, 9)[:1]
	failed[0].Frame = 7
	b := append(slices.Clone(failed), talk(gm, 2, leaf("X", "1"))...)
	if d := sole(t, a, b); d.Where != "MM1" || d.Frames[0].B != 7 {
		t.Errorf("%+v", d)
	}
}

// What is left of a lifetime depends on the moment; what a rekey brings does not.
func TestLifetimes(t *testing.T) {
	with := func(cookie byte, spi, life string, at int64) []capture.Message {
		m := talk(gm, cookie, tree("SA", sat(spi, leaf("SA Life Duration", life))))
		m[3].At = time.Unix(at, 0)
		return m
	}
	if r := Compare(with(1, "aaaaaaaa", "3600", 100), with(2, "bbbbbbbb", "3598", 900), none); !r.Same() {
		t.Errorf("%+v", r)
	}
	if d := sole(t, with(1, "aaaaaaaa", "3600", 100), with(2, "bbbbbbbb", "3590", 900)); d.What != Value || d.B != "3590" {
		t.Errorf("%+v", d)
	}
}

// What a key of LKH says of its time is counted from the message; its handle is any number.
func TestDates(t *testing.T) {
	with := func(cookie byte, handle string, at, created, expires int64) []capture.Message {
		date := func(name string, n int64) capture.Field { return leaf(name, fmt.Sprintf("some day (%d)", n)) }
		m := talk(gm, cookie, tree("KD", tree("Key Packet LKH", tree("LKH Key", capture.Field{Name: "Key Handle", Value: handle, Length: 4},
			date("Creation Date", created), date("Expiration Date", expires)))))
		m[3].At = time.Unix(at, 0)
		return m
	}
	if r := Compare(with(1, "7", 1000, 900, 4600), with(2, "4711", 5000, 10, 8601), none); !r.Same() {
		t.Errorf("%+v", r)
	}
	if d := sole(t, with(1, "7", 1000, 900, 4600), with(2, "7", 5000, 900, 4600)); d.Where != "PULL2 KD/Key Packet LKH/LKH Key/Expiration Date" {
		t.Errorf("%+v", d)
	}
	never := with(2, "7", 1000, 900, 0)
	never[3].Payloads[0].Children[0].Children[0].Children[2].Value = "0"
	if d := sole(t, with(1, "7", 1000, 900, 4600), never); d.B != "0" || d.What != Value {
		t.Errorf("%+v", d)
	}
}

// A PUSH that tells an SA in force once more tells the rest of its life; one that brings an SA, the whole of it.
func TestLifetimesInPush(t *testing.T) {
	with := func(cookie byte, spi, told, again string, at int64) []capture.Message {
		push := func(frame int, life string, at int64) capture.Message {
			return capture.Message{Frame: frame, Kind: "PUSH", From: ks, To: gm, At: time.Unix(at, 0), Encrypted: true, Decrypted: true,
				Header:   &isakmp.Header{InitiatorCookie: isakmp.Cookie{cookie, 2}, Version: 0x10, Exchange: isakmp.ExchangePush},
				Payloads: []capture.Field{tree("SA", sat(spi, leaf("SA Life Duration", life)))}}
		}
		return append(talk(gm, cookie), push(5, told, 200), push(6, again, 200+at))
	}
	if r := Compare(with(1, "aaaaaaaa", "3600", "3590", 10), with(2, "bbbbbbbb", "3600", "3570", 30), none); !r.Same() {
		t.Errorf("%+v", r)
	}
	if d := sole(t, with(1, "aaaaaaaa", "3600", "3590", 10), with(2, "bbbbbbbb", "3600", "3600", 30)); d.B != "3600" || d.Frames[0].B != 6 {
		t.Errorf("%+v", d)
	}
	if d := sole(t, with(1, "aaaaaaaa", "3600", "1800", 10), with(2, "bbbbbbbb", "3599", "1800", 10)); d.B != "3599" || d.Frames[0].B != 5 {
		t.Errorf("%+v", d)
	}
}

// Two of the same list are never compared in a way that costs more than the list is long.
func TestAlign(t *testing.T) {
	same := func(a, b string) func(i, j int) int {
		return func(i, j int) int {
			if a[i] == b[j] {
				return 0
			}
			return apart
		}
	}
	one := func(int) int { return 1 }
	if got := align(3, 3, same("abc", "bcd"), one, one); !slices.Equal(got, []pair{{0, -1}, {1, 0}, {2, 1}, {-1, 2}}) {
		t.Error(got)
	}
	if got := align(0, 2, nil, one, one); !slices.Equal(got, []pair{{-1, 0}, {-1, 1}}) {
		t.Error(got)
	}
	if got := align(3000, 3000, nil, one, one); len(got) != 3000 || got[2999] != (pair{2999, 2999}) {
		t.Error(len(got))
	}
}

// A file may have its frames in another order than that of their time. The same conversation is the same all the same.
func TestFramesOutOfOrder(t *testing.T) {
	a, b := talk(gm, 1, leaf("NONCE", "0102")), talk(gm, 2, leaf("NONCE", "0304"))
	for i := range a {
		a[i].At = time.Unix(int64(100+i), 0)
		b[i].At = time.Unix(int64(200+i), 0)
	}
	slices.Reverse(b)
	for i := range b {
		b[i].Frame = i + 1
	}
	if r := Compare(a, b, none); !r.Same() || r.Compared != len(a) {
		t.Errorf("%+v", r)
	}
}
