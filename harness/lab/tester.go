package lab

import (
	"github.com/gdoilab/gdoilab/reference/core"
	"github.com/gdoilab/gdoilab/reference/keymat"
	"github.com/gdoilab/gdoilab/reference/keyserver"
	"github.com/gdoilab/gdoilab/reference/member"
	"github.com/gdoilab/gdoilab/reference/node"
)

// This file is the only one that makes cores of the reference itself: testers, whose taps see and change every message. A
// device is made as its manifest says.

// newTester makes the core of a tester; all its randomness comes from the seed and its name. With forwarding a member
// decrements the TTL of what it forwards, as a kernel would.
func newTester(seed string, s Station, forwarding bool) (core.Core, error) {
	random := keymat.Seeded(seed, s.Name)
	if s.KS != nil {
		return keyserver.New(*s.KS, keyserver.Options{Rand: random, Tap: s.Tap, Secrets: true})
	}
	return member.New(*s.GM, member.Options{Rand: random, Tap: s.Tap, Secrets: true, Forwarding: forwarding})
}

// gatewayOf returns the data path of a member's core, without a device yet; nil if it is no member.
func gatewayOf(c core.Core) *node.DataPlane {
	gm, ok := c.(*member.Member)
	if !ok {
		return nil
	}
	return &node.DataPlane{Gateway: gm.Gateway(), Refused: gm.Refused}
}
