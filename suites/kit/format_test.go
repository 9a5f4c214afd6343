package kit

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/onsi/gomega/format"
)

func TestFailuresShowAddresses(t *testing.T) {
	value := struct {
		To  netip.AddrPort
		In  netip.Prefix
		Via []netip.Addr
	}{netip.MustParseAddrPort("192.0.2.21:848"), netip.MustParsePrefix("2001:db8::/32"), []netip.Addr{netip.MustParseAddr("10.0.1.2")}}
	got := format.Object(value, 1)
	for _, want := range []string{"192.0.2.21:848", "2001:db8::/32", "10.0.1.2"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}
