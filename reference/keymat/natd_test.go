package keymat

import (
	"bytes"
	"net/netip"
	"testing"
)

func TestNATD(t *testing.T) {
	// of the worked values, made by another implementation
	const want = "4855e3a992452f55ea33142336ebd6d47d0b1180ef44b8484a53e8b7620af5fd"
	for _, end := range []string{"192.0.2.10:848", "[::ffff:192.0.2.10]:848"} {
		equal(t, end, NATD(SHA256, toyCI, toyCR, netip.MustParseAddrPort(end)), want)
	}

	end := netip.MustParseAddrPort("[2001:db8::1]:4500")
	octets := unhex(t, "1111111111111111 2222222222222222 20010db8000000000000000000000001 1194")
	if got := NATD(SHA1, toyCI, toyCR, end); !bytes.Equal(got, SHA1.Sum(octets)) {
		t.Errorf("%v: %x", end, got)
	}
	for _, other := range []string{"192.0.2.11:848", "192.0.2.10:849"} {
		if bytes.Equal(NATD(SHA256, toyCI, toyCR, netip.MustParseAddrPort(other)), unhex(t, want)) {
			t.Errorf("%s has the hash of another end", other)
		}
	}
	if bytes.Equal(NATD(SHA256, toyCR, toyCI, netip.MustParseAddrPort("192.0.2.10:848")), unhex(t, want)) {
		t.Error("the order of the cookies does not count")
	}
}
