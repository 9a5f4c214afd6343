package tester

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/esp"
	"github.com/gdoilab/gdoilab/reference/keylog"
	"github.com/gdoilab/gdoilab/reference/policy"
)

var espEntries = map[string]keylog.Entry{
	"GCM": {Kind: keylog.KindTraffic, SPI: "00001234", Cipher: 20, KeyBits: 128,
		CipherKey: hex.EncodeToString([]byte("0123456789abcdefSALT"))},
	"CBC": {Kind: keylog.KindTraffic, SPI: "00001234", Cipher: 12, KeyBits: 128, Integrity: 5,
		CipherKey: hex.EncodeToString([]byte("0123456789abcdef")), IntegrityKey: hex.EncodeToString(bytes.Repeat([]byte("i"), 32))},
}

// everyEntry are those and one of each other transform, also with extended sequence numbers.
func everyEntry() map[string]keylog.Entry {
	all := maps.Clone(espEntries)
	for _, t := range policy.Transforms() {
		for _, esn := range []bool{false, true} {
			all[fmt.Sprint(t.Name(), " esn ", esn)] = keylog.Entry{Kind: keylog.KindTraffic, SPI: "00001234", Cipher: int(t.Cipher), KeyBits: t.KeyBits,
				Integrity: int(t.Integrity), ESN: esn, CipherKey: hex.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuvwxyz")[:t.CipherKeyLen()]),
				IntegrityKey: hex.EncodeToString(bytes.Repeat([]byte("i"), t.IntegrityKeyLen()))}
		}
	}
	return all
}

func espKeys(t *testing.T, name string) *ESPKeys {
	t.Helper()
	s, err := NewESPKeys(everyEntry()[name])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// referenceSA is the same SA in the reference's code.
func referenceSA(t *testing.T, name string) *esp.SA {
	t.Helper()
	k := everyEntry()[name]
	key, _ := hex.DecodeString(k.CipherKey)
	integrity, _ := hex.DecodeString(k.IntegrityKey)
	s, err := esp.New(policy.TrafficSA{SPI: 0x1234, CipherKey: key, IntegrityKey: integrity, Transform: policy.Transform{
		Cipher: policy.Cipher(k.Cipher), KeyBits: k.KeyBits, Integrity: policy.Integrity(k.Integrity), ESN: k.ESN}},
		esp.Options{HasSID: true, SID: 3, SIDBits: 8, Rand: strings.NewReader(strings.Repeat("random", 1000)), Window: 64})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func innerPacket(octets int) []byte {
	return lab.IPv4{Source: netip.MustParseAddr("10.0.2.2"), Destination: netip.MustParseAddr("10.0.1.2"), Protocol: 17, TOS: 0xb8,
		Payload: bytes.Repeat([]byte{7}, octets)}.Bytes()
}

func TestESPMeetsTheReference(t *testing.T) {
	for name := range everyEntry() {
		s, sa := espKeys(t, name), referenceSA(t, name)
		for n := range 64 {
			inner := innerPacket(n)
			outer, _ := lab.ParseIPv4(s.Packet(inner))
			if outer.Source != netip.MustParseAddr("10.0.2.2") || outer.TOS != 0xb8 || outer.Protocol != 50 {
				t.Fatalf("outer header %+v", outer)
			}
			got, next, err := sa.Open(nil, outer.Payload)
			if err != nil || next != 4 || !bytes.Equal(got, inner) {
				t.Fatalf("%s, %d octets: the reference reads %x, %d: %v", name, n, got, next, err)
			}

			sealed, err := sa.Seal(nil, inner, 4)
			if err != nil {
				t.Fatal(err)
			}
			outer.Payload = sealed
			c, err := s.Open(outer.Bytes())
			if err != nil || c.SPI != 0x1234 || c.Sequence != uint32(n+1) || c.Next != 4 || !bytes.Equal(c.Inner, inner) {
				t.Fatalf("%s, %d octets: read %+v: %v", name, n, c, err)
			}
			for i, b := range c.Padding {
				if int(b) != i+1 {
					t.Errorf("padding %x", c.Padding)
				}
			}
		}
	}
}

// Each option changes what it says and leaves the packet authentic, unless it is about that.
func TestESPOptions(t *testing.T) {
	other := netip.MustParseAddr("10.0.9.9")
	for _, c := range []struct {
		what      string
		option    ESPOption
		authentic bool
		seen      func(ip lab.IPv4, c ESPContent) bool
	}{
		{"sequence", ESPSequence(99), true, func(_ lab.IPv4, c ESPContent) bool { return c.Sequence == 99 }},
		{"SPI", ESPSPI(5), true, func(_ lab.IPv4, c ESPContent) bool { return c.SPI == 5 }},
		{"next", ESPNext(59), true, func(_ lab.IPv4, c ESPContent) bool { return c.Next == 59 }},
		{"padding", ESPPadding(bytes.Repeat([]byte{0}, 18)), true, func(_ lab.IPv4, c ESPContent) bool {
			return bytes.Equal(c.Padding, make([]byte, 18))
		}},
		{"pad length", ESPPadLength(0), true, func(_ lab.IPv4, c ESPContent) bool { return len(c.Padding) == 0 }},
		{"traffic padding", ESPTrafficPadding(32), true, func(_ lab.IPv4, c ESPContent) bool { return len(c.Inner) == 28+32 }},
		{"short ICV", ESPShortICV(), false, func(ip lab.IPv4, _ ESPContent) bool { return len(ip.Payload)%4 == 0 }},
		{"flipped first", ESPFlip(0), false, func(_ lab.IPv4, c ESPContent) bool { return c.SPI == 0x01001234 }},
		{"flipped last", ESPFlip(-1), false, func(lab.IPv4, ESPContent) bool { return true }},
		{"source", OuterSource(other), true, func(ip lab.IPv4, _ ESPContent) bool { return ip.Source == other }},
		{"destination", OuterDestination(other), true, func(ip lab.IPv4, _ ESPContent) bool { return ip.Destination == other }},
		{"TOS", OuterTOS(3), true, func(ip lab.IPv4, _ ESPContent) bool { return ip.TOS == 3 }},
		{"ID", OuterID(77), true, func(ip lab.IPv4, _ ESPContent) bool { return ip.ID == 77 }},
	} {
		for name := range espEntries {
			s := espKeys(t, name)
			packet := s.Packet(innerPacket(8), c.option) // 28 octets and 18 fill blocks of both ciphers
			ip, _ := lab.ParseIPv4(packet)
			content, err := s.Open(packet)
			if errors.Is(err, ErrNotAuthentic) == c.authentic || !c.seen(ip, content) {
				t.Errorf("%s, %s: %+v %+v: %v", name, c.what, ip, content, err)
			}
		}
	}
	iv := []byte("ABCDEFGH")
	if c, err := espKeys(t, "GCM").Open(espKeys(t, "GCM").Packet(innerPacket(8), ESPIV(iv))); err != nil || !bytes.Equal(c.IV, iv) {
		t.Errorf("IV %x: %v", c.IV, err)
	}
	if ip, _ := lab.ParseIPv4(espKeys(t, "GCM").Packet(innerPacket(8), OuterMoreFragments())); !ip.MoreFragments {
		t.Error("no fragment")
	}
}

// The upper half of an extended sequence number is authenticated, and not sent.
func TestESPExtended(t *testing.T) {
	for _, name := range []string{"aes128-gcm8 esn true", "aes256-gmac esn true", "3des-hmac-sha1 esn true"} {
		s := espKeys(t, name)
		packet := s.Packet(innerPacket(8), ESPExtended(5<<32|7))
		if c, err := s.OpenCycle(packet, 5); err != nil || c.Sequence != 7 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		if _, err := s.Open(packet); !errors.Is(err, ErrNotAuthentic) {
			t.Errorf("%s: without the upper half: %v", name, err)
		}
	}
}

// An ICV of another length is that much shorter or longer, and not authentic.
func TestESPICV(t *testing.T) {
	for name, lengths := range map[string][]int{"null-hmac-sha1 esn false": {8, 20}, "null-hmac-sha512 esn false": {16, 64},
		"aes128-gcm8 esn false": {4, 12, 16}, "aes128-gcm12 esn false": {8, 16}, "aes128-gmac esn false": {12}} {
		for _, n := range lengths {
			s := espKeys(t, name)
			right, other := s.Packet(innerPacket(8)), s.Packet(innerPacket(8), ESPICV(n))
			if len(other)-len(right) != n-s.icv() {
				t.Errorf("%s: an ICV of %d makes %d octets of %d", name, n, len(other), len(right))
			}
			if _, err := s.Open(other); err == nil {
				t.Errorf("%s: an ICV of %d octets was taken", name, n)
			}
		}
	}
}

func TestESPKeysRefuseOtherEntries(t *testing.T) {
	for _, alter := range []func(*keylog.Entry){
		func(k *keylog.Entry) { k.Kind = keylog.KindRekey },
		func(k *keylog.Entry) { k.SPI = "x" },
		func(k *keylog.Entry) { k.Cipher = 3 },
		func(k *keylog.Entry) { k.Cipher = 4 },
		func(k *keylog.Entry) { k.Cipher, k.Integrity = 11, 1 },
		func(k *keylog.Entry) { k.Cipher, k.Integrity = 11, 0 },
		func(k *keylog.Entry) { k.CipherKey = "00" },
		func(k *keylog.Entry) { k.IntegrityKey = "0" },
	} {
		k := espEntries["GCM"]
		alter(&k)
		if _, err := NewESPKeys(k); !errors.Is(err, ErrESPKeys) {
			t.Errorf("%+v: %v", k, err)
		}
	}
	for _, packet := range [][]byte{nil, innerPacket(8)} {
		if _, err := espKeys(t, "GCM").Open(packet); err == nil {
			t.Errorf("read %x", packet)
		}
	}
}
