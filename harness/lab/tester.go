package lab

import (
	"fmt"

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

// starts counts how often each node was started. The zero value is ready for use.
type starts struct{ of map[string]int }

// seed is the one for the next start of that node: a node that starts again makes other cookies, nonces and IVs than before.
func (c *starts) seed(seed, node string) string {
	if c.of == nil {
		c.of = make(map[string]int)
	}
	c.of[node]++
	if n := c.of[node]; n > 1 {
		return fmt.Sprintf("%s, start %d", seed, n)
	}
	return seed
}

// gatewayOf returns the data path of a member's core, without a device yet; nil if it is no member.
func gatewayOf(c core.Core) *node.DataPlane {
	gm, ok := c.(*member.Member)
	if !ok {
		return nil
	}
	return &node.DataPlane{Gateway: gm.Gateway(), Refused: gm.Refused}
}
