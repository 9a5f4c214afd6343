package cores

import (
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// The reference's cores are there, each in its role, and refuse what cannot work.
func TestReference(t *testing.T) {
	options := Options{Rand: keymat.Seeded("1", "x")}
	ks, ok := Find("reference-ks")
	if !ok || ks.KeyServer == nil || ks.Member != nil {
		t.Fatalf("%v, %v", ks, ok)
	}
	if _, err := ks.KeyServer(policy.KeyServer{}, options); err == nil {
		t.Error("a key server without an address")
	}
	gm, ok := Find("reference-gm")
	if !ok || gm.Member == nil || gm.KeyServer != nil {
		t.Fatalf("%v, %v", gm, ok)
	}
	if _, err := gm.Member(policy.Member{}, options); err == nil {
		t.Error("a member without an address")
	}
}

func TestRegister(t *testing.T) {
	if err := Register("another", Maker{}); err != nil {
		t.Fatal(err)
	}
	if err := Register("another", Maker{}); err == nil {
		t.Error("one name twice")
	}
	if _, ok := Find("another"); !ok || !slices.Contains(Names(), "another") || !slices.IsSorted(Names()) {
		t.Errorf("%v", Names())
	}
	if _, ok := Find("nobody"); ok {
		t.Error("a core that nobody registered")
	}
}
