package policy_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/policy"
)

func addresses(first, last string) policy.AddressRange {
	return policy.AddressRange{First: netip.MustParseAddr(first), Last: netip.MustParseAddr(last)}
}

func TestRangePrefixes(t *testing.T) {
	for _, c := range []struct {
		r    policy.AddressRange
		want string
		text string
	}{
		{addresses("10.0.0.0", "10.0.0.255"), "[10.0.0.0/24]", "10.0.0.0/24"},
		{addresses("10.0.0.1", "10.0.0.6"), "[10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32]", "10.0.0.1-10.0.0.6"},
		{addresses("10.0.0.7", "10.0.0.7"), "[10.0.0.7/32]", "10.0.0.7/32"},
		{addresses("10.0.0.255", "10.0.1.0"), "[10.0.0.255/32 10.0.1.0/32]", "10.0.0.255-10.0.1.0"},
		{addresses("0.0.0.0", "255.255.255.255"), "[0.0.0.0/0]", "0.0.0.0/0"},
		{addresses("255.255.255.254", "255.255.255.255"), "[255.255.255.254/31]", "255.255.255.254/31"},
		{addresses("2001:db8::", "2001:db8::ff"), "[2001:db8::/120]", "2001:db8::/120"},
		{addresses("::", "8000::"), "[::/1 8000::/128]", "::-8000::"},
	} {
		if got := fmt.Sprint(c.r.Prefixes()); got != c.want || c.r.String() != c.text {
			t.Errorf("%s: %s, want %s", c.r, got, c.want)
		}
	}
	if all := (policy.AddressRange{}).Prefixes(); len(all) != 1 || all[0].IsValid() {
		t.Errorf("any address: %v", all)
	}
}

func TestRangeCovers(t *testing.T) {
	some := addresses("10.0.0.5", "10.0.0.40")
	for p, want := range map[string]bool{"10.0.0.5/32": true, "10.0.0.40/32": true, "10.0.0.16/28": true, "10.0.0.4/32": false, "10.0.0.41/32": false,
		"10.0.0.40/31": false, "10.0.0.0/8": false, "0.0.0.0/0": false, "::a00:5/128": false, "2001:db8::/64": false} {
		if got := some.Covers(netip.MustParsePrefix(p)); got != want {
			t.Errorf("%s covers %s: %v", some, p, got)
		}
	}
	for _, r := range []policy.AddressRange{{}, policy.RangeOf(netip.Prefix{}), addresses("0.0.0.0", "255.255.255.255")} {
		if !r.Any() || !r.Covers(netip.Prefix{}) || !r.Covers(netip.MustParsePrefix("10.0.0.0/8")) {
			t.Errorf("%s is not any address", r)
		}
	}
	if some.Any() || some.Covers(netip.Prefix{}) {
		t.Error("some addresses are any")
	}
}

func TestFlowSelectors(t *testing.T) {
	f := policy.Flow{Source: addresses("10.0.0.1", "10.0.0.2"), Destination: addresses("10.0.0.0", "10.0.0.2"), Protocol: 17, SourcePort: 5, DestinationPort: 6}
	want := "[10.0.0.1/32 -> 10.0.0.0/31 proto 17 ports 5 -> 6 10.0.0.1/32 -> 10.0.0.2/32 proto 17 ports 5 -> 6" +
		" 10.0.0.2/32 -> 10.0.0.0/31 proto 17 ports 5 -> 6 10.0.0.2/32 -> 10.0.0.2/32 proto 17 ports 5 -> 6]"
	if got := fmt.Sprint(f.Selectors()); got != want {
		t.Error(got)
	}
}
