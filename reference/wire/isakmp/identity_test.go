package isakmp_test

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"testing"

	"github.com/gdoilab/gdoilab/reference/wire"
	"github.com/gdoilab/gdoilab/reference/wire/isakmp"
	"github.com/gdoilab/gdoilab/reference/wire/wiretest"
)

func TestIdentitiesOfAddresses(t *testing.T) {
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	type identity struct {
		typ  uint8
		data []byte
	}
	of := func(typ uint8, data []byte) identity { return identity{typ, data} }
	tests := []struct {
		name          string
		made          identity
		typ           uint8
		hex           string
		first, second netip.Addr
	}{
		{"IPv4", of(isakmp.AddressIdentity(addr("192.0.2.1"))), isakmp.IDIPv4Addr, "c0000201", addr("192.0.2.1"), netip.Addr{}},
		{"IPv6", of(isakmp.AddressIdentity(addr("2001:db8::1"))), isakmp.IDIPv6Addr, "20010db8000000000000000000000001",
			addr("2001:db8::1"), netip.Addr{}},
		{"IPv4 subnet", of(isakmp.SubnetIdentity(prefix("10.16.0.0/12"))), isakmp.IDIPv4AddrSubnet, "0a100000 fff00000",
			addr("10.16.0.0"), addr("255.240.0.0")},
		{"any IPv4", of(isakmp.SubnetIdentity(prefix("0.0.0.0/0"))), isakmp.IDIPv4AddrSubnet, "00000000 00000000",
			addr("0.0.0.0"), addr("0.0.0.0")},
		{"IPv6 subnet", of(isakmp.SubnetIdentity(prefix("2001:db8::/33"))), isakmp.IDIPv6AddrSubnet,
			"20010db8000000000000000000000000 ffffffff800000000000000000000000", addr("2001:db8::"), addr("ffff:ffff:8000::")},
		{"IPv4 range", of(isakmp.RangeIdentity(addr("10.0.0.1"), addr("10.0.0.9"))), isakmp.IDIPv4AddrRange, "0a000001 0a000009",
			addr("10.0.0.1"), addr("10.0.0.9")},
		{"IPv6 range", of(isakmp.RangeIdentity(addr("::1"), addr("::9"))), isakmp.IDIPv6AddrRange,
			"00000000000000000000000000000001 00000000000000000000000000000009", addr("::1"), addr("::9")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := wiretest.Hex(t, tt.hex)
			if tt.made.typ != tt.typ || !bytes.Equal(tt.made.data, b) {
				t.Errorf("made type %d, %x; want %d, %x", tt.made.typ, tt.made.data, tt.typ, b)
			}
			first, second, ok := isakmp.IdentityAddresses(tt.typ, b)
			if !ok || first != tt.first || second != tt.second {
				t.Errorf("%v, %v, %v; want %v, %v", first, second, ok, tt.first, tt.second)
			}
			single := !tt.second.IsValid()
			if got, ok := isakmp.IdentityAddress(tt.typ, b); ok != single || single && got != tt.first {
				t.Errorf("the one address is %v, %v", got, ok)
			}
			for n := range len(b) {
				if first, _, ok := isakmp.IdentityAddresses(tt.typ, b[:n]); ok {
					t.Errorf("%d octets are %v", n, first)
				}
			}
			if first, _, ok := isakmp.IdentityAddresses(tt.typ, append(b, 0)); ok {
				t.Errorf("an octet more is %v", first)
			}
		})
	}
	for _, typ := range []uint8{0, isakmp.IDFQDN, isakmp.IDKeyID, isakmp.IDOID, 255} {
		if first, _, ok := isakmp.IdentityAddresses(typ, []byte{1, 2, 3, 4}); ok {
			t.Errorf("type %d is %v", typ, first)
		}
	}
}

var oidTests = []struct {
	hex   string
	value isakmp.OIDIdentity
}{
	{"00 0000", isakmp.OIDIdentity{}},
	{"05 0603 550403 0002 aabb", isakmp.OIDIdentity{OID: []byte{6, 3, 0x55, 4, 3}, Payload: []byte{0xaa, 0xbb}}},
	{"00 0001 cc", isakmp.OIDIdentity{Payload: []byte{0xcc}}},
}

func TestOIDIdentityBothWays(t *testing.T) {
	for _, tt := range oidTests {
		b := wiretest.Hex(t, tt.hex)
		if got, err := isakmp.ParseOIDIdentity(b, 40); err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("parsed %+v (%v), want %+v", got, err, tt.value)
		}
		if got, err := tt.value.Append(nil); err != nil || !bytes.Equal(got, b) {
			t.Errorf("appended %x (%v), want %x", got, err, b)
		}
		for n := range len(b) {
			if _, err := isakmp.ParseOIDIdentity(b[:n], 40); !errors.Is(err, wire.ErrShort) {
				t.Errorf("%d octets of %x: %v", n, b, err)
			}
		}
		if _, err := isakmp.ParseOIDIdentity(append(b, 0), 40); !errors.Is(err, wire.ErrTrailing) {
			t.Errorf("an octet more: %v", err)
		}
	}
}

func TestOIDIdentitiesThatCannotBeWritten(t *testing.T) {
	for field, i := range map[string]isakmp.OIDIdentity{
		"OID length":         {OID: make([]byte, 256)},
		"OID payload length": {Payload: make([]byte, 65536)},
	} {
		var e *wire.Error
		if _, err := i.Append(nil); !errors.As(err, &e) || e.Field != field || !errors.Is(err, wire.ErrLength) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func FuzzOIDIdentity(f *testing.F) {
	for _, tt := range oidTests {
		f.Add(wiretest.Hex(f, tt.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := isakmp.ParseOIDIdentity(b, 40)
		if err != nil {
			wiretest.CheckError(t, err, 40, 40+len(b))
		} else if again, err := i.Append(nil); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("in %x, out %x (%v)", b, again, err)
		}
	})
}
