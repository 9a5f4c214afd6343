package group

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/gdoilab/gdoilab/reference/control"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// TestSequenceNeverWraps: the last number of a Rekey SA but one brings the next Rekey SA, whatever else the PUSH is for
// (RFC 6407 §5.7). No member lives to see 2^32 of them, so there is no spec for it.
func TestSequenceNeverWraps(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, what := range []control.RekeyArgs{{}, {DeleteTEKs: []string{"0"}}, {Announce: true}} {
		g, err := New(policy.Group{
			Name: "g", ID: 1,
			Rekey: policy.RekeyPolicy{Transport: policy.TransportMulticast, Address: netip.MustParseAddrPort("239.1.1.1:848")},
			SAs: []policy.SAPolicy{{
				Selector:  policy.Selector{Source: netip.MustParsePrefix("10.0.0.0/8"), Destination: netip.MustParsePrefix("10.0.0.0/8")},
				Transform: policy.Transform{Cipher: policy.CipherAESGCM16, KeyBits: 128, Mode: policy.ModeTunnel},
			}},
		}, Options{Rand: keymat.Seeded(t.Name()), Source: netip.MustParseAddrPort("192.0.2.250:848"), SigKeyBits: 2048}, now)
		if err != nil {
			t.Fatal(err)
		}
		g.epoch.rekey.sequence = math.MaxUint32 - 2
		for _, want := range []struct {
			number uint32
			kek    bool
		}{{math.MaxUint32 - 1, false}, {math.MaxUint32, true}, {1, false}} {
			plans, err := g.Rekey(now, what)
			if err != nil {
				t.Fatalf("%+v: %v", what, err)
			}
			p := plans[0]
			if p.Rekey.Sequence != want.number || (p.Rekey.NewRekey != nil) != want.kek {
				t.Errorf("%+v: number %d, a new KEK %v, want %+v", what, p.Rekey.Sequence, p.Rekey.NewRekey, want)
			}
		}
	}
}
