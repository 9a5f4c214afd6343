package policy_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

// A selector reads as its parts do, whichever of them it names.
func TestSelectorText(t *testing.T) {
	prefixes := []netip.Prefix{{}, netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("10.1.2.3/8"), netip.MustParsePrefix("2001:db8:1:2:3:4:5:6/128"),
		netip.PrefixFrom(netip.MustParseAddr("10.0.0.1"), 99)}
	for _, from := range prefixes {
		for _, to := range prefixes {
			for _, n := range []uint16{0, 17, 65535} {
				s := policy.Selector{Source: from, Destination: to, Protocol: uint8(n), SourcePort: n, DestinationPort: n / 2}
				want := fmt.Sprint(from, " -> ", to)
				if n > 0 {
					want += fmt.Sprintf(" proto %d ports %d -> %d", uint8(n), n, n/2)
				}
				if got := s.String(); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
		}
	}
}

// An SPI has eight digits.
func TestFormatSPI(t *testing.T) {
	for _, spi := range []uint32{0, 1, 0x100, 0xdeadbeef, 0xffffffff} {
		if got, want := policy.FormatSPI(spi), fmt.Sprintf("%08x", spi); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
