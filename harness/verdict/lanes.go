package verdict

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// The measures of a diagram, in units of its view box.
const (
	laneLeft  = 150
	laneRight = 850
	maxLanes  = 7
	arrowY    = 22
)

// lane is one vertical line of a diagram. Several addresses share the last one when there are too many.
type lane struct {
	Name, Address string
	Role          capture.Role
	X             int
}

// stage is the lanes of one diagram and the place of each address on them.
type stage struct {
	Lanes []lane
	place map[netip.Addr]int
}

// lanes gives each node that appears in the rows a place from left to right.
func lanes(nodes []capture.Node, all []row) stage {
	seen := make(map[string]bool)
	for _, r := range all {
		seen[r.first.From.Addr().String()], seen[r.first.To.Addr().String()] = true, true
	}
	nodes = slices.DeleteFunc(slices.Clone(nodes), func(n capture.Node) bool { return !seen[n.Address] })
	s := stage{Lanes: make([]lane, min(len(nodes), maxLanes)), place: make(map[netip.Addr]int)}
	for i, n := range nodes {
		at := min(i, maxLanes-1)
		s.Lanes[at] = lane{Name: n.Name, Address: n.Address, Role: n.Role, X: laneX(at, len(s.Lanes))}
		if a, err := netip.ParseAddr(n.Address); err == nil {
			s.place[a] = at
		}
	}
	if surplus := len(nodes) - maxLanes; surplus > 0 {
		last := &s.Lanes[maxLanes-1]
		last.Name, last.Address = "others", fmt.Sprintf("%d addresses", surplus+1)
	}
	return s
}

// laneX is where lane i of n stands.
func laneX(i, n int) int {
	if n < 2 {
		return (laneLeft + laneRight) / 2
	}
	return laneLeft + i*(laneRight-laneLeft)/(n-1)
}

// span is where an arrow starts and the lanes that it points to. A message to a multicast group points to the members,
// a packet to one to the hosts. It is empty when the sender has no lane.
func (s *stage) span(m *capture.Message) (from int, to []int) {
	start, known := s.place[m.From.Addr()]
	if !known {
		return 0, nil
	}
	if end, known := s.place[m.To.Addr()]; known {
		return s.Lanes[start].X, []int{s.Lanes[end].X}
	}
	target := capture.RoleGM
	if isData(m) {
		target = capture.RoleHost
	}
	for i, l := range s.Lanes {
		if i != start && l.Role == target {
			to = append(to, l.X)
		}
	}
	if len(to) == 0 {
		to = []int{min(s.Lanes[start].X+120, laneRight)}
	}
	return s.Lanes[start].X, to
}
