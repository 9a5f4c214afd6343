package lab

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"testing"
)

func example(octets int) IPv4 {
	p := IPv4{Source: netip.MustParseAddr("10.0.1.2"), Destination: netip.MustParseAddr("10.0.2.2"), Protocol: 17, TTL: 9, TOS: 0xb9,
		ID: 0x1234, Options: []byte{0x94, 4, 0, 0}, Payload: make([]byte, octets)}
	for i := range p.Payload {
		p.Payload[i] = byte(i * 7)
	}
	return p
}

func TestIPv4BothWays(t *testing.T) {
	for _, p := range []IPv4{
		example(0), example(1480),
		{Source: netip.MustParseAddr("0.0.0.0"), Destination: netip.MustParseAddr("255.255.255.255"), TTL: 1, DontFragment: true,
			Options: []byte{}, Payload: []byte{1}},
		{Source: netip.MustParseAddr("10.0.1.2"), Destination: netip.MustParseAddr("10.0.2.2"), TTL: 64, Fragment: true,
			MoreFragments: true, Offset: 65528, Options: []byte{}, Payload: []byte{1}},
	} {
		b := p.Bytes()
		got, ok := ParseIPv4(b)
		if !ok || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v became %+v (%v)", p, got, ok)
		}
		if sum := Checksum(b[:ipv4Header+len(p.Options)]); sum != 0 {
			t.Errorf("checksum of %+v: %04x", p, sum)
		}
	}
	if got := (IPv4{Source: netip.IPv4Unspecified(), Destination: netip.IPv4Unspecified()}).Bytes(); got[8] != 64 {
		t.Errorf("TTL %d", got[8])
	}
	b := example(8).Bytes()
	for n := range b {
		if _, ok := ParseIPv4(b[:n]); ok {
			t.Errorf("%d of %d octets were read", n, len(b))
		}
	}
}

// RFC 1071 §3 gives the sum of these octets.
func TestChecksum(t *testing.T) {
	if got := Checksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}); got != ^uint16(0xddf2) {
		t.Errorf("%04x", got)
	}
	if got := Checksum([]byte{0xff}); got != 0x00ff {
		t.Errorf("one octet: %04x", got)
	}
}

func TestFragmentsComeTogether(t *testing.T) {
	for _, octets := range []int{0, 1, 1476, 1477, 1480, 3000, 60000} {
		p := example(octets)
		pieces := Fragment(p.Bytes(), 1500)
		if fits := octets+24 <= 1500; fits != (len(pieces) == 1) {
			t.Errorf("%d octets in %d pieces", octets, len(pieces))
		}
		for _, order := range []func([][]byte){func([][]byte) {}, slices.Reverse[[][]byte]} {
			order(pieces)
			var r Reassembler
			var got IPv4
			done := 0
			for _, piece := range pieces {
				part, ok := ParseIPv4(piece)
				if !ok || len(piece) > 1500 {
					t.Fatalf("a piece of %d octets: %x", len(piece), piece[:20])
				}
				if whole, ok := r.Add(part); ok {
					got = whole
					done++
				}
			}
			if done != 1 || !bytes.Equal(got.Bytes(), p.Bytes()) {
				t.Errorf("%d octets came together %d times as %d", octets, done, len(got.Payload))
			}
		}
	}
}

// A fragment may be cut again on its way.
func TestFragmentOfAFragment(t *testing.T) {
	p := example(4000)
	var r Reassembler
	var got IPv4
	for _, piece := range Fragment(p.Bytes(), 1500) {
		for _, smaller := range Fragment(piece, 576) {
			part, _ := ParseIPv4(smaller)
			if whole, ok := r.Add(part); ok {
				got = whole
			}
		}
	}
	if !bytes.Equal(got.Bytes(), p.Bytes()) {
		t.Errorf("%d octets came back", len(got.Payload))
	}
}
