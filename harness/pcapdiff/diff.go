package pcapdiff

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gdoilab/gdoilab/harness/capture"
)

// comparison is the state of one diff.
type comparison struct {
	a, b         *conversation
	requirements Requirements
	report       *Report
	ids          *identities
	namesA       map[netip.Addr]string // of matched nodes: the same for both captures
	namesB       map[netip.Addr]string
	alone        map[string]bool // SPIs whose SAK or SAT only one capture has; what belongs to them is not told again
}

// Compare says what differs between two decoded captures.
func Compare(a, b []capture.Message, requirements Requirements) *Report {
	c := &comparison{a: read(a), b: read(b), requirements: requirements, ids: newIdentities(), alone: make(map[string]bool),
		namesA: make(map[netip.Addr]string), namesB: make(map[netip.Addr]string)}
	c.report = &Report{Nodes: []NodePair{}, Differences: []Difference{}, Unmatched: c.a.other + c.b.other}
	c.matchNodes()
	c.matchExchanges()
	c.matchSAs()
	return c.report
}

// matchNodes pairs those of the same address and role, and the others of a role in the order of their first message.
func (c *comparison) matchNodes() {
	pairs := make(map[netip.Addr]netip.Addr)
	taken := make(map[netip.Addr]bool)
	for _, n := range c.a.nodes {
		if c.b.role(n.addr) == n.role {
			pairs[n.addr], taken[n.addr] = n.addr, true
		}
	}
	for _, n := range c.a.nodes {
		if _, ok := pairs[n.addr]; ok {
			continue
		}
		at := slices.IndexFunc(c.b.nodes, func(o node) bool { return o.role == n.role && !taken[o.addr] })
		if at >= 0 {
			pairs[n.addr], taken[c.b.nodes[at].addr] = c.b.nodes[at].addr, true
		}
	}
	counts := make(map[capture.Role]int)
	for _, n := range c.a.nodes {
		other, ok := pairs[n.addr]
		if !ok {
			continue
		}
		counts[n.role]++
		name := string(n.role) + strconv.Itoa(counts[n.role])
		c.namesA[n.addr], c.namesB[other] = name, name
		c.report.Nodes = append(c.report.Nodes, NodePair{Role: string(n.role), A: n.addr.String(), B: other.String()})
	}
}

// lane is what exchanges are matched within: their class, and the member they are with.
type lane struct{ class, member string }

// matchExchanges pairs exchanges of the same class with the same member, in their order, and compares each pair. What one
// capture has and the other lacks is a difference.
func (c *comparison) matchExchanges() {
	byLaneA, order := lanes(c.a, c.namesA)
	byLaneB, more := lanes(c.b, c.namesB)
	for _, l := range more {
		if !slices.Contains(order, l) {
			order = append(order, l)
		}
	}
	type matched struct{ a, b *exchange }
	var all []matched
	for _, l := range order {
		as, bs := byLaneA[l], byLaneB[l]
		size := func(list []*exchange) func(int) int { return func(i int) int { return 2 * len(list[i].messages) } }
		for _, p := range align(len(as), len(bs), func(i, j int) int { return distance(as[i], bs[j]) }, size(as), size(bs)) {
			var m matched
			if p.a >= 0 {
				m.a = as[p.a]
			}
			if p.b >= 0 {
				m.b = bs[p.b]
			}
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(x, y matched) int {
		x0, y0 := first(x.a, x.b), first(y.a, y.b)
		return cmp.Or(x0.At.Compare(y0.At), x0.Frame-y0.Frame)
	})
	for _, m := range all {
		c.exchange(m.a, m.b)
	}
}

func lanes(c *conversation, names map[netip.Addr]string) (byLane map[lane][]*exchange, order []lane) {
	byLane = make(map[lane][]*exchange)
	for _, x := range c.exchanges {
		l := lane{x.class, names[x.member]}
		if l.member == "" && x.member.IsValid() {
			l.member = x.member.String()
		}
		if byLane[l] == nil {
			order = append(order, l)
		}
		byLane[l] = append(byLane[l], x)
	}
	return byLane, order
}

// first is the message with which a pair of exchanges begins.
func first(a, b *exchange) *capture.Message {
	if a != nil {
		return a.messages[0]
	}
	return b.messages[0]
}

// distance is how unlike two exchanges are.
func distance(a, b *exchange) int {
	total := 0
	for i := range max(len(a.messages), len(b.messages)) {
		switch {
		case i >= len(a.messages) || i >= len(b.messages):
			total += 2
		case a.messages[i].Kind != b.messages[i].Kind:
			total += 3
		case a.messages[i].Summary != b.messages[i].Summary:
			total++
		}
	}
	return total
}

// exchange compares two exchanges message by message, or reports one that has no counterpart.
func (c *comparison) exchange(a, b *exchange) {
	as, bs := messages(a), messages(b)
	cost := func(i, j int) int {
		switch {
		case as[i].Kind != bs[j].Kind || c.namesA[as[i].From.Addr()] != c.namesB[bs[j].From.Addr()]:
			return apart
		case as[i].Summary != bs[j].Summary:
			return 1
		}
		return 0
	}
	one := func(int) int { return 2 }
	for _, p := range align(len(as), len(bs), cost, one, one) {
		switch {
		case p.b < 0:
			c.lone(as[p.a], nil)
		case p.a < 0:
			c.lone(nil, bs[p.b])
		default:
			c.message(as[p.a], bs[p.b])
		}
	}
}

func messages(x *exchange) []*capture.Message {
	if x == nil {
		return nil
	}
	return x.messages
}

// lone reports a message that only one capture has.
func (c *comparison) lone(a, b *capture.Message) {
	m, text := a, func(m *capture.Message) string {
		if m == nil {
			return ""
		}
		return m.Summary
	}
	if m == nil {
		m = b
	}
	c.add(a, b, Difference{What: Presence, Where: m.Kind, path: m.Kind + " " + m.Summary, A: text(a), B: text(b),
		Requirements: slices.Clone(c.requirements(m.Kind, ""))})
}

// add enters a difference that shows in these messages.
func (c *comparison) add(a, b *capture.Message, d Difference) {
	f := Frames{}
	if a != nil {
		f.A, f.Kind = a.Frame, a.Kind
	}
	if b != nil {
		f.B, f.Kind = b.Frame, b.Kind
	}
	d.Frames = []Frames{f}
	c.report.add(d)
}

// differs enters a difference of a field at that path.
func (c *comparison) differs(a, b *capture.Message, what What, path, va, vb string) {
	c.add(a, b, Difference{What: what, Where: strings.TrimSpace(a.Kind + " " + path), path: path, A: va, B: vb,
		Requirements: slices.Clone(c.requirements(a.Kind, path)), moving: classes[last(path)] == lifetime})
}
