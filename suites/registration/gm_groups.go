package registration

import (
	"net/netip"
	"time"

	"github.com/gdoilab/gdoilab/harness/lab"
	"github.com/gdoilab/gdoilab/reference/policy"
)

// withoutRekey leaves the group without a Rekey SA: no SAK, no KEK, no SEQ.
func withoutRekey(g *policy.Group) { g.Rekey.Transport = policy.TransportNone }

// withCBC protects the group's traffic by AES-CBC with HMAC-SHA-256, which needs no Sender-ID.
func withCBC(g *policy.Group) { g.SAs[0].Transform = lab.CBC() }

// withDelays sends a GAP with both delays.
func withDelays(g *policy.Group) {
	activate, deactivate := time.Second, 2*time.Second
	g.Activation = policy.Activation{ATD: &activate, DTD: &deactivate}
}

// withTwoSAs has an SA of its own for ICMP, before that for everything.
func withTwoSAs(g *policy.Group) {
	icmp := g.SAs[0]
	icmp.Selector.Protocol = 1
	g.SAs = []policy.SAPolicy{icmp, g.SAs[0]}
}

// fromAnywhere leaves the source of the protected traffic open.
func fromAnywhere(g *policy.Group) { g.SAs[0].Selector.Source = netip.MustParsePrefix("0.0.0.0/0") }
