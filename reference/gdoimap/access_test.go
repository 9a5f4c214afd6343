package gdoimap

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gdoilab/gdoilab/reference/policy"
	"github.com/gdoilab/gdoilab/reference/rule"
	"github.com/gdoilab/gdoilab/reference/wire/gdoi"
)

// neglectedAccess is neglected for the duties about access lists, by a member that knows none.
var neglectedAccess = map[*rule.Guard]*rule.Guard{
	dutyDeny:        nil,
	dutyAccessOrder: checkProtocol,
}

// accessOf are deny entries around the permit entries of two SAs.
func accessOf(sas []policy.TrafficSA) policy.AccessList {
	any4 := netip.MustParsePrefix("0.0.0.0/0")
	ospf := policy.Selector{Source: any4, Destination: any4, Protocol: 89}
	gdoi848 := policy.Selector{Source: any4, Destination: any4, Protocol: 17, SourcePort: 848, DestinationPort: 848}
	return policy.AccessList{Protocol: 200, Entries: []policy.ACE{
		{Deny: true, Selector: ospf}, {Selector: sas[1].Selector}, {Deny: true, Selector: gdoi848}, {Selector: sas[0].Selector},
	}}
}

func newAccess(rules *rule.Switches) *fixture {
	sas := []policy.TrafficSA{gcmSA(), cbcSA()}
	return &fixture{sa: OrderedSAOf(nil, policy.Activation{}, sas, accessOf(sas), rules), kd: KDOf(nil, sas, nil, rules)}
}

// TestOrderedRoundTrip sends an access list whose SAs have two lives, and reads it back in its order.
func TestOrderedRoundTrip(t *testing.T) {
	old, young, other := gcmSA(), gcmSA(), cbcSA()
	old.SPI++
	sas := []policy.TrafficSA{old, young, other}
	want := accessOf([]policy.TrafficSA{young, other})
	f := &fixture{sa: OrderedSAOf(nil, policy.Activation{}, sas, want, nil), kd: KDOf(nil, sas, nil, nil)}
	sa, err := gdoi.ParseSA(body(t, f.sa), 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadVendorSA(sa, Vendor{Deny: 200}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got.Access, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Error(d)
	}
	if _, err := got.AddKeys(f.kd, nil); err != nil || len(got.SAs) != 3 {
		t.Errorf("%d SAs, %v", len(got.SAs), err)
	}
	var spis []uint32
	for _, sa := range got.SAs {
		spis = append(spis, sa.SPI)
	}
	if !slices.Equal(spis, []uint32{other.SPI, old.SPI, young.SPI}) {
		t.Errorf("SPIs %x in the order of the list", spis)
	}
}

// A member that knows no access lists refuses one, and so does one that expects another protocol.
func TestDenyEntriesAreRefused(t *testing.T) {
	f := newAccess(nil)
	sa, err := gdoi.ParseSA(body(t, f.sa), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSA(sa, nil); refusing(t, err) != checkProtocol {
		t.Errorf("without the profile: %v", err)
	}
	if _, err := ReadVendorSA(sa, Vendor{Deny: 201}, nil); refusing(t, err) != checkProtocol {
		t.Errorf("with another protocol: %v", err)
	}
}

// A deny entry that cannot be read is refused, whatever part of it is missing.
func TestDenyEntryCut(t *testing.T) {
	whole := denySAT(policy.Selector{Source: netip.MustParsePrefix("10.0.0.0/8"), Destination: netip.MustParsePrefix("10.0.0.0/8")}, 200)
	for n := range whole.Raw {
		c := chain{policy: Policy{Access: policy.AccessList{Protocol: 200}}}
		if err := c.takeSAT(gdoi.SAT{ProtocolID: 200, Raw: whole.Raw[:n]}, 0); refusing(t, err) != checkSelector {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}
