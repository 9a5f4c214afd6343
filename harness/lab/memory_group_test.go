package lab

import (
	"net/netip"
	"testing"

	"github.com/gdoilab/gdoilab/reference/core"
)

// Nodes listen in the order of their start, whenever they joined; who leaves one stream keeps the others; a link that carries nothing is
// not listened to; and what goes through the listeners sees those that there were.
func TestListeners(t *testing.T) {
	group, source := netip.MustParseAddr("239.1.2.3"), netip.MustParseAddr("10.0.0.2")
	n := &memoryNet{plan: Plan{Members: 3, NoMulticast: []int{3}}, listeners: make(map[netip.Addr][]listener)}
	var nodes []*memoryNode
	for i := range 3 {
		nodes = append(nodes, &memoryNode{name: MemberName(i + 1), place: i})
	}
	any, one := core.Stream{Group: group}, core.Stream{Group: group, Source: source}
	order := func(of []listener) (s string) {
		for _, l := range of {
			s += l.name
			if l.Source.IsValid() {
				s += "*"
			}
			s += " "
		}
		return s
	}
	n.listen(nodes[1], any)
	before := n.listeners[group]
	n.listen(nodes[0], any)
	n.listen(nodes[0], one)
	n.listen(nodes[2], any)
	n.listen(nodes[1], core.Stream{Group: group, Interface: "elsewhere"})
	if got := order(n.listeners[group]); got != "gm1 gm1* gm2 " || order(before) != "gm2 " {
		t.Errorf("%q, before %q", got, order(before))
	}
	before = n.listeners[group]
	n.deafen(nodes[0], any)
	n.deafen(nodes[2], any)
	if got := order(n.listeners[group]); got != "gm1* gm2 " || order(before) != "gm1 gm1* gm2 " {
		t.Errorf("%q, before %q", got, order(before))
	}
}
