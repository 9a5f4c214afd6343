package esp

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// ahHeaders are IP headers in front of AH: plain ones, with options, and with extension headers.
var ahHeaders = map[string]string{
	"IPv4": "45b80000 12344000 40330000 0a010002 0a020002",
	"IPv4 with options": "48b80000 12344000 40330000 0a010002 0a020002" +
		"01 94040000 07070400000000", // NOP, Router Alert, Record Route
	"IPv6":                         "6b812345 00003340 20010db8000000000000000000000001 20010db8000000000000000000000002",
	"IPv6 with hop-by-hop options": "6b812345 00000040 20010db8000000000000000000000001 20010db8000000000000000000000002 3300 3e02aabb 0100",
}

// ahMutable are the octets of these headers that change on the way, or may in their lower half. An option that may change counts
// as zeros together with its type. The length is nobody's to check: it is that of what was received.
var ahMutable = map[string][]int{
	"IPv4":                         {1, 6, 7, 8, 10, 11},
	"IPv4 with options":            {1, 6, 7, 8, 10, 11, 25, 27, 28, 29, 30, 31},
	"IPv6":                         {1, 2, 3, 7},
	"IPv6 with hop-by-hop options": {1, 2, 3, 7, 44, 45},
}

func ahSA(t testing.TB, transform policy.Transform, o Options) *AH {
	t.Helper()
	a, err := NewAH(policy.TrafficSA{SPI: 0x1234abcd, Transform: transform, IntegrityKey: ahKey(transform.IntegrityKeyLen())}, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sealAH makes a packet with its length filled in.
func sealAH(t testing.TB, a *AH, headers []byte, payload string, next uint8) []byte {
	t.Helper()
	packet, err := a.Seal(bytes.Clone(headers), []byte(payload), next)
	if err != nil {
		t.Fatal(err)
	}
	if packet[0]>>4 == 6 {
		binary.BigEndian.PutUint16(packet[4:], uint16(len(packet)-40))
	} else {
		binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	}
	return packet
}

// TestAH sends packets of each algorithm behind each kind of headers: what may change on the way does no harm, and what may not
// does.
func TestAH(t *testing.T) {
	for _, transform := range policy.AHTransforms() {
		for _, transform.ESN = range []bool{false, true} {
			for name, digits := range ahHeaders {
				t.Run(fmt.Sprintf("%s %s", transform, name), func(t *testing.T) {
					headers := unhex(t, digits)
					from, to := ahSA(t, transform, Options{Window: 64}), ahSA(t, transform, Options{Window: 64})
					packet := sealAH(t, from, headers, "some payload", 17)
					at := len(headers)
					if got := len(packet) - at; got > from.Overhead(12)+12 || (got-12)%4 != 0 || packet[0]>>4 == 6 && (got-12)%8 != 0 {
						t.Errorf("%d octets behind the headers", got)
					}
					length := map[byte]int{4: 2, 6: 4}[packet[0]>>4]
					for i := 1; i < len(packet); i++ {
						changed := bytes.Clone(packet)
						changed[i] ^= 0x0f
						mutable := slices.Contains(ahMutable[name], i)
						if _, _, err := to.ReadPacket(nil, changed, at, 0); i/2 != length/2 && (err == nil) != mutable {
							t.Errorf("octet %d changed: %v", i, err)
						}
					}
					payload, next, err := to.OpenPacket([]byte("before "), packet, at)
					if err != nil || string(payload) != "before some payload" || next != 17 {
						t.Errorf("%q, next header %d: %v", payload, next, err)
					}
					if _, _, err := to.OpenPacket(nil, packet, at); err == nil {
						t.Error("the same packet again")
					}
				})
			}
		}
	}
}

// TestAHByHand compares a packet with one whose ICV is made here, from the headers with zeros where they change.
func TestAHByHand(t *testing.T) {
	transform := policy.Transform{Protocol: policy.ProtocolAH, Integrity: policy.IntegrityHMACSHA256}
	a := ahSA(t, transform, Options{})
	got := sealAH(t, a, unhex(t, ahHeaders["IPv4 with options"]), "abcd", 4)
	covered := unhex(t, "48000040 12340000 00330000 0a010002 0a020002 01 94040000 00000000000000"+
		"04050000 1234abcd 00000001 00000000000000000000000000000000 61626364")
	mac := hmac.New(sha256.New, ahKey(32))
	mac.Write(covered)
	if want := mac.Sum(nil)[:16]; !bytes.Equal(got[32+12:32+28], want) {
		t.Errorf("ICV %x, want %x of %x", got[44:60], want, covered)
	}
}

// ahKey is the octets 1, 2, 3 and so on.
func ahKey(octets int) []byte {
	key := make([]byte, octets)
	for i := range key {
		key[i] = byte(i + 1)
	}
	return key
}

// TestAHTruncated opens a packet cut at every length.
func TestAHTruncated(t *testing.T) {
	for name, digits := range ahHeaders {
		headers := unhex(t, digits)
		a := ahSA(t, policy.AHTransforms()[0], Options{Window: 64})
		packet := sealAH(t, a, headers, "payload", 17)
		for n := len(headers); n < len(packet); n++ {
			if _, _, err := a.OpenPacket(nil, packet[:n:n], len(headers)); err == nil {
				t.Errorf("%s: %d octets of %d are a packet", name, n, len(packet))
			}
		}
	}
}

func TestAHRefusesKeys(t *testing.T) {
	transform := policy.AHTransforms()[0]
	for name, sa := range map[string]policy.TrafficSA{
		"short key":  {Transform: transform, IntegrityKey: make([]byte, 31)},
		"cipher key": {Transform: transform, IntegrityKey: make([]byte, 32), CipherKey: make([]byte, 16)},
		"a cipher":   {Transform: policy.Transform{Protocol: policy.ProtocolAH, Cipher: policy.CipherNULL, Integrity: transform.Integrity}, IntegrityKey: make([]byte, 32)},
		"nothing":    {Transform: policy.Transform{Protocol: policy.ProtocolAH}},
	} {
		if _, err := NewAH(sa, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzAH(f *testing.F) {
	a := ahSA(f, policy.AHTransforms()[0], Options{Window: 64})
	f.Add(bytes.Repeat([]byte{0x45}, 80), 20)
	f.Add(bytes.Repeat([]byte{0x60}, 90), 40)
	f.Fuzz(func(t *testing.T, packet []byte, at int) {
		if len(packet) < 20 || packet[0]>>4 == 6 && at < 40 {
			return
		}
		if _, _, err := a.OpenPacket(nil, packet, at); err == nil {
			t.Error("a packet that nobody has sealed")
		}
	})
}
