package gateway

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// A million packets of eight senders of one SA, as they leave their gateways: no IV comes twice (RFC 6054 §3). Every sender gets a
// new SID in between, as from another registration, and then the one that it had before.
func TestNoIVTwiceInAMillionPackets(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a second")
	}
	const senders, stretches = 8, 3
	for _, c := range []struct{ bits, each int }{{8, 25_000}, {12, 12_500}, {16, 5_000}} { // in all 1,020,000
		t.Run(fmt.Sprintf("SIDs of %d bits", c.bits), func(t *testing.T) {
			var ivs []uint64
			for i := range senders {
				g := newGateway(t, fmt.Sprintf("192.0.2.%d", i+1), nil, gcmSA(1))
				for stretch := range stretches {
					sid := uint32(i + stretch%2*senders)
					if err := g.groups[0].takeSIDs(&policy.SIDs{Bits: c.bits, Values: []uint32{sid}}); err != nil {
						t.Fatal(err)
					}
					ivs = sendMany(t, g, ivs, c.each, c.bits, sid)
				}
			}
			slices.Sort(ivs)
			if got, want := len(slices.Compact(ivs)), senders*stretches*c.each; got != want {
				t.Errorf("%d IVs in %d packets", got, want)
			}
		})
	}
}

// sendMany has a gateway protect packets and appends their IVs, which have to begin with the SID.
func sendMany(t *testing.T, g *Gateway, ivs []uint64, packets, bits int, sid uint32) []uint64 {
	t.Helper()
	packet := udp(t, hostA, hostB, 10)
	for range packets {
		if err := g.Handle(at(1), core.Inside, packet, func(_ core.Side, p []byte) {
			ivs = append(ivs, binary.BigEndian.Uint64(p[headerLen+8:]))
		}); err != nil {
			t.Fatal(err)
		}
		if iv := ivs[len(ivs)-1]; uint32(iv>>(64-bits)) != sid {
			t.Fatalf("IV %016x of SID %d", iv, sid)
		}
	}
	return ivs
}
